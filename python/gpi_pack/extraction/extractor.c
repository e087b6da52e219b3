#include "extractor.h"

#include "extractor_methods.h"
#include "values.h"

// MARK: - One thread at a time

/// The extractor with or without a core; see `take_core`.
static int take_extractor(ExtractorObject *self) { return take_turn(&self->turn, "This extractor"); }

void give_core_back(ExtractorObject *self) { give_turn_back(&self->turn); }

int take_core(ExtractorObject *self) {
    if (take_extractor(self) < 0) return -1;
    if (self->extractor.core != NULL) return 0;
    give_core_back(self);
    PyErr_SetString(PyExc_RuntimeError,
                    "This extractor has no model: StableDiffusionImg2ImgExtractor.__init__ was not "
                    "called, or failed.");
    return -1;
}

// MARK: - Life

static PyObject *new(PyTypeObject *type, PyObject *positional, PyObject *keywords) {
    (void)positional;
    (void)keywords;
    allocfunc allocate = (allocfunc)PyType_GetSlot(type, Py_tp_alloc);
    PyObject *object = allocate(type, 0);
    if (object == NULL) return NULL;
    ExtractorObject *self = (ExtractorObject *)object;
    self->device = Py_NewRef(Py_None);
    self->cache_dir = Py_NewRef(Py_None);
    if (open_turn(&self->turn) == 0) return object;
    Py_DECREF(object);
    return NULL;
}

static void dealloc(PyObject *object) {
    ExtractorObject *self = (ExtractorObject *)object;
    PyTypeObject *type = Py_TYPE(object);
    PyObject_GC_UnTrack(object);
    close_extractor(&self->extractor);
    Py_CLEAR(self->device);
    Py_CLEAR(self->cache_dir);
    close_turn(&self->turn);
    freefunc release = (freefunc)PyType_GetSlot(type, Py_tp_free);
    release(object);
    Py_DECREF(type);
}

/// The texts that it holds refer to nothing; the type of a heap type's object does.
static int traverse(PyObject *object, visitproc visit, void *arg) {
    Py_VISIT(Py_TYPE(object));
    return 0;
}

/// The device that was asked for, else what the core chose, in the words of gpi_pack.
static PyObject *device_name(ExtractorObject *self, PyObject *asked) {
    if (asked != NULL) return Py_NewRef(asked);
    gpi_device device = gpi_extractor_device(self->extractor.core);
    return PyUnicode_FromString(device.kind == GPI_CUDA ? "cuda" : "cpu");
}

/// Under the lock. A second `__init__` begins anew.
static int load(ExtractorObject *self, PyObject *model_id, PyObject *device, PyObject *cache_dir,
                gpi_dtype dtype, gpi_precision precision) {
    close_extractor(&self->extractor);
    if (open_extractor(model_id, device, cache_dir, dtype, precision, WHOLE_MODEL,
                       &self->extractor)
        < 0) {
        close_extractor(&self->extractor);
        return -1;
    }
    PyObject *name = device_name(self, device);
    if (name == NULL) return -1;
    PyObject *former_device = self->device;
    PyObject *former_cache = self->cache_dir;
    self->device = name;
    self->cache_dir = Py_NewRef(cache_dir != NULL ? cache_dir : Py_None);
    int is_reduced = precision == GPI_PRECISION_REDUCED && dtype == GPI_FLOAT32;
    self->dtype = is_reduced ? GPI_BFLOAT16 : dtype;
    Py_XDECREF(former_device);
    Py_XDECREF(former_cache);
    return 0;
}

static int init(PyObject *object, PyObject *positional, PyObject *keywords) {
    static const char *const names[] = {"model_id", "device", "cache_dir", "dtype",
                                        "precision", NULL};
    ExtractorObject *self = (ExtractorObject *)object;
    PyObject *model_id = NULL, *device = NULL, *cache_dir = NULL, *dtype_value = NULL,
             *precision_value = NULL;
    if (!PyArg_ParseTupleAndKeywords(positional, keywords,
                                     "|OOOO$O:StableDiffusionImg2ImgExtractor", (char **)names,
                                     &model_id, &device, &cache_dir, &dtype_value,
                                     &precision_value))
        return -1;
    gpi_dtype dtype;
    if (dtype_argument(dtype_value, &dtype) < 0) return -1;
    gpi_precision precision;
    if (precision_argument(precision_value, &precision) < 0) return -1;
    model_id = model_argument(model_id);
    if (model_id == NULL) return -1;
    int result = 0;
    device = is_given(device) ? device_argument(device) : NULL;
    if (PyErr_Occurred()) result = -1;
    if (result == 0 && is_given(cache_dir)) {
        cache_dir = path_argument("cache_dir", cache_dir, "None, a str or a path");
        if (cache_dir == NULL) result = -1;
    } else {
        cache_dir = NULL;
    }
    if (result == 0) result = take_extractor(self);
    if (result == 0) {
        result = load(self, model_id, device, cache_dir, dtype, precision);
        give_core_back(self);
    }
    Py_DECREF(model_id);
    Py_XDECREF(device);
    Py_XDECREF(cache_dir);
    return result;
}

