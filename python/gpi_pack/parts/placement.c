#include "placement.h"

#include "values.h"

// MARK: - Where a model is

/// As torch writes it. A new str.
static PyObject *device_name(const Model *model) {
    gpi_device device = gpi_model_device(model->core);
    return device.kind == GPI_CUDA ? PyUnicode_FromFormat("cuda:%d", (int)device.index)
                                   : PyUnicode_FromString("cpu");
}

PyObject *model_device(const Model *model) {
    PyObject *name = device_name(model);
    PyObject *type = name == NULL ? NULL : imported("torch", "device");
    PyObject *device = type == NULL ? NULL : PyObject_CallFunctionObjArgs(type, name, NULL);
    Py_XDECREF(name);
    Py_XDECREF(type);
    return device;
}

PyObject *model_dtype(const Model *model) {
    switch (gpi_model_dtype(model->core)) {
    case GPI_FLOAT16:
        return imported("torch", "float16");
    case GPI_BFLOAT16:
        return imported("torch", "bfloat16");
    case GPI_FLOAT32:
        break;
    }
    return imported("torch", "float32");
}

int placement_of(const Model *model, Placement *placement) {
    placement->dtype = gpi_model_dtype(model->core);
    placement->precision = gpi_model_precision(model->core);
    placement->uses_tiling = gpi_model_uses_tiling(model->core);
    placement->device = device_name(model);
    return placement->device == NULL ? -1 : 0;
}

int is_placed(const Model *model, const Placement *placement) {
    Placement now = {0};
    if (placement_of(model, &now) < 0) return -1;
    int same = now.dtype == placement->dtype && placement->device != NULL
        && (PyUnicode_Compare(now.device, placement->device) == 0
            // The first one is the one without a number.
            || (PyUnicode_CompareWithASCIIString(placement->device, "cuda") == 0
                && PyUnicode_CompareWithASCIIString(now.device, "cuda:0") == 0));
    clear_placement(&now);
    return PyErr_Occurred() ? -1 : same;
}

void clear_placement(Placement *placement) { Py_CLEAR(placement->device); }

// MARK: - Where it is to go

static int set_device(PyObject *value, Placement *placement) {
    PyObject *device = PyLong_Check(value) ? PyUnicode_FromFormat("cuda:%S", value)
                                           : device_argument(value);
    if (device == NULL) return -1;
    Py_XDECREF(placement->device);
    placement->device = device;
    return 0;
}

/// Whether it is a torch.dtype; -1 with an exception.
static int is_dtype(PyObject *value) {
    PyObject *type = imported("torch", "dtype");
    if (type == NULL) return -1;
    int result = PyObject_IsInstance(value, type);
    Py_DECREF(type);
    return result;
}

static int set_dtype(PyObject *value, Placement *placement) {
    if (dtype_argument(value, &placement->dtype) < 0) return -1;
    // What is asked for by name counts more than what reduced precision would make of it.
    if (placement->precision == GPI_PRECISION_REDUCED && placement->dtype == GPI_FLOAT32)
        placement->precision = GPI_PRECISION_DEFAULT;
    return 0;
}

static int take_positional(PyObject *value, Placement *placement) {
    if (value == Py_None) return 0;
    int dtype = is_dtype(value);
    if (dtype < 0) return -1;
    return dtype ? set_dtype(value, placement) : set_device(value, placement);
}

static int take_keyword(PyObject *name, PyObject *value, Placement *placement) {
    if (PyUnicode_CompareWithASCIIString(name, "device") == 0)
        return is_given(value) ? set_device(value, placement) : 0;
    if (PyUnicode_CompareWithASCIIString(name, "dtype") == 0
        || PyUnicode_CompareWithASCIIString(name, "torch_dtype") == 0)
        return is_given(value) ? set_dtype(value, placement) : 0;
    if (PyUnicode_CompareWithASCIIString(name, "silence_dtype_warnings") == 0) return 0;
    PyErr_Format(PyExc_TypeError, "to() takes a device and a dtype, not %R.", name);
    return -1;
}

int parse_to(PyObject *positional, PyObject *keywords, const Model *model, Placement *placement) {
    *placement = (Placement){0};
    if (placement_of(model, placement) < 0) return -1;
    Py_ssize_t count = PyTuple_Size(positional);
    for (Py_ssize_t i = 0; i < count; i++) {
        if (take_positional(PyTuple_GetItem(positional, i), placement) < 0) return -1;
    }
    PyObject *name, *value;
    Py_ssize_t place = 0;
    while (keywords != NULL && PyDict_Next(keywords, &place, &name, &value)) {
        if (take_keyword(name, value, placement) < 0) return -1;
    }
    return 0;
}
