#include "part.h"

#include "model_folder.h"
#include "own_type.h"
#include "placement.h"
#include "pretrained.h"
#include "values.h"

// MARK: - Life

static void dealloc(PyObject *object) {
    PartObject *self = (PartObject *)object;
    PyObject_GC_UnTrack(object);
    release_model(self->model);
    self->model = NULL;
    Py_CLEAR(self->config);
    free_instance(object);
}

static int traverse(PyObject *object, visitproc visit, void *arg) {
    Py_VISIT(((PartObject *)object)->config);
    Py_VISIT(Py_TYPE(object));
    return 0;
}

static int clear(PyObject *object) {
    Py_CLEAR(((PartObject *)object)->config);
    return 0;
}

static PyObject *refuse_new(PyTypeObject *type, PyObject *positional, PyObject *keywords) {
    (void)positional;
    (void)keywords;
    PyObject *name = PyObject_GetAttrString((PyObject *)type, "__name__");
    if (name == NULL) return NULL;
    PyErr_Format(PyExc_TypeError,
                 "%S is not made from settings; load one with %S.from_pretrained(folder or id).",
                 name, name);
    Py_DECREF(name);
    return NULL;
}

/// Takes the model over.
static PyObject *instance(PyTypeObject *type, gpi_part part, Model *model) {
    PyObject *object = new_instance(type);
    if (object == NULL) {
        release_model(model);
        return NULL;
    }
    PartObject *self = (PartObject *)object;
    self->model = model;
    self->part = part;
    return object;
}

PyObject *part_object(const char *name, gpi_part part, Model *model) {
    PyTypeObject *type = own_type(name, dealloc);
    if (type == NULL) return NULL;
    PyObject *object = instance(type, part, retain_model(model));
    Py_DECREF(type);
    return object;
}

static const char *class_of(gpi_part part) {
    static const char *const names[] = {
        [GPI_AUTOENCODER] = "AutoencoderKL",
        [GPI_TOKENIZER] = "CLIPTokenizer",
        [GPI_TEXT_ENCODER] = "CLIPTextModel",
        [GPI_UNET] = "UNet2DConditionModel",
        [GPI_UNCONDITIONAL_UNET] = "UNet2DModel",
    };
    return names[part];
}

PartObject *part_argument(const char *argument, PyObject *value, gpi_part part) {
    if (is_own_type(Py_TYPE(value), dealloc) && ((PartObject *)value)->part == part)
        return (PartObject *)value;
    char expected[128];
    PyOS_snprintf(expected, sizeof expected, "a gpi_pack.diffusion.%s", class_of(part));
    raise_wrong_type_of(argument, expected, value);
    return NULL;
}

void move_part(PartObject *part, Model *model) {
    Model *former = part->model;
    part->model = model;
    release_model(former);
}

PyObject *part_from_pretrained(PyObject *type, PyObject *positional, PyObject *keywords,
                               gpi_part part) {
    Pretrained pretrained;
    PyObject *folder = NULL;
    Model *model = NULL;
    int result = parse_pretrained(positional, keywords, &pretrained);
    if (result == 0) result = refuse_rest(&pretrained, "from_pretrained");
    if (result == 0) {
        folder = part_folder(pretrained.model_id, pretrained.subfolder, pretrained.cache_dir, part);
        if (folder != NULL)
            model = open_model(pretrained.model_id, folder, part, &pretrained.placement);
    }
    if (model != NULL && load_part(model, part) < 0) {
        release_model(model);
        model = NULL;
    }
    Py_XDECREF(folder);
    clear_pretrained(&pretrained);
    return model == NULL ? NULL : instance((PyTypeObject *)type, part, model);
}

// MARK: - Common methods

PyDoc_STRVAR(to_doc,
             "to($self, /, *args, device=None, dtype=None)\n"
             "--\n"
             "\n"
             "Moves it to a device ('cpu', 'cuda', 'cuda:N', a torch.device) and into a dtype\n"
             "(torch.float32, torch.float16, torch.bfloat16), and gives itself. The weights are read\n"
             "anew, so that nothing is lost on the way there and back.");

