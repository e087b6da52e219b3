/// Files that appear whole or not at all.
#ifndef GPI_WHOLE_FILE_H
#define GPI_WHOLE_FILE_H

#include "limited_python.h"

/// Writes to a file of Python's that is open for bytes. 0, or -1 with an exception.
typedef int (*FileWriter)(PyObject *file, void *context);

/// Writes the file at `path`, a str, through a temporary one beside it: another process, or the
/// next run after a crash, sees a whole file or none. 0, or -1 with an exception.
int write_whole_file(PyObject *path, FileWriter write, void *context);

#endif
