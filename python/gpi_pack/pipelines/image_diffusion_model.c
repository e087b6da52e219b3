#include "image_diffusion_model.h"

#include "model_folder.h"
#include "own_type.h"
#include "pretrained.h"
#include "scheduler.h"
#include "values.h"

// MARK: - Life

static int clear(PyObject *object) {
    ImageDiffusionObject *self = (ImageDiffusionObject *)object;
    clear_part_set(&self->set);
    Py_CLEAR(self->noise_scheduler);
    Py_CLEAR(self->similarity_scheduler);
    return 0;
}

static void dealloc(PyObject *object) {
    PyObject_GC_UnTrack(object);
    clear(object);
    free_instance(object);
}

static int traverse(PyObject *object, visitproc visit, void *arg) {
    ImageDiffusionObject *self = (ImageDiffusionObject *)object;
    int visited = visit_part_set(&self->set, visit, arg);
    if (visited != 0) return visited;
    Py_VISIT(self->noise_scheduler);
    Py_VISIT(self->similarity_scheduler);
    Py_VISIT(Py_TYPE(object));
    return 0;
}

// MARK: - Making

/// The arguments of `__init__`, as they were passed; NULL where the default counts.
typedef struct Passed {
    PyObject *first, *tokenizer, *text_encoder, *unet, *noise_scheduler, *similarity_scheduler,
        *model_id, *device, *cache_dir, *dtype, *precision;
} Passed;

static int unpack(PyObject *positional, PyObject *keywords, Passed *passed) {
    static const char *const names[] = {
        "vae", "tokenizer", "text_encoder", "unet", "scheduler_LMS", "scheduler_DDIM", "model_id",
        "device", "cache_dir", "torch_dtype", "precision", NULL,
    };
    return PyArg_ParseTupleAndKeywords(
               positional, keywords, "|OOOOOO$OOOOO:ImageDiffusionModel", (char **)names,
               &passed->first, &passed->tokenizer, &passed->text_encoder, &passed->unet,
               &passed->noise_scheduler, &passed->similarity_scheduler, &passed->model_id,
               &passed->device, &passed->cache_dir, &passed->dtype, &passed->precision)
        ? 0
        : -1;
}

/// Whether the first argument is a model's id or folder rather than an autoencoder.
static int is_model_id(PyObject *value) {
    if (PyUnicode_Check(value)) return 1;
    PyObject *type = imported("os", "PathLike");
    if (type == NULL) return -1;
    int result = PyObject_IsInstance(value, type);
    Py_DECREF(type);
    return result;
}

/// The parts that were passed, in a new dict.
static PyObject *passed_parts(const Passed *passed) {
    PyObject *options = PyDict_New();
    const struct {
        const char *name;
        PyObject *value;
    } parts[] = {
        {"vae", passed->first},
        {"tokenizer", passed->tokenizer},
        {"text_encoder", passed->text_encoder},
        {"unet", passed->unet},
    };
    for (size_t i = 0; options != NULL && i < sizeof parts / sizeof *parts; i++) {
        if (parts[i].value == NULL) continue;
        if (PyDict_SetItemString(options, parts[i].name, parts[i].value) < 0) Py_CLEAR(options);
    }
    return options;
}

static void set_scheduler(PyObject **place, PyObject *value) {
    PyObject *former = *place;
    *place = value;
    Py_XDECREF(former);
}

/// A scheduler that was passed, checked. A new reference.
static PyObject *checked_scheduler(const char *name, PyObject *value) {
    if (value == NULL) {
        PyErr_Format(PyExc_TypeError, "ImageDiffusionModel() needs the argument %s.", name);
        return NULL;
    }
    gpi_scheduler *core = core_scheduler(name, value);
    if (core == NULL) return NULL;
    gpi_scheduler_free(core);
    return Py_NewRef(value);
}

/// A scheduler of that class with the settings of the model's file. A new reference.
static PyObject *model_scheduler(const char *class_name, PyObject *settings) {
    PyObject *type = imported("gpi_pack.diffusion", class_name);
    PyObject *scheduler =
        type == NULL ? NULL : PyObject_CallMethod(type, "from_config", "O", settings);
    Py_XDECREF(type);
    return scheduler;
}

static int init_from_parts(ImageDiffusionObject *self, const Passed *passed) {
    if (passed->device != NULL || passed->cache_dir != NULL || passed->dtype != NULL
        || passed->precision != NULL) {
        PyErr_SetString(PyExc_TypeError,
                        "device, cache_dir, torch_dtype and precision go with a model's id; parts "
                        "have their own.");
        return -1;
    }
    PyObject *options = passed_parts(passed);
    if (options == NULL) return -1;
    int result = fill_part_set(&self->set, NULL, options, "ImageDiffusionModel");
    Py_DECREF(options);
    if (result < 0) return -1;
    PyObject *noise = checked_scheduler("scheduler_LMS", passed->noise_scheduler);
    PyObject *similarity =
        noise == NULL ? NULL : checked_scheduler("scheduler_DDIM", passed->similarity_scheduler);
    if (similarity == NULL) {
        Py_XDECREF(noise);
        return -1;
    }
    set_scheduler(&self->noise_scheduler, noise);
    set_scheduler(&self->similarity_scheduler, similarity);
    return 0;
}

