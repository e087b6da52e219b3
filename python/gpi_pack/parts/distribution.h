/// A Gaussian of latents, as diffusers' `DiagonalGaussianDistribution` has it.
#ifndef GPI_DISTRIBUTION_H
#define GPI_DISTRIBUTION_H

#include "limited_python.h"

/// Makes the type and adds it to the module. 0, or -1 with an exception.
int add_distribution_type(PyObject *module);

/// One of two tensors, which are taken over; NULL is an exception that is pending. A new reference; NULL
/// with an exception.
PyObject *new_distribution(PyObject *mean, PyObject *deviation);

#endif
