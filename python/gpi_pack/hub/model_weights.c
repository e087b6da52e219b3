#include "model_weights.h"

#include "errors.h"

#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

static const char *const VARIANTS[] = {"", ".fp16", ".bf16"};

/// Formats of weights, best first, and what diffusers and transformers call them.
static const struct WeightsFormat {
    const char *suffix;
    const char *bases[2];
} FORMATS[] = {
    {".safetensors", {"diffusion_pytorch_model", "model"}},
    {".bin", {"diffusion_pytorch_model", "pytorch_model"}},
};

/// The forms of a set of weights, best first.
typedef enum WeightsForm { WHOLE_FILE, INDEX, LEGACY_INDEX, FORM_COUNT } WeightsForm;

/// A new str, such as "diffusion_pytorch_model.fp16.safetensors".
static PyObject *weights_name(WeightsForm form, const char *base, const char *suffix,
                              const char *variant) {
    switch (form) {
    case INDEX: return PyUnicode_FromFormat("%s%s.index%s.json", base, suffix, variant);
    case LEGACY_INDEX: return PyUnicode_FromFormat("%s%s%s.index.json", base, variant, suffix);
    case WHOLE_FILE:
    case FORM_COUNT: break;
    }
    return PyUnicode_FromFormat("%s%s%s", base, variant, suffix);
}

/// The path of the best weights of one format and variant that are there: 1 with a new str, 0 without
/// one, or -1 with an exception.
static int find_weights_of(const FileSource *source, const char *folder,
                           const struct WeightsFormat *format, const char *variant,
                           PyObject **result) {
    for (WeightsForm form = WHOLE_FILE; form < FORM_COUNT; form++) {
        for (size_t i = 0; i < COUNT(format->bases); i++) {
            PyObject *name = weights_name(form, format->bases[i], format->suffix, variant);
            const char *text = name == NULL ? NULL : PyUnicode_AsUTF8AndSize(name, NULL);
            PyObject *path = text == NULL ? NULL : name_in(folder, text);
            Py_XDECREF(name);
            if (path == NULL) return -1;
            int found = PySet_Contains(source->names, path);
            if (found > 0) {
                *result = path;
                return 1;
            }
            Py_DECREF(path);
            if (found < 0) return -1;
        }
    }
    return 0;
}

/// The path of the weights to use, a file or an index of shards. A new str; NULL with an exception.
static PyObject *find_weights(const FileSource *source, const char *folder) {
    PyObject *result = NULL;
    for (size_t i = 0; i < COUNT(VARIANTS); i++) {
        for (size_t j = 0; j < COUNT(FORMATS); j++) {
            if (find_weights_of(source, folder, &FORMATS[j], VARIANTS[i], &result) != 0)
                return result;
        }
    }
    PyErr_Format(PyExc_FileNotFoundError, "%U has no weights in %s (.safetensors or .bin)%s",
                 source->about, *folder == '\0' ? "its first folder" : folder, source->advice);
    return NULL;
}

// MARK: - Shards

/// What a file of JSON holds; errors begin with `about`.
static PyObject *json_in(PyObject *path, PyObject *about) {
    PyObject *result = NULL, *bytes = NULL;
    PyObject *make_path = imported("pathlib", "Path");
    PyObject *loads = imported("json", "loads");
    PyObject *file =
        make_path == NULL ? NULL : PyObject_CallFunctionObjArgs(make_path, path, NULL);
    if (file != NULL && loads != NULL) bytes = PyObject_CallMethod(file, "read_bytes", NULL);
    if (bytes != NULL) result = PyObject_CallFunctionObjArgs(loads, bytes, NULL);
    Py_XDECREF(make_path);
    Py_XDECREF(loads);
    Py_XDECREF(file);
    Py_XDECREF(bytes);
    if (result == NULL) raise_again(about);
    return result;
}

/// The names in an index of shards, each once: a new list.
static PyObject *names_in_index(PyObject *index, PyObject *about) {
    PyObject *map = PyDict_Check(index) ? PyDict_GetItemString(index, "weight_map") : NULL;
    if (map == NULL || !PyDict_Check(map)) {
        PyErr_Format(PyExc_ValueError, "%U: it is no index of weights.", about);
        return NULL;
    }
    PyObject *values = PyDict_Values(map);
    // A dict, whose keys keep their order.
    PyObject *once = NULL;
    if (values != NULL)
        once = PyObject_CallMethod((PyObject *)&PyDict_Type, "fromkeys", "O", values);
    Py_XDECREF(values);
    PyObject *names = once == NULL ? NULL : PyDict_Keys(once);
    Py_XDECREF(once);
    if (names == NULL) raise_again(about);
    return names;
}

/// Appends the shards that an index names.
static int append_shards(PyObject *list, const FileSource *source, const char *folder,
                         PyObject *names, PyObject *about) {
    Py_ssize_t count = PyList_Size(names);
    for (Py_ssize_t i = 0; i < count; i++) {
        PyObject *name = PyList_GetItem(names, i);
        const char *text = PyUnicode_Check(name) ? name_below("", name) : NULL;
        if (text == NULL || strcmp(text, "..") == 0 || strcmp(text, ".") == 0) {
            PyErr_Format(PyExc_ValueError, "%U: it names %R, which is no file beside it.", about,
                         name);
            return -1;
        }
        if (append_needed(list, source, folder, text) < 0) return -1;
    }
    return 0;
}

static int append_index_and_shards(PyObject *list, FileSource *source, const char *folder,
                                   PyObject *index) {
    if (PyList_Append(list, index) < 0) return -1;
    PyObject *path = source->fetch(source, index);
    if (path == NULL) {
        source->is_unreachable = 1;
        return -1;
    }
    int status = -1;
    PyObject *names = NULL;
    PyObject *about = PyUnicode_FromFormat("%U: %U", source->about, index);
    PyObject *contents = about == NULL ? NULL : json_in(path, about);
    if (contents != NULL) names = names_in_index(contents, about);
    if (names != NULL) status = append_shards(list, source, folder, names, about);
    Py_XDECREF(names);
    Py_XDECREF(contents);
    Py_XDECREF(about);
    Py_DECREF(path);
    return status;
}

// MARK: - Both

int append_weights(PyObject *list, FileSource *source, const char *folder) {
    PyObject *weights = find_weights(source, folder);
    if (weights == NULL) return -1;
    int status = -1;
    const char *name = PyUnicode_AsUTF8AndSize(weights, NULL);
    if (name != NULL) {
        status = ends_in(name, ".json") ? append_index_and_shards(list, source, folder, weights)
                                        : PyList_Append(list, weights);
    }
    Py_DECREF(weights);
    return status;
}
