#include "dlpack.h"

#include "errors.h"
#include "values.h"

#include <stdlib.h>

// MARK: - The protocol

// The structs of DLPack 0.x, https://dmlc.github.io/dlpack/latest/c_api.html, which every version
// of torch gives and takes under the name "dltensor".

enum { DL_CPU = 1, DL_CUDA = 2, DL_CUDA_HOST = 3 };
enum { DL_FLOAT = 2, DL_BFLOAT = 4 };

typedef struct DLTensor {
    void *data;
    struct {
        int32_t type, index;
    } device;
    int32_t dimensions;
    struct {
        uint8_t code, bits;
        uint16_t lanes;
    } dtype;
    int64_t *shape;
    /// In elements; NULL for row-major order.
    int64_t *strides;
    uint64_t byte_offset;
} DLTensor;

typedef struct DLManagedTensor {
    DLTensor tensor;
    void *context;
    void (*deleter)(struct DLManagedTensor *self);
} DLManagedTensor;

static const char *const FRESH = "dltensor";
static const char *const USED = "used_dltensor";

// MARK: - To torch

/// torch calls this with or without the interpreter's lock.
static void delete_exported(DLManagedTensor *managed) {
    gpi_tensor_free(managed->context);
    free(managed);
}

/// The end of a capsule: if nobody took what is in it, it is deleted here.
static void delete_capsule(PyObject *capsule) {
    if (!PyCapsule_IsValid(capsule, FRESH)) return;
    DLManagedTensor *managed = PyCapsule_GetPointer(capsule, FRESH);
    managed->deleter(managed);
}

static void describe(const gpi_tensor *source, DLTensor *result) {
    gpi_device device = gpi_tensor_device(source);
    gpi_dtype dtype = gpi_tensor_dtype(source);
    result->data = gpi_tensor_data(source);
    result->device.type = device.kind == GPI_CUDA ? DL_CUDA : DL_CPU;
    result->device.index = device.index;
    result->dimensions = (int32_t)gpi_tensor_dimensions(source);
    result->dtype.code = dtype == GPI_BFLOAT16 ? DL_BFLOAT : DL_FLOAT;
    result->dtype.bits = dtype == GPI_FLOAT32 ? 32 : 16;
    result->dtype.lanes = 1;
    // The protocol knows no const; nobody writes to these.
    result->shape = (int64_t *)gpi_tensor_shape(source);
    result->strides = (int64_t *)gpi_tensor_strides(source);
    result->byte_offset = 0;
}

PyObject *torch_tensor(gpi_tensor *tensor) {
    DLManagedTensor *managed = malloc(sizeof *managed);
    if (managed == NULL) {
        gpi_tensor_free(tensor);
        return PyErr_NoMemory();
    }
    describe(tensor, &managed->tensor);
    managed->context = tensor;
    managed->deleter = delete_exported;
    PyObject *capsule = PyCapsule_New(managed, FRESH, delete_capsule);
    if (capsule == NULL) {
        delete_exported(managed);
        return NULL;
    }
    PyObject *from_dlpack = imported("torch", "from_dlpack");
    PyObject *result =
        from_dlpack == NULL ? NULL : PyObject_CallFunctionObjArgs(from_dlpack, capsule, NULL);
    Py_XDECREF(from_dlpack);
    Py_DECREF(capsule);
    return result;
}

// MARK: - From torch

/// Given to the core with the memory of a tensor.
static void release_imported(void *context) {
    DLManagedTensor *managed = context;
    if (managed->deleter != NULL) managed->deleter(managed);
}

/// Whether `value` is a torch.Tensor; -1 with an exception.
static int is_tensor(PyObject *value) {
    PyObject *type = imported("torch", "Tensor");
    if (type == NULL) return -1;
    int result = PyObject_IsInstance(value, type);
    Py_DECREF(type);
    return result;
}

/// `value.is_floating_point()`; -1 with an exception.
static int is_floating_point(PyObject *value) {
    PyObject *answer = PyObject_CallMethod(value, "is_floating_point", NULL);
    if (answer == NULL) return -1;
    int result = PyObject_IsTrue(answer);
    Py_DECREF(answer);
    return result;
}

