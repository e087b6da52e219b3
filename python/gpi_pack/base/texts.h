/// Prompts from Python as texts for C.
#ifndef GPI_TEXTS_H
#define GPI_TEXTS_H

#include "limited_python.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct Texts {
    /// A tuple of str, which own what `start` points to.
    PyObject *tuple;
    const char **start;
    int64_t count;
    /// Whether it was one str rather than a list of them.
    bool single;
} Texts;

/// Reads one str or a list or tuple of at least one. 0, or -1 with an exception that names the argument;
/// `clear_texts` is the caller's in either case.
int parse_texts(const char *argument, PyObject *value, Texts *texts);

void clear_texts(Texts *texts);

#endif
