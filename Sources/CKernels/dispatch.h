/// One function, compiled for each kind of vector unit.
///
/// `vectors/*.c` compile the same headers under other names each; here is the choice between them.
#ifndef DISPATCH_H
#define DISPATCH_H

#include "kernels_machine.h"

#if defined(__x86_64__)
#define HAS_X86_VECTORS 1
#else
#define HAS_X86_VECTORS 0
#endif

#if HAS_X86_VECTORS
/// `name` as compiled for `instructions`.
#define COMPILED_FOR(instructions, name)                                                           \
    ((instructions) == KERNELS_AVX512  ? name##_avx512                                             \
     : (instructions) == KERNELS_AVX2 ? name##_avx2                                                \
                                      : name##_baseline)
/// Declares a function in all its forms.
#define DECLARE_FOR_ALL(result, name, parameters)                                                  \
    result name##_avx512 parameters;                                                               \
    result name##_avx2 parameters;                                                                 \
    result name##_baseline parameters;
#else
#define COMPILED_FOR(instructions, name) ((void)(instructions), name##_baseline)
#define DECLARE_FOR_ALL(result, name, parameters) result name##_baseline parameters;
#endif

#endif
