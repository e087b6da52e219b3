#include "kernels_convolution.h"

#include "dispatch.h"

DECLARE_FOR_ALL(size_t, winograd_scratch, (const KernelsConvolution *convolution, int64_t threads))
DECLARE_FOR_ALL(void, winograd,
                (const KernelsConvolution *convolution, KernelsThreads threads, float *scratch))

size_t kernels_convolution_scratch(const KernelsConvolution *convolution,
                                   KernelsInstructions instructions, int64_t threads) {
    return COMPILED_FOR(instructions, winograd_scratch)(convolution, threads);
}

void kernels_convolve(const KernelsConvolution *convolution, KernelsInstructions instructions,
                      KernelsThreads threads, void *scratch) {
    COMPILED_FOR(instructions, winograd)(convolution, threads, scratch);
}
