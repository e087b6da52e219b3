#include "unconditional_pipeline.h"

#include "own_type.h"
#include "pipeline.h"
#include "placement.h"
#include "progress_bar.h"

// MARK: - Life

static int clear(PyObject *object) {
    UnconditionalObject *self = (UnconditionalObject *)object;
    Py_CLEAR(self->unet);
    Py_CLEAR(self->scheduler);
    Py_CLEAR(self->bar_options);
    Py_CLEAR(self->interrupt);
    return 0;
}

static void dealloc(PyObject *object) {
    PyObject_GC_UnTrack(object);
    clear(object);
    free_instance(object);
}

static int traverse(PyObject *object, visitproc visit, void *arg) {
    UnconditionalObject *self = (UnconditionalObject *)object;
    Py_VISIT(self->unet);
    Py_VISIT(self->scheduler);
    Py_VISIT(self->bar_options);
    Py_VISIT(self->interrupt);
    Py_VISIT(Py_TYPE(object));
    return 0;
}

static PyObject *new(PyTypeObject *type, PyObject *positional, PyObject *keywords) {
    (void)positional;
    (void)keywords;
    PyObject *object = new_instance(type);
    if (object == NULL) return NULL;
    UnconditionalObject *self = (UnconditionalObject *)object;
    self->interrupt = Py_NewRef(Py_False);
    self->bar_options = PyDict_New();
    if (self->bar_options != NULL) return object;
    Py_DECREF(object);
    return NULL;
}

Model *unconditional_model(UnconditionalObject *self) {
    if (self->unet != NULL) return retain_model(((PartObject *)self->unet)->model);
    PyErr_SetString(PyExc_RuntimeError, "There is no unet: __init__ was not called, or failed.");
    return NULL;
}

// MARK: - Attributes

static int refuse_deletion(PyObject *value, const char *name) {
    if (value != NULL) return 0;
    PyErr_Format(PyExc_AttributeError, "%s cannot be deleted.", name);
    return -1;
}

/// Puts a value in the place of another; `value` is borrowed.
static int replace(PyObject **place, PyObject *value) {
    PyObject *former = *place;
    *place = Py_NewRef(value);
    Py_XDECREF(former);
    return 0;
}

static PyObject *or_none(PyObject *value) { return Py_NewRef(value == NULL ? Py_None : value); }

static PyObject *get_unet(PyObject *self, void *unused) {
    (void)unused;
    return or_none(((UnconditionalObject *)self)->unet);
}

static int set_unet(PyObject *self, PyObject *value, void *unused) {
    (void)unused;
    if (refuse_deletion(value, "unet") < 0
        || part_argument("unet", value, GPI_UNCONDITIONAL_UNET) == NULL)
        return -1;
    return replace(&((UnconditionalObject *)self)->unet, value);
}

static PyObject *get_scheduler(PyObject *self, void *unused) {
    (void)unused;
    return or_none(((UnconditionalObject *)self)->scheduler);
}

static int set_scheduler(PyObject *self, PyObject *value, void *unused) {
    (void)unused;
    if (refuse_deletion(value, "scheduler") < 0 || check_scheduler(value) < 0) return -1;
    return replace(&((UnconditionalObject *)self)->scheduler, value);
}

static PyObject *get_components(PyObject *object, void *unused) {
    (void)unused;
    UnconditionalObject *self = (UnconditionalObject *)object;
    PyObject *unet = or_none(self->unet), *scheduler = or_none(self->scheduler);
    PyObject *components = Py_BuildValue("{s:O,s:O}", "unet", unet, "scheduler", scheduler);
    Py_DECREF(unet);
    Py_DECREF(scheduler);
    return components;
}

static PyObject *get_device(PyObject *object, void *unused) {
    (void)unused;
    Model *model = unconditional_model((UnconditionalObject *)object);
    PyObject *device = model == NULL ? NULL : model_device(model);
    release_model(model);
    return device;
}

static PyObject *get_dtype(PyObject *object, void *unused) {
    (void)unused;
    Model *model = unconditional_model((UnconditionalObject *)object);
    PyObject *dtype = model == NULL ? NULL : model_dtype(model);
    release_model(model);
    return dtype;
}

static PyObject *get_interrupt(PyObject *self, void *unused) {
    (void)unused;
    return or_none(((UnconditionalObject *)self)->interrupt);
}

static int set_interrupt(PyObject *self, PyObject *value, void *unused) {
    (void)unused;
    if (refuse_deletion(value, "_interrupt") < 0) return -1;
    int is_true = PyObject_IsTrue(value);
    if (is_true < 0) return -1;
    return replace(&((UnconditionalObject *)self)->interrupt, is_true ? Py_True : Py_False);
}

static PyObject *get_num_timesteps(PyObject *self, void *unused) {
    (void)unused;
    return PyLong_FromLongLong(((UnconditionalObject *)self)->num_timesteps);
}

