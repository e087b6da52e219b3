/// How a pipeline comes by its parts.

#include "model_folder.h"
#include "own_type.h"
#include "pipeline.h"
#include "pretrained.h"
#include "safety.h"
#include "values.h"

// MARK: - Parts

/// The scheduler that the model's file names. A new reference.
static PyObject *own_scheduler(Model *model) {
    PyObject *type = imported("gpi_pack.diffusion", "Scheduler");
    PyObject *settings = type == NULL ? NULL : scheduler_settings(model);
    PyObject *scheduler =
        settings == NULL ? NULL : PyObject_CallMethod(type, "from_config", "O", settings);
    Py_XDECREF(type);
    Py_XDECREF(settings);
    return scheduler;
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

/// What the safety checker is made of in diffusers, of which only that it is or is not there counts: the
/// model's own is taken, unless safety_checker=None. -1 with an exception.
static int wants_safety_checker(PyObject *options) {
    static const char *const names[] = {
        "feature_extractor", "requires_safety_checker", "image_encoder",
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        Py_XDECREF(take_keyword_argument(options, names[i]));
        if (PyErr_Occurred()) return -1;
    }
    PyObject *value = take_keyword_argument(options, "safety_checker");
    if (value == NULL) return PyErr_Occurred() ? -1 : 1;
    int result = check_safety_checker(value) < 0 ? -1 : value == Py_True;
    Py_DECREF(value);
    return result;
}

/// Puts True in the place of the safety checker if the model has one and it is wanted.
static int set_safety_checker(PipelineObject *self, int wanted) {
    Model *model = wanted ? part_set_model(&self->set) : NULL;
    if (wanted && model == NULL) return -1;
    int has = wanted ? has_safety_checker(model) : 0;
    if (has > 0) has = load_part(model, GPI_SAFETY_CHECKER) < 0 ? -1 : 1;
    release_model(model);
    if (has < 0) return -1;
    PyObject *former = self->safety_checker;
    self->safety_checker = Py_NewRef(has ? Py_True : Py_None);
    Py_XDECREF(former);
    return 0;
}

/// Takes the parts and the scheduler out of `options`; see `fill_part_set`.
static int fill(PipelineObject *self, Model *model, PyObject *options) {
    int wants_checker = wants_safety_checker(options);
    if (wants_checker < 0) return -1;
    if (fill_part_set(&self->set, model, options, "StableDiffusionPipeline") < 0) return -1;
    PyObject *scheduler = chosen_scheduler(options, model);
    if (scheduler == NULL) return -1;
    PyObject *former = self->scheduler;
    self->scheduler = scheduler;
    Py_XDECREF(former);
    return set_safety_checker(self, wants_checker);
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
    if (result == 0) result = fill((PipelineObject *)object, NULL, options.rest);
    if (result == 0) result = refuse_rest(&options, "StableDiffusionPipeline");
    Py_DECREF(options.rest);
    return result;
}

// MARK: - From a folder

const char pipeline_from_pretrained_doc[] =
    "from_pretrained($type, pretrained_model_name_or_path, *, torch_dtype=None, cache_dir=None,\n"
    "                device='cpu', precision='default', **options)\n"
    "--\n"
    "\n"
    "The pipeline of a folder in the layout of diffusers, or of a model on the Hugging Face Hub.\n"
    "\n"
    "precision says how exactly it computes: 'default' by kernels that are several times faster\n"
    "than PyTorch's operators, 'exact' by those operators alone, 'reduced' in bfloat16.\n"
    "\n"
    "options may be parts and a scheduler that take the place of the model's own (vae, unet,\n"
    "text_encoder, tokenizer, scheduler), safety_checker=None for none, and options of diffusers'\n"
    "that are about the way of loading (use_safetensors, variant, low_cpu_mem_usage, …), which\n"
    "have no effect.";

const char pipeline_from_single_file_doc[] =
    "from_single_file($type, pretrained_model_link_or_path, *, tokenizer, torch_dtype=None,\n"
    "                 device='cpu', precision='default', **options)\n"
    "--\n"
    "\n"
    "The pipeline of a single file (.safetensors, .ckpt) in the layout of the original Stable\n"
    "Diffusion 1.x or 2.x. Such a file holds no tokenizer: pass one, as\n"
    "CLIPTokenizer.from_pretrained('openai/clip-vit-large-patch14') gives it.";

static PyObject *loaded(PyTypeObject *type, const Pretrained *pretrained) {
    bool unchecked = PyDict_GetItemString(pretrained->rest, "safety_checker") == Py_None;
    PyObject *folder = model_folder(pretrained->model_id, pretrained->cache_dir,
                                    unchecked ? WHOLE_MODEL : WHOLE_MODEL_WITH_SAFETY_CHECKER);
    if (folder == NULL) return NULL;
    Model *model = open_model(pretrained->model_id, folder, -1, &pretrained->placement);
    Py_DECREF(folder);
    if (model == NULL) return NULL;
    PyObject *nothing = PyTuple_New(0);
    newfunc make = (newfunc)PyType_GetSlot(type, Py_tp_new);
    PyObject *object = nothing == NULL ? NULL : make(type, nothing, NULL);
    Py_XDECREF(nothing);
    int result = object == NULL ? -1 : 0;
    if (result == 0) result = fill((PipelineObject *)object, model, pretrained->rest);
    if (result == 0) result = refuse_rest(pretrained, "from_pretrained");
    if (result == 0) result = load_own_parts(&((PipelineObject *)object)->set, model);
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
