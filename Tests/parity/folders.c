// A module of its own for what gpi_pack.diffusion does not show: the folders of models and of parts.

#include "model_folder.h"

// The core, which is not linked.
const char *gpi_last_error(void) { return ""; }

static PyObject *model_folder_method(PyObject *module, PyObject *arguments) {
    (void)module;
    PyObject *model_id, *cache_dir;
    int parts;
    if (!PyArg_ParseTuple(arguments, "UOi", &model_id, &cache_dir, &parts)) return NULL;
    return model_folder(model_id, cache_dir == Py_None ? NULL : cache_dir, (ModelParts)parts);
}

static PyObject *part_folder_method(PyObject *module, PyObject *arguments) {
    (void)module;
    PyObject *model_id, *subfolder, *cache_dir;
    int part;
    if (!PyArg_ParseTuple(arguments, "UOOi", &model_id, &subfolder, &cache_dir, &part)) return NULL;
    return part_folder(model_id, subfolder == Py_None ? NULL : subfolder,
                       cache_dir == Py_None ? NULL : cache_dir, (gpi_part)part);
}

static PyMethodDef methods[] = {
    {"model_folder", model_folder_method, METH_VARARGS, NULL},
    {"part_folder", part_folder_method, METH_VARARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef module = {
    PyModuleDef_HEAD_INIT, .m_name = "folders", .m_size = 0, .m_methods = methods,
};

static int add_numbers(PyObject *object) {
    const struct {
        const char *name;
        long number;
    } numbers[] = {
        {"AUTOENCODER_ALONE", AUTOENCODER_ALONE},
        {"WHOLE_MODEL", WHOLE_MODEL},
        {"WHOLE_MODEL_WITH_SAFETY_CHECKER", WHOLE_MODEL_WITH_SAFETY_CHECKER},
        {"UNCONDITIONAL_MODEL", UNCONDITIONAL_MODEL},
        {"SCHEDULER_ALONE", SCHEDULER_ALONE},
        {"AUTOENCODER", GPI_AUTOENCODER},
        {"TOKENIZER", GPI_TOKENIZER},
        {"TEXT_ENCODER", GPI_TEXT_ENCODER},
        {"UNET", GPI_UNET},
        {"SCHEDULER", GPI_SCHEDULER},
        {"SAFETY_CHECKER", GPI_SAFETY_CHECKER},
    };
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        if (PyModule_AddIntConstant(object, numbers[i].name, numbers[i].number) < 0) return -1;
    }
    return 0;
}

PyMODINIT_FUNC PyInit_folders(void) {
    PyObject *object = PyModule_Create(&module);
    if (object != NULL && add_numbers(object) < 0) Py_CLEAR(object);
    return object;
}
