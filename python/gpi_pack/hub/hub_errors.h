/// What huggingface_hub's exceptions mean, and what to do about them.
#ifndef GPI_HUB_ERRORS_H
#define GPI_HUB_ERRORS_H

#include "limited_python.h"

/// Raises an exception in place of the pending one, which becomes its cause: FileNotFoundError for a
/// model that is not there, PermissionError for one that is not for this user, ConnectionError for the
/// network. `lacking` says what is missing in the cache; a str.
void raise_hub_error(PyObject *model_id, PyObject *lacking);

#endif
