#include "scheduler.h"

#include "config.h"
#include "own_type.h"
#include "scheduler_object.h"
#include "scheduler_traits.h"
#include "waiting.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// MARK: - Names

/// All names, with commas between them; a new str.
static PyObject *known_names(void) {
    int64_t count;
    const char *const *names = gpi_scheduler_names(&count);
    PyObject *text = PyUnicode_FromString("");
    for (int64_t i = 0; i < count && text != NULL; i++) {
        PyObject *longer = PyUnicode_FromFormat("%U%s%s", text, i > 0 ? ", " : "", names[i]);
        Py_DECREF(text);
        text = longer;
    }
    return text;
}

/// `type.__name__` if it is a name that the core knows; NULL without an exception if not.
const char *scheduler_name(PyTypeObject *type) {
    int64_t count;
    const char *const *names = gpi_scheduler_names(&count);
    const char *result = NULL;
    PyObject *name = PyObject_GetAttrString((PyObject *)type, "__name__");
    for (int64_t i = 0; i < count && name != NULL && PyUnicode_Check(name); i++)
        if (PyUnicode_CompareWithASCIIString(name, names[i]) == 0) result = names[i];
    Py_XDECREF(name);
    if (result == NULL) PyErr_Clear();
    return result;
}

void raise_unknown_scheduler(const char *argument, PyObject *value) {
    PyObject *names = known_names();
    PyObject *type = PyObject_GetAttrString((PyObject *)Py_TYPE(value), "__name__");
    if (names != NULL && type != NULL)
        PyErr_Format(PyExc_TypeError, "%s must be one of the schedulers %U, not %S.", argument, names,
                     type);
    Py_XDECREF(names);
    Py_XDECREF(type);
}

// MARK: - Life

int take_scheduler(SchedulerObject *self) { return take_turn(&self->turn, "This scheduler"); }

static void dealloc(PyObject *object) {
    SchedulerObject *self = (SchedulerObject *)object;
    PyObject_GC_UnTrack(object);
    gpi_scheduler_free(self->core);
    Py_CLEAR(self->config);
    Py_CLEAR(self->timesteps);
    Py_CLEAR(self->sigmas);
    close_turn(&self->turn);
    free_instance(object);
}

static int traverse(PyObject *object, visitproc visit, void *arg) {
    SchedulerObject *self = (SchedulerObject *)object;
    Py_VISIT(Py_TYPE(object));
    Py_VISIT(self->config);
    Py_VISIT(self->timesteps);
    Py_VISIT(self->sigmas);
    return 0;
}

PyObject *finished_scheduler(PyTypeObject *type, gpi_scheduler *core, PyObject *config) {
    PyObject *object = NULL;
    if (config != NULL) {
        type = type == NULL || scheduler_name(type) == NULL
            ? own_type(gpi_scheduler_name(core), dealloc)
            : (PyTypeObject *)Py_NewRef((PyObject *)type);
        object = type == NULL ? NULL : new_instance(type);
        Py_XDECREF((PyObject *)type);
    }
    if (object == NULL) {
        gpi_scheduler_free(core);
        Py_XDECREF(config);
        return NULL;
    }
    SchedulerObject *self = (SchedulerObject *)object;
    self->core = core;
    self->config = config;
    self->step_index = -1;
    if (open_turn(&self->turn) == 0) return object;
    Py_DECREF(object);
    return NULL;
}

/// All is done here, so that there is no scheduler without a core, whatever `__init__` is given.
static PyObject *new(PyTypeObject *type, PyObject *positional, PyObject *keywords) {
    const char *name = scheduler_name(type);
    if (name == NULL) {
        PyObject *names = known_names();
        if (names != NULL)
            PyErr_Format(PyExc_TypeError, "Scheduler is the base of %U: make one of these.", names);
        Py_XDECREF(names);
        return NULL;
    }
    if (PyTuple_Size(positional) > 0) {
        PyErr_Format(PyExc_TypeError, "%s() takes its settings by keyword, as beta_start=0.001.", name);
        return NULL;
    }
    PyObject *settings = keywords == NULL ? PyDict_New() : PyDict_Copy(keywords);
    if (settings == NULL) return NULL;
    gpi_scheduler *core = NULL;
    PyObject *config = NULL;
    int status = make_scheduler(name, settings, 1, name, &core, &config);
    Py_DECREF(settings);
    return status < 0 ? NULL : finished_scheduler(type, core, config);
}

// MARK: - Copies

