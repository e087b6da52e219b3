/// `pad_to_multiple_of_8`, as a function of the module.
#ifndef GPI_PADDING_H
#define GPI_PADDING_H

#include "limited_python.h"

extern const char pad_to_multiple_of_8_doc[];

PyObject *pad_to_multiple_of_8(PyObject *module, PyObject *positional, PyObject *keywords);

#endif
