// 3×3 convolution by Winograd's transforms: input tiles and weights are transformed, multiplied at each
// of 36 positions as matrices (tiles × inputs by inputs × outputs), and the products transformed to
// output tiles.
//
// Where there are many tiles, each thread takes some of them through all three stages, and the weights
// are transformed once before. Where there are few, as in the depth of a UNet, weights are what costs:
// then threads share the transformed input and each takes some of the outputs, whose weights are
// transformed block by block just before they are multiplied.

typedef struct WinogradPlan {
    /// Tiles in a row and in a column of an image, and in all images.
    int64_t columns, rows, tiles;
    /// Groups of PANEL outputs.
    int64_t panels;
    /// Whether threads share the transformed input.
    bool shares_input;
    /// Tiles that go through the stages together.
    int64_t block;
    /// Chunks that the inputs fall into.
    int64_t chunks;
    // Floats from one to the next. The order in memory is that in which the product takes it:
    /// of the transformed input: `[chunks, positions, tiles, inputs of a chunk]`.
    int64_t input_of_chunk, input_of_position, input_of_tile;
    /// of the transformed weights: `[positions, inputs, PANEL]`, the inputs being all or those of a chunk.
    int64_t weights_of_position;
    /// of the products: `[positions, tiles, PANEL]`.
    int64_t products_of_position;
    // Floats of memory. For all threads together:
    int64_t all_weights, shared_input;
    // For each thread:
    int64_t own_input, products, patch, taps, own_weights;
} WinogradPlan;

/// Tiles in a row whose inputs make one patch.
#define PATCH_TILES 28

/// Distances in memory are odd multiples of a cache line: even ones would share few places of a cache.
INLINE int64_t odd_lines(int64_t floats) { return (quotient_up(floats, 16) | 1) * 16; }

static WinogradPlan winograd_plan(const KernelsConvolution *c, int64_t threads) {
    WinogradPlan plan = {0};
    plan.columns = quotient_up(c->width, TILE);
    plan.rows = quotient_up(c->height, TILE);
    plan.tiles = c->images * plan.rows * plan.columns;
    plan.panels = quotient_up(c->outputs, PANEL);
    const int64_t weights = c->outputs * POSITIONS * c->inputs;
    plan.shares_input = plan.tiles < 56 * threads || weights > 10 * 1000 * 1000;
    const int64_t most = plan.shares_input ? 128 : c->inputs <= 256 ? 28 : 84;
    plan.block = quotient_up(plan.tiles, quotient_up(plan.tiles, most));
    plan.chunks = chunk_count(c->inputs);
    plan.input_of_tile = rounded_up(quotient_up(c->inputs, plan.chunks), 16);
    plan.input_of_position = odd_lines(plan.block * plan.input_of_tile);
    plan.input_of_chunk = POSITIONS * plan.input_of_position;
    plan.weights_of_position = odd_lines((plan.shares_input ? CHUNK : c->inputs) * PANEL);
    plan.products_of_position = odd_lines(plan.block * PANEL);

    const int64_t input = plan.chunks * plan.input_of_chunk;
    plan.all_weights =
        plan.shares_input ? 0 : plan.panels * POSITIONS * plan.weights_of_position;
    plan.shared_input = plan.shares_input ? input : 0;
    plan.own_input = plan.shares_input ? 0 : input;
    plan.products = POSITIONS * plan.products_of_position;
    plan.patch = POINTS * (TILE * PATCH_TILES + 2) * CHUNK;
    plan.taps = CHUNK * 9 * PANEL;
    plan.own_weights = plan.shares_input ? POSITIONS * plan.weights_of_position : 0;
    return plan;
}

/// What the stages of one convolution share.
typedef struct WinogradRun {
    const KernelsConvolution *convolution;
    WinogradPlan plan;
    /// The first tile of the block that threads work on together.
    int64_t block_start;
    /// Whether the output goes past the caches.
    bool past_caches;
    float *weights, *input, *own;
    /// The next piece of work that no thread has taken.
    _Atomic int64_t next;
} WinogradRun;

