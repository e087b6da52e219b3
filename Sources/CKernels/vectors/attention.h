// Attention in one pass over the keys (Dao et al., 2022): the scores of some queries with some keys stay
// in a cache while they become weights and meet the values.
//
// Everything is computed transposed, with a query in each lane. So keys and values are read as they
// stand, a softmax goes along no lanes, and no head's size leaves lanes without work.

/// Keys whose scores are computed together.
#define ATTENDED_KEYS (5 * BLOCK_ROWS)
/// Up to so many panels of queries meet keys and values while those are in a cache.
#define ATTENDING_PANELS 8

/// What a thread knows of a panel of queries.
typedef struct AttentionPanel {
    /// `[size, PANEL]`
    float *queries;
    /// `[size, PANEL]`: the sum of values so far, each times its weight.
    float *sums;
    /// `[2, PANEL]`: the largest score so far, and the sum of weights, which are 2^(score - largest).
    /// Scores are products of query and key, times the scale and the factor that makes e^x a power of 2.
    float *statistics;
} AttentionPanel;

/// Floats of all that.
INLINE int64_t floats_of_panel(const KernelsAttention *a) { return 2 * (a->size + 1) * PANEL; }

INLINE AttentionPanel attention_panel(const KernelsAttention *a, float *memory, int64_t panel) {
    AttentionPanel result;
    result.queries = memory + panel * floats_of_panel(a);
    result.sums = result.queries + a->size * PANEL;
    result.statistics = result.sums + a->size * PANEL;
    return result;
}

typedef struct AttentionRun {
    const KernelsAttention *attention;
    /// Queries that make one piece of work.
    int64_t together;
    /// For each thread the products of some keys and its panels.
    float *memory;
    /// The next piece of work that no thread has taken.
    _Atomic int64_t next;
} AttentionRun;

INLINE int64_t attention_floats_per_thread(const KernelsAttention *a) {
    return ATTENDED_KEYS * PANEL + ATTENDING_PANELS * floats_of_panel(a);
}

/// Reads up to PANEL queries.
static void begin_panel(const KernelsAttention *a, const float *query, int64_t queries,
                        const AttentionPanel *panel) {
    transpose_to_panel(query, a->heads * a->size, queries, a->size, panel->queries);
    for (int64_t lane = 0; lane < PANEL; lane += LANES) {
        *(Vector *)(panel->statistics + lane) = broadcast(-__builtin_inff());
        *(Vector *)(panel->statistics + PANEL + lane) = broadcast(0);
    }
}

INLINE Vector larger(Vector a, Vector b) { return a > b ? a : b; }

/// Makes weights of products `[keys, PANEL]`, and fits sums to a new largest score.
static void weigh(const KernelsAttention *a, int64_t keys, float *products,
                  const AttentionPanel *panel, bool is_first) {
    const float factor = a->scale * 1.44269504f;
    Vector *largest = (Vector *)panel->statistics, *sum = (Vector *)(panel->statistics + PANEL);
    Vector high[2], total[2] = {broadcast(0), broadcast(0)};
    high[0] = high[1] = broadcast(-__builtin_inff());
    for (int64_t key = 0; key < keys; key++)
        UNROLL for (int i = 0; i < 2; i++)
            high[i] = larger(*(const Vector *)(products + key * PANEL + i * LANES), high[i]);
    UNROLL for (int i = 0; i < 2; i++) high[i] = larger(high[i] * factor, largest[i]);
    for (int64_t key = 0; key < keys; key++)
        UNROLL for (int i = 0; i < 2; i++) {
            Vector *place = (Vector *)(products + key * PANEL + i * LANES);
            // The score is not rounded before the subtraction, which would cost digits of large ones.
            const Vector weight = power_of_two(*place * factor - high[i]);
            *place = weight;
            total[i] += weight;
        }
    UNROLL for (int i = 0; i < 2; i++) {
        const Vector shrink = power_of_two(largest[i] - high[i]);
        sum[i] = is_first ? total[i] : sum[i] * shrink + total[i];
        if (!is_first && __builtin_reduce_or(high[i] > largest[i]))
            for (int64_t j = 0; j < a->size; j++)
                *(Vector *)(panel->sums + j * PANEL + i * LANES) *= shrink;
        largest[i] = high[i];
    }
}

