/// Group normalisation (Wu and He, 2018) of feature maps stored channels last, in two steps: the factors
/// of every channel, then their use, which a convolution can do on the way (`KernelsConvolution`).
#ifndef KERNELS_GROUP_NORM_H
#define KERNELS_GROUP_NORM_H

#include "kernels_machine.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct KernelsGroupNorm {
    /// Number of feature maps, places in each, channels, and groups that they fall into; all at least 1.
    int64_t images, places, channels, groups;
    /// What is added to a variance.
    double epsilon;
    /// `[images, places, channels]`
    const float *_Nonnull input;
    /// `[channels]`
    const float *_Nonnull weight;
    const float *_Nonnull bias;
    /// `[images, channels]`: the normalised input is scale · x + shift.
    float *_Nonnull scale;
    float *_Nonnull shift;
} KernelsGroupNorm;

/// How many bytes of memory `kernels_group_norm_factors` needs.
size_t kernels_group_norm_scratch(const KernelsGroupNorm *_Nonnull norm);

/// Computes `scale` and `shift`. Mean and variance come from sums in double precision, whatever the number
/// of threads in the same order.
/// - Parameter scratch: of `kernels_group_norm_scratch` bytes, at an address divisible by 64.
void kernels_group_norm_factors(const KernelsGroupNorm *_Nonnull norm,
                                KernelsInstructions instructions, KernelsThreads threads,
                                void *_Nonnull scratch);

/// output = scale · input + shift, or SiLU of that.
void kernels_group_norm_apply(const KernelsGroupNorm *_Nonnull norm, bool activates,
                              float *_Nonnull output, KernelsInstructions instructions,
                              KernelsThreads threads);

#ifdef __cplusplus
}
#endif
#endif
