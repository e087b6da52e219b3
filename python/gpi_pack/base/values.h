/// One argument from Python as one value for C. Each function names the argument in its exception and
/// gives -1 or NULL with it.
#ifndef GPI_VALUES_H
#define GPI_VALUES_H

#include "gpi_diffusion.h"
#include "limited_python.h"

#include <stdbool.h>
#include <stdint.h>

/// `raise_wrong_type` with a name in C.
void raise_wrong_type_of(const char *argument, const char *expected, PyObject *value);

/// Whether an optional argument was passed and is not None.
static inline int is_given(PyObject *value) { return value != NULL && value != Py_None; }

/// Refuses text that cannot go through C: with a null in it, or not encodable as UTF-8.
int check_text(PyObject *argument, PyObject *text);

/// A str as it is; anything else is refused. A new reference.
PyObject *text_argument(const char *argument, PyObject *value, const char *expected);

/// The str behind a str or `os.PathLike`. A new reference.
PyObject *path_argument(const char *argument, PyObject *value, const char *expected);

/// The text of an optional str, valid as long as `value`; NULL for None.
int negative_prompt_argument(PyObject *value, const char **result);

/// A model's folder or id, not empty; the default if `value` is NULL. A new str.
PyObject *model_argument(PyObject *value);

/// Like "cuda:0", or a `torch.device`, which says so as text. A new str.
PyObject *device_argument(PyObject *value);

/// A dtype of torch or its name; float32 for NULL and None.
int dtype_argument(PyObject *value, gpi_dtype *result);

/// "default", "exact" or "reduced"; the first for NULL.
int precision_argument(PyObject *value, gpi_precision *result);

/// A float, or what is one in truth.
int number_argument(const char *argument, PyObject *value, double *result);

int strength_argument(PyObject *value, double *result);
int guidance_argument(PyObject *value, double *result);

/// An int of at least 1.
int count_argument(const char *argument, PyObject *value, int64_t *result);

/// As `torch.manual_seed` takes it: negative numbers are their two's complement.
int seed_argument(PyObject *value, uint64_t *result);

/// The same for one seed of several.
int seed_value(const char *argument, const char *expected, PyObject *value, uint64_t *result);

/// What is true or false; not a str or None.
int flag_argument(const char *argument, PyObject *value, bool *result);

#endif
