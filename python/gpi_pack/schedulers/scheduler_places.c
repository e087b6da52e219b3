/// Which step of a run a timestep means.

#include "errors.h"
#include "scheduler_object.h"
#include "scheduler_traits.h"
#include "values.h"

/// As it is in the tensor of timesteps.
static double rounded(double timestep, int as_float) {
    return as_float ? (double)(float)timestep : timestep;
}

/// Whether this is what some solvers refuse, as in diffusers: a Python int or a tensor of whole
/// numbers.
static int is_integer(PyObject *value) {
    if (PyLong_Check(value)) return 1;
    PyObject *dtype = PyObject_GetAttrString(value, "dtype");
    PyObject *text = dtype == NULL ? NULL : PyObject_Str(dtype);
    int result = text != NULL
        && (PyUnicode_CompareWithASCIIString(text, "torch.int64") == 0
            || PyUnicode_CompareWithASCIIString(text, "torch.int32") == 0);
    Py_XDECREF(text);
    Py_XDECREF(dtype);
    PyErr_Clear();
    return result;
}

/// A number of Python, NumPy, or a tensor of one element.
static int timestep_number(PyObject *value, double *result) {
    *result = PyFloat_AsDouble(value);
    if (*result != -1 || !PyErr_Occurred()) return 0;
    if (PyErr_ExceptionMatches(PyExc_TypeError)) {
        PyErr_Clear();
        raise_wrong_type_of("timestep", "a number or a tensor of one number", value);
        return -1;
    }
    PyObject *about = PyUnicode_FromString("timestep");
    if (about != NULL) raise_again(about);
    Py_XDECREF(about);
    return -1;
}

/// Solvers with noise levels count, since their timesteps may occur twice.
static int counts(const SchedulerObject *self) {
    int64_t count;
    (void)gpi_scheduler_sigmas(self->core, &count);
    return count > 0;
}

/// The first place of a timestep and the second one, or -1; how many timesteps there are.
static int64_t search(const SchedulerObject *self, double timestep, int64_t places[2]) {
    int as_float = scheduler_traits(gpi_scheduler_name(self->core))->has_float_timesteps;
    int64_t count, found = 0;
    const double *timesteps = gpi_scheduler_timesteps(self->core, &count);
    places[0] = places[1] = -1;
    for (int64_t i = 0; i < count && found < 2; i++)
        if (rounded(timesteps[i], as_float) == rounded(timestep, as_float)) places[found++] = i;
    return count;
}

double nearest_timestep(SchedulerObject *self, double timestep) {
    int64_t places[2], count;
    search(self, timestep, places);
    return places[0] < 0 ? timestep : gpi_scheduler_timesteps(self->core, &count)[places[0]];
}

int find_place(SchedulerObject *self, PyObject *timestep, int64_t *place) {
    double number;
    int64_t places[2];
    const char *name = gpi_scheduler_name(self->core);
    if (scheduler_traits(name)->refuses_integers && is_integer(timestep)) {
        PyErr_Format(PyExc_ValueError,
                     "timestep: %s takes one of scheduler.timesteps, which are floats; %R looks like "
                     "its place.",
                     name, timestep);
        return -1;
    }
    if (timestep_number(timestep, &number) < 0) return -1;
    int64_t count = search(self, number, places);
    if (places[0] < 0) {
        PyErr_Format(PyExc_ValueError,
                     "timestep: %R is none of the %lld of this run; pass one of scheduler.timesteps.",
                     timestep, (long long)count);
        return -1;
    }
    *place = places[0];
    if (!counts(self)) return 0;
    if (self->step_index >= count) {
        PyErr_Format(PyExc_ValueError,
                     "timestep: all %lld of this run are done; call set_timesteps for another run.",
                     (long long)count);
        return -1;
    }
    // A run that begins at a timestep that occurs twice begins at the second one, as in diffusers:
    // the first one ends a step.
    if (self->step_index < 0) self->step_index = places[1] >= 0 ? places[1] : places[0];
    *place = self->step_index;
    return 0;
}

void count_step(SchedulerObject *self, int64_t place) {
    if (counts(self)) self->step_index = place + 1;
}
