/// What the kernels run on: a kind of vector unit, and the caller's threads.
///
/// No kernel keeps state between calls, so that any number of them may run at once.
#ifndef KERNELS_MACHINE_H
#define KERNELS_MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// The instructions that a kernel is compiled for, from the plainest up.
typedef enum KernelsInstructions {
    /// What every processor of the architecture has: 4 floats at a time.
    KERNELS_BASELINE = 0,
    /// x86 with AVX2 and FMA: 8 floats at a time.
    KERNELS_AVX2 = 1,
    /// x86 with AVX-512: 16 floats at a time.
    KERNELS_AVX512 = 2,
} KernelsInstructions;

/// The best that this processor and its operating system support.
KernelsInstructions kernels_best_instructions(void);

/// Whether this processor multiplies matrices of bfloat16 in tiles (AMX), which leaves kernels for float32
/// far behind.
bool kernels_has_bfloat16_tiles(void);

/// Part of a parallel computation: what has the numbers from `begin` up to but without `end`.
typedef void KernelsRange(int64_t begin, int64_t end, void *_Nullable context);

/// The threads that kernels share their work among: those of libtorch, as
/// its `torch_parallel_for` gives them. Two pools of threads in one process would fight for the processors.
typedef struct KernelsThreads {
    /// How many there are, at least 1.
    int64_t count;
    /// Calls `run` with ranges that cover `begin..<end`, at once or one after the other.
    int32_t (*_Nonnull parallel_for)(int64_t begin, int64_t end, int64_t grain,
                                     KernelsRange *_Nonnull run, void *_Nullable context);
} KernelsThreads;

#ifdef __cplusplus
}
#endif
#endif
