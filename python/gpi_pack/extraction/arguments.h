/// The arguments of `extract_images`, checked before any work is done.
#ifndef GPI_ARGUMENTS_H
#define GPI_ARGUMENTS_H

#include "limited_python.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct Arguments {
    /// A tuple of what `check_picture` has passed, never empty.
    PyObject *images;
    /// Whether the caller gave one picture rather than a sequence of them.
    bool single_image;
    /// A tuple of str as long as `images`, or of one for all of them.
    PyObject *prompts;
    /// str
    PyObject *output_hidden_dir;
    /// str, or NULL if no pictures are asked for
    PyObject *output_image_dir;
    /// str
    PyObject *save_name;
    /// str
    PyObject *prefix_hidden;
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
    bool has_seed;
    uint64_t seed;
} Arguments;

/// Reads and checks everything; 0, or -1 with an exception that names the argument. Zeroed or
/// filled, `result` goes to `clear_arguments` in either case.
int parse_arguments(PyObject *positional, PyObject *keywords, Arguments *result);

void clear_arguments(Arguments *arguments);

/// How errors name picture `index`: `images[3] ('/photos/a.jpg')`, or `images` if it is the only
/// one. A new str, or NULL with an exception.
PyObject *picture_name(const Arguments *arguments, Py_ssize_t index);

/// The prompt for picture `index`. Borrowed.
PyObject *prompt_for(const Arguments *arguments, Py_ssize_t index);

#endif
