/// From a model's name to a folder that holds it.
#ifndef GPI_MODEL_FOLDER_H
#define GPI_MODEL_FOLDER_H

#include "model_files.h"

/// The folder of `model_id`, a str: itself if it is one or a single file, else what huggingface_hub fetches or has
/// fetched before. Only the files of the parts that are needed are fetched, and a folder that lacks one
/// of them is not taken.
///
/// `cache_dir` is a str, or NULL for huggingface_hub's usual folder. A new str; NULL with an
/// exception that says what was tried and what to do: FileNotFoundError if there is no such model,
/// PermissionError if it is not for everybody, ConnectionError if the Hub cannot be reached.
PyObject *model_folder(PyObject *model_id, PyObject *cache_dir, ModelParts parts);

/// The folder of one part in the same way: `subfolder` of `model_id`, or, for NULL, `model_id` itself.
/// No other part is fetched.
PyObject *part_folder(PyObject *model_id, PyObject *subfolder, PyObject *cache_dir, gpi_part part);

#endif
