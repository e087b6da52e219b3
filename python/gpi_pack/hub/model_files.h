/// Which files of a model are needed: of each part its settings and one set of weights.
#ifndef GPI_MODEL_FILES_H
#define GPI_MODEL_FILES_H

#include "file_source.h"
#include "gpi_models.h"

/// What of a model is needed.
typedef enum ModelParts {
    /// All that strength 0 reads.
    AUTOENCODER_ALONE,
    /// With text encoder, tokenizer, UNet and scheduler.
    WHOLE_MODEL,
    /// With the safety checker and the feature extractor too, if the model has them.
    WHOLE_MODEL_WITH_SAFETY_CHECKER,
    /// A UNet and a scheduler, for pictures of noise alone.
    UNCONDITIONAL_MODEL,
    /// Files called scheduler_config.json, in whatever folder.
    SCHEDULER_ALONE,
} ModelParts;

/// What the files of a part are called.
typedef enum PartKind {
    PART_WITH_WEIGHTS,
    PART_TOKENIZER,
    PART_FEATURE_EXTRACTOR,
    PART_SCHEDULER,
    /// A scheduler whose folder is not known.
    PART_SCHEDULER_ANYWHERE,
} PartKind;

typedef struct NeededPart {
    PartKind kind;
    /// "" for one that lies in the repository itself.
    const char *folder;
    /// Whether the model may do without: then no file in its folder is no error.
    int is_optional;
    /// Whether its files lie in the repository itself where there are none in its folder, as in the first
    /// models of diffusers.
    int may_lie_outside;
} NeededPart;

typedef struct NeededFiles {
    const NeededPart *parts;
    size_t count;
    /// Whether the file that says of what parts the model consists is taken, where there is one.
    int with_index;
} NeededFiles;

/// The parts of a model, as their folders are called in the layout of diffusers.
NeededFiles needed_files(ModelParts parts);

/// One part alone, in a folder that may be "".
NeededPart needed_part(gpi_part part, const char *folder);

/// The names of the files to use. Only an index of shards is read.
///
/// A new list; NULL with a FileNotFoundError for what is missing, a ValueError for an index that is
/// none, or what `fetch` raised.
PyObject *chosen_files(FileSource *source, const NeededFiles *needed);

#endif
