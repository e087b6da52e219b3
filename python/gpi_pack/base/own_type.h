/// This module's own types, for making instances in C.
#ifndef GPI_OWN_TYPE_H
#define GPI_OWN_TYPE_H

#include "limited_python.h"

/// Whether instances of the type are laid out as those that `dealloc` ends: it is a type with this
/// function, or derived from one.
int is_own_type(PyTypeObject *type, destructor dealloc);

/// The type that the module calls `name`, looked up there because each interpreter has its own.
/// What somebody else put in its place is refused, since memory would be read that it does not
/// have. A new reference; NULL with an exception.
PyTypeObject *own_type(const char *name, destructor dealloc);

/// A new instance of such a type, all zeros; NULL with an exception.
PyObject *new_instance(PyTypeObject *type);

/// Frees an instance's memory, after all that it holds, and gives up its type.
void free_instance(PyObject *object);

/// Adds a type that has just been made to the module, and gives it up; NULL is an exception that is
/// pending. 0, or -1 with an exception.
int add_own_type(PyObject *module, PyObject *type);

#endif
