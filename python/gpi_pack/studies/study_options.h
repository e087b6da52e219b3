/// What a study's latents depend on beside its pictures, and where it is, from Python.
#ifndef GPI_STUDY_OPTIONS_H
#define GPI_STUDY_OPTIONS_H

#include "gpi_studies.h"
#include "limited_python.h"

#include <stdbool.h>

/// The values as they were passed, borrowed; NULL where the default counts.
typedef struct StudyValues {
    PyObject *output_dir, *size, *fit, *exif, *background, *posterior, *save_images, *model_id,
        *device, *cache_dir, *strength, *num_inference_steps, *guidance_scale, *negative_prompt,
        *dtype, *precision, *batch_size;
} StudyValues;

typedef struct StudyOptions {
    /// str
    PyObject *output_dir;
    /// 0 for pictures that keep their shapes
    int64_t width, height;
    /// str, checked by the core
    PyObject *fit, *posterior;
    bool exif;
    /// str: "#rrggbb"
    PyObject *background;
    bool saves_pictures;
    /// str
    PyObject *model_id;
    /// str, or NULL for the best device
    PyObject *device;
    /// str, or NULL for the usual folder
    PyObject *cache_dir;
    double strength;
    int64_t num_inference_steps;
    double guidance_scale;
    /// str or NULL
    PyObject *negative_prompt;
    gpi_dtype dtype;
    gpi_precision precision;
    /// Pictures that are computed at once on a GPU
    int64_t batch_size;
} StudyOptions;

/// Reads an int for both, or (width, height); leaves both as they are for NULL and None. 0, or -1 with an
/// exception that names the argument.
int size_argument(const char *argument, PyObject *value, int64_t *width, int64_t *height);

/// Reads and checks everything; 0, or -1 with an exception that names the argument. Zeroed or filled,
/// `options` goes to `clear_study_options` in either case.
int parse_study_options(const StudyValues *values, StudyOptions *options);

void clear_study_options(StudyOptions *options);

#endif