/// The same scheduler at the same place of its run.
static PyObject *copied(PyObject *object, PyObject *unused) {
    (void)unused;
    SchedulerObject *self = (SchedulerObject *)object;
    gpi_scheduler *core = core_scheduler("scheduler", object);
    if (core == NULL) return NULL;
    PyObject *copy = finished_scheduler(Py_TYPE(object), core, Py_NewRef(self->config));
    if (copy == NULL) return NULL;
    SchedulerObject *other = (SchedulerObject *)copy;
    other->num_inference_steps = self->num_inference_steps;
    other->step_index = self->step_index;
    // On the device that was asked for.
    if (self->timesteps != NULL) other->timesteps = Py_NewRef(self->timesteps);
    return copy;
}

gpi_scheduler *core_scheduler(const char *argument, PyObject *value) {
    gpi_scheduler *core = NULL;
    if (is_own_type(Py_TYPE(value), dealloc)) {
        SchedulerObject *self = (SchedulerObject *)value;
        if (take_scheduler(self) < 0) return NULL;
        gpi_status status = gpi_scheduler_copy(self->core, &core);
        give_turn_back(&self->turn);
        if (settle_waiting(status, NULL) == 0) return core;
        gpi_scheduler_free(core);
        return NULL;
    }
    const char *name = scheduler_name(Py_TYPE(value));
    if (name == NULL) {
        raise_unknown_scheduler(argument, value);
        return NULL;
    }
    // Its defaults too: they are those of diffusers' version in use.
    PyObject *settings = settings_of(argument, value, 0);
    if (settings == NULL) return NULL;
    PyObject *config = NULL;
    int status = make_scheduler(name, settings, 0, argument, &core, &config);
    Py_DECREF(settings);
    Py_XDECREF(config);
    return status < 0 ? NULL : core;
}

PyObject *scheduler_object(gpi_scheduler *core) {
    PyObject *settings = core_settings(core);
    PyObject *config = settings == NULL ? NULL : new_config(settings);
    Py_XDECREF(settings);
    return finished_scheduler(NULL, core, config);
}

// MARK: - Attributes

static const SchedulerTraits *traits_of(PyObject *object) {
    return scheduler_traits(gpi_scheduler_name(((SchedulerObject *)object)->core));
}

static PyObject *get_config(PyObject *object, void *unused) {
    (void)unused;
    return Py_NewRef(((SchedulerObject *)object)->config);
}

static PyObject *get_order(PyObject *object, void *unused) {
    (void)unused;
    return PyLong_FromLong(traits_of(object)->order);
}

static PyObject *get_initial_noise(PyObject *object, void *unused) {
    (void)unused;
    SchedulerObject *self = (SchedulerObject *)object;
    if (take_scheduler(self) < 0) return NULL;
    double sigma = gpi_scheduler_initial_noise_sigma(self->core);
    give_turn_back(&self->turn);
    return PyFloat_FromDouble(sigma);
}

static PyObject *get_num_inference_steps(PyObject *object, void *unused) {
    (void)unused;
    int64_t steps = ((SchedulerObject *)object)->num_inference_steps;
    return steps == 0 ? Py_NewRef(Py_None) : PyLong_FromLongLong(steps);
}

static PyObject *get_step_index(PyObject *object, void *unused) {
    (void)unused;
    int64_t index = ((SchedulerObject *)object)->step_index;
    return index < 0 ? Py_NewRef(Py_None) : PyLong_FromLongLong(index);
}

static Py_ssize_t length(PyObject *object) {
    PyObject *count = PyObject_GetAttrString(((SchedulerObject *)object)->config,
                                             "num_train_timesteps");
    if (count == NULL) return -1;
    Py_ssize_t result = PyLong_AsSsize_t(count);
    Py_DECREF(count);
    return result;
}

static PyObject *represent(PyObject *object) {
    PyObject *text = settings_text(((SchedulerObject *)object)->config);
    if (text == NULL) return NULL;
    PyObject *result =
        PyUnicode_FromFormat("%s %U", gpi_scheduler_name(((SchedulerObject *)object)->core), text);
    Py_DECREF(text);
    return result;
}

