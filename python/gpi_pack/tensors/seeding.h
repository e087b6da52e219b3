/// Where the noise of a run comes from.
#ifndef GPI_SEEDING_H
#define GPI_SEEDING_H

#include "limited_python.h"

/// The generator that is given, or torch.Generator().manual_seed(seed) where a seed is; of both at most
/// one. A new reference, to None where neither is; NULL with an exception that names the argument.
PyObject *generator_argument(PyObject *generator, PyObject *seed);

#endif
