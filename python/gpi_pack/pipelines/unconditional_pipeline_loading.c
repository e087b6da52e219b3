/// How a pipeline without prompts comes by its parts.

#include "gpi_unconditional.h"

#include "model_folder.h"
#include "pipeline.h"
#include "pretrained.h"
#include "unconditional_pipeline.h"

#include <string.h>

// MARK: - From parts

/// A `DDIMScheduler` of another scheduler's settings. A new reference; NULL with an exception.
static PyObject *implicit_scheduler(PyObject *scheduler) {
    PyObject *type = imported("gpi_pack.diffusion", "DDIMScheduler");
    PyObject *config = type == NULL ? NULL : PyObject_GetAttrString(scheduler, "config");
    PyObject *result =
        config == NULL ? NULL : PyObject_CallMethod(type, "from_config", "O", config);
    Py_XDECREF(type);
    Py_XDECREF(config);
    return result;
}

/// Takes `scheduler` over; NULL is an exception that is pending.
static int fill(PyObject *object, PyObject *unet, PyObject *scheduler) {
    if (scheduler == NULL) return -1;
    UnconditionalObject *self = (UnconditionalObject *)object;
    PyObject *formers[] = {self->unet, self->scheduler};
    self->unet = Py_NewRef(unet);
    self->scheduler = scheduler;
    Py_XDECREF(formers[0]);
    Py_XDECREF(formers[1]);
    return 0;
}

static int parse_parts(PyObject *positional, PyObject *keywords, const char *format,
                       PyObject **unet, PyObject **scheduler) {
    static const char *const names[] = {"unet", "scheduler", NULL};
    if (!PyArg_ParseTupleAndKeywords(positional, keywords, format, (char **)names, unet, scheduler))
        return -1;
    if (part_argument("unet", *unet, GPI_UNCONDITIONAL_UNET) == NULL) return -1;
    return check_scheduler(*scheduler);
}

int ddpm_init(PyObject *self, PyObject *positional, PyObject *keywords) {
    PyObject *unet, *scheduler;
    if (parse_parts(positional, keywords, "OO:DDPMPipeline", &unet, &scheduler) < 0) return -1;
    return fill(self, unet, Py_NewRef(scheduler));
}

int ddim_init(PyObject *self, PyObject *positional, PyObject *keywords) {
    PyObject *unet, *scheduler;
    if (parse_parts(positional, keywords, "OO:DDIMPipeline", &unet, &scheduler) < 0) return -1;
    return fill(self, unet, implicit_scheduler(scheduler));
}

// MARK: - From a folder

const char unconditional_from_pretrained_doc[] =
    "from_pretrained($type, pretrained_model_name_or_path, *, torch_dtype=None, cache_dir=None,\n"
    "                device='cpu', **options)\n"
    "--\n"
    "\n"
    "The pipeline of a folder in the layout of diffusers, or of a model on the Hugging Face Hub.\n"
    "\n"
    "options may be a unet and a scheduler that take the place of the model's own, and options of\n"
    "diffusers' that are about the way of loading (use_safetensors, variant, …), which have no\n"
    "effect.";

/// The scheduler that the model's file names. A new reference; NULL with an exception.
static PyObject *own_scheduler(Model *model) {
    if (take_model(model) < 0) return NULL;
    const char *json = NULL;
    PyObject *text = NULL;
    begin_waiting(&model->waiting);
    gpi_status status = gpi_model_unconditional_scheduler_settings(model->core, &json);
    end_waiting(&model->waiting);
    if (settle_model(model, status, NULL) == 0)
        text = PyUnicode_DecodeUTF8(json, (Py_ssize_t)strlen(json), "replace");
    give_model_back(model);
    PyObject *loads = text == NULL ? NULL : imported("json", "loads");
    PyObject *settings = loads == NULL ? NULL : PyObject_CallFunctionObjArgs(loads, text, NULL);
    PyObject *type = settings == NULL ? NULL : imported("gpi_pack.diffusion", "Scheduler");
    PyObject *scheduler =
        type == NULL ? NULL : PyObject_CallMethod(type, "from_config", "O", settings);
    Py_XDECREF(text);
    Py_XDECREF(loads);
    Py_XDECREF(settings);
    Py_XDECREF(type);
    return scheduler;
}

static PyObject *own_unet(Model *model) {
    if (load_part(model, GPI_UNCONDITIONAL_UNET) < 0) return NULL;
    return part_object("UNet2DModel", GPI_UNCONDITIONAL_UNET, model);
}

/// The part that the options name, or the model's. A new reference; NULL with an exception.
static PyObject *chosen(PyObject *options, const char *name, Model *model,
                        PyObject *(*own)(Model *)) {
    PyObject *value = take_keyword_argument(options, name);
    if (value != NULL || PyErr_Occurred()) return value;
    return own(model);
}

static PyObject *loaded(PyObject *type, const Pretrained *pretrained) {
    PyObject *folder =
        model_folder(pretrained->model_id, pretrained->cache_dir, UNCONDITIONAL_MODEL);
    if (folder == NULL) return NULL;
    Model *model = open_model(pretrained->model_id, folder, -1, &pretrained->placement);
    Py_DECREF(folder);
    if (model == NULL) return NULL;
    PyObject *unet = chosen(pretrained->rest, "unet", model, own_unet);
    PyObject *scheduler =
        unet == NULL ? NULL : chosen(pretrained->rest, "scheduler", model, own_scheduler);
    release_model(model);
    PyObject *pipeline = NULL;
    if (scheduler != NULL && refuse_rest(pretrained, "from_pretrained") == 0)
        pipeline = PyObject_CallFunctionObjArgs(type, unet, scheduler, NULL);
    Py_XDECREF(unet);
    Py_XDECREF(scheduler);
    return pipeline;
}

PyObject *unconditional_from_pretrained(PyObject *type, PyObject *positional, PyObject *keywords) {
    Pretrained pretrained;
    PyObject *pipeline = NULL;
    if (parse_pretrained(positional, keywords, &pretrained) == 0) {
        if (pretrained.subfolder != NULL) {
            PyErr_SetString(PyExc_TypeError,
                            "from_pretrained() got an unexpected keyword argument 'subfolder'.");
        } else {
            pipeline = loaded(type, &pretrained);
        }
    }
    clear_pretrained(&pretrained);
    return pipeline;
}
