#include "model_folder.h"

#include "hub.h"

#include <string.h>

/// The answer of `os.path.<question>(path)`; -1 with an exception.
static int ask(const char *question, PyObject *path) {
    PyObject *function = imported("os.path", question);
    if (function == NULL) return -1;
    PyObject *answer = PyObject_CallFunctionObjArgs(function, path, NULL);
    Py_DECREF(function);
    if (answer == NULL) return -1;
    int result = PyObject_IsTrue(answer);
    Py_DECREF(answer);
    return result;
}

/// Whether this can only be meant as a path: the Hub's ids are `name` or `owner/name`.
static int is_plainly_path(PyObject *model_id) {
    const char *text = PyUnicode_AsUTF8AndSize(model_id, NULL);
    if (text == NULL) return -1;
    const char *slash = strchr(text, '/');
    return *text == '.' || *text == '~' || slash == text
        || (slash != NULL && strchr(slash + 1, '/') != NULL);
}

static PyObject *folder_with(PyObject *model_id, PyObject *cache_dir, const NeededFiles *needed) {
    int is_folder = ask("isdir", model_id);
    if (is_folder != 0) return is_folder < 0 ? NULL : Py_NewRef(model_id);
    // A single file in the original layout, or no model at all: the core says.
    int is_file = ask("exists", model_id);
    if (is_file != 0) return is_file < 0 ? NULL : Py_NewRef(model_id);
    int is_path = is_plainly_path(model_id);
    if (is_path < 0) return NULL;
    if (is_path) {
        PyErr_Format(PyExc_FileNotFoundError,
                     "model_id: there is no folder %R; pass a folder in the layout of diffusers, a "
                     "single file in the original one, or the id of a model on the Hugging Face Hub.",
                     model_id);
        return NULL;
    }
    return hub_folder(model_id, cache_dir, needed);
}

PyObject *model_folder(PyObject *model_id, PyObject *cache_dir, ModelParts parts) {
    const NeededFiles needed = needed_files(parts);
    return folder_with(model_id, cache_dir, &needed);
}

PyObject *part_folder(PyObject *model_id, PyObject *subfolder, PyObject *cache_dir, gpi_part part) {
    if (subfolder == NULL) {
        const NeededPart alone = needed_part(part, "");
        const NeededFiles needed = {&alone, 1, 0};
        return folder_with(model_id, cache_dir, &needed);
    }
    // As it stands in the names of files.
    PyObject *inner = PyObject_CallMethod(subfolder, "rstrip", "s", "/");
    if (inner == NULL) return NULL;
    PyObject *result = NULL;
    const char *text = PyUnicode_AsUTF8AndSize(inner, NULL);
    if (text != NULL) {
        const NeededPart alone = needed_part(part, text);
        const NeededFiles needed = {&alone, 1, 0};
        PyObject *folder = folder_with(model_id, cache_dir, &needed);
        if (folder != NULL) result = PyUnicode_FromFormat("%U/%U", folder, inner);
        Py_XDECREF(folder);
    }
    Py_DECREF(inner);
    return result;
}
