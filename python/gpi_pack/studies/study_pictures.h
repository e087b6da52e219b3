/// The pictures of a study from Python: a folder or a list of paths, with names, prompts and seeds.
#ifndef GPI_STUDY_PICTURES_H
#define GPI_STUDY_PICTURES_H

#include "gpi_studies.h"
#include "limited_python.h"

#include <stdbool.h>

/// The values as they were passed, borrowed; NULL and None for those that were not, but for `images`.
typedef struct PictureValues {
    PyObject *images, *names, *prompts, *seed;
} PictureValues;

/// What errors call them.
typedef struct PictureArguments {
    const char *images, *names, *prompts, *seed;
} PictureArguments;

typedef struct StudyPictures {
    /// Of the core.
    gpi_pictures *core;
    /// str: the prompt of all pictures; NULL if each has its own.
    PyObject *prompt;
    /// Whether all pictures have one seed.
    bool has_seed;
    uint64_t seed;
} StudyPictures;

/// A text for all pictures as a new str, "" for NULL; NULL with an exception if it is none.
PyObject *common_prompt(PyObject *prompts);

/// Finds the pictures. `images` is a folder or a row of paths; `names` a row of str and int; `prompts` a
/// str or a row of them, "" unless given; `seed` an int or a row of them, 0 unless given. 0, or -1 with an
/// exception that names the argument; `clear_study_pictures` is the caller's in either case.
int find_study_pictures(const PictureValues *values, const PictureArguments *arguments,
                        StudyPictures *pictures);

void clear_study_pictures(StudyPictures *pictures);

#endif
