/// One step of the reverse process.

#include "dlpack.h"
#include "libtorch.h"
#include "noise.h"
#include "output.h"
#include "scheduler_object.h"
#include "scheduler_traits.h"
#include "values.h"

/// What a step is given, as it was passed; NULL where the default counts. The caller of the method
/// holds them.
typedef struct Passed {
    PyObject *prediction, *timestep, *sample, *eta, *generator, *variance_noise,
        *use_clipped_model_output;
    int return_dict;
} Passed;

/// The tensors of a step, for the core and from it.
typedef struct Tensors {
    gpi_tensor *prediction, *sample, *previous, *clean;
} Tensors;

// MARK: - Arguments

static int eta_argument(PyObject *value, double *eta) {
    if (!is_given(value)) return 0;
    *eta = PyFloat_AsDouble(value);
    if (*eta == -1 && PyErr_Occurred()) {
        PyErr_Clear();
        raise_wrong_type_of("eta", "a number, 0 to 1", value);
        return -1;
    }
    if (*eta >= 0 && *eta <= 1) return 0;
    PyErr_Format(PyExc_ValueError, "eta must be between 0 and 1, not %R.", value);
    return -1;
}

/// Says at once that noise of the caller's own is no tensor, whether or not it will be asked for.
static int check_variance_noise(const Passed *passed) {
    if (!is_given(passed->variance_noise)) return 0;
    if (is_given(passed->generator)) {
        PyErr_SetString(PyExc_ValueError, "generator and variance_noise: pass one of them.");
        return -1;
    }
    gpi_tensor *noise = NULL;
    int status = core_tensor("variance_noise", passed->variance_noise, &noise);
    gpi_tensor_free(noise);
    return status;
}

// MARK: - The step

/// Under the turn.
static int take_step(SchedulerObject *self, const Passed *passed, double eta, bool is_clipped,
                     Tensors *tensors) {
    int64_t place;
    if (find_place(self, passed->timestep, &place) < 0) return -1;
    PyObject *about = PyUnicode_FromString("model_output and sample");
    if (about == NULL) return -1;
    int wants_clean = scheduler_traits(gpi_scheduler_name(self->core))->gives_clean_sample;
    Waiting waiting = {0};
    NoiseDrawer drawer = {passed->generator, passed->variance_noise, &waiting};
    gpi_randomness randomness = GPI_RANDOMNESS_INIT;
    randomness.eta = eta;
    randomness.uses_clipped_model_output = is_clipped;
    randomness.noise = draw_noise;
    randomness.noise_context = &drawer;
    begin_waiting(&waiting);
    gpi_status status = gpi_scheduler_step(self->core, tensors->prediction, place, tensors->sample,
                                           &randomness, &tensors->previous,
                                           wants_clean ? &tensors->clean : NULL);
    end_waiting(&waiting);
    if (status == GPI_OK) count_step(self, place);
    int result = settle_waiting(status, about);
    Py_DECREF(about);
    return result;
}

/// Takes over what the step gave.
static PyObject *results(const SchedulerObject *self, int return_dict, Tensors *tensors) {
    static const char *const names[] = {"prev_sample", "pred_original_sample"};
    int count = scheduler_traits(gpi_scheduler_name(self->core))->gives_clean_sample ? 2 : 1;
    PyObject *values[2] = {torch_tensor(tensors->previous), NULL};
    if (values[0] == NULL) {
        gpi_tensor_free(tensors->clean);
        return NULL;
    }
    values[1] = tensors->clean == NULL ? Py_NewRef(Py_None) : torch_tensor(tensors->clean);
    PyObject *result =
        values[1] == NULL ? NULL : output_or_tuple(return_dict, names, values, count);
    Py_XDECREF(values[0]);
    Py_XDECREF(values[1]);
    return result;
}

const char step_doc[] =
    "step($self, model_output, timestep, sample, *, eta=0.0, use_clipped_model_output=False,\n"
    "     generator=None, variance_noise=None, return_dict=True)\n"
    "--\n"
    "\n"
    "One step from a sample towards the clean one.\n"
    "\n"
    "model_output\n"
    "    The model's for scale_model_input(sample, timestep).\n"
    "timestep\n"
    "    One of .timesteps.\n"
    "eta\n"
    "    Of DDIM: 0 for no noise, to 1. Others do not ask.\n"
    "use_clipped_model_output\n"
    "    Of DDIM: whether the noise is derived from the clipped sample. Others do not ask.\n"
    "generator, variance_noise\n"
    "    What stochastic solvers draw with: a torch.Generator, or one for each sample in a list;\n"
    "    or the noise itself.\n"
    "\n"
    "An output with .prev_sample and, from most solvers, .pred_original_sample; a tuple of these\n"
    "with return_dict=False.";

PyObject *step(PyObject *object, PyObject *positional, PyObject *keywords) {
    static const char *const names[] = {
        "model_output", "timestep", "sample", "eta", "generator", "variance_noise", "return_dict",
        "use_clipped_model_output", NULL,
    };
    SchedulerObject *self = (SchedulerObject *)object;
    Passed passed = {.return_dict = 1};
    Tensors tensors = {0};
    double eta = 0;
    bool is_clipped = false;
    if (!PyArg_ParseTupleAndKeywords(positional, keywords, "OOO|$OOOpO:step", (char **)names,
                                     &passed.prediction, &passed.timestep, &passed.sample,
                                     &passed.eta, &passed.generator, &passed.variance_noise,
                                     &passed.return_dict, &passed.use_clipped_model_output))
        return NULL;
    if (is_given(passed.use_clipped_model_output)
        && flag_argument("use_clipped_model_output", passed.use_clipped_model_output, &is_clipped)
            < 0)
        return NULL;
    if (eta_argument(passed.eta, &eta) < 0) return NULL;
    if (check_generator("generator", passed.generator) < 0) return NULL;
    int result = open_libtorch();
    if (result == 0) result = check_variance_noise(&passed);
    if (result == 0) result = core_tensor("model_output", passed.prediction, &tensors.prediction);
    if (result == 0) result = core_tensor("sample", passed.sample, &tensors.sample);
    if (result == 0) result = take_scheduler(self);
    if (result == 0) {
        result = take_step(self, &passed, eta, is_clipped, &tensors);
        give_turn_back(&self->turn);
    }
    gpi_tensor_free(tensors.prediction);
    gpi_tensor_free(tensors.sample);
    if (result == 0) return results(self, passed.return_dict, &tensors);
    gpi_tensor_free(tensors.previous);
    gpi_tensor_free(tensors.clean);
    return NULL;
}
