#include "own_type.h"

int is_own_type(PyTypeObject *type, destructor dealloc) {
    for (; type != NULL; type = (PyTypeObject *)PyType_GetSlot(type, Py_tp_base))
        if ((destructor)PyType_GetSlot(type, Py_tp_dealloc) == dealloc) return 1;
    return 0;
}

PyTypeObject *own_type(const char *name, destructor dealloc) {
    PyObject *type = imported("gpi_pack.diffusion", name);
    if (type == NULL) return NULL;
    if (PyType_Check(type) && is_own_type((PyTypeObject *)type, dealloc))
        return (PyTypeObject *)type;
    Py_DECREF(type);
    PyErr_Format(PyExc_RuntimeError, "gpi_pack.diffusion.%s was replaced; restore it.", name);
    return NULL;
}

PyObject *new_instance(PyTypeObject *type) {
    allocfunc allocate = (allocfunc)PyType_GetSlot(type, Py_tp_alloc);
    return allocate(type, 0);
}

void free_instance(PyObject *object) {
    PyTypeObject *type = Py_TYPE(object);
    freefunc release = (freefunc)PyType_GetSlot(type, Py_tp_free);
    release(object);
    Py_DECREF(type);
}

int add_own_type(PyObject *module, PyObject *type) {
    if (type == NULL) return -1;
    int result = PyModule_AddType(module, (PyTypeObject *)type);
    Py_DECREF(type);
    return result;
}