static PyGetSetDef attributes[] = {
    {"config", get_config, NULL, "All settings, defaults included, as a dict with attributes.", NULL},
    {"timesteps", get_timesteps, NULL,
     "A tensor of what the model is called at, from the noisiest on; those of training before the\n"
     "first run.",
     NULL},
    {"sigmas", get_sigmas, NULL,
     "A tensor of the noise levels at the timesteps and after the last; AttributeError for solvers\n"
     "without.",
     NULL},
    {"init_noise_sigma", get_initial_noise, NULL,
     "What noise of unit variance is multiplied with to be the first sample.", NULL},
    {"num_inference_steps", get_num_inference_steps, NULL, "Of set_timesteps; None before.", NULL},
    {"step_index", get_step_index, NULL,
     "The place of the next step, for solvers that count; None before the first of a run.", NULL},
    {"order", get_order, NULL, "How often the model is called for a step.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

// MARK: - The types

// Through a pointer to void: C has no cast between functions of different arguments.
#define METHOD(name) \
    { #name, (PyCFunction)(void *)name, METH_VARARGS | METH_KEYWORDS, name##_doc }
#define CLASS_METHOD(name) \
    { #name, (PyCFunction)(void *)name, METH_VARARGS | METH_KEYWORDS | METH_CLASS, name##_doc }

static PyMethodDef methods[] = {
    CLASS_METHOD(from_config),
    CLASS_METHOD(from_pretrained),
    METHOD(save_config),
    {"save_pretrained", (PyCFunction)(void *)save_config, METH_VARARGS | METH_KEYWORDS,
     save_pretrained_doc},
    METHOD(set_timesteps),
    METHOD(scale_model_input),
    METHOD(step),
    METHOD(add_noise),
    {"__copy__", copied, METH_NOARGS, "The same scheduler at the same place of its run."},
    {"__deepcopy__", copied, METH_O, "The same scheduler at the same place of its run."},
    {NULL, NULL, 0, NULL},
};

PyDoc_STRVAR(
    base_doc,
    "A solver of the reverse process, from noise to a clean sample; diffusers' schedulers.\n"
    "\n"
    "The base of all of them: Scheduler.from_config and Scheduler.from_pretrained make the one\n"
    "that a configuration names.\n"
    "\n"
    "    scheduler.set_timesteps(30)\n"
    "    sample = noise * scheduler.init_noise_sigma\n"
    "    for t in scheduler.timesteps:\n"
    "        prediction = model(scheduler.scale_model_input(sample, t), t)\n"
    "        sample = scheduler.step(prediction, t, sample).prev_sample\n"
    "\n"
    "A scheduler may be shared by threads, but a run keeps its history in it.");

#define SUBTYPE_DOC \
    "%s(**settings)\n--\n\n" \
    "diffusers' scheduler of this name. The settings are diffusers' as well: beta_start,\n" \
    "beta_end, beta_schedule, prediction_type, …; .config lists all that there are."

/// The base's slots again: a type gets some of its own where its spec has none.
static PyObject *subtype(PyObject *module, const char *name, PyObject *base) {
    char doc[512];
    if (snprintf(doc, sizeof doc, SUBTYPE_DOC, name) >= (int)sizeof doc) doc[0] = 0;
    PyType_Slot slots[] = {
        {Py_tp_doc, doc},
        {Py_tp_dealloc, (void *)dealloc},
        {Py_tp_traverse, (void *)traverse},
        {0, NULL},
    };
    // Kept for ever: before 3.11 a type reads its name where the spec has it.
    static const char prefix[] = "gpi_pack.diffusion.";
    size_t size = sizeof prefix + strlen(name);
    char *full_name = malloc(size);
    if (full_name == NULL) return PyErr_NoMemory();
    snprintf(full_name, size, "%s%s", prefix, name);
    PyType_Spec spec = {
        .name = full_name,
        .basicsize = sizeof(SchedulerObject),
        .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
        .slots = slots,
    };
    return PyType_FromModuleAndSpec(module, &spec, base);
}

int add_scheduler_types(PyObject *module) {
    PyType_Slot slots[] = {
        {Py_tp_doc, (void *)base_doc},
        {Py_tp_new, (void *)new},
        {Py_tp_dealloc, (void *)dealloc},
        {Py_tp_traverse, (void *)traverse},
        {Py_tp_repr, (void *)represent},
        {Py_mp_length, (void *)length},
        {Py_tp_methods, methods},
        {Py_tp_getset, attributes},
        {0, NULL},
    };
    PyType_Spec spec = {
        .name = "gpi_pack.diffusion.Scheduler",
        .basicsize = sizeof(SchedulerObject),
        .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
        .slots = slots,
    };
    PyObject *base = PyType_FromModuleAndSpec(module, &spec, NULL);
    if (base == NULL) return -1;
    int64_t count;
    const char *const *names = gpi_scheduler_names(&count);
    int status = 0;
    for (int64_t i = 0; i < count && status == 0; i++)
        status = add_own_type(module, subtype(module, names[i], base));
    if (status == 0) return add_own_type(module, base);
    Py_DECREF(base);
    return status;
}
