/// What a run of a study came to, in Python.
#ifndef GPI_DATASET_SUMMARY_H
#define GPI_DATASET_SUMMARY_H

#include "gpi_studies.h"
#include "limited_python.h"

/// Makes the types `DatasetSummary` and `DatasetFailure` and adds them to the module. 0, or -1 with an
/// exception.
int add_summary_types(PyObject *module);

/// A `DatasetSummary`, a named tuple. A new reference; NULL with an exception.
PyObject *new_summary(PyObject *output_dir, const gpi_study_summary *summary);

/// A text of the core's as a str; None for NULL. A new reference; NULL with an exception.
PyObject *core_text(const char *text);

#endif
