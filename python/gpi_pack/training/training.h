/// Models that learn from pictures, as functions of the module.
#ifndef GPI_PYTHON_TRAINING_H
#define GPI_PYTHON_TRAINING_H

#include "limited_python.h"

extern const char train_unconditional_doc[];
PyObject *train_unconditional(PyObject *module, PyObject *positional, PyObject *keywords);

#endif
