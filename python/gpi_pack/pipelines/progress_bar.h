/// How the bar over a pipeline's steps looks.
#ifndef GPI_PROGRESS_BAR_H
#define GPI_PROGRESS_BAR_H

#include "limited_python.h"

/// `set_progress_bar_config`: puts a dict of the keywords at `place`. None; NULL with an exception.
PyObject *set_bar_options(PyObject **place, PyObject *positional, PyObject *keywords);

#endif
