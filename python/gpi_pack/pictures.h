/// What `images` may hold, and how each becomes pixels.
#ifndef GPI_PICTURES_H
#define GPI_PICTURES_H

#include "limited_python.h"

#include <stdint.h>

/// One picture of 8-bit red, green and blue, row by row from the top.
typedef struct Pixels {
    /// A bytes object of `width * height * 3` bytes, which `rgb` points into.
    PyObject *bytes;
    const uint8_t *rgb;
    int64_t width;
    int64_t height;
} Pixels;

/// Whether `source` is a path, a PIL image or a NumPy array at all. 1 or 0; -1 with an exception.
int is_picture(PyObject *source);

/// Refuses what can be seen to be no picture without reading anything: an object of another type
/// (TypeError), an array of another shape or dtype than [H, W, 3] and uint8 (ValueError).
/// `about` names the picture. 0, or -1 with an exception.
int check_picture(PyObject *source, PyObject *about);

/// Reads a picture that `check_picture` has passed. A file is closed again before this returns.
///
/// Colours and sizes come out as gpi_pack's: a file is converted to RGB at its full size, while an
/// image in another mode than RGB is shrunk in its own mode first. 0, or -1 with an exception that
/// names the picture.
int read_picture(PyObject *source, PyObject *about, Pixels *pixels);

/// Forgets the pixels; does nothing for a zeroed struct.
void clear_pixels(Pixels *pixels);

#endif
