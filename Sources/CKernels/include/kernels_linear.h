/// A linear layer with what stands after it in a transformer.
#ifndef KERNELS_LINEAR_H
#define KERNELS_LINEAR_H

#include "kernels_machine.h"

#ifdef __cplusplus
extern "C" {
#endif

/// output = residual + g(input weightᵀ + bias), where g is the identity or a gated linear unit. All
/// arrays are float32 without gaps and do not overlap with the output.
typedef struct KernelsLinear {
    /// Number of vectors, and sizes of those that go in and come out; all at least 1.
    int64_t rows, inputs, outputs;
    /// Whether the layer ends in a gated linear unit (Shazeer, 2020): it then computes vectors [a, b] of
    /// twice the size, and what comes out is a · gelu(b), with gelu(x) = x Φ(x) and the normal
    /// distribution's exact Φ (Hendrycks and Gimpel, 2016).
    bool is_gated;
    /// `[rows, inputs]`
    const float *_Nonnull input;
    /// `[outputs, inputs]`, or `[2 * outputs, inputs]` if it is gated.
    const float *_Nonnull weight;
    /// `[outputs]`, or `[2 * outputs]` if it is gated. NULL: zeros.
    const float *_Nullable bias;
    /// `[rows, outputs]`, added to the result. NULL: zeros.
    const float *_Nullable residual;
    /// `[rows, outputs]`
    float *_Nonnull output;
} KernelsLinear;

/// How many bytes of memory `kernels_linear` needs.
size_t kernels_linear_scratch(const KernelsLinear *_Nonnull linear,
                              KernelsInstructions instructions, int64_t threads);

/// Computes a linear layer. Results do not depend on the number of threads.
///
/// - Parameters:
///   - linear: what to compute.
///   - instructions: not above `kernels_best_instructions()`.
///   - threads: as many as `scratch` was made for.
///   - scratch: of `kernels_linear_scratch` bytes, at an address divisible by 64. Whatever it holds.
void kernels_linear(const KernelsLinear *_Nonnull linear, KernelsInstructions instructions,
                    KernelsThreads threads, void *_Nonnull scratch);

#ifdef __cplusplus
}
#endif
#endif
