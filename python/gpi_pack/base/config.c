#include "config.h"

#include "own_type.h"

// MARK: - Reading

/// `config.key`, after a dict's own attributes.
static PyObject *get_attribute(PyObject *self, PyObject *name) {
    PyObject *value = PyObject_GenericGetAttr(self, name);
    if (value != NULL || !PyErr_ExceptionMatches(PyExc_AttributeError)) return value;
    PyErr_Clear();
    value = PyDict_GetItemWithError(self, name);
    if (value != NULL) return Py_NewRef(value);
    if (!PyErr_Occurred())
        PyErr_Format(PyExc_AttributeError, "The configuration has no %R.", name);
    return NULL;
}

/// For copies and pickles, which would else set item after item.
static PyObject *reduce(PyObject *self, PyObject *unused) {
    (void)unused;
    PyObject *items = PyDict_Copy(self);
    if (items == NULL) return NULL;
    return Py_BuildValue("O(N)", (PyObject *)Py_TYPE(self), items);
}

// MARK: - No writing

static void refuse(void) {
    PyErr_SetString(PyExc_TypeError,
                    "A configuration does not change; make another object with from_config(config, "
                    "key=value), or change a dict(config).");
}

static PyObject *refused(PyObject *self, PyObject *positional, PyObject *keywords) {
    (void)self;
    (void)positional;
    (void)keywords;
    refuse();
    return NULL;
}

static int refused_item(PyObject *self, PyObject *key, PyObject *value) {
    (void)self;
    (void)key;
    (void)value;
    refuse();
    return -1;
}

static PyObject *refused_merge(PyObject *self, PyObject *other) {
    return refused(self, other, NULL);
}

// MARK: - The type

// Through a pointer to void: C has no cast between functions of different arguments.
#define REFUSED(name) \
    { name, (PyCFunction)(void *)refused, METH_VARARGS | METH_KEYWORDS, "Refuses with a TypeError." }

static PyMethodDef methods[] = {
    REFUSED("clear"), REFUSED("pop"), REFUSED("popitem"), REFUSED("setdefault"), REFUSED("update"),
    {"__reduce__", reduce, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};

PyDoc_STRVAR(type_doc, "What an object was made from: a dict that does not change, whose items are\n"
                       "attributes as well.");

int add_config_type(PyObject *module) {
    PyType_Slot slots[] = {
        {Py_tp_base, (void *)&PyDict_Type},
        {Py_tp_doc, (void *)type_doc},
        {Py_tp_getattro, (void *)get_attribute},
        {Py_mp_ass_subscript, (void *)refused_item},
        {Py_nb_inplace_or, (void *)refused_merge},
        {Py_tp_methods, methods},
        {0, NULL},
    };
    PyType_Spec spec = {
        .name = "gpi_pack.diffusion.Config",
        .flags = Py_TPFLAGS_DEFAULT,
        .slots = slots,
    };
    return add_own_type(module, PyType_FromModuleAndSpec(module, &spec, NULL));
}

PyObject *new_config(PyObject *items) {
    PyObject *type = imported("gpi_pack.diffusion", "Config");
    if (type == NULL) return NULL;
    PyObject *config = PyObject_CallFunctionObjArgs(type, items, NULL);
    Py_DECREF(type);
    return config;
}
