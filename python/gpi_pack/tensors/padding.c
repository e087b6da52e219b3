#include "padding.h"

#include "errors.h"
#include "values.h"

const char pad_to_multiple_of_8_doc[] =
    "pad_to_multiple_of_8($module, img, pad_mode='reflect')\n"
    "--\n"
    "\n"
    "The PIL image with its sides padded to multiples of 8, in mode RGB; the very same object\n"
    "if they are. The smaller half of the padding goes to the left and the top. pad_mode is\n"
    "one of numpy.pad.";

/// A side of the image, and what it lacks; 0, or -1 with an exception.
static int missing(PyObject *image, const char *side, long *before, long *after) {
    PyObject *value = PyObject_GetAttrString(image, side);
    if (value == NULL) return -1;
    long length = PyLong_AsLong(value);
    Py_DECREF(value);
    if (length == -1 && PyErr_Occurred()) return -1;
    long padding = (8 - length % 8) % 8;
    *before = padding / 2;
    *after = padding - padding / 2;
    return 0;
}

/// `numpy.pad(numpy.array(image.convert("RGB")), widths, mode=mode)`
static PyObject *padded_array(PyObject *image, PyObject *widths, PyObject *mode) {
    PyObject *array = NULL;
    PyObject *result = NULL;
    PyObject *as_array = imported("numpy", "array");
    PyObject *pad = imported("numpy", "pad");
    PyObject *rgb = PyObject_CallMethod(image, "convert", "s", "RGB");
    if (as_array != NULL && pad != NULL && rgb != NULL)
        array = PyObject_CallFunctionObjArgs(as_array, rgb, NULL);
    if (array != NULL) result = PyObject_CallFunctionObjArgs(pad, array, widths, mode, NULL);
    Py_XDECREF(as_array);
    Py_XDECREF(pad);
    Py_XDECREF(rgb);
    Py_XDECREF(array);
    return result;
}

static PyObject *padded(PyObject *image, PyObject *mode) {
    long left, right, top, bottom;
    if (missing(image, "width", &left, &right) < 0) return NULL;
    if (missing(image, "height", &top, &bottom) < 0) return NULL;
    if (right == 0 && bottom == 0) return Py_NewRef(image);
    PyObject *result = NULL;
    PyObject *array = NULL;
    PyObject *widths = Py_BuildValue("((ll)(ll)(ll))", top, bottom, left, right, 0L, 0L);
    PyObject *from_array = imported("PIL.Image", "fromarray");
    if (widths != NULL && from_array != NULL) array = padded_array(image, widths, mode);
    if (array != NULL) result = PyObject_CallFunctionObjArgs(from_array, array, NULL);
    Py_XDECREF(widths);
    Py_XDECREF(from_array);
    Py_XDECREF(array);
    return result;
}

PyObject *pad_to_multiple_of_8(PyObject *module, PyObject *positional, PyObject *keywords) {
    (void)module;
    static const char *const names[] = {"img", "pad_mode", NULL};
    PyObject *image;
    PyObject *mode = NULL;
    if (!PyArg_ParseTupleAndKeywords(positional, keywords, "O|O:pad_to_multiple_of_8",
                                     (char **)names, &image, &mode))
        return NULL;
    PyObject *type = imported("PIL.Image", "Image");
    if (type == NULL) return NULL;
    int known = PyObject_IsInstance(image, type);
    Py_DECREF(type);
    if (known == 0) raise_wrong_type_of("img", "a PIL image", image);
    if (known <= 0) return NULL;
    PyObject *reflect = mode == NULL ? PyUnicode_FromString("reflect") : Py_NewRef(mode);
    if (reflect == NULL) return NULL;
    PyObject *result = padded(image, reflect);
    Py_DECREF(reflect);
    return result;
}
