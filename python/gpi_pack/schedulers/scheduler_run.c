/// The timesteps of a run, and what happens to samples beside the steps.

#include "dlpack.h"
#include "errors.h"
#include "libtorch.h"
#include "scheduler_object.h"
#include "scheduler_traits.h"
#include "values.h"
#include "waiting.h"

// MARK: - Timesteps

/// A list of int or float.
static PyObject *listed(const double *numbers, int64_t count, int as_float) {
    PyObject *list = PyList_New((Py_ssize_t)count);
    for (int64_t i = 0; i < count && list != NULL; i++) {
        PyObject *number =
            as_float ? PyFloat_FromDouble(numbers[i]) : PyLong_FromDouble(numbers[i]);
        if (number == NULL || PyList_SetItem(list, (Py_ssize_t)i, number) < 0) Py_CLEAR(list);
    }
    return list;
}

static int timesteps_are_floats(const SchedulerObject *self) {
    return scheduler_traits(gpi_scheduler_name(self->core))->has_float_timesteps;
}

/// Under the turn: a new run would take the core's array away.
static PyObject *listed_timesteps(const SchedulerObject *self) {
    int64_t count;
    const double *timesteps = gpi_scheduler_timesteps(self->core, &count);
    return listed(timesteps, count, timesteps_are_floats(self));
}

/// `torch.tensor(numbers, dtype=…, device=…)` of a list that is given up here; NULL is an exception
/// that is pending.
static PyObject *tensor_of(PyObject *list, int as_float, PyObject *device) {
    if (list == NULL) return NULL;
    PyObject *tensor = NULL;
    PyObject *make = imported("torch", "tensor");
    PyObject *dtype = imported("torch", as_float ? "float32" : "int64");
    PyObject *arguments = PyTuple_Pack(1, list);
    PyObject *options =
        dtype == NULL ? NULL : Py_BuildValue("{s:O,s:O}", "dtype", dtype, "device", device);
    if (make != NULL && arguments != NULL && options != NULL)
        tensor = PyObject_Call(make, arguments, options);
    Py_XDECREF(make);
    Py_XDECREF(dtype);
    Py_XDECREF(arguments);
    Py_XDECREF(options);
    Py_DECREF(list);
    return tensor;
}

PyObject *get_timesteps(PyObject *object, void *unused) {
    (void)unused;
    SchedulerObject *self = (SchedulerObject *)object;
    if (take_scheduler(self) < 0) return NULL;
    if (self->timesteps == NULL)
        self->timesteps =
            tensor_of(listed_timesteps(self), timesteps_are_floats(self), Py_None);
    PyObject *result = self->timesteps == NULL ? NULL : Py_NewRef(self->timesteps);
    give_turn_back(&self->turn);
    return result;
}

/// Under the turn.
static PyObject *sigmas_of(SchedulerObject *self) {
    int64_t count;
    const double *sigmas = gpi_scheduler_sigmas(self->core, &count);
    if (count == 0) {
        PyErr_Format(PyExc_AttributeError, "'%s' object has no attribute 'sigmas'",
                     gpi_scheduler_name(self->core));
        return NULL;
    }
    if (self->sigmas == NULL) self->sigmas = tensor_of(listed(sigmas, count, 1), 1, Py_None);
    return self->sigmas == NULL ? NULL : Py_NewRef(self->sigmas);
}

PyObject *get_sigmas(PyObject *object, void *unused) {
    (void)unused;
    SchedulerObject *self = (SchedulerObject *)object;
    if (take_scheduler(self) < 0) return NULL;
    PyObject *result = sigmas_of(self);
    give_turn_back(&self->turn);
    return result;
}

/// Under the turn.
static int begin_run(SchedulerObject *self, int64_t steps, PyObject *device) {
    gpi_status status = gpi_scheduler_set_timesteps(self->core, steps);
    if (status != GPI_OK) {
        raise_status(status, NULL);
        return -1;
    }
    self->num_inference_steps = steps;
    self->step_index = -1;
    Py_CLEAR(self->timesteps);
    Py_CLEAR(self->sigmas);
    self->timesteps = tensor_of(listed_timesteps(self), timesteps_are_floats(self), device);
    if (self->timesteps == NULL) {
        PyObject *about = PyUnicode_FromString("device");
        if (about != NULL) raise_again(about);
        Py_XDECREF(about);
        return -1;
    }
    return 0;
}

const char set_timesteps_doc[] =
    "set_timesteps($self, num_inference_steps, device=None)\n"
    "--\n"
    "\n"
    "Starts a run of so many steps, without history. device: where .timesteps shall be.";

PyObject *set_timesteps(PyObject *object, PyObject *positional, PyObject *keywords) {
    static const char *const names[] = {"num_inference_steps", "device", NULL};
    SchedulerObject *self = (SchedulerObject *)object;
    PyObject *count;
    PyObject *device = Py_None;
    int64_t steps;
    if (!PyArg_ParseTupleAndKeywords(positional, keywords, "O|O:set_timesteps", (char **)names,
                                     &count, &device))
        return NULL;
    if (count_argument("num_inference_steps", count, &steps) < 0) return NULL;
    if (take_scheduler(self) < 0) return NULL;
    int status = begin_run(self, steps, device);
    give_turn_back(&self->turn);
    return status < 0 ? NULL : Py_NewRef(Py_None);
}

// MARK: - The model's input

