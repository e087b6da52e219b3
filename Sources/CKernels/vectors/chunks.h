// Input channels are worked on in chunks.

/// Input channels whose products are summed before they are added to the rest: sums of sums keep
/// rounding errors small where there are many channels, and a chunk's weights fit into a cache.
#define CHUNK 64

/// The chunks that a number of channels falls into, of about equal size.
INLINE int64_t chunk_count(int64_t channels) { return quotient_up(channels, CHUNK); }
INLINE int64_t chunk_start(int64_t channels, int64_t chunk) {
    return channels * chunk / chunk_count(channels);
}
