// For every processor: 128 bits, as SSE2 and NEON have them.
#define LANES 4
#define BLOCK_ROWS 6
#define COMPILED(name) name##_baseline
#include "kernels.h"