static int init_from_model(ImageDiffusionObject *self, Model *model) {
    PyObject *nothing = PyDict_New();
    int result =
        nothing == NULL ? -1 : fill_part_set(&self->set, model, nothing, "ImageDiffusionModel");
    Py_XDECREF(nothing);
    if (result < 0 || load_own_parts(&self->set, model) < 0) return -1;
    PyObject *settings = scheduler_settings(model);
    PyObject *noise =
        settings == NULL ? NULL : model_scheduler("LMSDiscreteScheduler", settings);
    PyObject *similarity = noise == NULL ? NULL : model_scheduler("DDIMScheduler", settings);
    Py_XDECREF(settings);
    if (similarity == NULL) {
        Py_XDECREF(noise);
        return -1;
    }
    set_scheduler(&self->noise_scheduler, noise);
    set_scheduler(&self->similarity_scheduler, similarity);
    return 0;
}

static Model *open_passed(const Passed *passed, PyObject *id) {
    Placement placement = {0};
    PyObject *cache_dir = NULL, *folder = NULL;
    Model *model = NULL;
    PyObject *model_id = model_argument(id);
    int result = model_id == NULL ? -1 : dtype_argument(passed->dtype, &placement.dtype);
    if (result == 0) result = precision_argument(passed->precision, &placement.precision);
    if (result == 0 && is_given(passed->device)) {
        placement.device = device_argument(passed->device);
        if (placement.device == NULL) result = -1;
    }
    if (result == 0 && is_given(passed->cache_dir)) {
        cache_dir = path_argument("cache_dir", passed->cache_dir, "None, a str or a path");
        if (cache_dir == NULL) result = -1;
    }
    if (result == 0) folder = model_folder(model_id, cache_dir, WHOLE_MODEL);
    if (folder != NULL) model = open_model(model_id, folder, -1, &placement);
    Py_XDECREF(model_id);
    Py_XDECREF(cache_dir);
    Py_XDECREF(folder);
    clear_placement(&placement);
    return model;
}

static int init(PyObject *object, PyObject *positional, PyObject *keywords) {
    ImageDiffusionObject *self = (ImageDiffusionObject *)object;
    Passed passed = {0};
    if (unpack(positional, keywords, &passed) < 0) return -1;
    PyObject *id = passed.model_id;
    if (id == NULL && passed.first != NULL) {
        int is_id = is_model_id(passed.first);
        if (is_id < 0) return -1;
        if (is_id) {
            id = passed.first;
            passed.first = NULL;
        }
    }
    if (id == NULL) return init_from_parts(self, &passed);
    if (passed.first != NULL || passed.tokenizer != NULL || passed.text_encoder != NULL
        || passed.unet != NULL || passed.noise_scheduler != NULL
        || passed.similarity_scheduler != NULL) {
        PyErr_SetString(PyExc_TypeError,
                        "ImageDiffusionModel() takes a model's id or its parts, not both.");
        return -1;
    }
    Model *model = open_passed(&passed, id);
    if (model == NULL) return -1;
    int result = init_from_model(self, model);
    release_model(model);
    return result;
}

// MARK: - Attributes

static PyObject *get_part(PyObject *self, void *closure) {
    PyObject *part = ((ImageDiffusionObject *)self)->set.parts[(intptr_t)closure];
    return Py_NewRef(part == NULL ? Py_None : part);
}

static PyObject *get_noise_scheduler(PyObject *self, void *unused) {
    (void)unused;
    PyObject *scheduler = ((ImageDiffusionObject *)self)->noise_scheduler;
    return Py_NewRef(scheduler == NULL ? Py_None : scheduler);
}

static PyObject *get_similarity_scheduler(PyObject *self, void *unused) {
    (void)unused;
    PyObject *scheduler = ((ImageDiffusionObject *)self)->similarity_scheduler;
    return Py_NewRef(scheduler == NULL ? Py_None : scheduler);
}

static int replace_scheduler(PyObject **place, const char *name, PyObject *value) {
    if (value == NULL) {
        PyErr_Format(PyExc_AttributeError, "%s cannot be deleted.", name);
        return -1;
    }
    PyObject *checked = checked_scheduler(name, value);
    if (checked == NULL) return -1;
    set_scheduler(place, checked);
    return 0;
}

static int set_noise_scheduler(PyObject *self, PyObject *value, void *unused) {
    (void)unused;
    return replace_scheduler(&((ImageDiffusionObject *)self)->noise_scheduler, "scheduler_LMS",
                             value);
}

