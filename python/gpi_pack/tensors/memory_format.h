/// The order of a tensor's numbers in memory. torch.randn_like fills noise in that order, so that code
/// which draws with it sees the same noise only where the order is the same.
#ifndef GPI_MEMORY_FORMAT_H
#define GPI_MEMORY_FORMAT_H

#include "limited_python.h"

/// Whether the channels of a torch.Tensor [N, C, H, W] are next to each other in memory, as in pictures that
/// come from arrays [N, H, W, 3]. -1 with an exception.
int is_channels_last(PyObject *tensor);

/// The same numbers in that order, as torch's layers leave those of such pictures. Takes the tensor over;
/// NULL is an exception that is pending. A new reference; NULL with an exception.
PyObject *channels_last(PyObject *tensor);

#endif