static PyObject *to(PyObject *object, PyObject *positional, PyObject *keywords) {
    PartObject *self = (PartObject *)object;
    Placement placement;
    int result = parse_to(positional, keywords, self->model, &placement);
    if (result == 0) result = is_placed(self->model, &placement);
    if (result == 0) {
        Model *moved = model_at(self->model, &placement);
        result = moved == NULL ? -1 : load_part(moved, self->part);
        if (result == 0) {
            move_part(self, moved);
        } else {
            release_model(moved);
        }
    }
    clear_placement(&placement);
    return result < 0 ? NULL : Py_NewRef(object);
}

PyDoc_STRVAR(eval_doc, "eval($self)\n--\n\nDoes nothing: there is no training here. Gives itself.");

static PyObject *eval(PyObject *self, PyObject *unused) {
    (void)unused;
    return Py_NewRef(self);
}

PyDoc_STRVAR(requires_grad_doc,
             "requires_grad_($self, requires_grad=True)\n"
             "--\n"
             "\n"
             "Gives itself for False; there are no gradients here.");

static PyObject *requires_grad_(PyObject *self, PyObject *positional, PyObject *keywords) {
    static const char *const names[] = {"requires_grad", NULL};
    int wanted = 1;
    if (!PyArg_ParseTupleAndKeywords(positional, keywords, "|p:requires_grad_", (char **)names,
                                     &wanted))
        return NULL;
    if (!wanted) return Py_NewRef(self);
    PyErr_SetString(PyExc_ValueError,
                    "requires_grad: this model computes no gradients; only False is possible.");
    return NULL;
}

static PyObject *get_config(PyObject *self, void *unused) {
    (void)unused;
    return part_config((PartObject *)self);
}

static PyObject *get_dtype(PyObject *self, void *unused) {
    (void)unused;
    return model_dtype(((PartObject *)self)->model);
}

static PyObject *get_device(PyObject *self, void *unused) {
    (void)unused;
    return model_device(((PartObject *)self)->model);
}

// MARK: - The types

static PyMethodDef methods[] = {
    {"to", (PyCFunction)(void *)to, METH_VARARGS | METH_KEYWORDS, to_doc},
    {"eval", eval, METH_NOARGS, eval_doc},
    {"requires_grad_", (PyCFunction)(void *)requires_grad_, METH_VARARGS | METH_KEYWORDS,
     requires_grad_doc},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef attributes[] = {
    {"config", get_config, NULL, "What config.json says, with the defaults for what it does not.",
     NULL},
    {"dtype", get_dtype, NULL, "The torch.dtype that it runs in.", NULL},
    {"device", get_device, NULL, "The torch.device that it runs on.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

PyDoc_STRVAR(type_doc, "A part of a model: what all parts have in common.");

int add_part_type(PyObject *module) {
    PyType_Slot slots[] = {
        {Py_tp_doc, (void *)type_doc},
        {Py_tp_new, (void *)refuse_new},
        {Py_tp_dealloc, (void *)dealloc},
        {Py_tp_traverse, (void *)traverse},
        {Py_tp_clear, (void *)clear},
        {Py_tp_methods, methods},
        {Py_tp_getset, attributes},
        {0, NULL},
    };
    PyType_Spec spec = {
        .name = "gpi_pack.diffusion.ModelPart",
        .basicsize = sizeof(PartObject),
        .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
        .slots = slots,
    };
    return add_own_type(module, PyType_FromModuleAndSpec(module, &spec, NULL));
}

int add_kind_of_part(PyObject *module, const char *name, PyType_Slot *slots) {
    PyObject *base = PyObject_GetAttrString(module, "ModelPart");
    if (base == NULL) return -1;
    PyType_Spec spec = {
        .name = name,
        .basicsize = sizeof(PartObject),
        // Garbage collection is inherited as a whole, with its functions.
        .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
        .slots = slots,
    };
    PyObject *type = PyType_FromModuleAndSpec(module, &spec, base);
    Py_DECREF(base);
    return add_own_type(module, type);
}
