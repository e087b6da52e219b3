// 3×3 convolution as the sum of its products, for what Winograd's transforms are not made for: stride 2.
//
// The three places of a kernel's row lie beside each other in a patch, so that they are one product over
// three times the channels.

/// Places of the output that are computed together, and most of them in one row.
#define DIRECT_PLACES 56

typedef struct DirectPlan {
    /// Groups of PANEL outputs, and chunks that the inputs fall into.
    int64_t panels, chunks;
    /// Of a block of outputs, and how many blocks there are along an image.
    int64_t rows, columns, blocks_down, blocks_across;
    /// Parts that the panels fall into where there are few blocks.
    int64_t groups;
    /// Floats of one panel's weights, `[chunks, 3, 3, inputs of a chunk, PANEL]`.
    int64_t weights_of_panel;
    // For each thread: a patch, the sums `[panels, rows, columns, PANEL]`, and weights on their way.
    int64_t patch, sums, taps;
} DirectPlan;

/// Rows or columns of the input that some of the output reach.
INLINE int64_t reach(const KernelsConvolution *c, int64_t outputs) {
    return (outputs - 1) * c->stride + 3;
}

static DirectPlan direct_plan(const KernelsConvolution *c, int64_t threads) {
    DirectPlan plan;
    plan.panels = quotient_up(c->outputs, PANEL);
    plan.chunks = chunk_count(c->inputs);
    plan.columns = quotient_up(c->width, quotient_up(c->width, DIRECT_PLACES));
    plan.blocks_across = quotient_up(c->width, plan.columns);
    plan.rows = smaller(c->height, quotient_up(DIRECT_PLACES, plan.columns));
    plan.blocks_down = quotient_up(c->height, plan.rows);
    const int64_t blocks = c->images * plan.blocks_down * plan.blocks_across;
    plan.groups = smaller(plan.panels, quotient_up(4 * threads, blocks));
    plan.weights_of_panel = 9 * c->inputs * PANEL;
    plan.patch = rounded_up(reach(c, plan.rows) * reach(c, plan.columns) * CHUNK, 16);
    plan.sums = quotient_up(plan.panels, plan.groups) * plan.rows * plan.columns * PANEL;
    plan.taps = CHUNK * 9 * PANEL;
    return plan;
}

typedef struct DirectRun {
    const KernelsConvolution *convolution;
    DirectPlan plan;
    bool past_caches;
    float *weights, *own;
    /// The next piece of work that no thread has taken.
    _Atomic int64_t next;
} DirectRun;

INLINE int64_t direct_floats_per_thread(const DirectPlan *plan) {
    return plan->patch + plan->sums + plan->taps;
}

/// Brings the weights from `[outputs, inputs, 3, 3]` into the order in which the product takes them.
static void direct_weights(int64_t begin, int64_t end, void *context) {
    DirectRun *run = context;
    const KernelsConvolution *c = run->convolution;
    const DirectPlan *plan = &run->plan;
    for (int64_t thread = begin; thread < end; thread++) {
        float *taps = run->own + thread * direct_floats_per_thread(plan) + plan->patch + plan->sums;
        for (int64_t work; (work = run->next++) < plan->panels * plan->chunks;) {
            const int64_t panel = work / plan->chunks, chunk = work % plan->chunks;
            const int64_t output = panel * PANEL, input = chunk_start(c->inputs, chunk);
            const int64_t depth = chunk_start(c->inputs, chunk + 1) - input;
            float *result = run->weights + panel * plan->weights_of_panel + input * 9 * PANEL;
            transpose_to_panel(c->weight + (output * c->inputs + input) * 9, c->inputs * 9,
                               smaller(PANEL, c->outputs - output), depth * 9, taps);
            for (int64_t tap = 0; tap < 9; tap++)
                for (int64_t i = 0; i < depth; i++, result += PANEL)
                    memcpy(result, taps + (i * 9 + tap) * PANEL, PANEL * sizeof(float));
        }
    }
}

/// Some rows and columns of an image's output.
typedef struct DirectBlock {
    int64_t image, top, left, rows, columns;
} DirectBlock;

INLINE DirectBlock direct_block(const DirectRun *run, int64_t number) {
    const KernelsConvolution *c = run->convolution;
    const DirectPlan *plan = &run->plan;
    const int64_t across = number % plan->blocks_across, down = number / plan->blocks_across;
    DirectBlock block = {.image = down / plan->blocks_down};
    block.top = down % plan->blocks_down * plan->rows;
    block.left = across * plan->columns;
    block.rows = smaller(plan->rows, c->height - block.top);
    block.columns = smaller(plan->columns, c->width - block.left);
    return block;
}

