// A linear layer: all weights are brought into panels, then each thread takes some of the rows through
// all panels, so that rows stay in its cache. Where there are few rows, weights are what costs: then each
// thread brings those of some outputs into a panel in its cache and takes all rows through it.

/// Products that are summed before they are added to the rest.
#define LINEAR_SUMMED 256
/// Inputs whose weights, with those of a gate, are to stay in a cache while rows pass by.
#define LINEAR_SPAN (5 * LINEAR_SUMMED)

/// Up to so many rows are few.
#define LINEAR_FEW_ROWS 768

typedef struct LinearPlan {
    /// Groups of PANEL outputs; with a gate, of values and as many of gates.
    int64_t panels;
    /// Whether each thread brings the weights into panels that it goes on with.
    bool packs_in_turn;
    /// Rows that go through the panels together.
    int64_t block;
    /// Floats from one panel's weights to the next one's.
    int64_t weights_of_panel;
    /// Floats of the sums of one panel.
    int64_t sums;
    // Floats of memory, for all threads together and for each.
    int64_t all_weights, own_weights, own_sums;
} LinearPlan;

INLINE int64_t linear_parts(const KernelsLinear *c) { return c->is_gated ? 2 : 1; }

INLINE LinearPlan linear_plan(const KernelsLinear *c, int64_t threads) {
    LinearPlan plan;
    plan.panels = quotient_up(c->outputs, PANEL);
    plan.packs_in_turn = c->rows <= LINEAR_FEW_ROWS && plan.panels >= 2 * threads;
    if (plan.packs_in_turn) {
        plan.block = rounded_up(c->rows, BLOCK_ROWS);
        plan.weights_of_panel = smaller(c->inputs, LINEAR_SPAN) * PANEL;
    } else {
        // Half a megabyte of input, but something for each thread to do.
        const int64_t fitting = smaller(131072 / c->inputs, quotient_up(c->rows, threads));
        plan.block = rounded_up(fitting < 56 ? 56 : smaller(fitting, 448), BLOCK_ROWS);
        plan.weights_of_panel = c->inputs * PANEL;
    }
    plan.sums = plan.block * PANEL;
    const int64_t parts = linear_parts(c);
    plan.all_weights = plan.packs_in_turn ? 0 : parts * plan.panels * plan.weights_of_panel;
    plan.own_weights = plan.packs_in_turn ? parts * plan.weights_of_panel : 0;
    plan.own_sums = parts * plan.sums;
    return plan;
}

typedef struct LinearRun {
    const KernelsLinear *linear;
    LinearPlan plan;
    /// `[parts, panels, inputs, PANEL]`, unless threads pack in turn.
    float *weights;
    /// For each thread the weights and the sums of a panel of each part.
    float *own;
    /// The next piece of work that no thread has taken.
    _Atomic int64_t next;
} LinearRun;

/// Brings the weights of a panel of one part into order, as far as they belong to the inputs `begin..<end`.
static void pack_weights(const LinearRun *run, int64_t part, int64_t panel, int64_t begin,
                         int64_t end, float *result) {
    const KernelsLinear *c = run->linear;
    const int64_t first = panel * PANEL;
    transpose_to_panel(c->weight + (part * c->outputs + first) * c->inputs + begin, c->inputs,
                       smaller(PANEL, c->outputs - first), end - begin, result);
}

static void panels_of_weights(int64_t begin, int64_t end, void *context) {
    const LinearRun *run = context;
    const LinearPlan *plan = &run->plan;
    for (int64_t i = begin; i < end; i++)
        pack_weights(run, i / plan->panels, i % plan->panels, 0, run->linear->inputs,
                     run->weights + i * plan->weights_of_panel);
}

/// The first `count` floats of a vector, or all of it.
INLINE Vector load_up_to(const float *p, int64_t count) {
    return count >= LANES ? load(p) : load_some(p, count);
}

INLINE void store_up_to(float *p, Vector v, int64_t count) {
    if (count >= LANES) store(p, v);
    else store_some(p, v, count);
}

/// Adds bias and residual to a panel of some rows, applies the gate, and writes them.
///
/// - Parameters:
///   - lanes: outputs in each of the panel's two vectors, from LANES down to less than 1.
///   - is_gated, has_residual: as the layer is; constants.
INLINE void write_rows(const LinearRun *run, int64_t row, int64_t rows, int64_t panel,
                       const float *sums, const int64_t lanes[2], const bool is_gated,
                       const bool has_residual) {
    const KernelsLinear *c = run->linear;
    Vector bias[2], gate_bias[2];
    UNROLL for (int v = 0; v < 2; v++) {
        const int64_t first = panel * PANEL + v * LANES;
        bias[v] = gate_bias[v] = broadcast(0);
        if (!c->bias || lanes[v] <= 0) continue;
        bias[v] = load_up_to(c->bias + first, lanes[v]);
        if (is_gated) gate_bias[v] = load_up_to(c->bias + c->outputs + first, lanes[v]);
    }
    const int64_t outputs = c->outputs, gates = run->plan.sums;
    float *output = c->output + row * outputs + panel * PANEL;
    const float *residual = has_residual ? c->residual + row * outputs + panel * PANEL : NULL;
    for (int64_t i = 0; i < rows; i++, sums += PANEL, output += outputs) {
        Vector result[2];
        UNROLL for (int v = 0; v < 2; v++) {
            result[v] = *(const Vector *)(sums + v * LANES) + bias[v];
            if (is_gated)
                result[v] *= gelu(*(const Vector *)(sums + gates + v * LANES) + gate_bias[v]);
        }
        UNROLL for (int v = 0; v < 2; v++) {
            if (lanes[v] <= 0) break;
            if (has_residual) result[v] += load_up_to(residual + v * LANES, lanes[v]);
            store_up_to(output + v * LANES, result[v], lanes[v]);
        }
        if (has_residual) residual += outputs;
    }
}

