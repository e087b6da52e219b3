/// What a part goes by.

#include "config.h"
#include "part.h"

#include <string.h>

/// Where the part's own files are. A new str.
static PyObject *folder_of(const PartObject *part) {
    static const char *const names[] = {
        [GPI_AUTOENCODER] = "vae",
        [GPI_TOKENIZER] = "tokenizer",
        [GPI_TEXT_ENCODER] = "text_encoder",
        [GPI_UNET] = "unet",
        [GPI_UNCONDITIONAL_UNET] = "unet",
    };
    PyObject *folder = part->model->folder;
    if (part->model->part >= 0) return Py_NewRef(folder);
    return PyUnicode_FromFormat("%U/%s", folder, names[part->part]);
}

/// What the file says; nothing where there is none, as with a model in a single file. A new dict.
static PyObject *file_content(const PartObject *part) {
    PyObject *folder = folder_of(part);
    PyObject *open = imported("io", "open");
    PyObject *load = imported("json", "load");
    const char *name = part->part == GPI_TOKENIZER ? "tokenizer_config.json" : "config.json";
    PyObject *path = folder == NULL ? NULL : PyUnicode_FromFormat("%U/%s", folder, name);
    PyObject *file = NULL;
    PyObject *content = NULL;
    if (open != NULL && load != NULL && path != NULL)
        file = PyObject_CallFunction(open, "Osiz", path, "r", -1, "utf-8");
    if (path != NULL && file == NULL
        && (PyErr_ExceptionMatches(PyExc_NotADirectoryError)
            || PyErr_ExceptionMatches(PyExc_FileNotFoundError))) {
        PyErr_Clear();
        content = PyDict_New();
    }
    if (file != NULL) {
        content = PyObject_CallFunctionObjArgs(load, file, NULL);
        if (content == NULL) {
            call_while_failing(file, "close");
        } else if (call_method(file, "close") < 0) {
            Py_CLEAR(content);
        }
    }
    Py_XDECREF(folder);
    Py_XDECREF(open);
    Py_XDECREF(load);
    Py_XDECREF(path);
    Py_XDECREF(file);
    return content;
}

/// What the core goes by. A new dict; empty for a part that it has no settings of.
static PyObject *defaults(Model *model, gpi_part part) {
    if (part == GPI_TOKENIZER) return PyDict_New();
    if (take_model(model) < 0) return NULL;
    const char *json = NULL;
    begin_waiting(&model->waiting);
    gpi_status status = gpi_model_configuration(model->core, part, &json);
    end_waiting(&model->waiting);
    PyObject *text = NULL;
    if (settle_model(model, status, NULL) == 0)
        text = PyUnicode_DecodeUTF8(json, (Py_ssize_t)strlen(json), "replace");
    give_model_back(model);
    PyObject *loads = text == NULL ? NULL : imported("json", "loads");
    PyObject *content = loads == NULL ? NULL : PyObject_CallFunctionObjArgs(loads, text, NULL);
    Py_XDECREF(text);
    Py_XDECREF(loads);
    return content;
}

PyObject *part_config(PartObject *part) {
    if (part->config != NULL) return Py_NewRef(part->config);
    PyObject *content = defaults(part->model, part->part);
    PyObject *said = content == NULL ? NULL : file_content(part);
    PyObject *config = NULL;
    if (said != NULL && PyDict_Update(content, said) == 0) config = new_config(content);
    Py_XDECREF(content);
    Py_XDECREF(said);
    if (config != NULL && part->config == NULL) part->config = Py_NewRef(config);
    return config;
}