/// What the core calls the type; -1 if it has none.
static int core_dtype(const DLTensor *tensor) {
    if (tensor->dtype.lanes != 1) return -1;
    if (tensor->dtype.code == DL_BFLOAT && tensor->dtype.bits == 16) return GPI_BFLOAT16;
    if (tensor->dtype.code != DL_FLOAT) return -1;
    return tensor->dtype.bits == 32 ? GPI_FLOAT32 : tensor->dtype.bits == 16 ? GPI_FLOAT16 : -1;
}

/// `value.detach().__dlpack__()`, as float32 if `rounded`. A new capsule.
static PyObject *exported(PyObject *value, int rounded) {
    PyObject *plain = PyObject_CallMethod(value, "detach", NULL);
    if (plain != NULL && rounded) {
        PyObject *single = PyObject_CallMethod(plain, "float", NULL);
        Py_DECREF(plain);
        plain = single;
    }
    if (plain == NULL) return NULL;
    PyObject *capsule = PyObject_CallMethod(plain, "__dlpack__", NULL);
    Py_DECREF(plain);
    return capsule;
}

/// Hands what is in the capsule over to the core.
static int take(PyObject *argument, PyObject *capsule, gpi_tensor **tensor) {
    DLManagedTensor *managed = PyCapsule_GetPointer(capsule, FRESH);
    if (managed == NULL) return -1;
    const DLTensor *source = &managed->tensor;
    gpi_device device = {GPI_CPU, 0};
    if (source->device.type == DL_CUDA) {
        device = (gpi_device){GPI_CUDA, source->device.index};
    } else if (source->device.type != DL_CPU && source->device.type != DL_CUDA_HOST) {
        PyErr_Format(PyExc_ValueError,
                     "%U is neither on the CPU nor on an NVIDIA device; pass %U.cpu().", argument,
                     argument);
        return -1;
    }
    int dtype = core_dtype(source);
    if (dtype < 0) {
        PyErr_Format(PyExc_TypeError, "%U has a dtype that cannot be read; pass %U.float().",
                     argument, argument);
        return -1;
    }
    // From here on the core deletes it, in any case.
    if (PyCapsule_SetName(capsule, USED) < 0) return -1;
    void *data = source->data == NULL ? NULL : (char *)source->data + source->byte_offset;
    gpi_status status =
        gpi_tensor_view(data, source->dimensions, source->shape, source->strides, (gpi_dtype)dtype,
                        device, release_imported, managed, tensor);
    if (status == GPI_OK) return 0;
    raise_status(status, argument);
    return -1;
}

int core_tensor(const char *argument, PyObject *value, gpi_tensor **tensor) {
    int known = is_tensor(value);
    if (known == 0) raise_wrong_type_of(argument, "a torch.Tensor", value);
    if (known <= 0) return -1;
    PyObject *name = PyUnicode_FromString(argument);
    PyObject *dtype = PyObject_GetAttrString(value, "dtype");
    PyObject *text = dtype == NULL ? NULL : PyObject_Str(dtype);
    PyObject *capsule = NULL;
    int result = -1;
    int real = name == NULL || text == NULL ? -1 : is_floating_point(value);
    if (real == 0)
        PyErr_Format(PyExc_TypeError, "%U must be a tensor of floating-point numbers, not of %U.",
                     name, text);
    if (real > 0) {
        gpi_dtype unused;
        int rounded = dtype_argument(dtype, &unused) < 0;
        if (rounded) PyErr_Clear();
        capsule = exported(value, rounded);
        // Sparse, without memory (meta), …: torch says why.
        if (capsule == NULL) raise_again(name);
    }
    if (capsule != NULL) {
        result = take(name, capsule, tensor);
        Py_DECREF(capsule);
    }
    Py_XDECREF(name);
    Py_XDECREF(dtype);
    Py_XDECREF(text);
    return result;
}
