#include "distribution.h"

#include "noise.h"
#include "own_type.h"

typedef struct DistributionObject {
    PyObject_HEAD
    /// torch.Tensor
    PyObject *mean, *deviation;
} DistributionObject;

// MARK: - Life

static void dealloc(PyObject *object) {
    DistributionObject *self = (DistributionObject *)object;
    PyObject_GC_UnTrack(object);
    Py_CLEAR(self->mean);
    Py_CLEAR(self->deviation);
    free_instance(object);
}

static int traverse(PyObject *object, visitproc visit, void *arg) {
    DistributionObject *self = (DistributionObject *)object;
    Py_VISIT(self->mean);
    Py_VISIT(self->deviation);
    Py_VISIT(Py_TYPE(object));
    return 0;
}

static int clear(PyObject *object) {
    DistributionObject *self = (DistributionObject *)object;
    Py_CLEAR(self->mean);
    Py_CLEAR(self->deviation);
    return 0;
}

PyObject *new_distribution(PyObject *mean, PyObject *deviation) {
    PyTypeObject *type =
        mean == NULL || deviation == NULL ? NULL : own_type("DiagonalGaussianDistribution", dealloc);
    PyObject *object = type == NULL ? NULL : new_instance(type);
    Py_XDECREF(type);
    if (object == NULL) {
        Py_XDECREF(mean);
        Py_XDECREF(deviation);
        return NULL;
    }
    ((DistributionObject *)object)->mean = mean;
    ((DistributionObject *)object)->deviation = deviation;
    return object;
}

static PyObject *refuse_new(PyTypeObject *type, PyObject *positional, PyObject *keywords) {
    (void)type;
    (void)positional;
    (void)keywords;
    PyErr_SetString(PyExc_TypeError,
                    "DiagonalGaussianDistribution comes from AutoencoderKL.encode alone.");
    return NULL;
}

// MARK: - Methods

/// Noise of the shape, dtype and device of a tensor.
static PyObject *noise_like(PyObject *tensor, PyObject *generator) {
    PyObject *shape = PyObject_GetAttrString(tensor, "shape");
    PyObject *dtype = PyObject_GetAttrString(tensor, "dtype");
    PyObject *device = PyObject_GetAttrString(tensor, "device");
    PyObject *noise = NULL;
    if (shape != NULL && dtype != NULL && device != NULL)
        noise = random_tensor(shape, generator, dtype, device);
    Py_XDECREF(shape);
    Py_XDECREF(dtype);
    Py_XDECREF(device);
    return noise;
}

PyDoc_STRVAR(sample_doc,
             "sample($self, generator=None)\n"
             "--\n"
             "\n"
             "Latents of the distribution: mean + std * noise, the noise of torch.randn. generator is\n"
             "a torch.Generator, or a list of one for each picture.");

static PyObject *sample(PyObject *object, PyObject *positional, PyObject *keywords) {
    static const char *const names[] = {"generator", NULL};
    DistributionObject *self = (DistributionObject *)object;
    PyObject *generator = NULL;
    if (!PyArg_ParseTupleAndKeywords(positional, keywords, "|O:sample", (char **)names, &generator))
        return NULL;
    if (check_generator("generator", generator) < 0) return NULL;
    PyObject *noise = noise_like(self->mean, generator);
    PyObject *scaled = noise == NULL ? NULL : PyNumber_Multiply(self->deviation, noise);
    PyObject *result = scaled == NULL ? NULL : PyNumber_Add(self->mean, scaled);
    Py_XDECREF(noise);
    Py_XDECREF(scaled);
    return result;
}

PyDoc_STRVAR(mode_doc, "mode($self)\n--\n\nThe most probable latents: the mean.");

static PyObject *mode(PyObject *self, PyObject *unused) {
    (void)unused;
    return Py_NewRef(((DistributionObject *)self)->mean);
}

static PyObject *get_mean(PyObject *self, void *unused) {
    (void)unused;
    return Py_NewRef(((DistributionObject *)self)->mean);
}

static PyObject *get_deviation(PyObject *self, void *unused) {
    (void)unused;
    return Py_NewRef(((DistributionObject *)self)->deviation);
}

static PyObject *get_variance(PyObject *self, void *unused) {
    (void)unused;
    PyObject *deviation = ((DistributionObject *)self)->deviation;
    return PyNumber_Multiply(deviation, deviation);
}

// MARK: - The type

static PyMethodDef methods[] = {
    {"sample", (PyCFunction)(void *)sample, METH_VARARGS | METH_KEYWORDS, sample_doc},
    {"mode", mode, METH_NOARGS, mode_doc},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef attributes[] = {
    {"mean", get_mean, NULL, "The means of the latents.", NULL},
    {"std", get_deviation, NULL, "Their standard deviations.", NULL},
    {"var", get_variance, NULL, "Their variances.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

PyDoc_STRVAR(type_doc, "The posterior of a picture's latents: independent Gaussians.");

int add_distribution_type(PyObject *module) {
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
        .name = "gpi_pack.diffusion.DiagonalGaussianDistribution",
        .basicsize = sizeof(DistributionObject),
        .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
        .slots = slots,
    };
    return add_own_type(module, PyType_FromModuleAndSpec(module, &spec, NULL));
}
