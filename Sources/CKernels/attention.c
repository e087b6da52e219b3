#include "kernels_attention.h"

#include "dispatch.h"

DECLARE_FOR_ALL(size_t, attention_scratch, (const KernelsAttention *attention, int64_t threads))
DECLARE_FOR_ALL(void, attend,
                (const KernelsAttention *attention, KernelsThreads threads, float *scratch))

size_t kernels_attention_scratch(const KernelsAttention *attention,
                                 KernelsInstructions instructions, int64_t threads) {
    return COMPILED_FOR(instructions, attention_scratch)(attention, threads);
}

void kernels_attend(const KernelsAttention *attention, KernelsInstructions instructions,
                    KernelsThreads threads, void *scratch) {
    COMPILED_FOR(instructions, attend)(attention, threads, scratch);
}
