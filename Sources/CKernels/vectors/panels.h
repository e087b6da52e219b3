// Weights in the order in which the product takes them.

typedef float Quad __attribute__((ext_vector_type(4)));

INLINE void store_quad(float *p, Quad q) { memcpy(p, &q, sizeof q); }

/// Transposes 4 by 4 floats.
INLINE void transpose_quads(const float *source, int64_t source_stride, float *result,
                            int64_t result_stride) {
    Quad q[4];
    UNROLL for (int i = 0; i < 4; i++) memcpy(&q[i], source + i * source_stride, sizeof(Quad));
    const Quad low_01 = __builtin_shufflevector(q[0], q[1], 0, 4, 1, 5);
    const Quad high_01 = __builtin_shufflevector(q[0], q[1], 2, 6, 3, 7);
    const Quad low_23 = __builtin_shufflevector(q[2], q[3], 0, 4, 1, 5);
    const Quad high_23 = __builtin_shufflevector(q[2], q[3], 2, 6, 3, 7);
    store_quad(result, __builtin_shufflevector(low_01, low_23, 0, 1, 4, 5));
    store_quad(result + result_stride, __builtin_shufflevector(low_01, low_23, 2, 3, 6, 7));
    store_quad(result + 2 * result_stride, __builtin_shufflevector(high_01, high_23, 0, 1, 4, 5));
    store_quad(result + 3 * result_stride, __builtin_shufflevector(high_01, high_23, 2, 3, 6, 7));
}

/// Transposes `[rows, columns]` to `[columns, PANEL]` with zeros beyond `rows`, which is up to PANEL.
static void transpose_to_panel(const float *source, int64_t source_stride, int64_t rows,
                               int64_t columns, float *result) {
    if (rows < PANEL) memset(result, 0, (size_t)(columns * PANEL) * sizeof(float));
    // A cache line of each row at a time.
    for (int64_t start = 0; start < columns; start += 16) {
        const int64_t end = smaller(start + 16, columns);
        const int64_t whole = start + (end - start) / 4 * 4;
        int64_t row = 0;
        for (int64_t i = 0; i < rows; i++)
            __builtin_prefetch(source + i * source_stride + start + 128);
        for (; row + 4 <= rows; row += 4)
            for (int64_t column = start; column < whole; column += 4)
                transpose_quads(source + row * source_stride + column, source_stride,
                                result + column * PANEL + row, PANEL);
        for (int64_t i = 0; i < rows; i++)
            for (int64_t column = i < row ? whole : start; column < end; column++)
                result[column * PANEL + i] = source[i * source_stride + column];
    }
}
