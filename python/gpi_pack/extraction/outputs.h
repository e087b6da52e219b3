/// The files that `extract_images` writes. Each appears whole or not at all.
#ifndef GPI_OUTPUTS_H
#define GPI_OUTPUTS_H

#include "gpi_diffusion.h"
#include "limited_python.h"

/// `{folder}/{name}_{index}{suffix}`, as a new str; NULL with an exception.
PyObject *numbered_path(PyObject *folder, PyObject *name, Py_ssize_t index, const char *suffix);

/// Writes latents as torch saves a tensor. `about` names the picture. 0, or -1 with an exception.
int write_latents(const gpi_tensor *latents, PyObject *path, PyObject *about);

/// Pillow's name of the format that the path's suffix stands for; errors begin with `argument`. A new
/// str; NULL with an exception.
PyObject *picture_format(const char *argument, PyObject *path);

/// Writes a picture in a format of Pillow's ("PNG"). `about` names the picture. 0, or -1 with an
/// exception.
int write_picture(const gpi_picture *picture, PyObject *path, const char *format, PyObject *about);

#endif
