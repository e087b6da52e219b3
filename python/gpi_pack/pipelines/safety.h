/// What keeps pictures back that must not be shown.
#ifndef GPI_SAFETY_H
#define GPI_SAFETY_H

#include "model.h"

/// Whether the model comes with a safety checker; loads nothing. -1 with an exception.
int has_safety_checker(Model *model);

/// Blacks those of the pictures [N, 3, H, W] in [-1, 1] out that the model's safety checker refuses.
/// `flags` gets a list of bool, or None where the model has no checker: a new reference. 0, or -1 with an
/// exception.
int check_safety(Model *model, gpi_tensor *pixels, PyObject **flags);

#endif
