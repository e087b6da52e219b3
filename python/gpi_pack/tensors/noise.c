#include "noise.h"

#include "dlpack.h"
#include "errors.h"
#include "values.h"

// MARK: - Generators

static int is_sequence(PyObject *value) { return PyList_Check(value) || PyTuple_Check(value); }

/// Whether `value` is a torch.Generator; -1 with an exception.
static int is_generator(PyObject *value) {
    PyObject *type = imported("torch", "Generator");
    if (type == NULL) return -1;
    int result = PyObject_IsInstance(value, type);
    Py_DECREF(type);
    return result;
}

static int check_one(const char *argument, PyObject *value) {
    int known = is_generator(value);
    if (known > 0) return 0;
    if (known == 0)
        raise_wrong_type_of(argument, "None, a torch.Generator or a list of them", value);
    return -1;
}

int check_generator(const char *argument, PyObject *value) {
    if (!is_given(value)) return 0;
    if (!is_sequence(value)) return check_one(argument, value);
    Py_ssize_t count = PySequence_Size(value);
    if (count == 0)
        PyErr_Format(PyExc_ValueError, "%s is empty: pass one for each sample, or None.", argument);
    for (Py_ssize_t i = 0; i < count; i++) {
        PyObject *one = PySequence_GetItem(value, i);
        if (one == NULL) return -1;
        int status = check_one(argument, one);
        Py_DECREF(one);
        if (status < 0) return -1;
    }
    return count > 0 ? 0 : -1;
}

// MARK: - Drawing

/// `torch.device(value)`, the CPU for None; a new reference.
static PyObject *torch_device(PyObject *value) {
    PyObject *type = imported("torch", "device");
    if (type == NULL) return NULL;
    PyObject *device = is_given(value) ? PyObject_CallFunctionObjArgs(type, value, NULL)
                                       : PyObject_CallFunction(type, "s", "cpu");
    Py_DECREF(type);
    return device;
}

/// Where to draw: on the device, unless the generator is on the CPU. A new reference.
static PyObject *drawing_device(PyObject *generator, PyObject *device) {
    if (generator == Py_None) return Py_NewRef(device);
    PyObject *own = PyObject_GetAttrString(generator, "device");
    PyObject *own_kind = own == NULL ? NULL : PyObject_GetAttrString(own, "type");
    PyObject *kind = own_kind == NULL ? NULL : PyObject_GetAttrString(device, "type");
    int differs = kind == NULL ? -1 : PyObject_RichCompareBool(own_kind, kind, Py_NE);
    PyObject *result = NULL;
    if (differs == 0) {
        result = Py_NewRef(device);
    } else if (differs > 0 && PyUnicode_Check(own_kind)
               && PyUnicode_CompareWithASCIIString(own_kind, "cpu") == 0) {
        result = Py_NewRef(own);
    } else if (differs > 0) {
        PyErr_Format(PyExc_ValueError,
                     "generator is on %S, but the noise is for %S: pass one of that device or of the "
                     "CPU.",
                     own, device);
    }
    Py_XDECREF(own);
    Py_XDECREF(own_kind);
    Py_XDECREF(kind);
    return result;
}

/// `torch.randn(shape, generator=…, dtype=…, device=…).to(device)`
static PyObject *drawn(PyObject *shape, PyObject *generator, PyObject *dtype, PyObject *device) {
    PyObject *place = drawing_device(generator, device);
    if (place == NULL) return NULL;
    PyObject *moved = NULL, *tensor = NULL;
    PyObject *randn = imported("torch", "randn");
    PyObject *arguments = PyTuple_Pack(1, shape);
    PyObject *options = Py_BuildValue("{s:O,s:O,s:O}", "generator", generator, "dtype", dtype,
                                      "device", place);
    if (randn != NULL && arguments != NULL && options != NULL)
        tensor = PyObject_Call(randn, arguments, options);
    if (tensor != NULL) moved = PyObject_CallMethod(tensor, "to", "O", device);
    Py_XDECREF(tensor);
    Py_XDECREF(randn);
    Py_XDECREF(arguments);
    Py_XDECREF(options);
    Py_DECREF(place);
    return moved;
}

