#include "folder.h"

#include "errors.h"

int make_folder(const char *argument, PyObject *folder) {
    PyObject *about = PyUnicode_FromString(argument);
    PyObject *make = imported("os", "makedirs");
    PyObject *arguments = PyTuple_Pack(1, folder);
    PyObject *options = Py_BuildValue("{s:O}", "exist_ok", Py_True);
    PyObject *done = NULL;
    if (about != NULL && make != NULL && arguments != NULL && options != NULL) {
        done = PyObject_Call(make, arguments, options);
        if (done == NULL) raise_again(about);
    }
    Py_XDECREF(about);
    Py_XDECREF(make);
    Py_XDECREF(arguments);
    Py_XDECREF(options);
    if (done == NULL) return -1;
    Py_DECREF(done);
    return 0;
}
