/// Where a model is, and where it is to go: torch's devices and dtypes.
#ifndef GPI_PLACEMENT_H
#define GPI_PLACEMENT_H

#include "model.h"

/// The device of a model as a torch.device. A new reference; NULL with an exception.
PyObject *model_device(const Model *model);

/// Its dtype as a torch.dtype.
PyObject *model_dtype(const Model *model);

/// The arguments of `to`: devices (str, torch.device, int) and dtypes in any order, or the keywords
/// `device` and `dtype`; what is not named stays as in `model`. 0, or -1 with an exception; the placement
/// is the caller's to clear in either case.
int parse_to(PyObject *positional, PyObject *keywords, const Model *model, Placement *placement);

/// Where the model is now.
int placement_of(const Model *model, Placement *placement);

/// Whether the model is there already.
int is_placed(const Model *model, const Placement *placement);

void clear_placement(Placement *placement);

#endif
