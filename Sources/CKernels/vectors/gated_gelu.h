// a · gelu(b), forward and back.

typedef struct GatedGELURun {
    const KernelsGatedGELU *unit;
    /// NULL on the way forward.
    const float *gradient;
    float *output;
} GatedGELURun;

static void gated_gelu_rows(int64_t begin, int64_t end, void *context) {
    const GatedGELURun *run = context;
    const int64_t size = run->unit->size, whole = size / LANES * LANES, rest = size - whole;
    for (int64_t row = begin; row < end; row++) {
        const float *a = run->unit->input + row * 2 * size, *b = a + size;
        float *output = run->output + row * size;
        for (int64_t i = 0; i < whole; i += LANES)
            store(output + i, load(a + i) * gelu(load(b + i)));
        if (rest > 0)
            store_some(output + whole,
                       load_some(a + whole, rest) * gelu(load_some(b + whole, rest)), rest);
    }
}

/// g · gelu(b) into `by_a`, g · a · gelu'(b) into `by_b`; gelu'(b) = Φ(b) + b φ(b).
INLINE void gated_gelu_gradients(Vector g, Vector a, Vector b, Vector *by_a, Vector *by_b) {
    const Vector phi = 0.398942280f * exponential(-0.5f * b * b);
    const Vector Phi = normal_distribution(b);
    *by_a = g * (b * Phi);
    *by_b = g * a * (Phi + b * phi);
}

static void gated_gelu_rows_back(int64_t begin, int64_t end, void *context) {
    const GatedGELURun *run = context;
    const int64_t size = run->unit->size, whole = size / LANES * LANES, rest = size - whole;
    Vector by_a, by_b;
    for (int64_t row = begin; row < end; row++) {
        const float *a = run->unit->input + row * 2 * size, *b = a + size;
        const float *g = run->gradient + row * size;
        float *output = run->output + row * 2 * size;
        for (int64_t i = 0; i < whole; i += LANES) {
            gated_gelu_gradients(load(g + i), load(a + i), load(b + i), &by_a, &by_b);
            store(output + i, by_a);
            store(output + size + i, by_b);
        }
        if (rest > 0) {
            gated_gelu_gradients(load_some(g + whole, rest), load_some(a + whole, rest),
                                 load_some(b + whole, rest), &by_a, &by_b);
            store_some(output + whole, by_a, rest);
            store_some(output + size + whole, by_b, rest);
        }
    }
}

/// Rows that are worth the trouble of another thread.
INLINE int64_t gated_gelu_grain(const KernelsGatedGELU *unit) {
    return quotient_up(1 << 14, unit->size);
}

void COMPILED(gated_gelu)(const KernelsGatedGELU *unit, float *output, KernelsThreads threads) {
    GatedGELURun run = {unit, NULL, output};
    threads.parallel_for(0, unit->rows, gated_gelu_grain(unit), gated_gelu_rows, &run);
}

void COMPILED(gated_gelu_backward)(const KernelsGatedGELU *unit, const float *gradient,
                                   float *output, KernelsThreads threads) {
    GatedGELURun run = {unit, gradient, output};
    threads.parallel_for(0, unit->rows, gated_gelu_grain(unit), gated_gelu_rows_back, &run);
}
