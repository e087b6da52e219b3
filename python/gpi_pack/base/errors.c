#include "errors.h"

#include <string.h>

static PyObject *exception_for(gpi_status status) {
    switch (status) {
    case GPI_INVALID_ARGUMENT:
    case GPI_BAD_FILE:
    case GPI_BAD_PICTURE:
        return PyExc_ValueError;
    case GPI_NOT_FOUND:
        return PyExc_FileNotFoundError;
    case GPI_IO_ERROR:
        return PyExc_OSError;
    case GPI_NO_LIBTORCH:
        return PyExc_ImportError;
    case GPI_OK:
    case GPI_TORCH_ERROR:
    case GPI_INTERRUPTED:
        break;
    }
    return PyExc_RuntimeError;
}

void raise_status(gpi_status status, PyObject *about) {
    if (PyErr_Occurred()) return;
    const char *message = gpi_last_error();
    // "replace": a path in the text need not be UTF-8.
    PyObject *text = PyUnicode_DecodeUTF8(message, (Py_ssize_t)strlen(message), "replace");
    if (text == NULL) return;
    if (about == NULL) {
        PyErr_SetObject(exception_for(status), text);
    } else {
        PyErr_Format(exception_for(status), "%U: %U", about, text);
    }
    Py_DECREF(text);
}

/// Whether the caller learns something from this class: see `raise_again`.
static int keeps_its_class(PyObject *exception) {
    PyObject *kept[] = {PyExc_OSError, PyExc_MemoryError, PyExc_Warning};
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) {
        int matches = PyObject_IsInstance(exception, kept[i]);
        if (matches != 0) return matches;
    }
    PyObject *bomb = imported("PIL.Image", "DecompressionBombError");
    if (bomb == NULL) return -1;
    int matches = PyObject_IsInstance(exception, bomb);
    Py_DECREF(bomb);
    return matches;
}

/// An operating system's error with `about` before its message: its number and file name stay.
/// NULL without an exception if `exception` is not one.
static PyObject *system_error_about(PyObject *exception, PyObject *about) {
    if (!PyObject_TypeCheck(exception, (PyTypeObject *)PyExc_OSError)) return NULL;
    PyObject *result = NULL;
    PyObject *text = NULL;
    PyObject *number = PyObject_GetAttrString(exception, "errno");
    PyObject *reason = PyObject_GetAttrString(exception, "strerror");
    PyObject *path = PyObject_GetAttrString(exception, "filename");
    if (number == NULL || reason == NULL || path == NULL) goto done;
    if (!PyLong_Check(number) || reason == Py_None) goto done;
    text = PyUnicode_FromFormat("%U: %S", about, reason);
    if (text == NULL) goto done;
    result = path == Py_None
        ? PyObject_CallFunctionObjArgs((PyObject *)Py_TYPE(exception), number, text, NULL)
        : PyObject_CallFunctionObjArgs((PyObject *)Py_TYPE(exception), number, text, path, NULL);
done:
    // Without the details there is still the plain text.
    if (result == NULL) PyErr_Clear();
    Py_XDECREF(number);
    Py_XDECREF(reason);
    Py_XDECREF(path);
    Py_XDECREF(text);
    return result;
}

/// The same in words: "`about`: `text of the exception`".
static PyObject *error_about(PyObject *exception, PyObject *about) {
    PyObject *words = PyObject_Str(exception);
    if (words == NULL) return NULL;
    PyObject *text = PyUnicode_GetLength(words) > 0
        ? PyUnicode_FromFormat("%U: %U", about, words)
        : PyUnicode_FromFormat("%U: %R", about, exception);
    Py_DECREF(words);
    if (text == NULL) return NULL;
    int kept = keeps_its_class(exception);
    PyObject *result = NULL;
    if (kept > 0) {
        PyObject *type = (PyObject *)Py_TYPE(exception);
        result = PyObject_CallFunctionObjArgs(type, text, NULL);
        // A class with a constructor of its own may want more than a text.
        if (result != NULL && !PyObject_TypeCheck(result, (PyTypeObject *)PyExc_Exception))
            Py_CLEAR(result);
    }
    if (result == NULL) {
        PyErr_Clear();
        result = PyObject_CallFunctionObjArgs(PyExc_ValueError, text, NULL);
    }
    Py_DECREF(text);
    return result;
}

void raise_again(PyObject *about) {
    if (!PyErr_ExceptionMatches(PyExc_Exception)) return;
    PyObject *type, *exception, *traceback;
    PyErr_Fetch(&type, &exception, &traceback);
    PyErr_NormalizeException(&type, &exception, &traceback);
    if (traceback != NULL) PyException_SetTraceback(exception, traceback);
    Py_XDECREF(type);
    Py_XDECREF(traceback);

    PyObject *successor = system_error_about(exception, about);
    if (successor == NULL) successor = error_about(exception, about);
    if (successor == NULL) {
        Py_DECREF(exception);
        return;
    }
    PyException_SetCause(successor, exception);
    PyErr_SetObject((PyObject *)Py_TYPE(successor), successor);
    Py_DECREF(successor);
}

void raise_wrong_type(PyObject *argument, const char *expected, PyObject *value) {
    PyObject *name = PyObject_GetAttrString((PyObject *)Py_TYPE(value), "__name__");
    if (name == NULL) return;
    PyErr_Format(PyExc_TypeError, "%U must be %s, not %S.", argument, expected, name);
    Py_DECREF(name);
}
