// 3×3 convolution of stride 1 to few outputs, such as a picture's three colours: vectors run along the
// input channels, and their lanes are summed at the end.

/// Most outputs of such a convolution.
#define FEW_OUTPUTS 8
/// Most rows and columns of the output that are computed together. Larger blocks share more of what is
/// normalised and activated around them.
#define FEW_ROWS 8
#define FEW_COLUMNS 64

/// Places whose sums are kept in registers: 24 sums of 32 registers, or 12 of 16.
INLINE int few_places(int outputs) {
    const int fitting = (BLOCK_ROWS > 6 ? 24 : 12) / outputs;
    return fitting > 8 ? 8 : fitting;
}

typedef struct FewRun {
    const KernelsConvolution *convolution;
    /// Rows and columns of a block, and how many blocks there are along an image.
    int64_t rows, columns, blocks_down, blocks_across;
    // Floats of a chunk's weights `[chunks, 3, 3, vectors of channels, outputs, LANES]`; and for each thread
    // of a patch, and of the sums `[rows, columns, outputs, LANES]`.
    int64_t weights_of_chunk, patch, sums;
    float *weights, *own;
    /// The next block that no thread has taken.
    _Atomic int64_t next;
} FewRun;

static FewRun few_run(const KernelsConvolution *c) {
    FewRun run = {.convolution = c};
    run.columns = quotient_up(c->width, quotient_up(c->width, FEW_COLUMNS));
    run.blocks_across = quotient_up(c->width, run.columns);
    run.rows = smaller(FEW_ROWS, c->height);
    run.blocks_down = quotient_up(c->height, run.rows);
    run.weights_of_chunk = 9 * CHUNK * c->outputs;
    run.patch = (run.rows + 2) * (run.columns + 2) * CHUNK;
    run.sums = run.rows * run.columns * c->outputs * LANES;
    return run;
}

/// Brings the weights into the order in which they are taken.
static void few_weights(const FewRun *run) {
    const KernelsConvolution *c = run->convolution;
    for (int64_t chunk = 0; chunk < chunk_count(c->inputs); chunk++) {
        const int64_t input = chunk_start(c->inputs, chunk);
        const int64_t channels = chunk_start(c->inputs, chunk + 1) - input;
        float *result = run->weights + chunk * run->weights_of_chunk;
        for (int64_t tap = 0; tap < 9; tap++)
            for (int64_t k = 0; k < whole_vectors(channels); k += LANES)
                for (int64_t output = 0; output < c->outputs; output++)
                    for (int64_t i = k; i < k + LANES; i++)
                        *result++ = i < channels
                            ? c->weight[(output * c->inputs + input + i) * 9 + tap]
                            : 0;
    }
}

/// Adds the products of a chunk of channels to the sums of some places beside each other, or begins them.
///
/// - Parameters:
///   - places, outputs: constants.
///   - patch: the first place's upper left neighbour.
///   - row_stride, place_stride: floats from one to the next.
INLINE void few_sums(const int places, const int outputs, const float *patch, int64_t row_stride,
                     int64_t place_stride, const float *weights, float *sums, const bool adds) {
    Vector s[8][FEW_OUTPUTS];
    UNROLL for (int i = 0; i < places; i++)
        UNROLL for (int o = 0; o < outputs; o++)
            s[i][o] = adds ? *(const Vector *)(sums + (i * outputs + o) * LANES) : broadcast(0);
    // The three places of a kernel's row lie beside each other.
    for (int64_t row = 0; row < 3; row++, patch += row_stride)
        for (int64_t k = 0; k < 3 * place_stride; k += LANES, weights += outputs * LANES)
            UNROLL for (int i = 0; i < places; i++) {
                const Vector x = *(const Vector *)(patch + i * place_stride + k);
                UNROLL for (int o = 0; o < outputs; o++)
                    s[i][o] = x * *(const Vector *)(weights + o * LANES) + s[i][o];
            }
    UNROLL for (int i = 0; i < places; i++)
        UNROLL for (int o = 0; o < outputs; o++)
            *(Vector *)(sums + (i * outputs + o) * LANES) = s[i][o];
}

