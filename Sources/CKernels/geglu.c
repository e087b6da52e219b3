#include "kernels_geglu.h"

#include "dispatch.h"

DECLARE_FOR_ALL(void, geglu,
                (int64_t rows, int64_t size, const float *input, float *output,
                 KernelsThreads threads))

void kernels_geglu(int64_t rows, int64_t size, const float *input, float *output,
                   KernelsInstructions instructions, KernelsThreads threads) {
    COMPILED_FOR(instructions, geglu)(rows, size, input, output, threads);
}
