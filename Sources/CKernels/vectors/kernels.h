// Everything that is compiled once for each kind of vector unit. The file that includes this says
// which:
//   LANES           floats in a vector
//   BLOCK_ROWS      rows of sums that fit into the registers beside each other, see product.h
//   COMPILED(name)  the name of a function in this form
#include "kernels_attention.h"
#include "kernels_convolution.h"
#include "kernels_gated_gelu.h"
#include "kernels_group_norm.h"
#include "kernels_linear.h"

// In the order in which they build on each other.
#include "vector.h"
#include "functions.h"
#include "product.h"
#include "panels.h"
#include "chunks.h"
#include "patch.h"
#include "output.h"
#include "direct.h"
#include "few_outputs.h"
#include "winograd_transforms.h"
#include "winograd_weights.h"
#include "winograd.h"
#include "group_norm.h"
#include "linear.h"
#include "gated_gelu.h"
#include "attention.h"
