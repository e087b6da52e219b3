/// The settings file that a run left in a study's folder.
#ifndef GPI_STUDY_SETTINGS_FILE_H
#define GPI_STUDY_SETTINGS_FILE_H

#include "study_options.h"

/// Reads `{output_dir}/settings.json` into `values`, but for output_dir, device and cache_dir, which no
/// file says. A new dict that holds what `values` borrow; NULL with an exception.
PyObject *read_study_settings(PyObject *output_dir, StudyValues *values);

#endif
