/// Tensors between torch and the core by DLPack, without a copy: each side frees what the other made by
/// the function that came with it.
#ifndef GPI_DLPACK_H
#define GPI_DLPACK_H

#include "gpi_diffusion.h"
#include "limited_python.h"

/// A torch.Tensor that owns `tensor`, which is taken over in any case and freed with the last Python
/// reference, on whatever thread. A new reference; NULL with an exception.
PyObject *torch_tensor(gpi_tensor *tensor);

/// A view of a torch.Tensor, which stays alive as long; its gradient, if any, is left behind. Types of
/// more bits than the core's are rounded to float32. 0, or -1 with an exception that names the
/// argument: TypeError for what is no tensor of real numbers, ValueError for one that is elsewhere.
int core_tensor(const char *argument, PyObject *value, gpi_tensor **tensor);

#endif
