// Part of a feature map as a convolution reads it: with zeros around the map, enlarged, normalised and
// activated. What would be passes over the whole map in memory happens here in a cache.

typedef struct Patch {
    int64_t image;
    /// Of the first row and column in the (enlarged) map; negative in the padding.
    int64_t top, left;
    int64_t rows, columns;
    int64_t first_channel;
    /// Up to CHUNK.
    int64_t channels;
    /// Floats from one place of the patch to the next: `channels`, or more with zeros between.
    int64_t stride;
} Patch;

/// The stride of a patch that is read in whole vectors.
INLINE int64_t whole_vectors(int64_t channels) { return rounded_up(channels, LANES); }

/// How many places ahead of their use inputs are called into the cache.
#define PATCH_AHEAD 8

/// Writes `[rows, columns, stride]`.
static void fill_patch(const KernelsConvolution *c, const Patch *patch, float *result) {
    const int64_t stride = patch->stride;
    const int64_t whole = patch->channels / LANES * LANES, rest = patch->channels - whole;
    const int64_t height = c->input_height * c->enlargement;
    const int64_t width = c->input_width * c->enlargement;
    // The channels' factors, padded so that they are read in whole vectors.
    _Alignas(64) float scale[CHUNK] = {0}, shift[CHUNK] = {0};
    if (c->scale) {
        const int64_t offset = patch->image * c->inputs + patch->first_channel;
        memcpy(scale, c->scale + offset, (size_t)patch->channels * sizeof(float));
        memcpy(shift, c->shift + offset, (size_t)patch->channels * sizeof(float));
    }
    for (int64_t i = 0; i < patch->rows; i++) {
        const int64_t y = patch->top + i;
        for (int64_t j = 0; j < patch->columns; j++, result += stride) {
            const int64_t x = patch->left + j;
            if (y < 0 || y >= height || x < 0 || x >= width) {
                memset(result, 0, (size_t)stride * sizeof(float));
                continue;
            }
            const int64_t place =
                (patch->image * c->input_height + y / c->enlargement) * c->input_width
                + x / c->enlargement;
            const float *source = c->input + place * c->inputs + patch->first_channel;
            // A chunk of the channels is too short a piece for the processor to see the next one coming.
            if (x + PATCH_AHEAD < width) {
                const float *next = source + PATCH_AHEAD / c->enlargement * c->inputs;
                prefetch(next, next + patch->channels);
            }
            for (int64_t k = 0; k < stride; k += LANES) {
                Vector v = k < whole ? load(source + k) : load_some(source + k, rest);
                if (c->scale) v = silu(v * load(scale + k) + load(shift + k));
                if (k + LANES <= stride) store(result + k, v);
                else store_some(result + k, v, rest);
            }
        }
    }
}
