/// What can be looked at and replaced in a pipeline.

#include "pipeline.h"
#include "placement.h"
#include "values.h"

/// Puts a value in the place of another; `value` is borrowed.
static int replace(PyObject **place, PyObject *value) {
    PyObject *former = *place;
    *place = Py_NewRef(value);
    Py_XDECREF(former);
    return 0;
}

static int refuse_deletion(PyObject *value, const char *name) {
    if (value != NULL) return 0;
    PyErr_Format(PyExc_AttributeError, "%s cannot be deleted.", name);
    return -1;
}

// MARK: - Parts

// The closure of a part's attribute is its gpi_part.

static gpi_part part_of(void *closure) { return (gpi_part)(intptr_t)closure; }

static PyObject *get_part(PyObject *self, void *closure) {
    PyObject *part = ((PipelineObject *)self)->set.parts[part_of(closure)];
    return Py_NewRef(part == NULL ? Py_None : part);
}

static int set_part(PyObject *self, PyObject *value, void *closure) {
    gpi_part part = part_of(closure);
    if (refuse_deletion(value, PART_NAMES[part]) < 0) return -1;
    if (part_argument(PART_NAMES[part], value, part) == NULL) return -1;
    return replace(&((PipelineObject *)self)->set.parts[part], value);
}

static PyObject *get_scheduler(PyObject *self, void *unused) {
    (void)unused;
    PyObject *scheduler = ((PipelineObject *)self)->scheduler;
    return Py_NewRef(scheduler == NULL ? Py_None : scheduler);
}

static int set_scheduler(PyObject *self, PyObject *value, void *unused) {
    (void)unused;
    if (refuse_deletion(value, "scheduler") < 0 || check_scheduler(value) < 0) return -1;
    return replace(&((PipelineObject *)self)->scheduler, value);
}

static PyObject *get_components(PyObject *object, void *unused) {
    (void)unused;
    PipelineObject *self = (PipelineObject *)object;
    PyObject *components = PyDict_New();
    int result = components == NULL ? -1 : 0;
    for (int i = 0; i < PART_COUNT && result == 0; i++)
        result = PyDict_SetItemString(components, PART_NAMES[i],
                                      self->set.parts[i] == NULL ? Py_None : self->set.parts[i]);
    if (result == 0)
        result = PyDict_SetItemString(components, "scheduler",
                                      self->scheduler == NULL ? Py_None : self->scheduler);
    if (result == 0)
        result = PyDict_SetItemString(components, "safety_checker", self->safety_checker);
    if (result == 0) result = PyDict_SetItemString(components, "feature_extractor", Py_None);
    if (result == 0) return components;
    Py_XDECREF(components);
    return NULL;
}

// MARK: - The check of pictures

static PyObject *get_safety_checker(PyObject *self, void *unused) {
    (void)unused;
    return Py_NewRef(((PipelineObject *)self)->safety_checker);
}

int check_safety_checker(PyObject *value) {
    if (value == Py_None || value == Py_True) return 0;
    raise_wrong_type_of("safety_checker", "None, or True for the model's own", value);
    return -1;
}

static int set_safety_checker(PyObject *self, PyObject *value, void *unused) {
    (void)unused;
    if (refuse_deletion(value, "safety_checker") < 0 || check_safety_checker(value) < 0) return -1;
    return replace(&((PipelineObject *)self)->safety_checker, value);
}

// MARK: - Where it is

static PyObject *get_device(PyObject *object, void *unused) {
    (void)unused;
    Model *model = part_set_model(&((PipelineObject *)object)->set);
    PyObject *device = model == NULL ? NULL : model_device(model);
    release_model(model);
    return device;
}

static PyObject *get_dtype(PyObject *object, void *unused) {
    (void)unused;
    Model *model = part_set_model(&((PipelineObject *)object)->set);
    PyObject *dtype = model == NULL ? NULL : model_dtype(model);
    release_model(model);
    return dtype;
}

// MARK: - The run

static PyObject *get_interrupt(PyObject *self, void *unused) {
    (void)unused;
    return Py_NewRef(((PipelineObject *)self)->interrupt);
}

static int set_interrupt(PyObject *self, PyObject *value, void *unused) {
    (void)unused;
    if (refuse_deletion(value, "_interrupt") < 0) return -1;
    int is_true = PyObject_IsTrue(value);
    if (is_true < 0) return -1;
    return replace(&((PipelineObject *)self)->interrupt, is_true ? Py_True : Py_False);
}

static PyObject *get_num_timesteps(PyObject *self, void *unused) {
    (void)unused;
    return PyLong_FromLongLong(((PipelineObject *)self)->num_timesteps);
}

// MARK: - All of them

PyGetSetDef pipeline_attributes[] = {
    {"vae", get_part, set_part, "The AutoencoderKL.", (void *)(intptr_t)GPI_AUTOENCODER},
    {"unet", get_part, set_part, "The UNet2DConditionModel.", (void *)(intptr_t)GPI_UNET},
    {"text_encoder", get_part, set_part, "The CLIPTextModel.",
     (void *)(intptr_t)GPI_TEXT_ENCODER},
    {"tokenizer", get_part, set_part, "The CLIPTokenizer.", (void *)(intptr_t)GPI_TOKENIZER},
    {"scheduler", get_scheduler, set_scheduler,
     "The scheduler; one of this module or of diffusers may take its place.", NULL},
    {"safety_checker", get_safety_checker, set_safety_checker,
     "True if pictures go through the model's safety checker; None if not.", NULL},
    {"components", get_components, NULL, "All parts by their names.", NULL},
    {"device", get_device, NULL, "The torch.device that it runs on.", NULL},
    {"dtype", get_dtype, NULL, "The torch.dtype that it runs in.", NULL},
    {"_interrupt", get_interrupt, set_interrupt,
     "Set to True by a callback to end the run with the latents reached.", NULL},
    {"num_timesteps", get_num_timesteps, NULL,
     "How often the UNet is called in the run that goes on, or went last.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};
