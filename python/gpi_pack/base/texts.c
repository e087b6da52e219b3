#include "texts.h"

#include "values.h"

static const char *const EXPECTED = "a str or a list of str";

static PyObject *tuple_of(const char *argument, PyObject *value) {
    if (PyUnicode_Check(value)) return PyTuple_Pack(1, value);
    if (PyList_Check(value) || PyTuple_Check(value)) return PySequence_Tuple(value);
    raise_wrong_type_of(argument, EXPECTED, value);
    return NULL;
}

int parse_texts(const char *argument, PyObject *value, Texts *texts) {
    *texts = (Texts){.single = PyUnicode_Check(value)};
    texts->tuple = tuple_of(argument, value);
    if (texts->tuple == NULL) return -1;
    Py_ssize_t count = PyTuple_Size(texts->tuple);
    if (count == 0) {
        PyErr_Format(PyExc_ValueError, "%s: the list is empty; give at least one text.", argument);
        return -1;
    }
    texts->start = PyMem_Calloc((size_t)count, sizeof *texts->start);
    if (texts->start == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    texts->count = count;
    for (Py_ssize_t i = 0; i < count; i++) {
        PyObject *text = text_argument(argument, PyTuple_GetItem(texts->tuple, i), EXPECTED);
        if (text == NULL) return -1;
        texts->start[i] = PyUnicode_AsUTF8AndSize(text, NULL);
        Py_DECREF(text);
        if (texts->start[i] == NULL) return -1;
    }
    return 0;
}

void clear_texts(Texts *texts) {
    PyMem_Free(texts->start);
    Py_XDECREF(texts->tuple);
    *texts = (Texts){0};
}
