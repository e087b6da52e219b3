/// From a model's name to a folder that holds it.
#ifndef GPI_MODEL_FOLDER_H
#define GPI_MODEL_FOLDER_H

#include "limited_python.h"

/// The folder of `model_id`, a str: itself if it is one, else what huggingface_hub fetches or has
/// fetched before. Only files that are read are fetched: the autoencoder's, and if the picture is to
/// be `changed` (strength above 0) those of the UNet, the text encoder, the tokenizer and the
/// scheduler.
///
/// `cache_dir` is a str, or NULL for huggingface_hub's usual folder. A new str; NULL with an
/// exception: FileNotFoundError that says what was tried if there is no such model.
PyObject *model_folder(PyObject *model_id, PyObject *cache_dir, int changed);

#endif
