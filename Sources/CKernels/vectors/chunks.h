// Input channels are worked on in chunks.

/// Input channels whose weights for a panel of outputs fit into a cache.
#define CHUNK 64

/// Products of a convolution that are summed before they are added to the rest.
#define SUMMED 32

/// The chunks that a number of channels falls into, of about equal size.
INLINE int64_t chunk_count(int64_t channels) { return quotient_up(channels, CHUNK); }
INLINE int64_t chunk_start(int64_t channels, int64_t chunk) {
    return channels * chunk / chunk_count(channels);
}
