#include "rows.h"

#include "values.h"

#include <stdio.h>

RowName row_name(const char *argument, Py_ssize_t index) {
    RowName name;
    snprintf(name.text, sizeof name.text, "%s[%lld]", argument, (long long)index);
    return name;
}

/// Whether it has values, but none that belong to one picture each, in an order that lasts.
static int is_no_row(PyObject *value) {
    PyObject *types[] = {
        (PyObject *)&PyUnicode_Type, (PyObject *)&PyBytes_Type,     (PyObject *)&PyByteArray_Type,
        (PyObject *)&PyDict_Type,    (PyObject *)&PyFrozenSet_Type, (PyObject *)&PySet_Type,
    };
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        int result = PyObject_IsInstance(value, types[i]);
        if (result != 0) return result;
    }
    return 0;
}

PyObject *row_argument(const char *argument, const char *expected, PyObject *value) {
    int refused = is_no_row(value);
    PyObject *iterator = refused ? NULL : PyObject_GetIter(value);
    if (iterator == NULL) {
        // What the value itself says about being iterated over would not name the argument.
        if (PyErr_Occurred() && !PyErr_ExceptionMatches(PyExc_TypeError)) return NULL;
        PyErr_Clear();
        raise_wrong_type_of(argument, expected, value);
        return NULL;
    }
    PyObject *row = PySequence_Tuple(iterator);
    Py_DECREF(iterator);
    return row;
}

int row_texts(const char *argument, PyObject *row, RowText text, Texts *texts) {
    Py_ssize_t count = PyTuple_Size(row);
    *texts = (Texts){.tuple = PyTuple_New(count)};
    if (texts->tuple == NULL) return -1;
    // One more: an empty row has a start too.
    texts->start = PyMem_Calloc((size_t)count + 1, sizeof *texts->start);
    if (texts->start == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    texts->count = count;
    for (Py_ssize_t i = 0; i < count; i++) {
        const RowName name = row_name(argument, i);
        PyObject *value = text(name.text, PyTuple_GetItem(row, i));
        if (value == NULL || PyTuple_SetItem(texts->tuple, i, value) < 0) return -1;
        texts->start[i] = PyUnicode_AsUTF8AndSize(value, NULL);
        if (texts->start[i] == NULL) return -1;
    }
    return 0;
}
