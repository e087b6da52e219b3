#include "dispatch.h"

#if HAS_X86_VECTORS
#include <cpuid.h>
#endif

KernelsInstructions kernels_best_instructions(void) {
#if HAS_X86_VECTORS
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl")
        && __builtin_cpu_supports("avx512dq"))
        return KERNELS_AVX512;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return KERNELS_AVX2;
#endif
    return KERNELS_BASELINE;
}

bool kernels_has_bfloat16_tiles(void) {
#if HAS_X86_VECTORS
    unsigned a, b, c, d;
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (d & (1u << 22));
#else
    return false;
#endif
}
