// Functions of vectors.

/// e^x, with a relative error below 1e-7 within the range of normal numbers and saturating beyond it.
INLINE Vector exponential(Vector x) {
    x = __builtin_elementwise_max(__builtin_elementwise_min(x, broadcast(88)), broadcast(-87));
    // x = n ln 2 + r. What is added to round to an integer also leaves n in the lowest bits.
    const float rounder = 12582912; // 1.5 · 2^23
    const Vector rounded = x * 1.44269504f + rounder;
    const Vector n = rounded - rounder;
    const Vector r = n * -1.42860677e-6f + (n * -0.693145752f + x);
    // e^r - 1 - r, divided by r², in the least greatest error for |r| up to half of ln 2.
    Vector p = 0.00139517174f * r + 0.00836959854f;
    p = p * r + 0.0416661873f;
    p = p * r + 0.166665122f;
    p = p * r + 0.5f;
    const Vector power = p * (r * r) + r + 1;
    return (Vector)((IntVector)power + ((IntVector)rounded << 23));
}

/// 2^x for x up to 0, with a relative error below 2e-7; of x below -126, 2^-126. NaN stays NaN.
INLINE Vector power_of_two(Vector x) {
    // Not a maximum, which may drop a NaN.
    x = x < -126 ? broadcast(-126) : x;
    const float rounder = 12582912; // as above
    const Vector rounded = x + rounder;
    const Vector r = x - (rounded - rounder);
    // 2^r in the least greatest error for |r| up to a half.
    Vector p = 1.32647273e-3f * r + 9.67151299e-3f;
    p = p * r + 5.55073358e-2f;
    p = p * r + 2.40222424e-1f;
    p = p * r + 6.93147004e-1f;
    p = p * r + 1;
    return (Vector)((IntVector)p + ((IntVector)rounded << 23));
}

/// x · sigmoid(x)
INLINE Vector silu(Vector x) { return x / (1 + exponential(-x)); }

/// Φ(x), with an absolute error below 1e-7.
INLINE Vector normal_distribution(Vector x) {
    // 1 - erf(t / √2) = e^-p(t) for t = |x|: nothing cancels, neither near zero nor far out.
    const Vector t = __builtin_elementwise_max(x, -x);
    Vector p = 3.37400827e-8f * t - 8.72820920e-7f;
    p = p * t + 9.89083674e-6f;
    p = p * t - 6.29658971e-5f;
    p = p * t + 2.18571295e-4f;
    p = p * t - 3.50652408e-5f;
    p = p * t - 4.78813052e-3f;
    p = p * t + 3.63394916e-2f;
    p = p * t + 3.18308860e-1f;
    p = p * t + 7.97884643e-1f;
    const Vector tail = 0.5f * exponential(-p * t);
    return x < 0 ? tail : 1 - tail;
}

/// x · Φ(x), with an absolute error below 1e-7 times |x|.
INLINE Vector gelu(Vector x) { return x * normal_distribution(x); }
