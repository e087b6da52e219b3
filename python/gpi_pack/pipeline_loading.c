/// How a pipeline comes by its parts.

#include "model_folder.h"
#include "own_type.h"
#include "pipeline.h"
#include "pretrained.h"
#include "scheduler.h"
#include "values.h"

static const char *const CLASSES[PART_COUNT] = {
    "AutoencoderKL", "CLIPTokenizer", "CLIPTextModel", "UNet2DConditionModel",
};

// MARK: - Parts

/// The part that the options name, or the model's. A new reference; NULL with an exception.
static PyObject *chosen_part(PyObject *options, gpi_part part, Model *model) {
    PyObject *value = take_keyword_argument(options, PART_NAMES[part]);
    if (value == NULL && PyErr_Occurred()) return NULL;
    if (value == NULL && model != NULL) return part_object(CLASSES[part], part, model);
    if (value == NULL) {
        PyErr_Format(PyExc_TypeError, "StableDiffusionPipeline() needs the argument %s.",
                     PART_NAMES[part]);
        return NULL;
    }
    if (part_argument(PART_NAMES[part], value, part) != NULL) return value;
    Py_DECREF(value);
    return NULL;
}

/// The scheduler that the model's file names.
static PyObject *own_scheduler(Model *model) {
    if (take_model(model) < 0) return NULL;
    gpi_scheduler *core = NULL;
    begin_waiting(&model->waiting);
    gpi_status status = gpi_model_scheduler(model->core, &core);
    end_waiting(&model->waiting);
    int result = settle_model(model, status, NULL);
    give_model_back(model);
    if (result == 0) return scheduler_object(core);
    gpi_scheduler_free(core);
    return NULL;
}

static PyObject *chosen_scheduler(PyObject *options, Model *model) {
    PyObject *value = take_keyword_argument(options, "scheduler");
    if (value == NULL && PyErr_Occurred()) return NULL;
    if (value == NULL && model != NULL) return own_scheduler(model);
    if (value == NULL) {
        PyErr_SetString(PyExc_TypeError, "StableDiffusionPipeline() needs the argument scheduler.");
        return NULL;
    }
    if (check_scheduler(value) == 0) return value;
    Py_DECREF(value);
    return NULL;
}

/// What the check of pictures is made of in diffusers: any of it may be left out.
static int drop_safety_options(PyObject *options) {
    static const char *const names[] = {
        "safety_checker", "feature_extractor", "requires_safety_checker", "image_encoder",
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        Py_XDECREF(take_keyword_argument(options, names[i]));
        if (PyErr_Occurred()) return -1;
    }
    return 0;
}

int fill_pipeline(PipelineObject *self, Model *model, PyObject *options) {
    PyObject *parts[PART_COUNT] = {NULL};
    int result = drop_safety_options(options);
    for (int i = 0; i < PART_COUNT && result == 0; i++) {
        parts[i] = chosen_part(options, (gpi_part)i, model);
        if (parts[i] == NULL) result = -1;
    }
    PyObject *scheduler = result == 0 ? chosen_scheduler(options, model) : NULL;
    if (scheduler == NULL) {
        for (int i = 0; i < PART_COUNT; i++) Py_XDECREF(parts[i]);
        return -1;
    }
    for (int i = 0; i < PART_COUNT; i++) {
        PyObject *former = self->parts[i];
        self->parts[i] = parts[i];
        Py_XDECREF(former);
    }
    PyObject *former = self->scheduler;
    self->scheduler = scheduler;
    Py_XDECREF(former);
    return 0;
}

// MARK: - From parts

int pipeline_init(PyObject *object, PyObject *positional, PyObject *keywords) {
    static const char *const names[] = {
        "vae", "text_encoder", "tokenizer", "unet", "scheduler",
    };
    const Py_ssize_t known = sizeof names / sizeof *names;
    Py_ssize_t count = PyTuple_Size(positional);
    if (count > known) {
        PyErr_Format(PyExc_TypeError,
                     "StableDiffusionPipeline() takes %zd arguments by their places (%zd given).",
                     known, count);
        return -1;
    }
    Pretrained options = {.rest = keywords == NULL ? PyDict_New() : PyDict_Copy(keywords)};
    if (options.rest == NULL) return -1;
    int result = 0;
    for (Py_ssize_t i = 0; i < count && result == 0; i++)
        result = PyDict_SetItemString(options.rest, names[i], PyTuple_GetItem(positional, i));
    if (result == 0) result = fill_pipeline((PipelineObject *)object, NULL, options.rest);
    if (result == 0) result = refuse_rest(&options, "StableDiffusionPipeline");
    Py_DECREF(options.rest);
    return result;
}

// MARK: - From a folder

const char pipeline_from_pretrained_doc[] =
    "from_pretrained($type, pretrained_model_name_or_path, *, torch_dtype=None, cache_dir=None,\n"
    "                device='cpu', **options)\n"
    "--\n"
    "\n"
    "The pipeline of a folder in the layout of diffusers, or of a model on the Hugging Face Hub.\n"
    "\n"
    "options may be parts and a scheduler that take the place of the model's own (vae, unet,\n"
    "text_encoder, tokenizer, scheduler), safety_checker=None, and those options of diffusers'\n"
    "that are about the way of loading (use_safetensors, variant, low_cpu_mem_usage, …), which\n"
    "have no effect.";

/// Loads all parts that are the model's own, for their errors now.
static int load_own_parts(const PipelineObject *self, Model *model) {
    for (int i = 0; i < PART_COUNT; i++) {
        if (((PartObject *)self->parts[i])->model != model) continue;
        if (load_part(model, (gpi_part)i) < 0) return -1;
    }
    return 0;
}

static PyObject *loaded(PyTypeObject *type, const Pretrained *pretrained) {
    PyObject *folder = model_folder(pretrained->model_id, pretrained->cache_dir, WHOLE_MODEL);
    if (folder == NULL) return NULL;
    Model *model = open_model(pretrained->model_id, folder, -1, &pretrained->placement);
    Py_DECREF(folder);
    if (model == NULL) return NULL;
    PyObject *nothing = PyTuple_New(0);
    newfunc make = (newfunc)PyType_GetSlot(type, Py_tp_new);
    PyObject *object = nothing == NULL ? NULL : make(type, nothing, NULL);
    Py_XDECREF(nothing);
    int result = object == NULL ? -1 : 0;
    if (result == 0) result = fill_pipeline((PipelineObject *)object, model, pretrained->rest);
    if (result == 0) result = refuse_rest(pretrained, "from_pretrained");
    if (result == 0) result = load_own_parts((PipelineObject *)object, model);
    release_model(model);
    if (result == 0) return object;
    Py_XDECREF(object);
    return NULL;
}

PyObject *pipeline_from_pretrained(PyObject *type, PyObject *positional, PyObject *keywords) {
    Pretrained pretrained;
    PyObject *pipeline = NULL;
    if (parse_pretrained(positional, keywords, &pretrained) == 0) {
        if (pretrained.subfolder != NULL) {
            PyErr_SetString(PyExc_TypeError,
                            "from_pretrained() got an unexpected keyword argument 'subfolder'.");
        } else {
            pipeline = loaded((PyTypeObject *)type, &pretrained);
        }
    }
    clear_pretrained(&pretrained);
    return pipeline;
}
