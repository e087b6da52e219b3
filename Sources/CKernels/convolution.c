#include "kernels_convolution.h"

#include "dispatch.h"

DECLARE_FOR_ALL(size_t, winograd_scratch, (const KernelsConvolution *convolution, int64_t threads))
DECLARE_FOR_ALL(void, winograd,
                (const KernelsConvolution *convolution, KernelsThreads threads, float *scratch))
DECLARE_FOR_ALL(size_t, direct_scratch, (const KernelsConvolution *convolution, int64_t threads))
DECLARE_FOR_ALL(void, direct,
                (const KernelsConvolution *convolution, KernelsThreads threads, float *scratch))
DECLARE_FOR_ALL(size_t, few_outputs_scratch,
                (const KernelsConvolution *convolution, int64_t threads))
DECLARE_FOR_ALL(void, few_outputs,
                (const KernelsConvolution *convolution, KernelsThreads threads, float *scratch))

typedef enum Method { WINOGRAD, DIRECT, TO_FEW_OUTPUTS } Method;

/// Transforms of the input pay only where there are enough outputs to use them.
static Method method_for(const KernelsConvolution *convolution) {
    if (convolution->stride != 1 || convolution->padding != 1) return DIRECT;
    return convolution->outputs <= 8 ? TO_FEW_OUTPUTS : WINOGRAD;
}

size_t kernels_convolution_scratch(const KernelsConvolution *convolution,
                                   KernelsInstructions instructions, int64_t threads) {
    switch (method_for(convolution)) {
        case WINOGRAD: return COMPILED_FOR(instructions, winograd_scratch)(convolution, threads);
        case DIRECT: return COMPILED_FOR(instructions, direct_scratch)(convolution, threads);
        default: return COMPILED_FOR(instructions, few_outputs_scratch)(convolution, threads);
    }
}

void kernels_convolve(const KernelsConvolution *convolution, KernelsInstructions instructions,
                      KernelsThreads threads, void *scratch) {
    switch (method_for(convolution)) {
        case WINOGRAD: COMPILED_FOR(instructions, winograd)(convolution, threads, scratch); break;
        case DIRECT: COMPILED_FOR(instructions, direct)(convolution, threads, scratch); break;
        default: COMPILED_FOR(instructions, few_outputs)(convolution, threads, scratch); break;
    }
}
