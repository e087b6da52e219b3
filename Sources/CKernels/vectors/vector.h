// Vectors of floats, in Clang's own notation: arithmetic is written with operators, a number stands for
// a vector of it, and a * b + c becomes one instruction where there is one.
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#pragma STDC FP_CONTRACT ON

#define INLINE static inline __attribute__((always_inline))
/// Before a loop whose count is known: its arrays become registers.
#define UNROLL _Pragma("clang loop unroll(full)")

typedef float Vector __attribute__((ext_vector_type(LANES)));
typedef int32_t IntVector __attribute__((ext_vector_type(LANES)));

INLINE Vector broadcast(float x) { return (Vector)(x); }

INLINE Vector load(const float *p) {
    Vector v;
    memcpy(&v, p, sizeof v);
    return v;
}

INLINE void store(float *p, Vector v) { memcpy(p, &v, sizeof v); }

/// The first `count` floats, then zeros; `count` is less than LANES.
INLINE Vector load_some(const float *p, int64_t count) {
    Vector v = broadcast(0);
    memcpy(&v, p, (size_t)count * sizeof(float));
    return v;
}

INLINE void store_some(float *p, Vector v, int64_t count) {
    memcpy(p, &v, (size_t)count * sizeof(float));
}

/// Past the caches, for arrays that do not fit into them; `p` is divisible by the vector's size.
INLINE void store_past_caches(float *p, Vector v) { __builtin_nontemporal_store(v, (Vector *)p); }

/// Calls what lies between two places into the cache.
INLINE void prefetch(const float *begin, const float *end) {
    for (; begin < end; begin += 16) __builtin_prefetch(begin);
}

INLINE int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }
INLINE int64_t quotient_up(int64_t a, int64_t b) { return (a + b - 1) / b; }
INLINE int64_t rounded_up(int64_t a, int64_t step) { return quotient_up(a, step) * step; }
