/// The gated linear unit of transformers (Shazeer, 2020).
#ifndef KERNELS_GEGLU_H
#define KERNELS_GEGLU_H

#include "kernels_machine.h"

#ifdef __cplusplus
extern "C" {
#endif

/// output = a · gelu(b) for each row `[a, b]` of the input, with gelu(x) = x Φ(x) and the normal
/// distribution's exact Φ (Hendrycks and Gimpel, 2016).
///
/// - Parameters:
///   - input: `[rows, 2 * size]`
///   - output: `[rows, size]`
void kernels_geglu(int64_t rows, int64_t size, const float *_Nonnull input, float *_Nonnull output,
                   KernelsInstructions instructions, KernelsThreads threads);

#ifdef __cplusplus
}
#endif
#endif