INLINE int64_t floats_per_thread(const WinogradPlan *plan) {
    return plan->own_input + plan->products + plan->patch + plan->taps + plan->own_weights;
}

/// One thread's part of the memory.
typedef struct WinogradMemory {
    float *input, *products, *patch, *taps, *weights;
} WinogradMemory;

INLINE WinogradMemory memory_of_thread(const WinogradRun *run, int64_t thread) {
    const WinogradPlan *plan = &run->plan;
    WinogradMemory memory;
    memory.input = run->own + thread * floats_per_thread(plan);
    memory.products = memory.input + plan->own_input;
    memory.patch = memory.products + plan->products;
    memory.taps = memory.patch + plan->patch;
    memory.weights = memory.taps + plan->taps;
    return memory;
}

typedef struct TilePlace {
    int64_t image, row, column;
} TilePlace;

INLINE TilePlace place_of_tile(const WinogradPlan *plan, int64_t tile) {
    const int64_t in_image = tile % (plan->rows * plan->columns);
    return (TilePlace){tile / (plan->rows * plan->columns), in_image / plan->columns,
                       in_image % plan->columns};
}

/// Transforms a chunk of the inputs of the tiles `begin..<end`; `result` is where the first tile's first
/// channel goes.
static void transform_inputs(const WinogradRun *run, int64_t begin, int64_t end, int64_t chunk,
                             float *patch_memory, float *result) {
    const int64_t inputs = run->convolution->inputs, first_channel = chunk_start(inputs, chunk);
    const int64_t channels = chunk_start(inputs, chunk + 1) - first_channel;
    const WinogradPlan *plan = &run->plan;
    while (begin < end) {
        const TilePlace place = place_of_tile(plan, begin);
        const int64_t tiles =
            smaller(smaller(end - begin, plan->columns - place.column), PATCH_TILES);
        const Patch patch = {
            .image = place.image,
            .top = place.row * TILE - 1,
            .left = place.column * TILE - 1,
            .rows = POINTS,
            .columns = tiles * TILE + 2,
            .first_channel = first_channel,
            .channels = channels,
            .stride = whole_vectors(channels),
        };
        fill_patch(run->convolution, &patch, patch_memory);
        const int64_t stride = patch.stride;
        for (int64_t tile = 0; tile < tiles; tile++, result += plan->input_of_tile)
            for (int64_t channel = 0; channel < stride; channel += LANES)
                transform_input_tile(patch_memory + tile * TILE * stride + channel,
                                     patch.columns * stride, stride, result + channel,
                                     plan->input_of_position);
        begin += tiles;
    }
}

/// Where a tile's outputs are: how many rows and columns, and the number of the first place in the output.
typedef struct TileOutputs {
    int64_t image, rows, columns, corner;
} TileOutputs;

INLINE TileOutputs outputs_of_tile(const WinogradRun *run, int64_t tile) {
    const KernelsConvolution *c = run->convolution;
    const TilePlace place = place_of_tile(&run->plan, tile);
    const int64_t y = place.row * TILE, x = place.column * TILE;
    return (TileOutputs){place.image, smaller(TILE, c->height - y), smaller(TILE, c->width - x),
                         (place.image * c->height + y) * c->width + x};
}

/// How many tiles ahead of their use residuals are called into the cache.
#define RESIDUAL_AHEAD 2

/// Calls what is added to one panel of a tile's outputs into the cache: its pieces are too short, and too
/// far from each other, for the processor to see them coming.
static void prefetch_residual(const WinogradRun *run, int64_t tile, int64_t panel) {
    const KernelsConvolution *c = run->convolution;
    const TileOutputs place = outputs_of_tile(run, tile);
    const float *residual = c->residual + place.corner * c->outputs + panel * PANEL;
    for (int64_t i = 0; i < place.rows; i++)
        for (int64_t j = 0; j < place.columns; j++) {
            const float *start = residual + (i * c->width + j) * c->outputs;
            prefetch(start, start + smaller(PANEL, c->outputs - panel * PANEL));
        }
}

