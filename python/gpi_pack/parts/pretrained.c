#include "pretrained.h"

#include "values.h"

#include <stdbool.h>

PyObject *take_keyword_argument(PyObject *keywords, const char *name) {
    PyObject *value = PyDict_GetItemString(keywords, name);
    if (value == NULL) return NULL;
    Py_INCREF(value);
    if (PyDict_DelItemString(keywords, name) == 0) return value;
    Py_DECREF(value);
    return NULL;
}

// MARK: - Without effect

/// Options of diffusers' that say how to load: everything here is loaded in one way.
static const char *const UNUSED[] = {
    "use_safetensors", "variant", "low_cpu_mem_usage", "local_files_only", "force_download",
    "resume_download", "mirror", "offload_folder", "offload_state_dict", "max_memory",
    "disable_mmap", "attn_implementation", NULL,
};

/// Options that would change what is computed or fetched, and what to do instead.
static const struct Refused {
    const char *name, *advice;
} REFUSED[] = {
    {"device_map", "call .to(\"cuda\")"},
    {"quantization_config", "quantized weights are not supported"},
    {"custom_pipeline", "pipelines written in Python are not supported"},
    {"from_flax", "pass a model with weights of PyTorch"},
    {"use_flax", "pass a model with weights of PyTorch"},
    {"use_onnx", "pass a model with weights of PyTorch"},
    {"proxies", "set the environment variable HTTPS_PROXY"},
};

/// Whether the value is what the option has when it is not passed.
static int is_default(PyObject *value) {
    if (value == Py_None || value == Py_False) return 1;
    return 0;
}

static int refuse(const char *name, const char *advice) {
    PyErr_Format(PyExc_ValueError, "%s is not supported here; %s.", name, advice);
    return -1;
}

/// A branch or tag: the files of "fp16" are those of "main" in half precision, which is a matter of
/// torch_dtype.
static int check_revision(PyObject *rest) {
    PyObject *value = take_keyword_argument(rest, "revision");
    if (value == NULL) return PyErr_Occurred() ? -1 : 0;
    int known = value == Py_None
        || (PyUnicode_Check(value)
            && (PyUnicode_CompareWithASCIIString(value, "main") == 0
                || PyUnicode_CompareWithASCIIString(value, "fp16") == 0));
    Py_DECREF(value);
    return known ? 0 : refuse("revision", "fetch it with huggingface_hub and pass its folder");
}

/// True stands for the one that huggingface_hub has saved, which is used anyway.
static int check_token(PyObject *rest, const char *name) {
    PyObject *value = take_keyword_argument(rest, name);
    if (value == NULL) return PyErr_Occurred() ? -1 : 0;
    int plain = value == Py_None || PyBool_Check(value);
    Py_DECREF(value);
    return plain ? 0 : refuse(name, "set the environment variable HF_TOKEN");
}

static int take_unused(PyObject *rest) {
    for (int i = 0; UNUSED[i] != NULL; i++) {
        Py_XDECREF(take_keyword_argument(rest, UNUSED[i]));
        if (PyErr_Occurred()) return -1;
    }
    for (size_t i = 0; i < sizeof REFUSED / sizeof *REFUSED; i++) {
        PyObject *value = take_keyword_argument(rest, REFUSED[i].name);
        if (value == NULL && PyErr_Occurred()) return -1;
        int absent = value == NULL || is_default(value);
        Py_XDECREF(value);
        if (!absent) return refuse(REFUSED[i].name, REFUSED[i].advice);
    }
    if (check_revision(rest) < 0 || check_token(rest, "token") < 0) return -1;
    return check_token(rest, "use_auth_token");
}

// MARK: - With effect

/// The first argument, by its place or by its name.
static int take_model_id(PyObject *positional, Pretrained *result) {
    static const char *const name = "pretrained_model_name_or_path";
    Py_ssize_t count = PyTuple_Size(positional);
    if (count > 1) {
        PyErr_Format(PyExc_TypeError,
                     "from_pretrained() takes one argument by its place (%zd given); name the "
                     "others.",
                     count);
        return -1;
    }
    PyObject *value = take_keyword_argument(result->rest, name);
    if (value == NULL && PyErr_Occurred()) return -1;
    if ((value != NULL) == (count == 1)) {
        PyErr_Format(PyExc_TypeError, "from_pretrained() takes %s, once.", name);
        Py_XDECREF(value);
        return -1;
    }
    if (value == NULL) value = Py_NewRef(PyTuple_GetItem(positional, 0));
    result->model_id = model_argument(value);
    Py_DECREF(value);
    return result->model_id == NULL ? -1 : 0;
}

/// An optional path; NULL with or without an exception.
static PyObject *take_path(PyObject *rest, const char *name) {
    PyObject *value = take_keyword_argument(rest, name);
    PyObject *path =
        is_given(value) ? path_argument(name, value, "None, a str or a path") : NULL;
    Py_XDECREF(value);
    return path;
}

static int take_dtype(PyObject *rest, const char *name, gpi_dtype *dtype) {
    PyObject *value = take_keyword_argument(rest, name);
    if (value == NULL) return PyErr_Occurred() ? -1 : 0;
    int result = is_given(value) ? dtype_argument(value, dtype) : 0;
    Py_DECREF(value);
    return result;
}

static int take_device(PyObject *rest, Placement *placement) {
    PyObject *value = take_keyword_argument(rest, "device");
    if (value == NULL && PyErr_Occurred()) return -1;
    placement->device = is_given(value) ? device_argument(value) : PyUnicode_FromString("cpu");
    Py_XDECREF(value);
    return placement->device == NULL ? -1 : 0;
}

static int take_precision(PyObject *rest, gpi_precision *precision) {
    PyObject *value = take_keyword_argument(rest, "precision");
    if (value == NULL) return PyErr_Occurred() ? -1 : 0;
    int result = precision_argument(value, precision);
    Py_DECREF(value);
    return result;
}

int parse_pretrained(PyObject *positional, PyObject *keywords, Pretrained *result) {
    *result = (Pretrained){0};
    result->rest = keywords == NULL ? PyDict_New() : PyDict_Copy(keywords);
    if (result->rest == NULL) return -1;
    if (take_model_id(positional, result) < 0) return -1;
    result->subfolder = take_path(result->rest, "subfolder");
    if (result->subfolder == NULL && PyErr_Occurred()) return -1;
    result->cache_dir = take_path(result->rest, "cache_dir");
    if (result->cache_dir == NULL && PyErr_Occurred()) return -1;
    if (take_dtype(result->rest, "torch_dtype", &result->placement.dtype) < 0) return -1;
    if (take_dtype(result->rest, "dtype", &result->placement.dtype) < 0) return -1;
    if (take_precision(result->rest, &result->placement.precision) < 0) return -1;
    if (take_device(result->rest, &result->placement) < 0) return -1;
    return take_unused(result->rest);
}

int refuse_rest(const Pretrained *pretrained, const char *function) {
    PyObject *name, *value;
    Py_ssize_t place = 0;
    if (!PyDict_Next(pretrained->rest, &place, &name, &value)) return 0;
    PyErr_Format(PyExc_TypeError, "%s() got an unexpected keyword argument %R.", function, name);
    return -1;
}

void clear_pretrained(Pretrained *pretrained) {
    Py_CLEAR(pretrained->model_id);
    Py_CLEAR(pretrained->subfolder);
    Py_CLEAR(pretrained->cache_dir);
    clear_placement(&pretrained->placement);
    Py_CLEAR(pretrained->rest);
}
