/// The gated linear unit of Shazeer (2020), GEGLU, and its gradient: each in one pass through memory.
#ifndef KERNELS_GATED_GELU_H
#define KERNELS_GATED_GELU_H

#include "kernels_machine.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct KernelsGatedGELU {
    /// Number of vectors, and of elements in each that comes out.
    int64_t rows, size;
    /// `[rows, 2, size]`: what goes through, a, and the gate, b.
    const float *_Nonnull input;
} KernelsGatedGELU;

/// output = a · gelu(b), `[rows, size]`.
void kernels_gated_gelu(const KernelsGatedGELU *_Nonnull unit, float *_Nonnull output,
                        KernelsInstructions instructions, KernelsThreads threads);

/// The gradient of `input`, of its shape, from that of the output, g: g · gelu(b) and g · a · gelu'(b).
void kernels_gated_gelu_backward(const KernelsGatedGELU *_Nonnull unit,
                                 const float *_Nonnull gradient, float *_Nonnull output,
                                 KernelsInstructions instructions, KernelsThreads threads);

#ifdef __cplusplus
}
#endif
#endif
