#include "step_callback.h"

#include "dlpack.h"
#include "errors.h"
#include "values.h"

/// A tensor of one number, an int64 where it is whole, as diffusers gives it.
static PyObject *timestep_tensor(double timestep) {
    PyObject *number = timestep == (double)(long long)timestep
        ? PyLong_FromLongLong((long long)timestep)
        : PyFloat_FromDouble(timestep);
    PyObject *make = number == NULL ? NULL : imported("torch", "tensor");
    PyObject *tensor = make == NULL ? NULL : PyObject_CallFunctionObjArgs(make, number, NULL);
    Py_XDECREF(number);
    Py_XDECREF(make);
    return tensor;
}

/// The latents of a step as a tensor of Python's.
static PyObject *shared_latents(const gpi_step *step) {
    gpi_tensor *latents = NULL;
    gpi_status status = gpi_tensor_share(step->latents, &latents);
    if (status == GPI_OK) return torch_tensor(latents);
    raise_status(status, NULL);
    return NULL;
}

/// Puts the callback's latents in the place of those that it was given.
static int take_answer(PyObject *answer, PyObject *given, gpi_step *step) {
    if (answer == Py_None) return 0;
    if (!PyDict_Check(answer)) {
        PyErr_Format(PyExc_TypeError,
                     "callback_on_step_end must give None or the dict that it was given, not %R.",
                     answer);
        return -1;
    }
    PyObject *latents = PyDict_GetItemString(answer, "latents");
    if (latents == NULL || latents == given) return 0;
    return core_tensor("latents", latents, &step->replacement);
}

int call_step_callback(void *context, gpi_step *step) {
    const StepCallback *callback = context;
    if (callback->function == NULL) return 0;
    PyObject *latents = shared_latents(step);
    PyObject *timestep = timestep_tensor(step->timestep);
    PyObject *values = latents == NULL ? NULL : Py_BuildValue("{s:O}", "latents", latents);
    PyObject *answer = NULL;
    if (timestep != NULL && values != NULL)
        answer = PyObject_CallFunction(callback->function, "OLOO", callback->pipeline,
                                       (long long)step->number, timestep, values);
    int result = answer == NULL ? -1 : take_answer(answer, latents, step);
    Py_XDECREF(latents);
    Py_XDECREF(timestep);
    Py_XDECREF(values);
    Py_XDECREF(answer);
    return result < 0 ? -1 : *callback->interrupt == Py_True;
}

void forget_interruption(StepCallback *callback) {
    PyObject *former = *callback->interrupt;
    *callback->interrupt = Py_NewRef(Py_False);
    Py_XDECREF(former);
}

int step_callback_argument(PyObject *value, PyObject **function) {
    *function = NULL;
    if (!is_given(value)) return 0;
    if (!PyCallable_Check(value)) {
        raise_wrong_type_of("callback_on_step_end", "callable", value);
        return -1;
    }
    *function = value;
    return 0;
}