// MARK: - Attributes

static PyObject *get_device(PyObject *self, void *unused) {
    (void)unused;
    return Py_NewRef(((ExtractorObject *)self)->device);
}

static PyObject *get_cache_dir(PyObject *self, void *unused) {
    (void)unused;
    return Py_NewRef(((ExtractorObject *)self)->cache_dir);
}

static PyObject *get_dtype(PyObject *self, void *unused) {
    (void)unused;
    switch (((ExtractorObject *)self)->dtype) {
    case GPI_FLOAT16:
        return imported("torch", "float16");
    case GPI_BFLOAT16:
        return imported("torch", "bfloat16");
    case GPI_FLOAT32:
        break;
    }
    return imported("torch", "float32");
}

static PyGetSetDef attributes[] = {
    {"device", get_device, NULL, "Where the model runs: 'cpu', 'cuda' or 'cuda:N'.", NULL},
    {"cache_dir", get_cache_dir, NULL, "Where models from the Hub are kept, or None.", NULL},
    {"dtype", get_dtype, NULL, "The torch.dtype that the model runs in.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

// MARK: - The type

// Through a pointer to void: C has no cast between functions of different arguments.
#define METHOD(name) \
    { #name, (PyCFunction)(void *)name, METH_VARARGS | METH_KEYWORDS, name##_doc }

static PyMethodDef methods[] = {
    METHOD(preprocess_image), METHOD(encode_prompt),   METHOD(get_hidden_states),
    METHOD(decode_latents),   METHOD(transform_image), METHOD(save_image),
    {NULL, NULL, 0, NULL},
};

PyDoc_STRVAR(
    type_doc,
    "StableDiffusionImg2ImgExtractor(model_id='runwayml/stable-diffusion-v1-5', device=None,\n"
    "                                cache_dir=None, dtype='float32', *,\n"
    "                                precision='default')\n"
    "--\n"
    "\n"
    "A Stable Diffusion model, loaded once, that turns pictures into latents and back.\n"
    "\n"
    "Each part of the model is read when it is first used, and kept. Tensors are given and\n"
    "taken without a copy. An extractor may be shared by threads: one works, the others wait.\n"
    "\n"
    "model_id\n"
    "    A folder in the layout of diffusers, or the id of a model on the Hugging Face Hub.\n"
    "device\n"
    "    'cpu', 'cuda' or 'cuda:N'; None for the first NVIDIA device if there is one, else\n"
    "    the CPU.\n"
    "cache_dir\n"
    "    Where models from the Hub are kept; None for huggingface_hub's own folder.\n"
    "dtype\n"
    "    torch.float32, torch.float16 or torch.bfloat16, or the name of one.\n"
    "precision\n"
    "    How exactly it computes: 'default' by kernels that are several times faster than\n"
    "    PyTorch's operators on a CPU and about as close to the true numbers; 'exact' by PyTorch's\n"
    "    operators alone; 'reduced' in bfloat16.");

int add_extractor_type(PyObject *module) {
    PyType_Slot slots[] = {
        {Py_tp_doc, (void *)type_doc},
        {Py_tp_new, (void *)new},
        {Py_tp_init, (void *)init},
        {Py_tp_dealloc, (void *)dealloc},
        {Py_tp_traverse, (void *)traverse},
        {Py_tp_methods, methods},
        {Py_tp_getset, attributes},
        {0, NULL},
    };
    PyType_Spec spec = {
        .name = "gpi_pack.diffusion.StableDiffusionImg2ImgExtractor",
        .basicsize = sizeof(ExtractorObject),
        .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
        .slots = slots,
    };
    PyObject *type = PyType_FromModuleAndSpec(module, &spec, NULL);
    if (type == NULL) return -1;
    int result = PyModule_AddType(module, (PyTypeObject *)type);
    Py_DECREF(type);
    return result;
}
