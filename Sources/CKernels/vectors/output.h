// What a convolution adds to its sums, and where they go.

/// The biases of some channels of an image; `lanes` says how many there are, at most LANES of them wanted.
INLINE Vector bias_of(const KernelsConvolution *c, int64_t image, int64_t channel, int64_t lanes) {
    if (!c->bias) return broadcast(0);
    const float *source = c->bias + image * c->bias_stride + channel;
    return lanes >= LANES ? load(source) : load_some(source, lanes);
}

/// Whether the output is too large for the caches, and stands as it has to stand to go past them.
INLINE bool goes_past_caches(const KernelsConvolution *c) {
    const int64_t bytes = c->images * c->height * c->width * c->outputs * (int64_t)sizeof(float);
    return bytes > 16 * 1000 * 1000 && c->outputs % LANES == 0
        && (uintptr_t)c->output % sizeof(Vector) == 0;
}

/// Writes one vector of channels of one place, with the residual. It is read just before its place is
/// written to, so that they may be the same.
INLINE void write_output(const KernelsConvolution *c, bool past_caches, int64_t offset, Vector v,
                         int64_t lanes) {
    float *place = c->output + offset;
    if (lanes >= LANES) {
        if (c->residual) v += load(c->residual + offset);
        if (past_caches) store_past_caches(place, v);
        else store(place, v);
    } else {
        if (c->residual) v += load_some(c->residual + offset, lanes);
        store_some(place, v, lanes);
    }
}
