/// What `images` may hold, how each becomes pixels, and pixels an image.
#ifndef GPI_PICTURES_H
#define GPI_PICTURES_H

#include "gpi_diffusion.h"
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

/// Whether `value` is an array with a single axis, of texts or Python objects. 1 or 0; -1 with an
/// exception.
int is_row_of_objects(PyObject *value);

/// Refuses what can be seen to be no picture without reading anything: an object of another type
/// (TypeError), an array of another shape or dtype than [H, W, 3] and uint8 (ValueError).
/// `about` names the picture. 0, or -1 with an exception.
int check_picture(PyObject *source, PyObject *about);

/// Reads a picture that `check_picture` has passed. A file is closed again before this returns.
///
/// A picture with a side above `longest_side` is shrunk by Pillow, so that its colours are those
/// that gpi_pack gives with the same Pillow: a file is converted to RGB first, an image shrunk in its
/// own mode and then converted. 0, or -1 with an exception that names the picture.
int read_picture(PyObject *source, PyObject *about, int64_t longest_side, Pixels *pixels);

/// Checks and reads a picture that is an argument of its own. `about` becomes how errors name it, with
/// its path if it has one: a new str, or NULL. 0, or -1 with an exception; `pixels` and `about` are
/// the caller's to clear in either case.
int picture_argument(const char *argument, PyObject *source, int64_t longest_side, PyObject **about,
                     Pixels *pixels);

/// An image of Pillow with at most `longest_side` on the longest side, resized in its own mode. A new
/// reference; NULL with an exception.
PyObject *fitted_image(PyObject *image, int64_t longest_side);

/// An image of Pillow in mode RGB; itself if it is, because a conversion would copy it. A new reference;
/// NULL with an exception.
PyObject *rgb_image(PyObject *image);

/// Takes the bytes and the size of an image in mode RGB, whose reference it takes over; NULL is an
/// exception that is pending already. 0, or -1 with an exception; `clear_pixels` may follow in either
/// case.
int take_pixels(PyObject *image, Pixels *pixels);

/// A picture of the core's as an image of Pillow. A new reference; NULL with an exception.
PyObject *image_of(const gpi_picture *picture);

/// Forgets the pixels; does nothing for a zeroed struct.
void clear_pixels(Pixels *pixels);

#endif
