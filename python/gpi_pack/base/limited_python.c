#include "limited_python.h"

PyObject *imported(const char *module_name, const char *name) {
    PyObject *module = PyImport_ImportModule(module_name);
    if (module == NULL) return NULL;
    PyObject *value = PyObject_GetAttrString(module, name);
    Py_DECREF(module);
    return value;
}

int call_method(PyObject *object, const char *method) {
    PyObject *result = PyObject_CallMethod(object, method, NULL);
    if (result == NULL) return -1;
    Py_DECREF(result);
    return 0;
}

void call_while_failing(PyObject *object, const char *method) {
    PyObject *type, *value, *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    if (call_method(object, method) < 0) PyErr_Clear();
    PyErr_Restore(type, value, traceback);
}
