// A linear layer: all weights are brought into panels, then each thread takes some of the rows through
// all panels, so that rows stay in its cache.

/// Inputs whose products are summed before they are added to the rest.
#define LINEAR_CHUNK 256

typedef struct LinearPlan {
    /// Groups of PANEL outputs; with a gate, of values and as many of gates.
    int64_t panels;
    /// Rows that go through the panels together.
    int64_t block;
    /// Floats from one panel's weights to the next one's.
    int64_t weights_of_panel;
    /// Floats of the sums of one panel.
    int64_t sums;
} LinearPlan;

INLINE LinearPlan linear_plan(const KernelsLinear *c, int64_t threads) {
    LinearPlan plan;
    plan.panels = quotient_up(c->outputs, PANEL);
    plan.weights_of_panel = c->inputs * PANEL;
    // Half a megabyte of input, but something for each thread to do.
    const int64_t fitting = smaller(131072 / c->inputs, quotient_up(c->rows, threads));
    plan.block = rounded_up(fitting < 56 ? 56 : smaller(fitting, 448), BLOCK_ROWS);
    plan.sums = plan.block * PANEL;
    return plan;
}

INLINE int64_t linear_parts(const KernelsLinear *c) { return c->is_gated ? 2 : 1; }

typedef struct LinearRun {
    const KernelsLinear *linear;
    LinearPlan plan;
    /// `[parts, panels, inputs, PANEL]`
    float *weights;
    /// For each thread the sums of a panel of each part.
    float *sums;
    /// The next piece of work that no thread has taken.
    _Atomic int64_t next;
} LinearRun;

static void panels_of_weights(int64_t begin, int64_t end, void *context) {
    const LinearRun *run = context;
    const KernelsLinear *c = run->linear;
    for (int64_t i = begin; i < end; i++) {
        const int64_t part = i / run->plan.panels, first = i % run->plan.panels * PANEL;
        transpose_to_panel(c->weight + (part * c->outputs + first) * c->inputs, c->inputs,
                           smaller(PANEL, c->outputs - first), c->inputs,
                           run->weights + i * run->plan.weights_of_panel);
    }
}

/// The products of some rows with one panel's weights.
static void sums_of_panel(const LinearRun *run, const float *input, int64_t rows,
                          const float *weights, float *sums) {
    const int64_t inputs = run->linear->inputs;
    for (int64_t first = 0; first < inputs; first += LINEAR_CHUNK)
        product(rows, smaller(LINEAR_CHUNK, inputs - first), input + first, inputs,
                weights + first * PANEL, sums, first > 0);
}

INLINE Vector load_up_to(const float *p, int64_t count) {
    return count >= LANES ? load(p) : load_some(p, count);
}

/// Adds bias and residual to a panel of some rows, applies the gate, and writes them.
static void write_panel(const LinearRun *run, int64_t row, int64_t rows, int64_t panel,
                        const float *sums) {
    const KernelsLinear *c = run->linear;
    for (int64_t lane = 0; lane < PANEL; lane += LANES) {
        const int64_t first = panel * PANEL + lane, lanes = c->outputs - first;
        if (lanes <= 0) break;
        Vector bias = broadcast(0), gate_bias = broadcast(0);
        if (c->bias) {
            bias = load_up_to(c->bias + first, lanes);
            if (c->is_gated) gate_bias = load_up_to(c->bias + c->outputs + first, lanes);
        }
        for (int64_t i = 0; i < rows; i++) {
            Vector v = *(const Vector *)(sums + i * PANEL + lane) + bias;
            if (c->is_gated)
                v *= gelu(*(const Vector *)(sums + run->plan.sums + i * PANEL + lane)
                          + gate_bias);
            const int64_t place = (row + i) * c->outputs + first;
            if (c->residual) v += load_up_to(c->residual + place, lanes);
            if (lanes >= LANES) store(c->output + place, v);
            else store_some(c->output + place, v, lanes);
        }
    }
}

static void rows_of_linear(int64_t begin, int64_t end, void *context) {
    LinearRun *run = context;
    const KernelsLinear *c = run->linear;
    const LinearPlan *plan = &run->plan;
    const int64_t blocks = quotient_up(c->rows, plan->block);
    // With few rows, as in the depth of a UNet, blocks are divided further by panels.
    const int64_t groups = smaller(plan->panels, quotient_up(16, blocks));
    for (int64_t thread = begin; thread < end; thread++) {
        float *sums = run->sums + thread * linear_parts(c) * plan->sums;
        for (int64_t work; (work = run->next++) < blocks * groups;) {
            const int64_t row = work / groups * plan->block, group = work % groups;
            const int64_t rows = smaller(plan->block, c->rows - row);
            const int64_t last = plan->panels * (group + 1) / groups;
            for (int64_t panel = plan->panels * group / groups; panel < last; panel++) {
                for (int64_t part = 0; part < linear_parts(c); part++)
                    sums_of_panel(run, c->input + row * c->inputs, rows,
                                  run->weights
                                      + (part * plan->panels + panel) * plan->weights_of_panel,
                                  sums + part * plan->sums);
                write_panel(run, row, rows, panel, sums);
            }
        }
    }
}

size_t COMPILED(linear_scratch)(const KernelsLinear *c, int64_t threads) {
    const LinearPlan plan = linear_plan(c, threads);
    return (size_t)(linear_parts(c)
                    * (plan.panels * plan.weights_of_panel + threads * plan.sums))
        * sizeof(float);
}

void COMPILED(linear)(const KernelsLinear *c, KernelsThreads threads, float *scratch) {
    LinearRun run = {.linear = c, .plan = linear_plan(c, threads.count), .weights = scratch};
    const int64_t panels = linear_parts(c) * run.plan.panels;
    run.sums = run.weights + panels * run.plan.weights_of_panel;
    threads.parallel_for(0, panels, 1, panels_of_weights, &run);
    run.next = 0;
    threads.parallel_for(0, threads.count, 1, rows_of_linear, &run);
}
