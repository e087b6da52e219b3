// Winograd's F(4×4, 3×3) (Lavin and Gray, 2016): 16 outputs of a 3×3 convolution from 36 products
// instead of 144, by way of polynomials evaluated at the points 0, ±5/8, ±3/2 and ∞.
//
// These points give less than half the rounding errors of the usual 0, ±1, ±2, ∞, and everything that
// the transforms of input and output multiply by is exact in float32.

/// Outputs of a tile along each side.
#define TILE 4
/// Inputs of a tile along each side, which are also the points in each direction.
#define POINTS 6
/// Products for a tile and a pair of channels.
#define POSITIONS (POINTS * POINTS)

#define POINT_A 0.625f
#define POINT_B 1.5f
#define SQUARE_A (POINT_A * POINT_A)
#define SQUARE_B (POINT_B * POINT_B)

/// Bᵀ d along one side, times the denominators that `transformed_weights` divides by.
INLINE void transformed_inputs(const Vector d[POINTS], Vector result[POINTS]) {
    // Each point's polynomial is the product of all other points' factors: what ± shares is even or
    // odd in it.
    const Vector even_a = d[4] - SQUARE_B * d[2], odd_a = POINT_A * (d[3] - SQUARE_B * d[1]);
    const Vector even_b = d[4] - SQUARE_A * d[2], odd_b = POINT_B * (d[3] - SQUARE_A * d[1]);
    result[0] = (SQUARE_A * SQUARE_B) * d[0] + (d[4] - (SQUARE_A + SQUARE_B) * d[2]);
    result[1] = even_a + odd_a;
    result[2] = even_a - odd_a;
    result[3] = even_b + odd_b;
    result[4] = even_b - odd_b;
    result[5] = (SQUARE_A * SQUARE_B) * d[1] + (d[5] - (SQUARE_A + SQUARE_B) * d[3]);
}

/// G g along one side.
INLINE void transformed_weights(const Vector g[3], Vector result[POINTS]) {
    const float at_a = (float)(1 / (2.0 * SQUARE_A * (SQUARE_A - SQUARE_B)));
    const float at_b = (float)(1 / (2.0 * SQUARE_B * (SQUARE_B - SQUARE_A)));
    const float at_0 = (float)(1 / (1.0 * SQUARE_A * SQUARE_B));
    const Vector even_a = at_a * (SQUARE_A * g[2] + g[0]), odd_a = (at_a * POINT_A) * g[1];
    const Vector even_b = at_b * (SQUARE_B * g[2] + g[0]), odd_b = (at_b * POINT_B) * g[1];
    result[0] = at_0 * g[0];
    result[1] = even_a + odd_a;
    result[2] = even_a - odd_a;
    result[3] = even_b + odd_b;
    result[4] = even_b - odd_b;
    result[5] = g[2];
}

/// Aᵀ m along one side.
INLINE void transformed_products(const Vector m[POINTS], Vector result[TILE]) {
    const Vector sum_a = m[1] + m[2], difference_a = m[1] - m[2];
    const Vector sum_b = m[3] + m[4], difference_b = m[3] - m[4];
    result[0] = m[0] + sum_a + sum_b;
    result[1] = POINT_B * difference_b + POINT_A * difference_a;
    result[2] = SQUARE_B * sum_b + SQUARE_A * sum_a;
    result[3] = (POINT_A * SQUARE_A) * difference_a
        + ((POINT_B * SQUARE_B) * difference_b + m[5]);
}

/// Bᵀ d B of one vector of channels.
///
/// - Parameters:
///   - patch: the first of 6 by 6 inputs, `row_stride` and `column_stride` floats apart.
///   - result: the first of 36 vectors, `position_stride` floats apart; aligned.
INLINE void transform_input_tile(const float *patch, int64_t row_stride, int64_t column_stride,
                                 float *result, int64_t position_stride) {
    Vector half[POINTS][POINTS];
    UNROLL for (int j = 0; j < POINTS; j++) {
        Vector d[POINTS], column[POINTS];
        UNROLL for (int i = 0; i < POINTS; i++)
            d[i] = *(const Vector *)(patch + i * row_stride + j * column_stride);
        transformed_inputs(d, column);
        UNROLL for (int i = 0; i < POINTS; i++) half[i][j] = column[i];
    }
    UNROLL for (int i = 0; i < POINTS; i++) {
        Vector row[POINTS];
        transformed_inputs(half[i], row);
        UNROLL for (int j = 0; j < POINTS; j++)
            *(Vector *)(result + (i * POINTS + j) * position_stride) = row[j];
    }
}

/// G g Gᵀ of one vector of output channels.
///
/// - Parameters:
///   - taps: the first of 3 by 3 weights, `tap_stride` floats apart; aligned.
///   - result: the first of 36 vectors, `position_stride` floats apart; aligned.
INLINE void transform_weight(const float *taps, int64_t tap_stride, float *result,
                             int64_t position_stride) {
    Vector half[POINTS][3];
    UNROLL for (int j = 0; j < 3; j++) {
        Vector g[3], column[POINTS];
        UNROLL for (int i = 0; i < 3; i++) g[i] = *(const Vector *)(taps + (i * 3 + j) * tap_stride);
        transformed_weights(g, column);
        UNROLL for (int i = 0; i < POINTS; i++) half[i][j] = column[i];
    }
    UNROLL for (int i = 0; i < POINTS; i++) {
        Vector row[POINTS];
        transformed_weights(half[i], row);
        UNROLL for (int j = 0; j < POINTS; j++)
            *(Vector *)(result + (i * POINTS + j) * position_stride) = row[j];
    }
}

/// Aᵀ m A of one vector of output channels.
///
/// - Parameters:
///   - products: the first of 36 vectors, `position_stride` floats apart; aligned.
///   - result: 4 by 4 outputs.
INLINE void transform_output_tile(const float *products, int64_t position_stride,
                                  Vector result[TILE][TILE]) {
    Vector half[POINTS][TILE];
    UNROLL for (int i = 0; i < POINTS; i++) {
        Vector m[POINTS];
        UNROLL for (int j = 0; j < POINTS; j++)
            m[j] = *(const Vector *)(products + (i * POINTS + j) * position_stride);
        transformed_products(m, half[i]);
    }
    UNROLL for (int j = 0; j < TILE; j++) {
        Vector m[POINTS], column[TILE];
        UNROLL for (int i = 0; i < POINTS; i++) m[i] = half[i][j];
        transformed_products(m, column);
        UNROLL for (int i = 0; i < TILE; i++) result[i][j] = column[i];
    }
}
