import Glibc

/// The beta distribution's cumulative distribution function I_x(a, b), and the inverse of it.
///
/// Abramowitz and Stegun, 1964, chapter 26.5.
struct IncompleteBeta: Sendable {
    let a: Double
    let b: Double

    /// I_x(a, b) for 0 ≤ x ≤ 1.
    func callAsFunction(_ x: Double) -> Double {
        guard x > 0 else { return 0 }
        guard x < 1 else { return 1 }
        // The fraction converges fast up to the mean; past it I_x(a, b) = 1 - I_{1-x}(b, a).
        guard x <= (a + 1) / (a + b + 2) else { return 1 - IncompleteBeta(a: b, b: a)(1 - x) }
        return density(x) * x * (1 - x) / a * continuedFraction(x)
    }

    /// The x at which I_x(a, b) is `probability`.
    func inverse(of probability: Double) -> Double {
        guard probability > 0 else { return 0 }
        guard probability < 1 else { return 1 }
        // Newton's method; a step that leaves what is known to hold the root is halved instead.
        var (lower, upper) = (0.0, 1.0)
        var x = 0.5
        for _ in 0..<200 {
            let excess = self(x) - probability
            if excess > 0 { upper = x } else { lower = x }
            let step = excess / density(x)
            let newton = x - step
            let next = newton > lower && newton < upper ? newton : (lower + upper) / 2
            guard (next - x).magnitude > 1e-16 * x else { return next }
            x = next
        }
        return x
    }

    /// x^{a-1} (1-x)^{b-1} / B(a, b).
    private func density(_ x: Double) -> Double {
        let beta = tgamma(a) * tgamma(b) / tgamma(a + b)
        return pow(x, a - 1) * pow(1 - x, b - 1) / beta
    }

    /// Equation 26.5.8, from the front by Lentz's method.
    private func continuedFraction(_ x: Double) -> Double {
        let tiny = 1e-300
        func awayFromZero(_ value: Double) -> Double { value.magnitude < tiny ? tiny : value }
        var numerator = 1.0
        var denominator = 1 / awayFromZero(1 - (a + b) * x / (a + 1))
        var fraction = denominator
        for term in 1...500 {
            let m = Double(term)
            let even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
            let odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
            var change = 1.0
            for coefficient in [even, odd] {
                denominator = 1 / awayFromZero(1 + coefficient * denominator)
                numerator = awayFromZero(1 + coefficient / numerator)
                change = numerator * denominator
                fraction *= change
            }
            if (change - 1).magnitude < 1e-16 { break }
        }
        return fraction
    }
}
