// Group normalisation of feature maps stored channels last. Sums are taken channel by channel, which
// is how the elements lie, and brought together to groups at the end.

/// Places whose sums are kept in single precision.
#define SUMMED_PLACES 64
/// Vectors of channels that are summed beside each other.
#define SUMMED_VECTORS 4

/// Places of which one thread makes one pair of sums for each channel.
INLINE int64_t slab_of_places(const KernelsGroupNorm *norm) {
    return rounded_up(quotient_up(norm->places, 256), SUMMED_PLACES);
}

size_t COMPILED(group_norm_scratch)(const KernelsGroupNorm *norm) {
    const int64_t slabs = quotient_up(norm->places, slab_of_places(norm));
    return (size_t)(norm->images * slabs * norm->channels * 2) * sizeof(double);
}

typedef struct GroupNormRun {
    const KernelsGroupNorm *norm;
    /// `[images, slabs, channels, 2]`: the sums of x - pivot and of its square, where the pivot is the
    /// image's first element of the channel. So no digits are lost where a mean is far from zero.
    double *sums;
} GroupNormRun;

/// Adds the sums of up to SUMMED_PLACES places in up to SUMMED_VECTORS vectors of channels.
INLINE void add_sums(const float *input, int64_t places, int64_t place_stride, const float *pivot,
                     int64_t channels, double *sums) {
    Vector first[SUMMED_VECTORS], square[SUMMED_VECTORS], origin[SUMMED_VECTORS];
    const int64_t whole = channels / LANES, rest = channels % LANES;
    UNROLL for (int v = 0; v < SUMMED_VECTORS; v++) {
        first[v] = square[v] = origin[v] = broadcast(0);
        if (v < whole) origin[v] = load(pivot + v * LANES);
        else if (v == whole) origin[v] = load_some(pivot + v * LANES, rest);
    }
    for (int64_t place = 0; place < places; place++, input += place_stride)
        UNROLL for (int v = 0; v < SUMMED_VECTORS; v++) {
            if (v > whole || (v == whole && rest == 0)) break;
            const Vector x = v < whole ? load(input + v * LANES)
                                       : load_some(input + v * LANES, rest);
            const Vector d = x - origin[v];
            first[v] += d;
            square[v] = d * d + square[v];
        }
    for (int64_t channel = 0; channel < channels; channel++) {
        sums[2 * channel] += first[channel / LANES][channel % LANES];
        sums[2 * channel + 1] += square[channel / LANES][channel % LANES];
    }
}

static void sums_of_slabs(int64_t begin, int64_t end, void *context) {
    const GroupNormRun *run = context;
    const KernelsGroupNorm *norm = run->norm;
    const int64_t slab = slab_of_places(norm), slabs = quotient_up(norm->places, slab);
    for (int64_t i = begin; i < end; i++) {
        const float *image = norm->input + i / slabs * norm->places * norm->channels;
        double *sums = run->sums + i * norm->channels * 2;
        memset(sums, 0, (size_t)norm->channels * 2 * sizeof(double));
        const int64_t first = i % slabs * slab, last = smaller(first + slab, norm->places);
        for (int64_t place = first; place < last; place += SUMMED_PLACES) {
            const int64_t places = smaller(SUMMED_PLACES, last - place);
            const int64_t most = SUMMED_VECTORS * LANES;
            for (int64_t channel = 0; channel < norm->channels; channel += most)
                add_sums(image + place * norm->channels + channel, places, norm->channels,
                         image + channel, smaller(most, norm->channels - channel),
                         sums + 2 * channel);
        }
    }
}

/// Mean and variance of one group of channels, from the sums of each, make its channels' factors.
static void factors_of_group(const KernelsGroupNorm *norm, int64_t image, int64_t group,
                             const double *sums, int64_t slabs) {
    const int64_t size = norm->channels / norm->groups, first = group * size;
    const double places = (double)norm->places, count = places * (double)size;
    const float *pivot = norm->input + image * norm->places * norm->channels;
    double mean = 0, deviation = 0;
    for (int64_t c = first; c < first + size; c++) {
        double sum = 0;
        for (int64_t slab = 0; slab < slabs; slab++) sum += sums[(slab * norm->channels + c) * 2];
        mean += (sum + places * (double)pivot[c]) / count;
    }
    for (int64_t c = first; c < first + size; c++) {
        double sum = 0, square = 0;
        for (int64_t slab = 0; slab < slabs; slab++) {
            sum += sums[(slab * norm->channels + c) * 2];
            square += sums[(slab * norm->channels + c) * 2 + 1];
        }
        const double offset = (double)pivot[c] - mean;
        deviation += square + 2 * offset * sum + places * offset * offset;
    }
    const double variance = deviation > 0 || deviation != deviation ? deviation / count : 0;
    const double inverse = 1 / __builtin_sqrt(variance + norm->epsilon);
    for (int64_t c = first; c < first + size; c++) {
        const double scale = (double)norm->weight[c] * inverse;
        norm->scale[image * norm->channels + c] = (float)scale;
        norm->shift[image * norm->channels + c] = (float)((double)norm->bias[c] - mean * scale);
    }
}

void COMPILED(group_norm_factors)(const KernelsGroupNorm *norm, KernelsThreads threads,
                                  double *scratch) {
    GroupNormRun run = {norm, scratch};
    const int64_t slabs = quotient_up(norm->places, slab_of_places(norm));
    threads.parallel_for(0, norm->images * slabs, 1, sums_of_slabs, &run);
    for (int64_t image = 0; image < norm->images; image++)
        for (int64_t group = 0; group < norm->groups; group++)
            factors_of_group(norm, image, group, scratch + image * slabs * norm->channels * 2,
                             slabs);
}

// MARK: - Their use

typedef struct NormalizeRun {
    const KernelsGroupNorm *norm;
    bool activates;
    float *output;
} NormalizeRun;

INLINE Vector normalized(Vector x, Vector scale, Vector shift, bool activates) {
    const Vector y = x * scale + shift;
    return activates ? silu(y) : y;
}

static void normalize_places(int64_t begin, int64_t end, void *context) {
    const NormalizeRun *run = context;
    const KernelsGroupNorm *norm = run->norm;
    const int64_t channels = norm->channels, whole = channels / LANES * LANES;
    for (int64_t place = begin; place < end; place++) {
        const float *scale = norm->scale + place / norm->places * channels;
        const float *shift = norm->shift + place / norm->places * channels;
        const float *input = norm->input + place * channels;
        float *output = run->output + place * channels;
        for (int64_t c = 0; c < whole; c += LANES)
            store(output + c, normalized(load(input + c), load(scale + c), load(shift + c),
                                         run->activates));
        const int64_t rest = channels - whole;
        if (rest > 0)
            store_some(output + whole,
                       normalized(load_some(input + whole, rest), load_some(scale + whole, rest),
                                  load_some(shift + whole, rest), run->activates),
                       rest);
    }
}

void COMPILED(group_norm_apply)(const KernelsGroupNorm *norm, bool activates, float *output,
                                KernelsThreads threads) {
    NormalizeRun run = {norm, activates, output};
    threads.parallel_for(0, norm->images * norm->places, 64, normalize_places, &run);
}