static PyGetSetDef attributes[] = {
    {"unet", get_unet, set_unet, "The UNet2DModel.", NULL},
    {"scheduler", get_scheduler, set_scheduler,
     "The scheduler; one of this module or of diffusers may take its place.", NULL},
    {"components", get_components, NULL, "All parts by their names.", NULL},
    {"device", get_device, NULL, "The torch.device that it runs on.", NULL},
    {"dtype", get_dtype, NULL, "The torch.dtype that it runs in.", NULL},
    {"_interrupt", get_interrupt, set_interrupt,
     "Set to True by a callback to end the run with the pictures reached.", NULL},
    {"num_timesteps", get_num_timesteps, NULL,
     "How often the UNet is called in the run that goes on, or went last.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

// MARK: - Methods

PyDoc_STRVAR(to_doc,
             "to($self, /, *args, device=None, dtype=None)\n"
             "--\n"
             "\n"
             "Moves the UNet to a device ('cpu', 'cuda', 'cuda:N', a torch.device) and into a dtype\n"
             "(torch.float32, torch.float16, torch.bfloat16), and gives the pipeline itself.");

static PyObject *to(PyObject *object, PyObject *positional, PyObject *keywords) {
    UnconditionalObject *self = (UnconditionalObject *)object;
    Model *model = unconditional_model(self);
    if (model == NULL) return NULL;
    release_model(model);
    PyObject *move = PyObject_GetAttrString(self->unet, "to");
    PyObject *moved = move == NULL ? NULL : PyObject_Call(move, positional, keywords);
    Py_XDECREF(move);
    if (moved == NULL) return NULL;
    Py_DECREF(moved);
    return Py_NewRef(object);
}

PyDoc_STRVAR(bar_doc, "set_progress_bar_config($self, /, **options)\n"
                      "--\n"
                      "\n"
                      "Arguments of tqdm's for the bar over the steps; disable=True for none.");

static PyObject *set_progress_bar_config(PyObject *self, PyObject *positional,
                                         PyObject *keywords) {
    return set_bar_options(&((UnconditionalObject *)self)->bar_options, positional, keywords);
}

static PyMethodDef methods[] = {
    {"from_pretrained", (PyCFunction)(void *)unconditional_from_pretrained,
     METH_CLASS | METH_VARARGS | METH_KEYWORDS, unconditional_from_pretrained_doc},
    {"to", (PyCFunction)(void *)to, METH_VARARGS | METH_KEYWORDS, to_doc},
    {"set_progress_bar_config", (PyCFunction)(void *)set_progress_bar_config,
     METH_VARARGS | METH_KEYWORDS, bar_doc},
    {NULL, NULL, 0, NULL},
};

// MARK: - The types

#define COMMON_ARGUMENTS_DOC \
    "generator\n" \
    "    A torch.Generator, or a list of one for each picture.\n" \
    "seed\n" \
    "    An int, which stands for torch.Generator().manual_seed(seed).\n" \
    "output_type\n" \
    "    'pil' for a list of images, 'np' for an array [N, H, W, C] and 'pt' for a tensor\n" \
    "    [N, C, H, W] in [0, 1].\n" \
    "return_dict\n" \
    "    False for a tuple instead of an object with .images.\n" \
    "callback_on_step_end\n" \
    "    Called as f(pipe, step, timestep, {'latents': …}) after each step with the pictures\n" \
    "    reached, [N, C, H, W] about in [-1, 1]; the 'latents' of the dict that it gives take\n" \
    "    their place. With pipe._interrupt = True it ends the run with them."

PyDoc_STRVAR(ddpm_doc,
             "DDPMPipeline(unet, scheduler)\n"
             "--\n"
             "\n"
             "Makes pictures from noise by denoising diffusion, as diffusers' class of this name does.\n"
             "\n"
             "    pipe = DDPMPipeline.from_pretrained(model_id)\n"
             "    pipe().images[0].save('picture.png')\n"
             "\n"
             "A call takes\n"
             "\n"
             "batch_size\n"
             "    Number of pictures, 1 unless given.\n"
             "num_inference_steps\n"
             "    1000 unless given.\n" COMMON_ARGUMENTS_DOC);

PyDoc_STRVAR(ddim_doc,
             "DDIMPipeline(unet, scheduler)\n"
             "--\n"
             "\n"
             "Makes pictures from noise in few steps, as diffusers' class of this name does. The\n"
             "scheduler becomes a DDIMScheduler of its settings.\n"
             "\n"
             "    pipe = DDIMPipeline.from_pretrained(model_id)\n"
             "    pipe(num_inference_steps=50).images[0].save('picture.png')\n"
             "\n"
             "A call takes\n"
             "\n"
             "batch_size\n"
             "    Number of pictures, 1 unless given.\n"
             "eta\n"
             "    The η of DDIM, 0 to 1; 0 unless given.\n"
             "num_inference_steps\n"
             "    50 unless given.\n"
             "use_clipped_model_output\n"
             "    Whether the noise is derived from the clipped picture.\n" COMMON_ARGUMENTS_DOC);

static int add_type(PyObject *module, const char *name, const char *doc, initproc init,
                    ternaryfunc call) {
    PyType_Slot slots[] = {
        {Py_tp_doc, (void *)doc},
        {Py_tp_new, (void *)new},
        {Py_tp_init, (void *)init},
        {Py_tp_dealloc, (void *)dealloc},
        {Py_tp_traverse, (void *)traverse},
        {Py_tp_clear, (void *)clear},
        {Py_tp_call, (void *)call},
        {Py_tp_methods, methods},
        {Py_tp_getset, attributes},
        {0, NULL},
    };
    PyType_Spec spec = {
        .name = name,
        .basicsize = sizeof(UnconditionalObject),
        .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
        .slots = slots,
    };
    return add_own_type(module, PyType_FromModuleAndSpec(module, &spec, NULL));
}

int add_unconditional_pipeline_types(PyObject *module) {
    if (add_type(module, "gpi_pack.diffusion.DDPMPipeline", ddpm_doc, ddpm_init, ddpm_call) < 0)
        return -1;
    return add_type(module, "gpi_pack.diffusion.DDIMPipeline", ddim_doc, ddim_init, ddim_call);
}
