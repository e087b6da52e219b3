#include "kernels_gated_gelu.h"

#include "dispatch.h"

DECLARE_FOR_ALL(void, gated_gelu,
                (const KernelsGatedGELU *unit, float *output, KernelsThreads threads))
DECLARE_FOR_ALL(void, gated_gelu_backward,
                (const KernelsGatedGELU *unit, const float *gradient, float *output,
                 KernelsThreads threads))

void kernels_gated_gelu(const KernelsGatedGELU *unit, float *output,
                        KernelsInstructions instructions, KernelsThreads threads) {
    COMPILED_FOR(instructions, gated_gelu)(unit, output, threads);
}

void kernels_gated_gelu_backward(const KernelsGatedGELU *unit, const float *gradient,
                                 float *output, KernelsInstructions instructions,
                                 KernelsThreads threads) {
    COMPILED_FOR(instructions, gated_gelu_backward)(unit, gradient, output, threads);
}
