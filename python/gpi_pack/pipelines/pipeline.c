#include "pipeline.h"

#include "own_type.h"
#include "scheduler.h"

// MARK: - Life

static int clear(PyObject *object) {
    PipelineObject *self = (PipelineObject *)object;
    clear_part_set(&self->set);
    Py_CLEAR(self->scheduler);
    Py_CLEAR(self->safety_checker);
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
    PipelineObject *self = (PipelineObject *)object;
    int visited = visit_part_set(&self->set, visit, arg);
    if (visited != 0) return visited;
    Py_VISIT(self->scheduler);
    Py_VISIT(self->safety_checker);
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
    PipelineObject *self = (PipelineObject *)object;
    self->safety_checker = Py_NewRef(Py_None);
    self->interrupt = Py_NewRef(Py_False);
    self->bar_options = PyDict_New();
    if (self->bar_options != NULL) return object;
    Py_DECREF(object);
    return NULL;
}

// MARK: - The scheduler

int check_scheduler(PyObject *value) {
    gpi_scheduler *core = core_scheduler("scheduler", value);
    gpi_scheduler_free(core);
    return core == NULL ? -1 : 0;
}

// MARK: - The type

PyDoc_STRVAR(
    type_doc,
    "StableDiffusionPipeline(vae, text_encoder, tokenizer, unet, scheduler, safety_checker=None,\n"
    "                        feature_extractor=None, image_encoder=None,\n"
    "                        requires_safety_checker=True)\n"
    "--\n"
    "\n"
    "Makes pictures from prompts with a Stable Diffusion model, as diffusers' class of this\n"
    "name does.\n"
    "\n"
    "    pipe = StableDiffusionPipeline.from_pretrained(model_id, torch_dtype=torch.float16)\n"
    "    pipe = pipe.to('cuda')\n"
    "    pipe('a photo of an astronaut').images[0].save('astronaut.png')\n"
    "\n"
    "A call takes\n"
    "\n"
    "prompt\n"
    "    A text or a list of N texts; or, instead, prompt_embeds [N, tokens, size].\n"
    "height, width\n"
    "    In pixels, multiples of 8; the size that the model was trained on unless given.\n"
    "num_inference_steps\n"
    "    50 unless given.\n"
    "guidance_scale\n"
    "    How strongly the prompt is followed, 7.5 unless given; none up to 1.\n"
    "negative_prompt\n"
    "    What guidance leads away from: a text, or one for each prompt; or, instead,\n"
    "    negative_prompt_embeds.\n"
    "num_images_per_prompt\n"
    "    1 unless given.\n"
    "eta\n"
    "    The η of DDIM, 0 to 1; 0 unless given.\n"
    "generator\n"
    "    A torch.Generator, or a list of one for each picture.\n"
    "seed\n"
    "    An int, which stands for torch.Generator().manual_seed(seed).\n"
    "latents\n"
    "    Noise to start from, [pictures, 4, height / 8, width / 8].\n"
    "output_type\n"
    "    'pil' for a list of images, 'np' for an array [N, H, W, 3] and 'pt' for a tensor\n"
    "    [N, 3, H, W] in [0, 1], 'latent' for the latents.\n"
    "return_dict\n"
    "    False for a tuple instead of an object with .images and .nsfw_content_detected.\n"
    "callback_on_step_end\n"
    "    Called as f(pipe, step, timestep, {'latents': …}) after each step; the 'latents' of the\n"
    "    dict that it gives take the place of those reached. With pipe._interrupt = True it ends\n"
    "    the run with them.");

int add_pipeline_type(PyObject *module) {
    PyType_Slot slots[] = {
        {Py_tp_doc, (void *)type_doc},
        {Py_tp_new, (void *)new},
        {Py_tp_init, (void *)pipeline_init},
        {Py_tp_dealloc, (void *)dealloc},
        {Py_tp_traverse, (void *)traverse},
        {Py_tp_clear, (void *)clear},
        {Py_tp_call, (void *)pipeline_call},
        {Py_tp_methods, pipeline_methods},
        {Py_tp_getset, pipeline_attributes},
        {0, NULL},
    };
    PyType_Spec spec = {
        .name = "gpi_pack.diffusion.StableDiffusionPipeline",
        .basicsize = sizeof(PipelineObject),
        .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
        .slots = slots,
    };
    return add_own_type(module, PyType_FromModuleAndSpec(module, &spec, NULL));
}
