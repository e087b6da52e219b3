/// From a model's name to a folder that holds it.
#ifndef GPI_MODEL_FOLDER_H
#define GPI_MODEL_FOLDER_H

#include "gpi_models.h"
#include "limited_python.h"

/// What of a model is needed.
typedef enum ModelParts {
    /// All that strength 0 reads.
    AUTOENCODER_ALONE,
    /// With text encoder, tokenizer, UNet and scheduler.
    WHOLE_MODEL,
    /// Files called scheduler_config.json, in whatever folder.
    SCHEDULER_ALONE,
} ModelParts;

/// The folder of `model_id`, a str: itself if it is one, else what huggingface_hub fetches or has
/// fetched before. Only the files of the parts that are needed are fetched.
///
/// `cache_dir` is a str, or NULL for huggingface_hub's usual folder. A new str; NULL with an
/// exception: FileNotFoundError that says what was tried if there is no such model.
PyObject *model_folder(PyObject *model_id, PyObject *cache_dir, ModelParts parts);

/// The folder of one part in the same way: `subfolder` of `model_id`, or, for NULL, `model_id` itself.
/// No other part is fetched.
PyObject *part_folder(PyObject *model_id, PyObject *subfolder, PyObject *cache_dir, gpi_part part);

#endif
