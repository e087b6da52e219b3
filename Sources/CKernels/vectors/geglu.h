// The gated linear unit, in one pass instead of libtorch's six.

typedef struct GEGLURun {
    int64_t size;
    const float *input;
    float *output;
} GEGLURun;

static void geglu_rows(int64_t begin, int64_t end, void *context) {
    const GEGLURun *run = context;
    const int64_t size = run->size, whole = size / LANES * LANES, rest = size - whole;
    for (int64_t row = begin; row < end; row++) {
        const float *a = run->input + row * 2 * size, *b = a + size;
        float *output = run->output + row * size;
        for (int64_t i = 0; i < whole; i += LANES)
            store(output + i, load(a + i) * gelu(load(b + i)));
        if (rest > 0)
            store_some(output + whole,
                       load_some(a + whole, rest) * gelu(load_some(b + whole, rest)), rest);
    }
}

void COMPILED(geglu)(int64_t rows, int64_t size, const float *input, float *output,
                     KernelsThreads threads) {
    GEGLURun run = {size, input, output};
    threads.parallel_for(0, rows, 8, geglu_rows, &run);
}