/// One sample of each generator, one after the other along the first dimension.
static PyObject *drawn_one_by_one(PyObject *shape, PyObject *generators, PyObject *dtype,
                                  PyObject *device) {
    Py_ssize_t count = PySequence_Size(generators);
    PyObject *batch = count < 0 ? NULL : PySequence_GetItem(shape, 0);
    if (batch == NULL) return NULL;
    Py_ssize_t size = PyLong_AsSsize_t(batch);
    Py_DECREF(batch);
    if (size == -1 && PyErr_Occurred()) return NULL;
    if (size != count) {
        PyErr_Format(PyExc_ValueError,
                     "generator is a list of %zd, but there are %zd samples: pass one for each, or a "
                     "single one.",
                     count, size);
        return NULL;
    }
    PyObject *tensors = PyList_New(0);
    PyObject *single = PySequence_List(shape);
    int status = tensors == NULL || single == NULL
        ? -1
        : PyList_SetItem(single, 0, PyLong_FromLong(1));
    for (Py_ssize_t i = 0; i < count && status == 0; i++) {
        PyObject *generator = PySequence_GetItem(generators, i);
        PyObject *tensor = generator == NULL ? NULL : drawn(single, generator, dtype, device);
        status = tensor == NULL ? -1 : PyList_Append(tensors, tensor);
        Py_XDECREF(tensor);
        Py_XDECREF(generator);
    }
    PyObject *concatenate = status < 0 ? NULL : imported("torch", "cat");
    PyObject *result =
        concatenate == NULL ? NULL : PyObject_CallFunctionObjArgs(concatenate, tensors, NULL);
    Py_XDECREF(concatenate);
    Py_XDECREF(tensors);
    Py_XDECREF(single);
    return result;
}

PyObject *random_tensor(PyObject *shape, PyObject *generator, PyObject *dtype, PyObject *device) {
    PyObject *place = torch_device(device);
    if (place == NULL) return NULL;
    if (generator == NULL) generator = Py_None;
    if (dtype == NULL) dtype = Py_None;
    PyObject *result = NULL;
    if (!is_sequence(generator)) {
        result = drawn(shape, generator, dtype, place);
    } else if (PySequence_Size(generator) == 1) {
        PyObject *only = PySequence_GetItem(generator, 0);
        result = only == NULL ? NULL : drawn(shape, only, dtype, place);
        Py_XDECREF(only);
    } else {
        result = drawn_one_by_one(shape, generator, dtype, place);
    }
    Py_DECREF(place);
    return result;
}

// MARK: - For the core

static PyObject *shape_of(const gpi_tensor *tensor) {
    int64_t count = gpi_tensor_dimensions(tensor);
    const int64_t *sizes = gpi_tensor_shape(tensor);
    PyObject *shape = PyTuple_New((Py_ssize_t)count);
    for (int64_t i = 0; i < count && shape != NULL; i++) {
        PyObject *size = PyLong_FromLongLong(sizes[i]);
        if (size == NULL || PyTuple_SetItem(shape, (Py_ssize_t)i, size) < 0) Py_CLEAR(shape);
    }
    return shape;
}

static PyObject *dtype_of(const gpi_tensor *tensor) {
    static const char *const names[] = {"float32", "float16", "bfloat16"};
    return imported("torch", names[gpi_tensor_dtype(tensor)]);
}

static PyObject *device_of(const gpi_tensor *tensor) {
    gpi_device device = gpi_tensor_device(tensor);
    return device.kind == GPI_CUDA ? PyUnicode_FromFormat("cuda:%d", (int)device.index)
                                   : PyUnicode_FromString("cpu");
}

static PyObject *drawn_like(const gpi_tensor *like, PyObject *generator) {
    PyObject *shape = shape_of(like);
    PyObject *dtype = dtype_of(like);
    PyObject *device = device_of(like);
    PyObject *result = NULL;
    if (shape != NULL && dtype != NULL && device != NULL)
        result = random_tensor(shape, generator, dtype, device);
    Py_XDECREF(shape);
    Py_XDECREF(dtype);
    Py_XDECREF(device);
    return result;
}

int draw_noise(void *context, const gpi_tensor *like, gpi_tensor **noise) {
    NoiseDrawer *drawer = context;
    if (drawer->waiting != NULL) end_waiting(drawer->waiting);
    int status = PyErr_Occurred() ? -1 : 0;
    if (status == 0 && is_given(drawer->given)) {
        status = core_tensor("variance_noise", drawer->given, noise);
        drawer->given = NULL;
    } else if (status == 0) {
        PyObject *tensor = drawn_like(like, drawer->generator);
        status = tensor == NULL ? -1 : core_tensor("generator", tensor, noise);
        Py_XDECREF(tensor);
    }
    if (drawer->waiting != NULL) begin_waiting(drawer->waiting);
    return status < 0;
}