/// Writes one panel of the outputs of `count` tiles from `begin` on.
static void transform_outputs(const WinogradRun *run, int64_t begin, int64_t count, int64_t panel,
                              const float *products) {
    const KernelsConvolution *c = run->convolution;
    for (int64_t tile = begin; tile < begin + count; tile++, products += PANEL) {
        if (c->residual && tile + RESIDUAL_AHEAD < begin + count)
            prefetch_residual(run, tile + RESIDUAL_AHEAD, panel);
        const TileOutputs place = outputs_of_tile(run, tile);
        for (int64_t lane = 0; lane < PANEL; lane += LANES) {
            const int64_t channel = panel * PANEL + lane, lanes = c->outputs - channel;
            if (lanes <= 0) break;
            const Vector bias = bias_of(c, place.image, channel, lanes);
            Vector outputs[TILE][TILE];
            transform_output_tile(products + lane, run->plan.products_of_position, outputs);
            UNROLL for (int i = 0; i < TILE; i++) {
                if (i >= place.rows) break;
                UNROLL for (int j = 0; j < TILE; j++) {
                    if (j >= place.columns) break;
                    write_output(c, run->past_caches,
                                 (place.corner + i * c->width + j) * c->outputs + channel,
                                 outputs[i][j] + bias, lanes);
                }
            }
        }
    }
}

// MARK: - Many tiles: each thread takes some of them

/// Transforms all weights.
static void weights_of_panels(int64_t begin, int64_t end, void *context) {
    WinogradRun *run = context;
    const WinogradPlan *plan = &run->plan;
    for (int64_t thread = begin; thread < end; thread++) {
        const WinogradMemory memory = memory_of_thread(run, thread);
        for (int64_t work; (work = run->next++) < plan->panels * plan->chunks;) {
            const int64_t panel = work / plan->chunks, chunk = work % plan->chunks;
            transform_weights(run->convolution, panel, chunk, memory.taps,
                              run->weights + panel * POSITIONS * plan->weights_of_position
                                  + chunk_start(run->convolution->inputs, chunk) * PANEL,
                              plan->weights_of_position);
        }
    }
}

static void convolve_tiles(int64_t begin, int64_t end, void *context) {
    WinogradRun *run = context;
    const int64_t inputs = run->convolution->inputs;
    const WinogradPlan *plan = &run->plan;
    for (int64_t thread = begin; thread < end; thread++) {
        const WinogradMemory memory = memory_of_thread(run, thread);
        for (int64_t first; (first = run->next++ * plan->block) < plan->tiles;) {
            const int64_t tiles = smaller(plan->block, plan->tiles - first);
            for (int64_t chunk = 0; chunk < plan->chunks; chunk++)
                transform_inputs(run, first, first + tiles, chunk, memory.patch,
                                 memory.input + chunk * plan->input_of_chunk);
            const float *weights = run->weights;
            for (int64_t panel = 0; panel < plan->panels; panel++) {
                for (int64_t i = 0; i < POSITIONS; i++, weights += plan->weights_of_position)
                    for (int64_t chunk = 0; chunk < plan->chunks; chunk++) {
                        const int64_t start = chunk_start(inputs, chunk);
                        const bool is_last = chunk + 1 == plan->chunks;
                        const float *next = memory.input
                            + (is_last ? (i + 1) % POSITIONS * plan->input_of_position
                                       : (chunk + 1) * plan->input_of_chunk
                                           + i * plan->input_of_position);
                        product(tiles, chunk_start(inputs, chunk + 1) - start, SUMMED,
                                memory.input + chunk * plan->input_of_chunk
                                    + i * plan->input_of_position,
                                plan->input_of_tile, weights + start * PANEL,
                                memory.products + i * plan->products_of_position, chunk > 0,
                                next);
                    }
                transform_outputs(run, first, tiles, panel, memory.products);
            }
        }
    }
}

