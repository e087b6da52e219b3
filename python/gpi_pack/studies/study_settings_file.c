#include "study_settings_file.h"

#include "errors.h"

/// What the JSON text in a file says. A new reference.
static PyObject *json_of(PyObject *path) {
    PyObject *open = imported("io", "open");
    PyObject *loads = imported("json", "loads");
    PyObject *file = open == NULL ? NULL : PyObject_CallFunction(open, "Os", path, "rb");
    PyObject *text = file == NULL ? NULL : PyObject_CallMethod(file, "read", NULL);
    PyObject *value =
        text == NULL || loads == NULL ? NULL : PyObject_CallFunctionObjArgs(loads, text, NULL);
    if (file != NULL) call_while_failing(file, "close");
    Py_XDECREF(open);
    Py_XDECREF(loads);
    Py_XDECREF(file);
    Py_XDECREF(text);
    return value;
}

/// The dict under a key, borrowed; NULL with an exception.
static PyObject *dict_in(PyObject *dict, const char *key) {
    PyObject *value = PyDict_Check(dict) ? PyDict_GetItemString(dict, key) : NULL;
    if (value != NULL && PyDict_Check(value)) return value;
    PyErr_Format(PyExc_ValueError, "it is no settings file of a study: it has no \"%s\".", key);
    return NULL;
}

static int fill(PyObject *record, StudyValues *values) {
    PyObject *settings = dict_in(record, "settings");
    PyObject *model = settings == NULL ? NULL : dict_in(record, "model");
    if (model == NULL) return -1;
    const struct {
        const char *key;
        PyObject **value;
    } all[] = {
        {"size", &values->size},
        {"fit", &values->fit},
        {"exif", &values->exif},
        {"background", &values->background},
        {"posterior", &values->posterior},
        {"strength", &values->strength},
        {"num_inference_steps", &values->num_inference_steps},
        {"guidance_scale", &values->guidance_scale},
        {"negative_prompt", &values->negative_prompt},
        {"dtype", &values->dtype},
        {"precision", &values->precision},
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        *all[i].value = PyDict_GetItemString(settings, all[i].key);
    values->model_id = PyDict_GetItemString(model, "name");
    return 0;
}

PyObject *read_study_settings(PyObject *output_dir, StudyValues *values) {
    PyObject *path = PyUnicode_FromFormat("%U/settings.json", output_dir);
    if (path == NULL) return NULL;
    PyObject *record = json_of(path);
    if (record == NULL && PyErr_ExceptionMatches(PyExc_FileNotFoundError)) {
        PyErr_Format(PyExc_FileNotFoundError,
                     "output_dir: %R has no settings.json, which extract_dataset leaves in the folder "
                     "of a study.",
                     output_dir);
    } else if (record == NULL || fill(record, values) < 0) {
        Py_CLEAR(record);
        raise_again(path);
    }
    Py_DECREF(path);
    return record;
}
