/// The arguments of `from_pretrained`, those of diffusers' that have no effect here among them.
#ifndef GPI_PRETRAINED_H
#define GPI_PRETRAINED_H

#include "model.h"
#include "placement.h"

typedef struct Pretrained {
    /// str
    PyObject *model_id;
    /// str or NULL
    PyObject *subfolder, *cache_dir;
    /// The CPU unless asked for otherwise.
    Placement placement;
    /// A new dict of what else was passed.
    PyObject *rest;
} Pretrained;

/// 0, or -1 with an exception that names the argument. `result` goes to `clear_pretrained` in either
/// case.
int parse_pretrained(PyObject *positional, PyObject *keywords, Pretrained *result);

/// Refuses what is left in `rest`. `function` is how the error calls what was called.
int refuse_rest(const Pretrained *pretrained, const char *function);

void clear_pretrained(Pretrained *pretrained);

/// Takes a keyword out of a dict. A new reference; NULL without an exception if it is not there, and with
/// one if something failed.
PyObject *take_keyword_argument(PyObject *keywords, const char *name);

#endif
