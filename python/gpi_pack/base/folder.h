/// Folders that files are to be written into.
#ifndef GPI_FOLDER_H
#define GPI_FOLDER_H

#include "limited_python.h"

/// Makes a folder and its parents where they are missing; errors begin with `argument`.
/// 0, or -1 with an exception.
int make_folder(const char *argument, PyObject *folder);

#endif
