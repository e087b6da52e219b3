/// `UNet2DConditionModel`: what the noise in latents is, given a prompt.

#include "dlpack.h"
#include "output.h"
#include "part.h"
#include "values.h"

/// The number that all elements of a tensor have, or a number itself. 0, or -1 with an exception.
static int timestep_argument(PyObject *value, double *timestep) {
    PyObject *list = PyObject_HasAttrString(value, "tolist")
        ? PyObject_CallMethod(value, "tolist", NULL)
        : Py_NewRef(value);
    if (list == NULL) return -1;
    Py_ssize_t count = PyList_Check(list) ? PyList_Size(list) : 1;
    int result = count < 1 ? -1 : 0;
    for (Py_ssize_t i = 0; i < count && result == 0; i++) {
        PyObject *one = PyList_Check(list) ? PyList_GetItem(list, i) : list;
        double number = PyFloat_AsDouble(one);
        if (number == -1 && PyErr_Occurred()) {
            PyErr_Clear();
            result = -1;
        } else if (i == 0) {
            *timestep = number;
        } else if (number != *timestep) {
            result = -1;
        }
    }
    Py_DECREF(list);
    if (result < 0)
        PyErr_Format(PyExc_ValueError,
                     "timestep must be one number, or a tensor of one for all samples, not %R.",
                     value);
    return result;
}

static int predict(Model *model, const gpi_tensor *sample, double timestep,
                   const gpi_tensor *context, gpi_tensor **prediction) {
    if (take_model(model) < 0) return -1;
    begin_waiting(&model->waiting);
    gpi_status status = gpi_model_predict(model->core, sample, timestep, context, is_interrupted,
                                          &model->waiting, prediction);
    end_waiting(&model->waiting);
    int result = settle_model(model, status, NULL);
    give_model_back(model);
    return result;
}

static PyObject *call(PyObject *object, PyObject *positional, PyObject *keywords) {
    static const char *const names[] = {
        "sample", "timestep", "encoder_hidden_states", "return_dict", NULL,
    };
    static const char *const fields[] = {"sample"};
    PyObject *value, *when, *states;
    double timestep = 0;
    int return_dict = 1;
    if (!PyArg_ParseTupleAndKeywords(positional, keywords, "OOO|$p:UNet2DConditionModel",
                                     (char **)names, &value, &when, &states, &return_dict))
        return NULL;
    if (timestep_argument(when, &timestep) < 0) return NULL;
    gpi_tensor *sample = NULL, *context = NULL, *prediction = NULL;
    int result = core_tensor("sample", value, &sample);
    if (result == 0) result = core_tensor("encoder_hidden_states", states, &context);
    if (result == 0) {
        Model *model = retain_model(((PartObject *)object)->model);
        result = predict(model, sample, timestep, context, &prediction);
        release_model(model);
    }
    gpi_tensor_free(sample);
    gpi_tensor_free(context);
    if (result < 0) {
        gpi_tensor_free(prediction);
        return NULL;
    }
    PyObject *predicted = torch_tensor(prediction);
    PyObject *output = output_or_tuple(return_dict, fields, &predicted, 1);
    Py_XDECREF(predicted);
    return output;
}

// MARK: - The type

PyDoc_STRVAR(from_pretrained_doc,
             "from_pretrained($type, pretrained_model_name_or_path, *, subfolder=None,\n"
             "                torch_dtype=None, cache_dir=None, device='cpu', precision='default',\n"
             "                **options)\n"
             "--\n"
             "\n"
             "The UNet of a folder or of a model on the Hugging Face Hub, in `subfolder` of it.\n"
             "Options of diffusers' about the way of loading (use_safetensors, variant, …) have no\n"
             "effect.");

static PyObject *from_pretrained(PyObject *type, PyObject *positional, PyObject *keywords) {
    return part_from_pretrained(type, positional, keywords, GPI_UNET);
}

static PyObject *get_in_channels(PyObject *self, void *unused) {
    (void)unused;
    PyObject *config = part_config((PartObject *)self);
    PyObject *channels = config == NULL ? NULL : PyObject_GetAttrString(config, "in_channels");
    Py_XDECREF(config);
    return channels;
}

static PyMethodDef methods[] = {
    {"from_pretrained", (PyCFunction)(void *)from_pretrained,
     METH_CLASS | METH_VARARGS | METH_KEYWORDS, from_pretrained_doc},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef attributes[] = {
    {"in_channels", get_in_channels, NULL, "Channels of the latents.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

PyDoc_STRVAR(type_doc,
             "The denoiser of a Stable Diffusion model.\n"
             "\n"
             "    unet(sample, timestep, encoder_hidden_states, return_dict=True).sample\n"
             "\n"
             "is its prediction for noisy latents [N, 4, h, w] at one timestep, led by a text\n"
             "encoder's hidden states [N, tokens, size]; of the shape of the latents.");

int add_unet_type(PyObject *module) {
    PyType_Slot slots[] = {
        {Py_tp_doc, (void *)type_doc},   {Py_tp_call, (void *)call},
        {Py_tp_methods, methods},        {Py_tp_getset, attributes},
        {0, NULL},
    };
    return add_kind_of_part(module, "gpi_pack.diffusion.UNet2DConditionModel", slots);
}
