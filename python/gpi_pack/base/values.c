#include "values.h"

#include "errors.h"

#include <math.h>
#include <string.h>

// MARK: - Text and paths

void raise_wrong_type_of(const char *argument, const char *expected, PyObject *value) {
    PyObject *name = PyUnicode_FromString(argument);
    if (name == NULL) return;
    raise_wrong_type(name, expected, value);
    Py_DECREF(name);
}

int check_text(PyObject *argument, PyObject *text) {
    Py_ssize_t size;
    const char *utf8 = PyUnicode_AsUTF8AndSize(text, &size);
    if (utf8 == NULL) {
        if (!PyErr_ExceptionMatches(PyExc_UnicodeEncodeError)) return -1;
        PyErr_Clear();
        PyErr_Format(PyExc_ValueError, "%U is no valid Unicode text: %A.", argument, text);
        return -1;
    }
    if (strlen(utf8) != (size_t)size) {
        PyErr_Format(PyExc_ValueError, "%U contains a null character: %A.", argument, text);
        return -1;
    }
    return 0;
}

PyObject *text_argument(const char *argument, PyObject *value, const char *expected) {
    if (!PyUnicode_Check(value)) {
        raise_wrong_type_of(argument, expected, value);
        return NULL;
    }
    PyObject *name = PyUnicode_FromString(argument);
    if (name == NULL) return NULL;
    int status = check_text(name, value);
    Py_DECREF(name);
    return status < 0 ? NULL : Py_NewRef(value);
}

PyObject *path_argument(const char *argument, PyObject *value, const char *expected) {
    PyObject *path = PyOS_FSPath(value);
    if (path == NULL) {
        if (!PyErr_ExceptionMatches(PyExc_TypeError)) return NULL;
        PyErr_Clear();
        raise_wrong_type_of(argument, expected, value);
        return NULL;
    }
    PyObject *text = text_argument(argument, path, expected);
    Py_DECREF(path);
    return text;
}

PyObject *device_argument(PyObject *value) {
    const char *expected = "None, \"cpu\", \"cuda\" or \"cuda:N\"";
    if (PyUnicode_Check(value)) return text_argument("device", value, expected);
    PyObject *torch = PyDict_GetItemString(PyImport_GetModuleDict(), "torch");
    PyObject *type = torch == NULL ? NULL : PyObject_GetAttrString(torch, "device");
    if (type == NULL) PyErr_Clear();
    int is_device = type == NULL ? 0 : PyObject_IsInstance(value, type);
    Py_XDECREF(type);
    if (is_device > 0) return PyObject_Str(value);
    if (is_device == 0) raise_wrong_type_of("device", expected, value);
    return NULL;
}

int negative_prompt_argument(PyObject *value, const char **result) {
    *result = NULL;
    if (!is_given(value)) return 0;
    PyObject *text = text_argument("negative_prompt", value, "None or a str");
    if (text == NULL) return -1;
    // `value` itself, which the caller holds.
    *result = PyUnicode_AsUTF8AndSize(text, NULL);
    Py_DECREF(text);
    return *result == NULL ? -1 : 0;
}

PyObject *model_argument(PyObject *value) {
    if (value == NULL) return PyUnicode_FromString("runwayml/stable-diffusion-v1-5");
    PyObject *model = path_argument("model_id", value, "a str or a path");
    if (model != NULL && PyUnicode_GetLength(model) == 0) {
        PyErr_SetString(PyExc_ValueError,
                        "model_id is empty: pass a folder or the id of a model on the Hub.");
        Py_CLEAR(model);
    }
    return model;
}

/// Which of `names` `text` is; the length of `names` if it is none of them.
static int position(PyObject *text, const char *const *names) {
    int index = 0;
    while (names[index] != NULL && PyUnicode_CompareWithASCIIString(text, names[index]) != 0)
        index++;
    return index;
}

int precision_argument(PyObject *value, gpi_precision *result) {
    static const char *const names[] = {"default", "exact", "reduced", NULL};
    static const gpi_precision values[] = {
        GPI_PRECISION_DEFAULT, GPI_PRECISION_EXACT, GPI_PRECISION_REDUCED,
    };
    *result = GPI_PRECISION_DEFAULT;
    if (value == NULL) return 0;
    int index = PyUnicode_Check(value) ? position(value, names) : 3;
    if (names[index] == NULL) {
        PyErr_Format(PyExc_ValueError, "precision must be 'default', 'exact' or 'reduced', not %R.",
                     value);
        return -1;
    }
    *result = values[index];
    return 0;
}

