#include "../dispatch.h"
#if HAS_X86_VECTORS
#define LANES 8
// 12 sums, 2 weights and 1 input fill 15 of 16 registers.
#define BLOCK_ROWS 6
#define COMPILED(name) name##_avx2
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#include "kernels.h"
#pragma clang attribute pop
#endif
