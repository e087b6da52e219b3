/// The convolutions that diffusion models spend their time in: 3×3 ones of feature maps stored channels
/// last, together with what stands before and after them in a residual block.
#ifndef KERNELS_CONVOLUTION_H
#define KERNELS_CONVOLUTION_H

#include "kernels_machine.h"

#ifdef __cplusplus
extern "C" {
#endif

/// output = residual + bias + weight * f(input), where f is the identity, or SiLU(scale · x + shift),
/// and perhaps enlarges. All arrays are float32 without gaps. None overlaps with the output, but the residual
/// may be at the same address.
typedef struct KernelsConvolution {
    /// Number of feature maps.
    int64_t images;
    /// Of the output, at least 1.
    int64_t height, width;
    /// Of the input as it is stored, at least 1.
    int64_t input_height, input_width;
    /// Number of channels, at least 1.
    int64_t inputs, outputs;
    /// 1, or 2 if each element of the input stands for two by two of them.
    int64_t enlargement;
    /// Places of the (enlarged) input from one of the output to the next, 1 or 2.
    int64_t stride;
    /// Rows and columns of zeros before the input, 0 or 1. After it there are as many as are needed.
    int64_t padding;
    /// `[images, input_height, input_width, inputs]`
    const float *_Nonnull input;
    /// `[outputs, inputs, 3, 3]`
    const float *_Nonnull weight;
    /// `[outputs]` for each image. NULL: zeros.
    const float *_Nullable bias;
    /// From one image's bias to the next one's: `outputs`, or 0 if they share one.
    int64_t bias_stride;
    /// `[images, inputs]`, both or none: the input is to be taken as SiLU(scale · x + shift).
    const float *_Nullable scale;
    const float *_Nullable shift;
    /// `[images, height, width, outputs]`, added to the result. NULL: zeros.
    const float *_Nullable residual;
    /// `[images, height, width, outputs]`
    float *_Nonnull output;
} KernelsConvolution;

/// How many bytes of memory `kernels_convolve` needs for what stands between input and output.
size_t kernels_convolution_scratch(const KernelsConvolution *_Nonnull convolution,
                                   KernelsInstructions instructions, int64_t threads);

/// Computes a convolution.
///
/// Results do not depend on the number of threads. A NaN or an infinity in the input may spread over the
/// elements around it, up to 5 away, but does not vanish.
///
/// - Parameters:
///   - convolution: what to compute.
///   - instructions: not above `kernels_best_instructions()`.
///   - threads: as many as `scratch` was made for.
///   - scratch: of `kernels_convolution_scratch` bytes, at an address divisible by 64. Whatever it holds.
void kernels_convolve(const KernelsConvolution *_Nonnull convolution,
                      KernelsInstructions instructions, KernelsThreads threads,
                      void *_Nonnull scratch);

#ifdef __cplusplus
}
#endif
#endif