int dtype_argument(PyObject *value, gpi_dtype *result) {
    // As torch writes them; comparing the text spares importing torch.
    static const char *const names[] = {
        "torch.float32", "torch.float16", "torch.bfloat16", "float32", "float16", "bfloat16", NULL,
    };
    static const gpi_dtype dtypes[] = {GPI_FLOAT32, GPI_FLOAT16, GPI_BFLOAT16};
    *result = GPI_FLOAT32;
    if (!is_given(value)) return 0;
    PyObject *text = PyObject_Str(value);
    if (text == NULL) return -1;
    int index = position(text, names);
    if (names[index] != NULL) {
        *result = dtypes[index % 3];
    } else {
        PyErr_Format(PyExc_ValueError,
                     "dtype must be torch.float32, torch.float16 or torch.bfloat16, not %R.", value);
    }
    Py_DECREF(text);
    return names[index] == NULL ? -1 : 0;
}

// MARK: - Numbers

int number_argument(const char *argument, PyObject *value, double *result) {
    *result = PyFloat_AsDouble(value);
    if (*result != -1 || !PyErr_Occurred()) return 0;
    if (PyErr_ExceptionMatches(PyExc_TypeError)) {
        PyErr_Clear();
        raise_wrong_type_of(argument, "a number", value);
    } else if (PyErr_ExceptionMatches(PyExc_OverflowError)) {
        PyErr_Clear();
        PyErr_Format(PyExc_ValueError, "%s is too large: %R.", argument, value);
    }
    return -1;
}

int strength_argument(PyObject *value, double *result) {
    if (number_argument("strength", value, result) < 0) return -1;
    // Put so that NaN fails.
    if (!(*result >= 0 && *result <= 1)) {
        PyErr_Format(PyExc_ValueError, "strength must be between 0 and 1, not %R.", value);
        return -1;
    }
    return 0;
}

int guidance_argument(PyObject *value, double *result) {
    if (number_argument("guidance_scale", value, result) < 0) return -1;
    if (!isfinite(*result)) {
        PyErr_Format(PyExc_ValueError, "guidance_scale must be a finite number, not %R.", value);
        return -1;
    }
    return 0;
}

/// An int of Python, from anything that is one in truth (NumPy's, bool). A new reference.
static PyObject *integer(const char *argument, const char *expected, PyObject *value) {
    PyObject *result = PyNumber_Index(value);
    if (result == NULL && PyErr_ExceptionMatches(PyExc_TypeError)) {
        PyErr_Clear();
        raise_wrong_type_of(argument, expected, value);
    }
    return result;
}

int count_argument(const char *argument, PyObject *value, int64_t *result) {
    PyObject *number = integer(argument, "an int", value);
    if (number == NULL) return -1;
    int overflow;
    long long count = PyLong_AsLongLongAndOverflow(number, &overflow);
    Py_DECREF(number);
    if (overflow != 0 || count < 1) {
        if (PyErr_Occurred()) return -1;
        PyErr_Format(PyExc_ValueError, "%s must be %s, not %R.", argument,
                     overflow > 0 ? "less than 2**63" : "at least 1", value);
        return -1;
    }
    *result = count;
    return 0;
}

int seed_value(const char *argument, const char *expected, PyObject *value, uint64_t *result) {
    PyObject *number = integer(argument, expected, value);
    if (number == NULL) return -1;
    int overflow;
    int status = 0;
    long long seed = PyLong_AsLongLongAndOverflow(number, &overflow);
    if (overflow == 0) {
        *result = (uint64_t)seed;
        if (seed == -1 && PyErr_Occurred()) status = -1;
    } else {
        if (overflow > 0) {
            *result = PyLong_AsUnsignedLongLong(number);
            overflow = *result == (uint64_t)-1 && PyErr_Occurred() != NULL;
        }
        if (overflow != 0) {
            PyErr_Clear();
            PyErr_Format(PyExc_ValueError, "%s must be between -2**63 and 2**64 - 1, not %R.",
                         argument, number);
            status = -1;
        }
    }
    Py_DECREF(number);
    return status;
}

int seed_argument(PyObject *value, uint64_t *result) {
    return seed_value("seed", "None or an int", value, result);
}

int flag_argument(const char *argument, PyObject *value, bool *result) {
    // "False" and None would be taken for something that nobody means.
    if (PyUnicode_Check(value) || value == Py_None) {
        raise_wrong_type_of(argument, "True or False", value);
        return -1;
    }
    int truth = PyObject_IsTrue(value);
    *result = truth > 0;
    return truth < 0 ? -1 : 0;
}