/// Writes the results of up to PANEL queries.
static void end_panel(const KernelsAttention *a, int64_t queries, const AttentionPanel *panel,
                      float *output) {
    const int64_t stride = a->heads * a->size;
    for (int64_t lane = 0; lane < PANEL; lane += LANES) {
        const Vector factor = 1 / *(const Vector *)(panel->statistics + PANEL + lane);
        for (int64_t i = 0; i < a->size; i++)
            *(Vector *)(panel->sums + i * PANEL + lane) *= factor;
    }
    const int64_t whole_queries = queries / 4 * 4, whole_size = a->size / 4 * 4;
    for (int64_t query = 0; query < whole_queries; query += 4)
        for (int64_t i = 0; i < whole_size; i += 4)
            transpose_quads(panel->sums + i * PANEL + query, PANEL, output + query * stride + i,
                            stride);
    for (int64_t query = 0; query < queries; query++)
        for (int64_t i = query < whole_queries ? whole_size : 0; i < a->size; i++)
            output[query * stride + i] = panel->sums[i * PANEL + query];
}

/// The queries from `first` on, of one head of one pair of sequences, with all keys.
static void attend_to_keys(const KernelsAttention *a, int64_t sequence, int64_t head,
                           int64_t first, int64_t queries, float *products) {
    float *memory = products + ATTENDED_KEYS * PANEL;
    const int64_t panels = quotient_up(queries, PANEL), stride = a->heads * a->size;
    const int64_t query = (sequence * a->queries + first) * stride + head * a->size;
    const int64_t key = sequence * a->keys * stride + head * a->size;
    for (int64_t i = 0; i < panels; i++) {
        const AttentionPanel panel = attention_panel(a, memory, i);
        begin_panel(a, a->query + query + i * PANEL * stride, smaller(PANEL, queries - i * PANEL),
                    &panel);
    }
    for (int64_t start = 0; start < a->keys; start += ATTENDED_KEYS) {
        const int64_t keys = smaller(ATTENDED_KEYS, a->keys - start);
        for (int64_t i = 0; i < panels; i++) {
            const AttentionPanel panel = attention_panel(a, memory, i);
            // Each panel calls for some of the keys and values that come next.
            const int64_t next = start + ATTENDED_KEYS + ATTENDED_KEYS * i / panels;
            for (int64_t j = next; j < smaller(a->keys, next + ATTENDED_KEYS / panels + 1); j++) {
                prefetch(a->key + key + j * stride, a->key + key + j * stride + a->size);
                prefetch(a->value + key + j * stride, a->value + key + j * stride + a->size);
            }
            product(keys, a->size, a->size, a->key + key + start * stride, stride, panel.queries,
                    products, false, NULL);
            weigh(a, keys, products, &panel, start == 0);
            product_of_transpose(a->size, keys, a->value + key + start * stride, stride, products,
                                 panel.sums, start > 0);
        }
    }
    for (int64_t i = 0; i < panels; i++) {
        const AttentionPanel panel = attention_panel(a, memory, i);
        end_panel(a, smaller(PANEL, queries - i * PANEL), &panel,
                  a->output + query + i * PANEL * stride);
    }
}

static void attend_to_all(int64_t begin, int64_t end, void *context) {
    AttentionRun *run = context;
    const KernelsAttention *a = run->attention;
    const int64_t groups = quotient_up(a->queries, run->together);
    for (int64_t thread = begin; thread < end; thread++)
        for (int64_t work; (work = run->next++) < a->batch * a->heads * groups;) {
            const int64_t first = work % groups * run->together, pair = work / groups;
            attend_to_keys(a, pair / a->heads, pair % a->heads, first,
                           smaller(run->together, a->queries - first),
                           run->memory + thread * attention_floats_per_thread(a));
        }
}

size_t COMPILED(attention_scratch)(const KernelsAttention *a, int64_t threads) {
    return (size_t)(threads * attention_floats_per_thread(a)) * sizeof(float);
}

void COMPILED(attend)(const KernelsAttention *a, KernelsThreads threads, float *scratch) {
    AttentionRun run = {.attention = a, .memory = scratch};
    // Something for each thread to do, in pieces that let them end at about the same time.
    const int64_t panels = a->batch * a->heads * quotient_up(a->queries, PANEL);
    const int64_t most = smaller(panels / (4 * threads.count), ATTENDING_PANELS);
    run.together = (most < 1 ? 1 : most) * PANEL;
    threads.parallel_for(0, threads.count, 1, attend_to_all, &run);
}
