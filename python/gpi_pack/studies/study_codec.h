/// Pillow between the files of a study and the core.
#ifndef GPI_STUDY_CODEC_H
#define GPI_STUDY_CODEC_H

#include "gpi_studies.h"
#include "limited_python.h"

#include <stdbool.h>

/// What becomes of a picture before the model sees it, and what the callbacks keep for the core, one
/// of which decodes while the other encodes.
typedef struct StudyCodec {
    /// 0 for pictures that keep their shapes, with at most GPI_LONGEST_SIDE pixels on the longest side.
    int64_t width, height;
    /// str: "crop", "pad" or "stretch"
    PyObject *fit;
    /// Whether pictures are turned as their EXIF data say.
    bool exif;
    /// str: "#rrggbb", the colour under transparent pictures and beside padded ones
    PyObject *background;
    /// The thread that waits for the core. Its exceptions stay pending for who waits.
    unsigned long owner;
    /// bytes: the texts of the last errors, and the last file.
    PyObject *decode_error, *encode_error, *encoded;
} StudyCodec;

/// A `gpi_decode_file` whose context is a StudyCodec: the first frame in mode RGB, turned, on the
/// background, in the size, each by Pillow's own function, with the Lanczos filter. On any thread, without
/// the interpreter's lock.
const char *decode_study_file(void *codec, const char *path, const uint8_t *bytes, size_t count,
                              gpi_picture **picture);

/// A `gpi_encode_file` with the same context.
const char *encode_study_file(void *codec, const gpi_picture *picture, const uint8_t **bytes,
                              size_t *count);

/// Forgets what it holds.
void clear_study_codec(StudyCodec *codec);

#endif
