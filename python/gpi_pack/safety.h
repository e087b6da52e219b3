/// What keeps pictures back that are not safe for work.
#ifndef GPI_SAFETY_H
#define GPI_SAFETY_H

#include "model.h"

/// Looks at pictures [N, 3, H, W] in [-1, 1] and blacks those out that the model's checker refuses; then
/// they are replaced. `flags` gets a list of bool, or None where the model has no checker. A new reference.
/// 0, or -1 with an exception.
int check_safety(Model *model, gpi_tensor **pixels, PyObject **flags);

#endif
