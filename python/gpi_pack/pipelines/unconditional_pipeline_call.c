/// One call of a pipeline without prompts: noise, denoising, pictures.

#include "gpi_unconditional.h"

#include "denoising.h"
#include "errors.h"
#include "output.h"
#include "picture_outputs.h"
#include "scheduler.h"
#include "seeding.h"
#include "step_callback.h"
#include "unconditional_pipeline.h"
#include "values.h"

/// The values as they were passed; NULL where the default counts.
typedef struct Passed {
    PyObject *batch_size, *generator, *num_inference_steps, *output_type, *seed, *callback, *eta,
        *use_clipped_model_output;
    int return_dict;
} Passed;

typedef struct SamplingCall {
    UnconditionalObject *pipeline;
    int64_t batch_size, num_inference_steps;
    double eta;
    bool use_clipped_model_output;
    /// What `check_generator` has passed, or None. Owned.
    PyObject *generator;
    PyObject *callback;
    OutputType output_type;
    int return_dict;
    Model *model;
    gpi_scheduler *scheduler;
    gpi_tensor *noise, *pictures;
} SamplingCall;

// MARK: - Arguments

static int check_arguments(const Passed *passed, SamplingCall *call) {
    call->return_dict = passed->return_dict;
    if (is_given(passed->batch_size)
        && count_argument("batch_size", passed->batch_size, &call->batch_size) < 0)
        return -1;
    if (is_given(passed->num_inference_steps)
        && count_argument("num_inference_steps", passed->num_inference_steps,
                          &call->num_inference_steps)
            < 0)
        return -1;
    if (is_given(passed->eta) && number_argument("eta", passed->eta, &call->eta) < 0) return -1;
    if (is_given(passed->use_clipped_model_output)
        && flag_argument("use_clipped_model_output", passed->use_clipped_model_output,
                         &call->use_clipped_model_output)
            < 0)
        return -1;
    if (output_type_argument(passed->output_type, &call->output_type) < 0) return -1;
    if (call->output_type == OUTPUT_LATENTS) {
        PyErr_SetString(PyExc_ValueError,
                        "output_type must be \"pil\", \"np\" or \"pt\": there are no latents.");
        return -1;
    }
    if (step_callback_argument(passed->callback, &call->callback) < 0) return -1;
    call->generator = generator_argument(passed->generator, passed->seed);
    return call->generator == NULL ? -1 : 0;
}

// MARK: - The work

static int begin(SamplingCall *call) {
    call->model = unconditional_model(call->pipeline);
    if (call->model == NULL) return -1;
    call->scheduler = core_scheduler("scheduler", call->pipeline->scheduler);
    if (call->scheduler == NULL) return -1;
    gpi_status status = gpi_scheduler_set_timesteps(call->scheduler, call->num_inference_steps);
    if (status != GPI_OK) {
        raise_status(status, NULL);
        return -1;
    }
    int64_t count = 0;
    (void)gpi_scheduler_timesteps(call->scheduler, &count);
    call->pipeline->num_timesteps = count;
    return 0;
}

static int draw_noise_for(SamplingCall *call) {
    Model *model = call->model;
    int64_t shape[4];
    if (take_model(model) < 0) return -1;
    begin_waiting(&model->waiting);
    gpi_status status = gpi_model_sample_shape(model->core, call->batch_size, shape);
    end_waiting(&model->waiting);
    int result = settle_model(model, status, NULL);
    give_model_back(model);
    return result < 0 ? -1 : draw_first_noise(model, shape, call->generator, &call->noise);
}

static int denoise(SamplingCall *call) {
    StepCallback callback = {
        .function = call->callback,
        .pipeline = (PyObject *)call->pipeline,
        .interrupt = &call->pipeline->interrupt,
    };
    Denoising denoising = {
        .model = call->model,
        .request = GPI_DENOISING_INIT,
        .generator = call->generator,
        .bar_options = call->pipeline->bar_options,
        .after = call_step_callback,
        .context = &callback,
    };
    gpi_denoising *request = &denoising.request;
    request->latents = call->noise;
    request->from_noise = true;
    request->uses_guidance = false;
    request->scheduler = call->scheduler;
    request->num_inference_steps = call->num_inference_steps;
    request->randomness.eta = call->eta;
    request->randomness.uses_clipped_model_output = call->use_clipped_model_output;
    forget_interruption(&callback);
    return run_denoising(&denoising, &call->pictures);
}

static PyObject *run(const Passed *passed, SamplingCall *call) {
    static const char *const fields[] = {"images"};
    if (check_arguments(passed, call) < 0) return NULL;
    if (begin(call) < 0 || draw_noise_for(call) < 0 || denoise(call) < 0) return NULL;
    PyObject *images = pictures_as(call->output_type, call->pictures);
    PyObject *output =
        images == NULL ? NULL : output_or_tuple(call->return_dict, fields, &images, 1);
    Py_XDECREF(images);
    return output;
}

static PyObject *sampled(const Passed *passed, SamplingCall *call) {
    PyObject *output = run(passed, call);
    Py_XDECREF(call->generator);
    release_model(call->model);
    gpi_scheduler_free(call->scheduler);
    gpi_tensor_free(call->noise);
    gpi_tensor_free(call->pictures);
    return output;
}

PyObject *ddpm_call(PyObject *self, PyObject *positional, PyObject *keywords) {
    static const char *const names[] = {
        "batch_size", "generator", "num_inference_steps", "output_type", "return_dict",
        "seed", "callback_on_step_end", NULL,
    };
    Passed passed = {.return_dict = 1};
    if (!PyArg_ParseTupleAndKeywords(positional, keywords, "|OOOOp$OO:DDPMPipeline",
                                     (char **)names, &passed.batch_size, &passed.generator,
                                     &passed.num_inference_steps, &passed.output_type,
                                     &passed.return_dict, &passed.seed, &passed.callback))
        return NULL;
    SamplingCall call = {
        .pipeline = (UnconditionalObject *)self, .batch_size = 1, .num_inference_steps = 1000,
    };
    return sampled(&passed, &call);
}

PyObject *ddim_call(PyObject *self, PyObject *positional, PyObject *keywords) {
    static const char *const names[] = {
        "batch_size", "generator", "eta", "num_inference_steps", "use_clipped_model_output",
        "output_type", "return_dict", "seed", "callback_on_step_end", NULL,
    };
    Passed passed = {.return_dict = 1};
    if (!PyArg_ParseTupleAndKeywords(positional, keywords, "|OOOOOOp$OO:DDIMPipeline",
                                     (char **)names, &passed.batch_size, &passed.generator,
                                     &passed.eta, &passed.num_inference_steps,
                                     &passed.use_clipped_model_output, &passed.output_type,
                                     &passed.return_dict, &passed.seed, &passed.callback))
        return NULL;
    SamplingCall call = {
        .pipeline = (UnconditionalObject *)self, .batch_size = 1, .num_inference_steps = 50,
    };
    return sampled(&passed, &call);
}
