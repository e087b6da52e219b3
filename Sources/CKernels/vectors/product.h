// The matrix product in the middle of a convolution, a linear layer and attention: a block of sums that
// stays in registers while it runs along what is summed over.

/// Output channels that are computed together: two vectors.
#define PANEL (2 * LANES)

/// How far ahead of their use weights are called from a cache that the processor itself does not call
/// them from early enough, in floats. It reaches past the end of a product, into what the next one takes
/// where panels lie one behind the other.
#define PREFETCH 512

/// C += A B, or C = A B for `adds` false.
///
/// - Parameters:
///   - rows: of A and C, a constant up to BLOCK_ROWS.
///   - depth: columns of A and rows of B.
///   - a: `[rows, depth]`; from one row to the next and from one column to the next so many floats.
///   - b: `[depth, PANEL]`, aligned.
///   - c: `[rows, PANEL]`, aligned.
///   - ahead: what to call into the cache on the way, `depth` lines of 16 floats. One in each step stands
///     in no other load's way; all of them before the first would cost a tenth of the time.
INLINE void product_of_rows(const int rows, int64_t depth, const float *a, const int64_t row_stride,
                            const int64_t column_stride, const float *b, float *c,
                            const bool adds, const float *ahead) {
    Vector sums[BLOCK_ROWS][2];
    UNROLL for (int i = 0; i < rows; i++) sums[i][0] = sums[i][1] = broadcast(0);
    for (int64_t k = 0; k < depth; k++, ahead += 16) {
        const Vector b0 = *(const Vector *)b, b1 = *(const Vector *)(b + LANES);
        for (int64_t line = 0; line < PANEL; line += 16) __builtin_prefetch(b + PREFETCH + line);
        __builtin_prefetch(ahead);
        UNROLL for (int i = 0; i < rows; i++) {
            const Vector x = broadcast(a[i * row_stride + k * column_stride]);
            sums[i][0] = x * b0 + sums[i][0];
            sums[i][1] = x * b1 + sums[i][1];
        }
        b += PANEL;
    }
    UNROLL for (int i = 0; i < rows; i++) {
        Vector *place = (Vector *)(c + i * PANEL);
        place[0] = adds ? place[0] + sums[i][0] : sums[i][0];
        place[1] = adds ? place[1] + sums[i][1] : sums[i][1];
    }
}

#define ROWS(n)                                                                                    \
    case n:                                                                                        \
        if (adds)                                                                                  \
            product_of_rows(n, depth, a, row_stride, column_stride, b, c, true, ahead);            \
        else product_of_rows(n, depth, a, row_stride, column_stride, b, c, false, ahead);          \
        break;
INLINE void product_of_block(int64_t rows, int64_t depth, const float *a, const int64_t row_stride,
                             const int64_t column_stride, const float *b, float *c, bool adds,
                             const float *ahead) {
    switch (rows) {
        ROWS(1) ROWS(2) ROWS(3) ROWS(4) ROWS(5) ROWS(6)
#if BLOCK_ROWS > 6
        ROWS(7) ROWS(8) ROWS(9) ROWS(10) ROWS(11) ROWS(12) ROWS(13) ROWS(14)
#endif
    }
}
#undef ROWS

/// The same for any number of rows, in blocks of about equal size.
///
/// - Parameters:
///   - summed: how many products are summed before they are added to the rest: sums of sums keep rounding
///     errors small.
///   - next_a: A of the next product of about the same depth, its rows one behind the other, to be called
///     into the cache while this one is computed; or NULL.
static void product(int64_t rows, int64_t depth, int64_t summed, const float *a, int64_t a_stride,
                    const float *b, float *c, bool adds, const float *next_a) {
    const int64_t blocks = quotient_up(rows, BLOCK_ROWS);
    for (int64_t block = 0; block < blocks; block++) {
        const int64_t start = rows * block / blocks, end = rows * (block + 1) / blocks;
        const float *ahead = next_a ? next_a + start * depth : b;
        for (int64_t k = 0; k < depth; k += summed)
            product_of_block(end - start, smaller(summed, depth - k), a + start * a_stride + k,
                             a_stride, 1, b + k * PANEL, c + start * PANEL, adds || k > 0,
                             ahead + k * 16);
    }
}

/// The same with A given as its transpose, `[depth, rows]` with `a_stride` floats from one of its rows to
/// the next.
static void product_of_transpose(int64_t rows, int64_t depth, const float *a, int64_t a_stride,
                                 const float *b, float *c, bool adds) {
    const int64_t blocks = quotient_up(rows, BLOCK_ROWS);
    for (int64_t block = 0; block < blocks; block++) {
        const int64_t start = rows * block / blocks, end = rows * (block + 1) / blocks;
        product_of_block(end - start, depth, a + start, 1, a_stride, b, c + start * PANEL, adds, b);
    }
}
