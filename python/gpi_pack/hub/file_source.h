/// The files of a model that there are, and lists of those to take.
#ifndef GPI_FILE_SOURCE_H
#define GPI_FILE_SOURCE_H

#include "limited_python.h"

/// The files that there are, on the Hub or in a folder.
typedef struct FileSource {
    /// A set of str: paths relative to the model.
    PyObject *names;
    /// What errors begin with, such as "model_id: 'a/b' on the Hub".
    PyObject *about;
    /// What errors end with.
    const char *advice;
    /// The path of one of the files on this machine, as a new str; NULL with an exception.
    PyObject *(*fetch)(struct FileSource *source, PyObject *name);
    /// For `fetch`.
    PyObject *model_id, *cache_dir, *folder;
    /// Whether it was `fetch` that failed, rather than a file that is not as it should be.
    int is_unreachable;
} FileSource;

// Below, a folder may be "": the model's own. Lists are of str.

/// Appends a new str to a list and gives it away; 0, or -1 with an exception.
int append(PyObject *list, PyObject *text);

/// `<folder>/<name>`; a new str.
PyObject *name_in(const char *folder, const char *name);

/// Whether there is a file `<folder>/<name>`; -1 with an exception.
int is_there(const FileSource *source, const char *folder, const char *name);

/// What follows the folder if `name` is a file directly in it, borrowed; else NULL.
///
/// Names that are no plain text, or that would stand for others where huggingface_hub takes them as
/// patterns, are left out.
const char *name_below(const char *folder, PyObject *name);

int ends_in(const char *text, const char *end);

/// Raises a FileNotFoundError.
void raise_missing(const FileSource *source, const char *folder, const char *name);

/// Appends `<folder>/<name>`, which must be there; 0, or -1 with an exception.
int append_needed(PyObject *list, const FileSource *source, const char *folder, const char *name);

#endif
