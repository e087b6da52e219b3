#include "../dispatch.h"
#if HAS_X86_VECTORS
#define LANES 16
// 28 sums and 2 weights fill 30 of 32 registers; inputs are broadcast as they are multiplied.
#define BLOCK_ROWS 14
#define COMPILED(name) name##_avx512
#pragma clang attribute push(__attribute__((target("avx512f,avx512vl,avx512dq,avx2,fma"))),       \
                             apply_to = function)
#include "kernels.h"
#pragma clang attribute pop
#endif
