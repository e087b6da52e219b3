/// Arguments with a value for each picture: a list, an array, a column of a table.
#ifndef GPI_ROWS_H
#define GPI_ROWS_H

#include "limited_python.h"
#include "texts.h"

/// A tuple of what a list, an array, a pandas column or another iterable in order holds; a text, a set, a
/// dict and what cannot be iterated over is refused: "`argument` must be `expected`, not …". A new
/// reference; NULL with an exception.
PyObject *row_argument(const char *argument, const char *expected, PyObject *value);

/// A value of a row as a new str; NULL with an exception that begins with `argument`, "prompts[3]".
typedef PyObject *(*RowText)(const char *argument, PyObject *value);

/// All values of the tuple as texts for C. 0, or -1 with an exception; `clear_texts` is the caller's in
/// either case.
int row_texts(const char *argument, PyObject *row, RowText text, Texts *texts);

/// Room for how errors call one value of a row: "prompts[3]".
typedef struct RowName {
    char text[64];
} RowName;

RowName row_name(const char *argument, Py_ssize_t index);

#endif
