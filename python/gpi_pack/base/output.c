#include "output.h"

#include "own_type.h"

typedef struct OutputObject {
    PyObject_HEAD
    /// A dict of all values by their names, in order.
    PyObject *all;
    /// The same without those that are None.
    PyObject *present;
} OutputObject;

// MARK: - Life

static void dealloc(PyObject *object) {
    OutputObject *self = (OutputObject *)object;
    PyObject_GC_UnTrack(object);
    Py_CLEAR(self->all);
    Py_CLEAR(self->present);
    free_instance(object);
}

static int traverse(PyObject *object, visitproc visit, void *arg) {
    OutputObject *self = (OutputObject *)object;
    Py_VISIT(Py_TYPE(object));
    Py_VISIT(self->all);
    Py_VISIT(self->present);
    return 0;
}

// MARK: - Values

static PyObject *get_attribute(PyObject *object, PyObject *name) {
    PyObject *value = PyObject_GenericGetAttr(object, name);
    if (value != NULL || !PyErr_ExceptionMatches(PyExc_AttributeError)) return value;
    PyErr_Clear();
    value = PyDict_GetItemWithError(((OutputObject *)object)->all, name);
    if (value != NULL) return Py_NewRef(value);
    if (!PyErr_Occurred()) PyErr_Format(PyExc_AttributeError, "The output has no %R.", name);
    return NULL;
}

static PyObject *to_tuple(PyObject *object, PyObject *unused) {
    (void)unused;
    PyObject *values = PyDict_Values(((OutputObject *)object)->present);
    if (values == NULL) return NULL;
    PyObject *tuple = PyList_AsTuple(values);
    Py_DECREF(values);
    return tuple;
}

/// By name, else by number or slice as of the tuple.
static PyObject *get_item(PyObject *object, PyObject *key) {
    if (PyUnicode_Check(key)) return PyObject_GetItem(((OutputObject *)object)->present, key);
    PyObject *tuple = to_tuple(object, NULL);
    if (tuple == NULL) return NULL;
    PyObject *item = PyObject_GetItem(tuple, key);
    Py_DECREF(tuple);
    return item;
}

// MARK: - As a dict of what is present

static Py_ssize_t length(PyObject *object) {
    return PyDict_Size(((OutputObject *)object)->present);
}

static int contains(PyObject *object, PyObject *key) {
    return PyDict_Contains(((OutputObject *)object)->present, key);
}

static PyObject *iterator(PyObject *object) {
    return PyObject_GetIter(((OutputObject *)object)->present);
}

static PyObject *keys(PyObject *object, PyObject *unused) {
    (void)unused;
    return PyObject_CallMethod(((OutputObject *)object)->present, "keys", NULL);
}

static PyObject *values(PyObject *object, PyObject *unused) {
    (void)unused;
    return PyObject_CallMethod(((OutputObject *)object)->present, "values", NULL);
}

static PyObject *items(PyObject *object, PyObject *unused) {
    (void)unused;
    return PyObject_CallMethod(((OutputObject *)object)->present, "items", NULL);
}

static PyObject *get(PyObject *object, PyObject *positional) {
    PyObject *key;
    PyObject *otherwise = Py_None;
    if (!PyArg_ParseTuple(positional, "O|O:get", &key, &otherwise)) return NULL;
    return PyObject_CallMethod(((OutputObject *)object)->present, "get", "OO", key, otherwise);
}

static PyObject *represent(PyObject *object) {
    return PyUnicode_FromFormat("Output(%R)", ((OutputObject *)object)->all);
}

// MARK: - The type

static PyMethodDef methods[] = {
    {"to_tuple", to_tuple, METH_NOARGS,
     "to_tuple($self, /)\n--\n\nThe values in order, without those that are None."},
    {"keys", keys, METH_NOARGS, "keys($self, /)\n--\n\nThe names of the values that are there."},
    {"values", values, METH_NOARGS, "values($self, /)\n--\n\nThe values that are there."},
    {"items", items, METH_NOARGS, "items($self, /)\n--\n\nPairs of name and value."},
    {"get", get, METH_VARARGS,
     "get($self, name, default=None, /)\n--\n\nThe value of a name, or the default."},
    {NULL, NULL, 0, NULL},
};

PyDoc_STRVAR(type_doc,
             "Named results: output.name, output['name'], output[0].\n"
             "\n"
             "A result that is None is an attribute, but is not counted or listed.");

int add_output_type(PyObject *module) {
    PyType_Slot slots[] = {
        {Py_tp_doc, (void *)type_doc},
        {Py_tp_dealloc, (void *)dealloc},
        {Py_tp_traverse, (void *)traverse},
        {Py_tp_getattro, (void *)get_attribute},
        {Py_tp_iter, (void *)iterator},
        {Py_tp_repr, (void *)represent},
        {Py_mp_subscript, (void *)get_item},
        {Py_mp_length, (void *)length},
        {Py_sq_contains, (void *)contains},
        {Py_tp_methods, methods},
        {0, NULL},
    };
    PyType_Spec spec = {
        .name = "gpi_pack.diffusion.Output",
        .basicsize = sizeof(OutputObject),
        .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION,
        .slots = slots,
    };
    return add_own_type(module, PyType_FromModuleAndSpec(module, &spec, NULL));
}

/// Puts the values into both dicts; 0, or -1 with an exception.
static int fill(OutputObject *self, const char *const *names, PyObject *const *values,
                Py_ssize_t count) {
    self->all = PyDict_New();
    self->present = PyDict_New();
    if (self->all == NULL || self->present == NULL) return -1;
    for (Py_ssize_t i = 0; i < count; i++) {
        if (values[i] == NULL || PyDict_SetItemString(self->all, names[i], values[i]) < 0)
            return -1;
        if (values[i] != Py_None && PyDict_SetItemString(self->present, names[i], values[i]) < 0)
            return -1;
    }
    return 0;
}

PyObject *new_output(const char *const *names, PyObject *const *values, Py_ssize_t count) {
    PyTypeObject *type = PyErr_Occurred() ? NULL : own_type("Output", dealloc);
    if (type == NULL) return NULL;
    PyObject *object = new_instance(type);
    Py_DECREF(type);
    if (object == NULL || fill((OutputObject *)object, names, values, count) == 0) return object;
    Py_DECREF(object);
    return NULL;
}

PyObject *output_or_tuple(int return_dict, const char *const *names, PyObject *const *values,
                          Py_ssize_t count) {
    if (return_dict) return new_output(names, values, count);
    for (Py_ssize_t i = 0; i < count; i++)
        if (values[i] == NULL) return NULL;
    PyObject *tuple = PyTuple_New(count);
    for (Py_ssize_t i = 0; i < count && tuple != NULL; i++)
        if (PyTuple_SetItem(tuple, i, Py_NewRef(values[i])) < 0) Py_CLEAR(tuple);
    return tuple;
}