// MARK: - Few tiles: threads share them and each takes some of the outputs

/// Tiles whose transform is one piece of work.
#define SHARED_TILES 8

static void inputs_of_block(int64_t begin, int64_t end, void *context) {
    WinogradRun *run = context;
    const WinogradPlan *plan = &run->plan;
    const int64_t tiles = smaller(plan->block, plan->tiles - run->block_start);
    for (int64_t thread = begin; thread < end; thread++) {
        const WinogradMemory memory = memory_of_thread(run, thread);
        for (int64_t work; (work = run->next++) < quotient_up(tiles, SHARED_TILES) * plan->chunks;) {
            const int64_t tile = work / plan->chunks * SHARED_TILES, chunk = work % plan->chunks;
            transform_inputs(
                run, run->block_start + tile,
                run->block_start + smaller(tile + SHARED_TILES, tiles), chunk, memory.patch,
                run->input + chunk * plan->input_of_chunk + tile * plan->input_of_tile);
        }
    }
}

static void outputs_of_block(int64_t begin, int64_t end, void *context) {
    WinogradRun *run = context;
    const int64_t inputs = run->convolution->inputs;
    const WinogradPlan *plan = &run->plan;
    const int64_t tiles = smaller(plan->block, plan->tiles - run->block_start);
    for (int64_t thread = begin; thread < end; thread++) {
        const WinogradMemory memory = memory_of_thread(run, thread);
        for (int64_t panel; (panel = run->next++) < plan->panels;) {
            for (int64_t chunk = 0; chunk < plan->chunks; chunk++) {
                const int64_t depth = chunk_start(inputs, chunk + 1) - chunk_start(inputs, chunk);
                transform_weights(run->convolution, panel, chunk, memory.taps, memory.weights,
                                  plan->weights_of_position);
                const float *input = run->input + chunk * plan->input_of_chunk;
                for (int64_t i = 0; i < POSITIONS; i++) {
                    const float *next = input
                        + (i + 1 < POSITIONS ? (i + 1) * plan->input_of_position
                                             : plan->input_of_chunk);
                    product(tiles, depth, SUMMED, input + i * plan->input_of_position,
                            plan->input_of_tile, memory.weights + i * plan->weights_of_position,
                            memory.products + i * plan->products_of_position, chunk > 0, next);
                }
            }
            transform_outputs(run, run->block_start, tiles, panel, memory.products);
        }
    }
}

// MARK: - The whole

static void in_parallel(WinogradRun *run, KernelsThreads threads, KernelsRange *stage) {
    run->next = 0;
    threads.parallel_for(0, threads.count, 1, stage, run);
}

size_t COMPILED(winograd_scratch)(const KernelsConvolution *c, int64_t threads) {
    const WinogradPlan plan = winograd_plan(c, threads);
    return (size_t)(plan.all_weights + plan.shared_input + threads * floats_per_thread(&plan))
        * sizeof(float);
}

void COMPILED(winograd)(const KernelsConvolution *c, KernelsThreads threads, float *scratch) {
    WinogradRun run = {.convolution = c, .plan = winograd_plan(c, threads.count)};
    run.weights = scratch;
    run.input = run.weights + run.plan.all_weights;
    run.own = run.input + run.plan.shared_input;
    run.past_caches = goes_past_caches(c);
    if (!run.plan.shares_input) {
        in_parallel(&run, threads, weights_of_panels);
        in_parallel(&run, threads, convolve_tiles);
        return;
    }
    for (int64_t tile = 0; tile < run.plan.tiles; tile += run.plan.block) {
        run.block_start = tile;
        in_parallel(&run, threads, inputs_of_block);
        in_parallel(&run, threads, outputs_of_block);
    }
}
