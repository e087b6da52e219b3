#include "core.h"

#include "errors.h"
#include "libtorch.h"

void show_step(void *context, int64_t step, int64_t count) {
    Extractor *extractor = context;
    if (extractor->bar == NULL) return;
    end_waiting(&extractor->waiting);
    if (!PyErr_Occurred()) {
        PyObject *text = PyUnicode_FromFormat("step %lld of %lld", (long long)step + 1,
                                              (long long)count);
        PyObject *shown = text == NULL
            ? NULL
            : PyObject_CallMethod(extractor->bar, "set_postfix_str", "O", text);
        Py_XDECREF(text);
        // What the bar raises stays pending, and `is_interrupted` ends the work.
        Py_XDECREF(shown);
    }
    begin_waiting(&extractor->waiting);
}

int settle(const Extractor *extractor, gpi_status status, PyObject *about) {
    if (status != GPI_NOT_FOUND && status != GPI_BAD_FILE && status != GPI_IO_ERROR)
        return settle_waiting(status, about);
    if (PyErr_Occurred()) return -1;
    PyObject *model = PyUnicode_FromFormat("model_id %R", extractor->model_id);
    if (model != NULL) raise_status(status, model);
    Py_XDECREF(model);
    return -1;
}

int open_extractor(PyObject *model_id, PyObject *device, PyObject *cache_dir, gpi_dtype dtype,
                   gpi_precision precision, ModelParts parts, Extractor *extractor) {
    gpi_extractor_options options = GPI_EXTRACTOR_OPTIONS_INIT;
    options.dtype = dtype;
    options.precision = precision;
    options.warning = warn_python;
    options.warning_context = &extractor->waiting;
    if (device != NULL) {
        options.device = PyUnicode_AsUTF8AndSize(device, NULL);
        if (options.device == NULL) return -1;
    }
    extractor->model_id = Py_NewRef(model_id);
    if (open_libtorch() < 0) return -1;
    PyObject *folder = model_folder(model_id, cache_dir, parts);
    if (folder == NULL) return -1;
    int result = -1;
    options.model_folder = PyUnicode_AsUTF8AndSize(folder, NULL);
    if (options.model_folder != NULL) {
        begin_waiting(&extractor->waiting);
        gpi_status status = gpi_extractor_create(&options, &extractor->core);
        end_waiting(&extractor->waiting);
        PyObject *about = PyUnicode_FromString("device");
        if (about != NULL) result = settle(extractor, status, about);
        Py_XDECREF(about);
    }
    Py_DECREF(folder);
    return result;
}

void close_extractor(Extractor *extractor) {
    gpi_extractor_free(extractor->core);
    Py_XDECREF(extractor->model_id);
    *extractor = (Extractor){0};
}
