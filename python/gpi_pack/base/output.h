/// What methods give with `return_dict=True`: named results as diffusers' `BaseOutput` has them.
#ifndef GPI_OUTPUT_H
#define GPI_OUTPUT_H

#include "limited_python.h"

/// Makes the type `Output` and adds it to the module. 0, or -1 with an exception.
int add_output_type(PyObject *module);

/// An `Output`, immutable: `output.name`, `output["name"]`, `output[0]`, `first, =
/// output.to_tuple()`, `len`, `in`, `keys`, `values`, `items`, `get`. A value that is None is an
/// attribute alone, as in diffusers: it is left out of everything else. It iterates over its names,
/// as a dict does.
///
/// `names` and `values` have `count` entries; the values are borrowed, and one that is NULL means
/// that its making failed with an exception that is pending. A new reference; NULL with an
/// exception.
PyObject *new_output(const char *const *names, PyObject *const *values, Py_ssize_t count);

/// `new_output`, or the tuple of all values if `return_dict` is false. A new reference; NULL with
/// an exception.
PyObject *output_or_tuple(int return_dict, const char *const *names, PyObject *const *values,
                          Py_ssize_t count);

#endif
