#include "sha256.h"

#include <string.h>

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>
#endif

// Section 4.2.2: fractional parts of the cube roots of the first 64 primes.
static const uint32_t K[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static inline uint32_t rotated(uint32_t x, int bits) { return x >> bits | x << (32 - bits); }

static inline uint32_t big_endian(const uint8_t *bytes) {
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

// Section 6.2.2. The eight variables stay where they are and their roles move on instead, so that
// nothing is copied between rounds.
#define ROUND(a, b, c, d, e, f, g, h, i)                                                           \
    do {                                                                                           \
        uint32_t t1 = h + (rotated(e, 6) ^ rotated(e, 11) ^ rotated(e, 25)) + ((e & f) ^ (~e & g)) \
            + K[i] + w[i];                                                                         \
        uint32_t t2 = (rotated(a, 2) ^ rotated(a, 13) ^ rotated(a, 22))                            \
            + ((a & b) ^ (a & c) ^ (b & c));                                                       \
        d += t1;                                                                                   \
        h = t1 + t2;                                                                               \
    } while (0)

static void add_block_plainly(uint32_t state[8], const uint8_t *block) {
    uint32_t w[64];
    for (int i = 0; i < 16; i++) w[i] = big_endian(block + 4 * i);
    for (int i = 16; i < 64; i++) {
        uint32_t x = w[i - 15], y = w[i - 2];
        w[i] = w[i - 16] + (rotated(x, 7) ^ rotated(x, 18) ^ x >> 3) + w[i - 7]
            + (rotated(y, 17) ^ rotated(y, 19) ^ y >> 10);
    }
    uint32_t a = state[0], b = state[1], c = state[2], d = state[3];
    uint32_t e = state[4], f = state[5], g = state[6], h = state[7];
    for (int i = 0; i < 64; i += 8) {
        ROUND(a, b, c, d, e, f, g, h, i);
        ROUND(h, a, b, c, d, e, f, g, i + 1);
        ROUND(g, h, a, b, c, d, e, f, i + 2);
        ROUND(f, g, h, a, b, c, d, e, i + 3);
        ROUND(e, f, g, h, a, b, c, d, i + 4);
        ROUND(d, e, f, g, h, a, b, c, i + 5);
        ROUND(c, d, e, f, g, h, a, b, i + 6);
        ROUND(b, c, d, e, f, g, h, a, i + 7);
    }
    state[0] += a, state[1] += b, state[2] += c, state[3] += d;
    state[4] += e, state[5] += f, state[6] += g, state[7] += h;
}

#if defined(__x86_64__)

/// The same with the processor's instructions for it, four rounds at a time.
__attribute__((target("sha,sse4.1"))) static void
add_blocks_by_instructions(uint32_t state[8], const uint8_t *block, size_t count) {
    const __m128i big_endian_words =
        _mm_set_epi64x(0x0c0d0e0f08090a0bLL, 0x0405060700010203LL);
    // The order that the instructions want the eight variables in.
    __m128i abef = _mm_set_epi32((int)state[0], (int)state[1], (int)state[4], (int)state[5]);
    __m128i cdgh = _mm_set_epi32((int)state[2], (int)state[3], (int)state[6], (int)state[7]);
    for (; count > 0; count--, block += 64) {
        const __m128i abef_before = abef, cdgh_before = cdgh;
        __m128i w[4];
#pragma clang loop unroll(full)
        for (int i = 0; i < 16; i++) {
            __m128i *next = &w[i % 4];
            if (i < 4) {
                const __m128i words = _mm_loadu_si128((const __m128i *)(block + 16 * i));
                *next = _mm_shuffle_epi8(words, big_endian_words);
            } else {
                const __m128i last = w[(i + 3) % 4];
                const __m128i seventh = _mm_alignr_epi8(last, w[(i + 2) % 4], 4);
                const __m128i sum = _mm_add_epi32(_mm_sha256msg1_epu32(*next, w[(i + 1) % 4]), seventh);
                *next = _mm_sha256msg2_epu32(sum, last);
            }
            const __m128i sum = _mm_add_epi32(*next, _mm_loadu_si128((const __m128i *)(K + 4 * i)));
            cdgh = _mm_sha256rnds2_epu32(cdgh, abef, sum);
            abef = _mm_sha256rnds2_epu32(abef, cdgh, _mm_shuffle_epi32(sum, 0x0e));
        }
        abef = _mm_add_epi32(abef, abef_before);
        cdgh = _mm_add_epi32(cdgh, cdgh_before);
    }
    state[0] = (uint32_t)_mm_extract_epi32(abef, 3), state[1] = (uint32_t)_mm_extract_epi32(abef, 2);
    state[4] = (uint32_t)_mm_extract_epi32(abef, 1), state[5] = (uint32_t)_mm_extract_epi32(abef, 0);
    state[2] = (uint32_t)_mm_extract_epi32(cdgh, 3), state[3] = (uint32_t)_mm_extract_epi32(cdgh, 2);
    state[6] = (uint32_t)_mm_extract_epi32(cdgh, 1), state[7] = (uint32_t)_mm_extract_epi32(cdgh, 0);
}

static int has_instructions(void) {
    unsigned a, b, c, d;
    const unsigned sse41 = 1u << 19, sha = 1u << 29;
    return __get_cpuid(1, &a, &b, &c, &d) && (c & sse41) && __get_cpuid_count(7, 0, &a, &b, &c, &d)
        && (b & sha);
}

#endif

static void add_blocks(uint32_t state[8], const uint8_t *block, size_t count) {
#if defined(__x86_64__)
    // Asked each time: it takes less than a block, and there is nothing to share between threads.
    if (count >= 4 && has_instructions()) {
        add_blocks_by_instructions(state, block, count);
        return;
    }
#endif
    for (; count > 0; count--, block += 64) add_block_plainly(state, block);
}

void gpi_sha256_begin(GPISHA256 *hash) {
    // Section 5.3.3: fractional parts of the square roots of the first 8 primes.
    static const uint32_t start[8] = {
        0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
        0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
    };
    memset(hash, 0, sizeof *hash);
    memcpy(hash->state, start, sizeof start);
}

void gpi_sha256_add(GPISHA256 *hash, const void *bytes, size_t count) {
    if (count == 0) return;
    const uint8_t *next = bytes;
    size_t held = hash->count % 64;
    hash->count += count;
    if (held > 0) {
        size_t taken = count < 64 - held ? count : 64 - held;
        memcpy(hash->rest + held, next, taken);
        next += taken;
        count -= taken;
        if (held + taken < 64) return;
        add_blocks(hash->state, hash->rest, 1);
    }
    add_blocks(hash->state, next, count / 64);
    next += count - count % 64;
    memcpy(hash->rest, next, count % 64);
}

void gpi_sha256_end(GPISHA256 *hash, uint8_t digest[32]) {
    // Section 5.1.1: a one bit, zeros, and the number of bits in 64 bits.
    uint64_t bits = hash->count * 8;
    uint8_t padding[72] = {0x80};
    size_t zeros = (119 - hash->count % 64) % 64;
    for (int i = 0; i < 8; i++) padding[1 + zeros + i] = (uint8_t)(bits >> (56 - 8 * i));
    gpi_sha256_add(hash, padding, 1 + zeros + 8);
    for (int i = 0; i < 32; i++) digest[i] = (uint8_t)(hash->state[i / 4] >> (24 - 8 * (i % 4)));
}
