#include "kernels_group_norm.h"

#include "dispatch.h"

DECLARE_FOR_ALL(size_t, group_norm_scratch, (const KernelsGroupNorm *norm))
DECLARE_FOR_ALL(void, group_norm_factors,
                (const KernelsGroupNorm *norm, KernelsThreads threads, double *scratch))
DECLARE_FOR_ALL(void, group_norm_apply,
                (const KernelsGroupNorm *norm, bool activates, float *output,
                 KernelsThreads threads))

size_t kernels_group_norm_scratch(const KernelsGroupNorm *norm) {
    return group_norm_scratch_baseline(norm);
}

void kernels_group_norm_factors(const KernelsGroupNorm *norm, KernelsInstructions instructions,
                                KernelsThreads threads, void *scratch) {
    COMPILED_FOR(instructions, group_norm_factors)(norm, threads, scratch);
}

void kernels_group_norm_apply(const KernelsGroupNorm *norm, bool activates, float *output,
                              KernelsInstructions instructions, KernelsThreads threads) {
    COMPILED_FOR(instructions, group_norm_apply)(norm, activates, output, threads);
}
