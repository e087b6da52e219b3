#include "kernels_linear.h"

#include "dispatch.h"

DECLARE_FOR_ALL(size_t, linear_scratch, (const KernelsLinear *linear, int64_t threads))
DECLARE_FOR_ALL(void, linear,
                (const KernelsLinear *linear, KernelsThreads threads, float *scratch))

size_t kernels_linear_scratch(const KernelsLinear *layer, KernelsInstructions instructions,
                              int64_t threads) {
    return COMPILED_FOR(instructions, linear_scratch)(layer, threads);
}

void kernels_linear(const KernelsLinear *layer, KernelsInstructions instructions,
                    KernelsThreads threads, void *scratch) {
    COMPILED_FOR(instructions, linear)(layer, threads, scratch);
}
