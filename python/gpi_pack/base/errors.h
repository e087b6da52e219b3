/// Exceptions that say which argument, file or picture they are about.
#ifndef GPI_ERRORS_H
#define GPI_ERRORS_H

#include "gpi_diffusion.h"
#include "limited_python.h"

/// Raises what `gpi_last_error` says, in the class that belongs to `status`, with `about` and a
/// colon before it if `about` is not NULL. Call it directly after the call that failed, on the same
/// thread. An exception that is pending already (the interruption callback's) is left as it is.
void raise_status(gpi_status status, PyObject *about);

/// Raises the pending exception again with `about` before its text and the original as its cause.
/// What is no `Exception` (KeyboardInterrupt) passes unchanged.
///
/// The class stays where it tells the caller something: OSError and its kin, MemoryError, warnings
/// turned into errors, Pillow's DecompressionBombError. Anything else that a damaged file made a
/// decoder raise (SyntaxError, IndexError, struct.error, …) becomes a ValueError.
void raise_again(PyObject *about);

/// Raises a TypeError: "`argument` must be `expected`, not a `type of value`."
void raise_wrong_type(PyObject *argument, const char *expected, PyObject *value);

#endif
