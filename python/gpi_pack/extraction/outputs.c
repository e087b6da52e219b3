#include "outputs.h"

#include "errors.h"
#include "pictures.h"
#include "whole_file.h"

PyObject *numbered_path(PyObject *folder, PyObject *name, Py_ssize_t index, const char *suffix) {
    PyObject *file = PyUnicode_FromFormat("%U_%zd%s", name, index, suffix);
    if (file == NULL) return NULL;
    PyObject *join = imported("os.path", "join");
    PyObject *path = join == NULL ? NULL : PyObject_CallFunctionObjArgs(join, folder, file, NULL);
    Py_XDECREF(join);
    Py_DECREF(file);
    return path;
}

int write_latents(const gpi_tensor *latents, PyObject *path, PyObject *about) {
    const char *utf8 = PyUnicode_AsUTF8AndSize(path, NULL);
    if (utf8 == NULL) return -1;
    gpi_status status;
    Py_BEGIN_ALLOW_THREADS
    status = gpi_tensor_save(latents, utf8);
    Py_END_ALLOW_THREADS
    if (status == GPI_OK) return 0;
    raise_status(status, about);
    return -1;
}

// MARK: - Pictures

/// An image of Pillow and its format.
typedef struct Picture {
    PyObject *image;
    const char *format;
} Picture;

/// A `FileWriter` for a Picture.
static int save_image(PyObject *file, void *context) {
    Picture *picture = context;
    PyObject *saved = PyObject_CallMethod(picture->image, "save", "Os", file, picture->format);
    if (saved == NULL) return -1;
    Py_DECREF(saved);
    return 0;
}

PyObject *picture_format(const char *argument, PyObject *path) {
    PyObject *split = imported("os.path", "splitext");
    PyObject *registered = imported("PIL.Image", "registered_extensions");
    // Filled by the call of `registered_extensions`. Some formats are read but not written.
    PyObject *writers = imported("PIL.Image", "SAVE");
    PyObject *parts =
        split == NULL ? NULL : PyObject_CallFunctionObjArgs(split, path, NULL);
    PyObject *formats = registered == NULL ? NULL : PyObject_CallNoArgs(registered);
    PyObject *suffix =
        parts == NULL ? NULL : PyObject_CallMethod(PyTuple_GetItem(parts, 1), "lower", NULL);
    PyObject *format = NULL;
    if (suffix != NULL && formats != NULL && writers != NULL)
        format = PyObject_CallMethod(formats, "get", "O", suffix);
    if (format != NULL) {
        int known = PySequence_Contains(writers, format);
        if (known <= 0) Py_CLEAR(format);
        if (known == 0)
            PyErr_Format(PyExc_ValueError,
                         "%s: %R is no suffix of a picture that Pillow can write; use .png, "
                         "for example.",
                         argument, suffix);
    }
    Py_XDECREF(split);
    Py_XDECREF(registered);
    Py_XDECREF(writers);
    Py_XDECREF(parts);
    Py_XDECREF(formats);
    Py_XDECREF(suffix);
    return format;
}

int write_picture(const gpi_picture *picture, PyObject *path, const char *format, PyObject *about) {
    PyObject *image = image_of(picture);
    if (image == NULL) return -1;
    Picture saved = {image, format};
    int status = write_whole_file(path, save_image, &saved);
    Py_DECREF(image);
    if (status < 0 && PyErr_ExceptionMatches(PyExc_OSError)) {
        PyObject *writing = PyUnicode_FromFormat("%U: writing %R", about, path);
        if (writing == NULL) return -1;
        raise_again(writing);
        Py_DECREF(writing);
    }
    return status;
}