static int set_similarity_scheduler(PyObject *self, PyObject *value, void *unused) {
    (void)unused;
    return replace_scheduler(&((ImageDiffusionObject *)self)->similarity_scheduler,
                             "scheduler_DDIM", value);
}

static PyObject *get_device(PyObject *self, void *unused) {
    (void)unused;
    Model *model = part_set_model(&((ImageDiffusionObject *)self)->set);
    PyObject *device = model == NULL ? NULL : model_device(model);
    release_model(model);
    return device;
}

static PyObject *get_dtype(PyObject *self, void *unused) {
    (void)unused;
    Model *model = part_set_model(&((ImageDiffusionObject *)self)->set);
    PyObject *dtype = model == NULL ? NULL : model_dtype(model);
    release_model(model);
    return dtype;
}

static PyGetSetDef attributes[] = {
    {"vae", get_part, NULL, "The AutoencoderKL.", (void *)(intptr_t)GPI_AUTOENCODER},
    {"tokenizer", get_part, NULL, "The CLIPTokenizer.", (void *)(intptr_t)GPI_TOKENIZER},
    {"text_encoder", get_part, NULL, "The CLIPTextModel.", (void *)(intptr_t)GPI_TEXT_ENCODER},
    {"unet", get_part, NULL, "The UNet2DConditionModel.", (void *)(intptr_t)GPI_UNET},
    {"scheduler_LMS", get_noise_scheduler, set_noise_scheduler, "Takes noise to a picture.", NULL},
    {"scheduler_DDIM", get_similarity_scheduler, set_similarity_scheduler,
     "Takes a noised picture to a similar one.", NULL},
    {"device", get_device, NULL, "The torch.device that it runs on.", NULL},
    {"dtype", get_dtype, NULL, "The torch.dtype that it runs in.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

// MARK: - The type

// Through a pointer to void: C has no cast between functions of different arguments.
#define METHOD(name) \
    { #name, (PyCFunction)(void *)name, METH_VARARGS | METH_KEYWORDS, name##_doc }

static PyMethodDef methods[] = {
    METHOD(get_text_embeds),
    METHOD(get_prompt_embeds),
    METHOD(get_img_latents),
    METHOD(decode_img_latents),
    METHOD(transform_imgs),
    METHOD(prompt_to_img),
    METHOD(encode_img_latents),
    METHOD(get_img_latents_similar),
    METHOD(similar_imgs),
    {NULL, NULL, 0, NULL},
};

PyDoc_STRVAR(
    type_doc,
    "ImageDiffusionModel(vae, tokenizer=None, text_encoder=None, unet=None, scheduler_LMS=None,\n"
    "                    scheduler_DDIM=None, *, device=None, cache_dir=None, torch_dtype=None,\n"
    "                    precision='default')\n"
    "--\n"
    "\n"
    "The parts of Stable Diffusion put together by hand, step by step: texts to pictures with\n"
    "the LMS solver, and pictures similar to a given one with DDIM.\n"
    "\n"
    "Made from six parts, or from a model's folder or id on the Hugging Face Hub alone; then\n"
    "both schedulers follow the file of the model's scheduler.\n"
    "\n"
    "    model = ImageDiffusionModel('stable-diffusion-v1-5/stable-diffusion-v1-5')\n"
    "    model.prompt_to_img(['a photo of an astronaut'])[0].save('astronaut.png')\n"
    "\n"
    "device\n"
    "    'cpu', 'cuda' or 'cuda:N'; None for the first NVIDIA device if there is one, else the\n"
    "    CPU.\n"
    "cache_dir\n"
    "    Where models from the Hub are kept; None for huggingface_hub's own folder.\n"
    "torch_dtype\n"
    "    torch.float32, torch.float16 or torch.bfloat16; None for float32.\n"
    "precision\n"
    "    How exactly it computes: 'default' by kernels that are several times faster than\n"
    "    PyTorch's operators, 'exact' by those operators alone, 'reduced' in bfloat16.");

int add_image_diffusion_type(PyObject *module) {
    PyType_Slot slots[] = {
        {Py_tp_doc, (void *)type_doc},
        {Py_tp_init, (void *)init},
        {Py_tp_dealloc, (void *)dealloc},
        {Py_tp_traverse, (void *)traverse},
        {Py_tp_clear, (void *)clear},
        {Py_tp_methods, methods},
        {Py_tp_getset, attributes},
        {0, NULL},
    };
    PyType_Spec spec = {
        .name = "gpi_pack.diffusion.ImageDiffusionModel",
        .basicsize = sizeof(ImageDiffusionObject),
        .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
        .slots = slots,
    };
    return add_own_type(module, PyType_FromModuleAndSpec(module, &spec, NULL));
}
