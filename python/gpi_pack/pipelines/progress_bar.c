#include "progress_bar.h"

PyObject *set_bar_options(PyObject **place, PyObject *positional, PyObject *keywords) {
    if (PyTuple_Size(positional) > 0) {
        PyErr_SetString(PyExc_TypeError,
                        "set_progress_bar_config() takes arguments by their names alone.");
        return NULL;
    }
    PyObject *options = keywords == NULL ? PyDict_New() : PyDict_Copy(keywords);
    if (options == NULL) return NULL;
    PyObject *former = *place;
    *place = options;
    Py_XDECREF(former);
    return Py_NewRef(Py_None);
}
