#include "study_versions.h"

#include "rows.h"

#include <string.h>

/// "3.11.7"
static PyObject *python_version(void) {
    const char *text = Py_GetVersion();
    return PyUnicode_FromStringAndSize(text, (Py_ssize_t)strcspn(text, " "));
}

/// Of an installed distribution, which need not be imported: torch takes seconds.
static PyObject *installed_version(const char *distribution) {
    PyObject *version = imported("importlib.metadata", "version");
    PyObject *result = version == NULL ? NULL : PyObject_CallFunction(version, "s", distribution);
    Py_XDECREF(version);
    return result;
}

/// Adds a pair and gives `version` up. What is not installed, or is but says nothing of it, is left out.
static int add(PyObject *list, const char *name, PyObject *version) {
    if (version == NULL) {
        if (!PyErr_ExceptionMatches(PyExc_ImportError)
            && !PyErr_ExceptionMatches(PyExc_AttributeError))
            return -1;
        PyErr_Clear();
        return 0;
    }
    PyObject *key = PyUnicode_FromString(name);
    PyObject *text = PyObject_Str(version);
    Py_DECREF(version);
    int result = key == NULL || text == NULL ? -1 : PyList_Append(list, key);
    if (result == 0) result = PyList_Append(list, text);
    Py_XDECREF(key);
    Py_XDECREF(text);
    return result;
}

/// A `RowText`.
static PyObject *same(const char *argument, PyObject *value) {
    (void)argument;
    return Py_NewRef(value);
}

int study_versions(Texts *versions) {
    *versions = (Texts){0};
    PyObject *list = PyList_New(0);
    if (list == NULL) return -1;
    int result = add(list, "python", python_version());
    if (result == 0) result = add(list, "torch", installed_version("torch"));
    if (result == 0) result = add(list, "pillow", imported("PIL", "__version__"));
    // A PackageNotFoundError is an ImportError.
    if (result == 0) result = add(list, "gpi_pack.diffusion", installed_version("gpi-pack-diffusion"));
    PyObject *row = result == 0 ? PyList_AsTuple(list) : NULL;
    result = row == NULL ? -1 : row_texts("versions", row, same, versions);
    Py_XDECREF(row);
    Py_DECREF(list);
    return result;
}