/// The products of one chunk of a block's inputs with the weights of some panels.
static void direct_products(const DirectRun *run, const DirectBlock *block, int64_t chunk,
                            int64_t first_panel, int64_t last_panel, float *patch_memory,
                            float *sums) {
    const KernelsConvolution *c = run->convolution;
    const DirectPlan *plan = &run->plan;
    const int64_t input = chunk_start(c->inputs, chunk);
    const int64_t channels = chunk_start(c->inputs, chunk + 1) - input;
    const Patch patch = {
        .image = block->image,
        .top = block->top * c->stride - c->padding,
        .left = block->left * c->stride - c->padding,
        .rows = reach(c, block->rows),
        .columns = reach(c, block->columns),
        .first_channel = input,
        .channels = channels,
        .stride = channels,
    };
    fill_patch(c, &patch, patch_memory);
    for (int64_t panel = first_panel; panel < last_panel; panel++) {
        const float *weights =
            run->weights + panel * plan->weights_of_panel + input * 9 * PANEL;
        for (int64_t row = 0; row < block->rows; row++, sums += block->columns * PANEL)
            for (int64_t tap = 0; tap < 3; tap++)
                product(block->columns, 3 * channels, SUMMED,
                        patch_memory + (row * c->stride + tap) * patch.columns * channels,
                        c->stride * channels, weights + tap * 3 * channels * PANEL, sums,
                        chunk > 0 || tap > 0, NULL);
    }
}

/// Adds biases and residuals to the sums of some panels, and writes them.
static void write_direct(const DirectRun *run, const DirectBlock *block, int64_t first_panel,
                         int64_t last_panel, const float *sums) {
    const KernelsConvolution *c = run->convolution;
    for (int64_t panel = first_panel; panel < last_panel; panel++)
        for (int64_t row = 0; row < block->rows; row++) {
            const int64_t corner =
                (block->image * c->height + block->top + row) * c->width + block->left;
            for (int64_t column = 0; column < block->columns; column++, sums += PANEL)
                for (int64_t lane = 0; lane < PANEL; lane += LANES) {
                    const int64_t channel = panel * PANEL + lane, lanes = c->outputs - channel;
                    if (lanes <= 0) break;
                    write_output(c, run->past_caches, (corner + column) * c->outputs + channel,
                                 *(const Vector *)(sums + lane)
                                     + bias_of(c, block->image, channel, lanes),
                                 lanes);
                }
        }
}

static void convolve_blocks(int64_t begin, int64_t end, void *context) {
    DirectRun *run = context;
    const DirectPlan *plan = &run->plan;
    const int64_t blocks =
        run->convolution->images * plan->blocks_down * plan->blocks_across;
    for (int64_t thread = begin; thread < end; thread++) {
        float *patch = run->own + thread * direct_floats_per_thread(plan);
        float *sums = patch + plan->patch;
        for (int64_t work; (work = run->next++) < blocks * plan->groups;) {
            const DirectBlock block = direct_block(run, work / plan->groups);
            const int64_t group = work % plan->groups;
            const int64_t first = plan->panels * group / plan->groups;
            const int64_t last = plan->panels * (group + 1) / plan->groups;
            for (int64_t chunk = 0; chunk < plan->chunks; chunk++)
                direct_products(run, &block, chunk, first, last, patch, sums);
            write_direct(run, &block, first, last, sums);
        }
    }
}

size_t COMPILED(direct_scratch)(const KernelsConvolution *c, int64_t threads) {
    const DirectPlan plan = direct_plan(c, threads);
    return (size_t)(plan.panels * plan.weights_of_panel
                    + threads * direct_floats_per_thread(&plan))
        * sizeof(float);
}

void COMPILED(direct)(const KernelsConvolution *c, KernelsThreads threads, float *scratch) {
    DirectRun run = {.convolution = c, .plan = direct_plan(c, threads.count), .weights = scratch};
    run.own = run.weights + run.plan.panels * run.plan.weights_of_panel;
    run.past_caches = goes_past_caches(c);
    threads.parallel_for(0, threads.count, 1, direct_weights, &run);
    run.next = 0;
    threads.parallel_for(0, threads.count, 1, convolve_blocks, &run);
}