const char scale_model_input_doc[] =
    "scale_model_input($self, sample, timestep=None)\n"
    "--\n"
    "\n"
    "What the model is given for a sample at one of the timesteps. Solvers without .sigmas do\n"
    "without the timestep.";

PyObject *scale_model_input(PyObject *object, PyObject *positional, PyObject *keywords) {
    static const char *const names[] = {"sample", "timestep", NULL};
    SchedulerObject *self = (SchedulerObject *)object;
    PyObject *sample_value, *timestep = NULL;
    if (!PyArg_ParseTupleAndKeywords(positional, keywords, "O|O:scale_model_input", (char **)names,
                                     &sample_value, &timestep))
        return NULL;
    if (open_libtorch() < 0) return NULL;
    gpi_tensor *sample = NULL, *input = NULL;
    int64_t sigmas, place = 0;
    if (core_tensor("sample", sample_value, &sample) < 0) return NULL;
    int result = take_scheduler(self);
    if (result == 0) {
        (void)gpi_scheduler_sigmas(self->core, &sigmas);
        if (is_given(timestep) || sigmas > 0)
            result = find_place(self, timestep == NULL ? Py_None : timestep, &place);
        if (result == 0) {
            PyObject *about = PyUnicode_FromString("sample");
            gpi_status status =
                gpi_scheduler_scale_model_input(self->core, sample, place, &input);
            result = about == NULL ? -1 : settle_waiting(status, about);
            Py_XDECREF(about);
        }
        give_turn_back(&self->turn);
    }
    gpi_tensor_free(sample);
    if (result == 0) return torch_tensor(input);
    gpi_tensor_free(input);
    return NULL;
}

// MARK: - The forward process

/// The numbers of a list, a tensor or an array, or a single one. A new array of `count`, freed by
/// the caller; NULL with an exception.
static double *timestep_numbers(PyObject *value, int64_t *count) {
    static const char *const expected = "a number, or a tensor or list of numbers";
    PyObject *numbers = NULL, *list = NULL;
    double *result = NULL;
    numbers = PyObject_HasAttrString(value, "tolist") ? PyObject_CallMethod(value, "tolist", NULL)
                                                      : Py_NewRef(value);
    if (numbers == NULL) goto done;
    list = PyFloat_Check(numbers) || PyLong_Check(numbers) ? PyTuple_Pack(1, numbers)
        : PyList_Check(numbers) || PyTuple_Check(numbers)  ? PySequence_Tuple(numbers)
                                                           : NULL;
    if (list == NULL && !PyErr_Occurred()) raise_wrong_type_of("timesteps", expected, value);
    if (list == NULL) goto done;
    *count = PyTuple_Size(list);
    if (*count == 0) PyErr_SetString(PyExc_ValueError, "timesteps is empty: pass one for each sample.");
    if (*count == 0) goto done;
    result = PyMem_Calloc((size_t)*count, sizeof *result);
    if (result == NULL) PyErr_NoMemory();
    for (int64_t i = 0; i < *count && result != NULL; i++) {
        PyObject *number = PyTuple_GetItem(list, (Py_ssize_t)i);
        result[i] = PyFloat_AsDouble(number);
        if (result[i] != -1 || !PyErr_Occurred()) continue;
        PyErr_Clear();
        raise_wrong_type_of("timesteps", expected, number);
        PyMem_Free(result);
        result = NULL;
    }
done:
    Py_XDECREF(numbers);
    Py_XDECREF(list);
    return result;
}

/// With the turn taken here: `timesteps` becomes the core's own where they are in the run.
static int noised(SchedulerObject *self, const gpi_tensor *samples, const gpi_tensor *noise,
                  double *timesteps, int64_t count, gpi_tensor **result) {
    if (take_scheduler(self) < 0) return -1;
    for (int64_t i = 0; i < count; i++) timesteps[i] = nearest_timestep(self, timesteps[i]);
    gpi_status status =
        gpi_scheduler_add_noise(self->core, samples, noise, timesteps, count, result);
    give_turn_back(&self->turn);
    PyObject *about = PyUnicode_FromString("original_samples and noise");
    int settled = about == NULL ? -1 : settle_waiting(status, about);
    Py_XDECREF(about);
    return settled;
}

const char add_noise_doc[] =
    "add_noise($self, original_samples, noise, timesteps)\n"
    "--\n"
    "\n"
    "The forward process: samples with as much of the noise as belongs to the timesteps, one for\n"
    "each sample or one for all.";

PyObject *add_noise(PyObject *object, PyObject *positional, PyObject *keywords) {
    static const char *const names[] = {"original_samples", "noise", "timesteps", NULL};
    PyObject *samples_value, *noise_value, *timesteps_value;
    if (!PyArg_ParseTupleAndKeywords(positional, keywords, "OOO:add_noise", (char **)names,
                                     &samples_value, &noise_value, &timesteps_value))
        return NULL;
    int64_t count = 0;
    gpi_tensor *samples = NULL, *noise = NULL, *result = NULL;
    double *timesteps = timestep_numbers(timesteps_value, &count);
    int status = timesteps == NULL ? -1 : open_libtorch();
    if (status == 0) status = core_tensor("original_samples", samples_value, &samples);
    if (status == 0) status = core_tensor("noise", noise_value, &noise);
    if (status == 0)
        status = noised((SchedulerObject *)object, samples, noise, timesteps, count, &result);
    PyMem_Free(timesteps);
    gpi_tensor_free(samples);
    gpi_tensor_free(noise);
    if (status == 0) return torch_tensor(result);
    gpi_tensor_free(result);
    return NULL;
}
