/// How a pipeline runs: where, with which bar, and what of diffusers' is not needed here.

#include "pipeline.h"
#include "placement.h"
#include "progress_bar.h"

// MARK: - Where

PyDoc_STRVAR(to_doc,
             "to($self, /, *args, device=None, dtype=None)\n"
             "--\n"
             "\n"
             "Moves all parts to a device ('cpu', 'cuda', 'cuda:N', a torch.device) and into a dtype\n"
             "(torch.float32, torch.float16, torch.bfloat16), and gives the pipeline itself. The\n"
             "weights are read anew.");

static int move_unless_there(PipelineObject *self, PyObject *positional, PyObject *keywords) {
    Model *model = part_set_model(&self->set);
    if (model == NULL) return -1;
    Placement placement;
    int result = parse_to(positional, keywords, model, &placement);
    if (result == 0) result = is_placed(model, &placement);
    release_model(model);
    if (result == 0) result = move_part_set(&self->set, &placement);
    clear_placement(&placement);
    return result < 0 ? -1 : 0;
}

static PyObject *to(PyObject *self, PyObject *positional, PyObject *keywords) {
    if (move_unless_there((PipelineObject *)self, positional, keywords) < 0) return NULL;
    return Py_NewRef(self);
}

PyDoc_STRVAR(offload_doc,
             "enable_model_cpu_offload($self, gpu_id=None, device='cuda')\n"
             "--\n"
             "\n"
             "The same as to('cuda'): the parts stay on the GPU together.");

static PyObject *enable_offload(PyObject *self, PyObject *positional, PyObject *keywords) {
    static const char *const names[] = {"gpu_id", "device", NULL};
    PyObject *number = Py_None, *device = Py_None;
    if (!PyArg_ParseTupleAndKeywords(positional, keywords, "|OO:enable_model_cpu_offload",
                                     (char **)names, &number, &device))
        return NULL;
    PyObject *place = number != Py_None ? PyTuple_Pack(1, number)
        : device != Py_None             ? PyTuple_Pack(1, device)
                                        : Py_BuildValue("(s)", "cuda");
    int result =
        place == NULL ? -1 : move_unless_there((PipelineObject *)self, place, NULL);
    Py_XDECREF(place);
    return result < 0 ? NULL : Py_NewRef(Py_None);
}

// MARK: - Tiles

static PyObject *call_of_vae(PyObject *self, const char *method) {
    Model *model = part_set_model(&((PipelineObject *)self)->set);
    if (model == NULL) return NULL;
    release_model(model);
    return PyObject_CallMethod(((PipelineObject *)self)->set.parts[GPI_AUTOENCODER], method, NULL);
}

PyDoc_STRVAR(enable_tiling_doc,
             "enable_vae_tiling($self)\n"
             "--\n"
             "\n"
             "Pictures larger than the autoencoder's sample_size are decoded in overlapping tiles of\n"
             "that size, which are blended: memory stays that of one tile, and pictures come out\n"
             "slightly different.");

static PyObject *enable_vae_tiling(PyObject *self, PyObject *unused) {
    (void)unused;
    return call_of_vae(self, "enable_tiling");
}

PyDoc_STRVAR(disable_tiling_doc,
             "disable_vae_tiling($self)\n--\n\nPictures are decoded as a whole again.");

static PyObject *disable_vae_tiling(PyObject *self, PyObject *unused) {
    (void)unused;
    return call_of_vae(self, "disable_tiling");
}

// MARK: - The bar

PyDoc_STRVAR(bar_doc, "set_progress_bar_config($self, /, **options)\n"
                      "--\n"
                      "\n"
                      "Arguments of tqdm's for the bar over the steps; disable=True for none.");

static PyObject *set_progress_bar_config(PyObject *self, PyObject *positional,
                                         PyObject *keywords) {
    return set_bar_options(&((PipelineObject *)self)->bar_options, positional, keywords);
}

// MARK: - Without effect

static PyObject *nothing(PyObject *self, PyObject *positional, PyObject *keywords) {
    (void)self;
    (void)positional;
    (void)keywords;
    return Py_NewRef(Py_None);
}

#define ATTENTION_DOC \
    "Does nothing: attention runs in libtorch's own memory-saving kernels, with or without."
#define AUTOENCODER_DOC "Does nothing: the pictures are the same, and they are decoded as a whole."

// Through a pointer to void: C has no cast between functions of different arguments.
#define NOTHING(name, doc) \
    { name, (PyCFunction)(void *)nothing, METH_VARARGS | METH_KEYWORDS, doc }

PyMethodDef pipeline_methods[] = {
    {"from_pretrained", (PyCFunction)(void *)pipeline_from_pretrained,
     METH_CLASS | METH_VARARGS | METH_KEYWORDS, pipeline_from_pretrained_doc},
    // The same: what is given tells whether it is a folder or a file.
    {"from_single_file", (PyCFunction)(void *)pipeline_from_pretrained,
     METH_CLASS | METH_VARARGS | METH_KEYWORDS, pipeline_from_single_file_doc},
    {"to", (PyCFunction)(void *)to, METH_VARARGS | METH_KEYWORDS, to_doc},
    {"set_progress_bar_config", (PyCFunction)(void *)set_progress_bar_config,
     METH_VARARGS | METH_KEYWORDS, bar_doc},
    {"enable_model_cpu_offload", (PyCFunction)(void *)enable_offload, METH_VARARGS | METH_KEYWORDS,
     offload_doc},
    {"enable_sequential_cpu_offload", (PyCFunction)(void *)enable_offload,
     METH_VARARGS | METH_KEYWORDS, offload_doc},
    NOTHING("enable_attention_slicing", ATTENTION_DOC),
    NOTHING("disable_attention_slicing", ATTENTION_DOC),
    NOTHING("enable_xformers_memory_efficient_attention", ATTENTION_DOC),
    NOTHING("disable_xformers_memory_efficient_attention", ATTENTION_DOC),
    NOTHING("enable_vae_slicing", AUTOENCODER_DOC),
    NOTHING("disable_vae_slicing", AUTOENCODER_DOC),
    {"enable_vae_tiling", enable_vae_tiling, METH_NOARGS, enable_tiling_doc},
    {"disable_vae_tiling", disable_vae_tiling, METH_NOARGS, disable_tiling_doc},
    NOTHING("maybe_free_model_hooks", "Does nothing: there are no hooks."),
    {NULL, NULL, 0, NULL},
};
