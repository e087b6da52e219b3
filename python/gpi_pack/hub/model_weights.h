/// The one set of weights to use, of those that a part has.
#ifndef GPI_MODEL_WEIGHTS_H
#define GPI_MODEL_WEIGHTS_H

#include "file_source.h"

/// Appends the names of a part's weights: safetensors before pickles, whole files before shards, full
/// precision before fp16 before bf16. Of shards, the index and those that it names.
///
/// 0, or -1 with an exception: see `chosen_files`.
int append_weights(PyObject *list, FileSource *source, const char *folder);

#endif