static void write_panel(const LinearRun *run, int64_t row, int64_t rows, int64_t panel,
                        const float *sums) {
    const KernelsLinear *c = run->linear;
    const int64_t rest = c->outputs - panel * PANEL;
    const int64_t whole[2] = {LANES, LANES};
    const int64_t part[2] = {smaller(rest, LANES), smaller(rest - LANES, LANES)};
    if (rest >= PANEL && c->is_gated && !c->residual)
        write_rows(run, row, rows, panel, sums, whole, true, false);
    else if (rest >= PANEL && !c->is_gated && c->residual)
        write_rows(run, row, rows, panel, sums, whole, false, true);
    else if (rest >= PANEL && !c->is_gated)
        write_rows(run, row, rows, panel, sums, whole, false, false);
    else
        write_rows(run, row, rows, panel, sums, part, c->is_gated, c->residual != NULL);
}

/// One panel of the results of up to `plan.block` rows. The sums of few rows at a time stay in the nearest
/// cache until they are written.
static void panel_of_linear(const LinearRun *run, int64_t row, int64_t rows, int64_t panel,
                            float *own) {
    const KernelsLinear *c = run->linear;
    const LinearPlan *plan = &run->plan;
    float *sums = own + plan->own_weights;
    const int64_t blocks = quotient_up(rows, BLOCK_ROWS), parts = linear_parts(c);
    for (int64_t begin = 0; begin < c->inputs; begin += LINEAR_SPAN) {
        const int64_t end = smaller(begin + LINEAR_SPAN, c->inputs);
        const float *weights[2];
        for (int64_t part = 0; part < parts; part++) {
            float *packed = own + part * plan->weights_of_panel;
            if (plan->packs_in_turn) pack_weights(run, part, panel, begin, end, packed);
            weights[part] = plan->packs_in_turn
                ? packed
                : run->weights + (part * plan->panels + panel) * plan->weights_of_panel
                    + begin * PANEL;
        }
        for (int64_t block = 0; block < blocks; block++) {
            const int64_t first = rows * block / blocks, last = rows * (block + 1) / blocks;
            float *place = c->inputs > LINEAR_SPAN ? sums + first * PANEL : sums;
            for (int64_t part = 0; part < parts; part++)
                product(last - first, end - begin, LINEAR_SUMMED,
                        c->input + (row + first) * c->inputs + begin, c->inputs, weights[part],
                        place + part * plan->sums, begin > 0, NULL);
            if (end == c->inputs) write_panel(run, row + first, last - first, panel, place);
        }
    }
}

static void rows_of_linear(int64_t begin, int64_t end, void *context) {
    LinearRun *run = context;
    const LinearPlan *plan = &run->plan;
    const int64_t rows = run->linear->rows, blocks = quotient_up(rows, plan->block);
    // With few rows, blocks are divided further by panels.
    const int64_t groups =
        plan->packs_in_turn ? plan->panels : smaller(plan->panels, quotient_up(16, blocks));
    for (int64_t thread = begin; thread < end; thread++) {
        float *own = run->own + thread * (plan->own_weights + plan->own_sums);
        for (int64_t work; (work = run->next++) < blocks * groups;) {
            const int64_t row = work / groups * plan->block, group = work % groups;
            const int64_t last = plan->panels * (group + 1) / groups;
            for (int64_t panel = plan->panels * group / groups; panel < last; panel++)
                panel_of_linear(run, row, smaller(plan->block, rows - row), panel, own);
        }
    }
}

size_t COMPILED(linear_scratch)(const KernelsLinear *c, int64_t threads) {
    const LinearPlan plan = linear_plan(c, threads);
    return (size_t)(plan.all_weights + threads * (plan.own_weights + plan.own_sums))
        * sizeof(float);
}

void COMPILED(linear)(const KernelsLinear *c, KernelsThreads threads, float *scratch) {
    LinearRun run = {.linear = c, .plan = linear_plan(c, threads.count), .weights = scratch};
    run.own = run.weights + run.plan.all_weights;
    if (!run.plan.packs_in_turn)
        threads.parallel_for(0, linear_parts(c) * run.plan.panels, 1, panels_of_weights, &run);
    run.next = 0;
    threads.parallel_for(0, threads.count, 1, rows_of_linear, &run);
}
