/// Models of the Hugging Face Hub, through huggingface_hub: its cache, progress bars, token and offline
/// mode are its own affair.
#ifndef GPI_HUB_H
#define GPI_HUB_H

#include "model_files.h"

/// A folder with the needed files of a model: fetched where they are not in the cache yet; without an
/// answer of the Hub, or without its leave, those that were fetched before. `cache_dir` may be NULL.
///
/// A new str; NULL with an exception that says what to do.
PyObject *hub_folder(PyObject *model_id, PyObject *cache_dir, const NeededFiles *needed);

#endif
