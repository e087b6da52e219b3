#include "memory_format.h"

/// `tensor.<method>(memory_format=torch.channels_last)`
static PyObject *call_with_format(PyObject *tensor, const char *name) {
    PyObject *format = imported("torch", "channels_last");
    PyObject *method = format == NULL ? NULL : PyObject_GetAttrString(tensor, name);
    PyObject *nothing = method == NULL ? NULL : PyTuple_New(0);
    PyObject *options =
        nothing == NULL ? NULL : Py_BuildValue("{s:O}", "memory_format", format);
    PyObject *result = options == NULL ? NULL : PyObject_Call(method, nothing, options);
    Py_XDECREF(format);
    Py_XDECREF(method);
    Py_XDECREF(nothing);
    Py_XDECREF(options);
    return result;
}

int is_channels_last(PyObject *tensor) {
    PyObject *plain = PyObject_CallMethod(tensor, "is_contiguous", NULL);
    int is_plain = plain == NULL ? -1 : PyObject_IsTrue(plain);
    Py_XDECREF(plain);
    if (is_plain != 0) return is_plain < 0 ? -1 : 0;
    PyObject *answer = call_with_format(tensor, "is_contiguous");
    int result = answer == NULL ? -1 : PyObject_IsTrue(answer);
    Py_XDECREF(answer);
    return result;
}

PyObject *channels_last(PyObject *tensor) {
    if (tensor == NULL) return NULL;
    PyObject *result = call_with_format(tensor, "contiguous");
    Py_DECREF(tensor);
    return result;
}
