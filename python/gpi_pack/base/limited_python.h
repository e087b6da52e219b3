/// Python's C API, limited to what is stable from 3.10 on: one binary serves every later Python.
#ifndef GPI_LIMITED_PYTHON_H
#define GPI_LIMITED_PYTHON_H

#define PY_SSIZE_T_CLEAN
#define Py_LIMITED_API 0x030A0000
#include <Python.h>

/// What a module calls `name`, imported now: this module itself imports nothing, so that importing
/// it is fast. A new reference, or NULL with an exception.
PyObject *imported(const char *module, const char *name);

/// `object.method()` without its result. 0, or -1 with an exception.
int call_method(PyObject *object, const char *method);

/// Calls `object.method()` on the way out of a failure: the pending exception stays what it is.
void call_while_failing(PyObject *object, const char *method);

#endif
