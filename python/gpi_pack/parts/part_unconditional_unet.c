/// `UNet2DModel`: what the noise in pictures is, without a prompt.

#include "gpi_unconditional.h"

#include "dlpack.h"
#include "output.h"
#include "part.h"
#include "values.h"

/// Timesteps, one for all samples or one for each.
typedef struct Timesteps {
    double *start;
    int64_t count;
} Timesteps;

/// Reads a number, or a tensor or list of numbers; `start` is freed by PyMem_Free in either case. 0, or -1
/// with an exception.
static int timesteps_argument(PyObject *value, Timesteps *timesteps) {
    PyObject *list = PyObject_HasAttrString(value, "tolist")
        ? PyObject_CallMethod(value, "tolist", NULL)
        : Py_NewRef(value);
    if (list == NULL) return -1;
    int is_list = PyList_Check(list) || PyTuple_Check(list);
    Py_ssize_t count = is_list ? PySequence_Size(list) : 1;
    int result = count < 1 ? -1 : 0;
    timesteps->start = result < 0 ? NULL : PyMem_Calloc((size_t)count, sizeof(double));
    timesteps->count = count;
    if (result == 0 && timesteps->start == NULL) {
        Py_DECREF(list);
        PyErr_NoMemory();
        return -1;
    }
    for (Py_ssize_t i = 0; i < count && result == 0; i++) {
        PyObject *one = is_list ? PySequence_GetItem(list, i) : Py_NewRef(list);
        double number = one == NULL ? -1 : PyFloat_AsDouble(one);
        Py_XDECREF(one);
        timesteps->start[i] = number;
        if (number == -1 && PyErr_Occurred()) result = -1;
    }
    Py_DECREF(list);
    if (result == 0) return 0;
    PyErr_Clear();
    PyErr_Format(PyExc_ValueError,
                 "timestep must be a number, or a tensor of one for each sample, not %R.", value);
    return -1;
}

static int predict(Model *model, const gpi_tensor *sample, const Timesteps *timesteps,
                   gpi_tensor **prediction) {
    if (take_model(model) < 0) return -1;
    begin_waiting(&model->waiting);
    gpi_status status =
        gpi_model_predict_unconditionally(model->core, sample, timesteps->start, timesteps->count,
                                          is_interrupted, &model->waiting, prediction);
    end_waiting(&model->waiting);
    int result = settle_model(model, status, NULL);
    give_model_back(model);
    return result;
}

static PyObject *call(PyObject *object, PyObject *positional, PyObject *keywords) {
    static const char *const names[] = {
        "sample", "timestep", "class_labels", "return_dict", NULL,
    };
    static const char *const fields[] = {"sample"};
    PyObject *value, *when, *labels = Py_None;
    int return_dict = 1;
    if (!PyArg_ParseTupleAndKeywords(positional, keywords, "OO|Op:UNet2DModel", (char **)names,
                                     &value, &when, &labels, &return_dict))
        return NULL;
    if (labels != Py_None) {
        PyErr_SetString(PyExc_ValueError, "class_labels is not supported: the model has no classes.");
        return NULL;
    }
    Timesteps timesteps = {0};
    gpi_tensor *sample = NULL, *prediction = NULL;
    int result = timesteps_argument(when, &timesteps);
    if (result == 0) result = core_tensor("sample", value, &sample);
    if (result == 0) {
        Model *model = retain_model(((PartObject *)object)->model);
        result = predict(model, sample, &timesteps, &prediction);
        release_model(model);
    }
    PyMem_Free(timesteps.start);
    gpi_tensor_free(sample);
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
             "                torch_dtype=None, cache_dir=None, device='cpu', **options)\n"
             "--\n"
             "\n"
             "The UNet of a folder or of a model on the Hugging Face Hub, in `subfolder` of it.\n"
             "Options of diffusers' about the way of loading (use_safetensors, variant, …) have no\n"
             "effect.");

static PyObject *from_pretrained(PyObject *type, PyObject *positional, PyObject *keywords) {
    return part_from_pretrained(type, positional, keywords, GPI_UNCONDITIONAL_UNET);
}

static PyMethodDef methods[] = {
    {"from_pretrained", (PyCFunction)(void *)from_pretrained,
     METH_CLASS | METH_VARARGS | METH_KEYWORDS, from_pretrained_doc},
    {NULL, NULL, 0, NULL},
};

PyDoc_STRVAR(type_doc,
             "The denoiser of a model that makes pictures from noise alone.\n"
             "\n"
             "    unet(sample, timestep, return_dict=True).sample\n"
             "\n"
             "is its prediction for noisy pictures [N, C, H, W] at one timestep, or at one for each;\n"
             "H and W are multiples of 2 to the number of its levels less one.");

int add_unconditional_unet_type(PyObject *module) {
    PyType_Slot slots[] = {
        {Py_tp_doc, (void *)type_doc},
        {Py_tp_call, (void *)call},
        {Py_tp_methods, methods},
        {0, NULL},
    };
    return add_kind_of_part(module, "gpi_pack.diffusion.UNet2DModel", slots);
}
