/// Multi-head attention (Vaswani et al., 2017) between sequences as linear layers write them.
#ifndef KERNELS_ATTENTION_H
#define KERNELS_ATTENTION_H

#include "kernels_machine.h"

#ifdef __cplusplus
extern "C" {
#endif

/// For each sequence and head, output = softmax(scale · query keyᵀ) value. All arrays are float32 without
/// gaps and do not overlap with the output.
typedef struct KernelsAttention {
    /// Number of pairs of sequences, heads, vectors that attend, vectors that are attended to, and
    /// floats in a vector of a head; all at least 1.
    int64_t batch, heads, queries, keys, size;
    /// What products of query and key are multiplied by.
    float scale;
    /// `[batch, queries, heads, size]`
    const float *_Nonnull query;
    /// `[batch, keys, heads, size]`
    const float *_Nonnull key;
    const float *_Nonnull value;
    /// `[batch, queries, heads, size]`
    float *_Nonnull output;
} KernelsAttention;

/// How many bytes of memory `kernels_attend` needs.
size_t kernels_attention_scratch(const KernelsAttention *_Nonnull attention,
                                 KernelsInstructions instructions, int64_t threads);

/// Computes attention. Results do not depend on the number of threads. A query's result is NaN where it
/// meets a NaN, or a product with a key that is plus infinity.
///
/// - Parameters:
///   - attention: what to compute.
///   - instructions: not above `kernels_best_instructions()`.
///   - threads: as many as `scratch` was made for.
///   - scratch: of `kernels_attention_scratch` bytes, at an address divisible by 64. Whatever it holds.
void kernels_attend(const KernelsAttention *_Nonnull attention, KernelsInstructions instructions,
                    KernelsThreads threads, void *_Nonnull scratch);

#ifdef __cplusplus
}
#endif
#endif