/// The same for one row of a block.
static void few_sums_of_row(int64_t columns, int64_t outputs, const float *patch,
                            int64_t row_stride, int64_t place_stride, const float *weights,
                            float *sums, bool adds) {
#define OUTPUTS(n)                                                                                 \
    case n: {                                                                                      \
        int64_t column = 0;                                                                        \
        for (; column + few_places(n) <= columns; column += few_places(n))                         \
            few_sums(few_places(n), n, patch + column * place_stride, row_stride, place_stride,    \
                     weights, sums + column * n * LANES, adds);                                    \
        for (; column < columns; column++)                                                         \
            few_sums(1, n, patch + column * place_stride, row_stride, place_stride, weights,       \
                     sums + column * n * LANES, adds);                                             \
        break;                                                                                     \
    }
    switch (outputs) {
        OUTPUTS(1) OUTPUTS(2) OUTPUTS(3) OUTPUTS(4) OUTPUTS(5) OUTPUTS(6) OUTPUTS(7) OUTPUTS(8)
    }
#undef OUTPUTS
}

/// The sum of a vector's lanes, halves added to halves.
INLINE float sum_of_lanes(const float *lanes) {
    float sums[LANES / 2];
    UNROLL for (int i = 0; i < LANES / 2; i++) sums[i] = lanes[i] + lanes[i + LANES / 2];
    for (int half = LANES / 4; half > 0; half /= 2)
        for (int i = 0; i < half; i++) sums[i] += sums[i + half];
    return sums[0];
}

/// Writes `columns` places of a row; `place` is the first one's number in the output.
static void write_few(const KernelsConvolution *c, int64_t image, int64_t place, int64_t columns,
                      const float *sums) {
    const float *bias = c->bias ? c->bias + image * c->bias_stride : NULL;
    for (int64_t i = place * c->outputs; i < (place + columns) * c->outputs; i++, sums += LANES) {
        const float sum = sum_of_lanes(sums) + (bias ? bias[i % c->outputs] : 0);
        c->output[i] = sum + (c->residual ? c->residual[i] : 0);
    }
}

static void few_blocks(int64_t begin, int64_t end, void *context) {
    FewRun *run = context;
    const KernelsConvolution *c = run->convolution;
    for (int64_t thread = begin; thread < end; thread++) {
        float *memory = run->own + thread * (run->patch + run->sums);
        float *sums = memory + run->patch;
        for (int64_t work; (work = run->next++) < c->images * run->blocks_down * run->blocks_across;) {
            const int64_t down = work / run->blocks_across, image = down / run->blocks_down;
            const int64_t top = down % run->blocks_down * run->rows;
            const int64_t left = work % run->blocks_across * run->columns;
            const int64_t rows = smaller(run->rows, c->height - top);
            const int64_t columns = smaller(run->columns, c->width - left);
            const int64_t sums_of_row = columns * c->outputs * LANES;
            for (int64_t chunk = 0; chunk < chunk_count(c->inputs); chunk++) {
                const int64_t input = chunk_start(c->inputs, chunk);
                const int64_t channels = chunk_start(c->inputs, chunk + 1) - input;
                const Patch patch = {
                    .image = image,
                    .top = top - c->padding,
                    .left = left - c->padding,
                    .rows = rows + 2,
                    .columns = columns + 2,
                    .first_channel = input,
                    .channels = channels,
                    .stride = whole_vectors(channels),
                };
                fill_patch(c, &patch, memory);
                for (int64_t row = 0; row < rows; row++)
                    few_sums_of_row(columns, c->outputs,
                                    memory + row * patch.columns * patch.stride,
                                    patch.columns * patch.stride, patch.stride,
                                    run->weights + chunk * run->weights_of_chunk,
                                    sums + row * sums_of_row, chunk > 0);
            }
            for (int64_t row = 0; row < rows; row++)
                write_few(c, image, (image * c->height + top + row) * c->width + left, columns,
                          sums + row * sums_of_row);
        }
    }
}

size_t COMPILED(few_outputs_scratch)(const KernelsConvolution *c, int64_t threads) {
    const FewRun run = few_run(c);
    return (size_t)(chunk_count(c->inputs) * run.weights_of_chunk
                    + threads * (run.patch + run.sums))
        * sizeof(float);
}

void COMPILED(few_outputs)(const KernelsConvolution *c, KernelsThreads threads, float *scratch) {
    FewRun run = few_run(c);
    run.weights = scratch;
    run.own = run.weights + chunk_count(c->inputs) * run.weights_of_chunk;
    few_weights(&run);
    threads.parallel_for(0, threads.count, 1, few_blocks, &run);
}
