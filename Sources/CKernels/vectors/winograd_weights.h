// Weights on their way into the product: from the checkpoint's order to that of a panel, transformed.
// They are taken as they are with every call: a transformed copy of a UNet's would fill 8 GB.

/// The transformed weights between one panel of outputs and one chunk of inputs.
///
/// - Parameters:
///   - taps: memory for `[CHUNK, 9, PANEL]`.
///   - result: where `[inputs of the chunk, PANEL]` of the first position goes; `position_stride` floats
///     from one to the next.
static void transform_weights(const KernelsConvolution *c, int64_t panel, int64_t chunk,
                              float *taps, float *result, int64_t position_stride) {
    const int64_t output = panel * PANEL, input = chunk_start(c->inputs, chunk);
    const int64_t depth = chunk_start(c->inputs, chunk + 1) - input;
    transpose_to_panel(c->weight + (output * c->inputs + input) * 9, c->inputs * 9,
                       smaller(PANEL, c->outputs - output), depth * 9, taps);
    for (int64_t i = 0; i < depth; i++)
        for (int64_t lane = 0; lane < PANEL; lane += LANES)
            transform_weight(taps + i * 9 * PANEL + lane, PANEL, result + i * PANEL + lane,
                             position_stride);
}
