/// What an object was made from, as diffusers' `FrozenDict` has it.
#ifndef GPI_CONFIG_H
#define GPI_CONFIG_H

#include "limited_python.h"

/// Makes the type `Config` and adds it to the module. 0, or -1 with an exception.
int add_config_type(PyObject *module);

/// A `Config`: a dict that does not change, whose items are attributes as well. `items` is copied.
/// A new reference; NULL with an exception.
PyObject *new_config(PyObject *items);

#endif
