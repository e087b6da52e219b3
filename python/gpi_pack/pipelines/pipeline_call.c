/// One call of a pipeline: prompts, latents, denoising, decoding.

#include "denoising.h"
#include "dlpack.h"
#include "errors.h"
#include "noise.h"
#include "output.h"
#include "pipeline.h"
#include "pipeline_arguments.h"
#include "placement.h"
#include "safety.h"
#include "scheduler.h"

typedef struct PipelineCall {
    PipelineObject *pipeline;
    PipelineArguments arguments;
    Model *model;
    gpi_scheduler *scheduler;
    gpi_tensor *embeddings, *noise, *latents;
} PipelineCall;

// MARK: - Before the work

/// The shape of the latents for `count` pictures. 0, or -1 with an exception.
static int latent_shape(PipelineCall *call, int64_t count, int64_t shape[4]) {
    Model *model = call->model;
    if (take_model(model) < 0) return -1;
    begin_waiting(&model->waiting);
    gpi_status status = gpi_model_latent_shape(model->core, count, call->arguments.height,
                                               call->arguments.width, shape);
    end_waiting(&model->waiting);
    int result = settle_model(model, status, NULL);
    give_model_back(model);
    return result;
}

/// What can be found wrong before the text encoder runs.
static int check(PipelineCall *call) {
    const PipelineArguments *arguments = &call->arguments;
    call->scheduler = core_scheduler("scheduler", call->pipeline->scheduler);
    if (call->scheduler == NULL) return -1;
    gpi_status status =
        gpi_scheduler_set_timesteps(call->scheduler, arguments->num_inference_steps);
    if (status != GPI_OK) {
        raise_status(status, NULL);
        return -1;
    }
    int64_t count = 0;
    (void)gpi_scheduler_timesteps(call->scheduler, &count);
    call->pipeline->num_timesteps = count;
    int64_t shape[4];
    // Given latents say their own size.
    int said = arguments->height != 0 || arguments->width != 0;
    return arguments->latents == NULL || said ? latent_shape(call, 1, shape) : 0;
}

// MARK: - Latents

/// Refuses latents of another size than was asked for; the core looks at the rest.
static int check_latents(PipelineCall *call, const int64_t shape[4]) {
    const gpi_tensor *latents = call->arguments.latents;
    if (call->arguments.height == 0 && call->arguments.width == 0) return 0;
    if (gpi_tensor_dimensions(latents) != 4) return 0;
    const int64_t *given = gpi_tensor_shape(latents);
    if (given[2] == shape[2] && given[3] == shape[3]) return 0;
    PyErr_Format(PyExc_ValueError,
                 "latents: the shape ends in %lld by %lld; %lld by %lld is needed for this height "
                 "and width.",
                 (long long)given[2], (long long)given[3], (long long)shape[2],
                 (long long)shape[3]);
    return -1;
}

/// Noise of torch's in the model's dtype, drawn where the generator is.
static int draw_latents(PipelineCall *call, const int64_t shape[4]) {
    PyObject *sizes = Py_BuildValue("(LLLL)", (long long)shape[0], (long long)shape[1],
                                    (long long)shape[2], (long long)shape[3]);
    PyObject *dtype = model_dtype(call->model);
    PyObject *device = model_device(call->model);
    PyObject *tensor = NULL;
    if (sizes != NULL && dtype != NULL && device != NULL)
        tensor = random_tensor(sizes, call->arguments.generator, dtype, device);
    int result = tensor == NULL ? -1 : core_tensor("latents", tensor, &call->noise);
    Py_XDECREF(sizes);
    Py_XDECREF(dtype);
    Py_XDECREF(device);
    Py_XDECREF(tensor);
    return result;
}

static int make_latents(PipelineCall *call) {
    const PromptInput *prompts = &call->arguments.prompts;
    int64_t shape[4];
    if (call->arguments.latents != NULL && call->arguments.height == 0
        && call->arguments.width == 0)
        return 0;
    if (latent_shape(call, prompt_count(prompts) * prompts->images_per_prompt, shape) < 0)
        return -1;
    if (call->arguments.latents != NULL) return check_latents(call, shape);
    return draw_latents(call, shape);
}

// MARK: - Steps

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

static int after_step(void *context, gpi_step *step) {
    PipelineCall *call = context;
    PyObject *callback = call->arguments.callback;
    if (callback == NULL) return 0;
    PyObject *latents = shared_latents(step);
    PyObject *timestep = timestep_tensor(step->timestep);
    PyObject *values = latents == NULL ? NULL : Py_BuildValue("{s:O}", "latents", latents);
    PyObject *answer = NULL;
    if (timestep != NULL && values != NULL)
        answer = PyObject_CallFunction(callback, "OLOO", call->pipeline, (long long)step->number,
                                       timestep, values);
    int result = answer == NULL ? -1 : take_answer(answer, latents, step);
    Py_XDECREF(latents);
    Py_XDECREF(timestep);
    Py_XDECREF(values);
    Py_XDECREF(answer);
    return result < 0 ? -1 : call->pipeline->interrupt == Py_True;
}

static int denoise(PipelineCall *call) {
    const PipelineArguments *arguments = &call->arguments;
    Denoising denoising = {
        .model = call->model,
        .request = GPI_DENOISING_INIT,
        .generator = arguments->generator,
        .bar_options = call->pipeline->bar_options,
        .after = after_step,
        .context = call,
    };
    gpi_denoising *request = &denoising.request;
    request->latents = arguments->latents != NULL ? arguments->latents : call->noise;
    request->from_noise = true;
    request->embeddings = call->embeddings;
    request->uses_guidance = arguments->prompts.uses_guidance;
    request->guidance_scale = arguments->guidance_scale;
    request->scheduler = call->scheduler;
    request->num_inference_steps = arguments->num_inference_steps;
    request->randomness.eta = arguments->eta;
    // As in the reference, a run begins without the end of the one before.
    PyObject *former = call->pipeline->interrupt;
    call->pipeline->interrupt = Py_NewRef(Py_False);
    Py_XDECREF(former);
    return run_denoising(&denoising, &call->latents);
}

// MARK: - Pictures

static int decode(PipelineCall *call, gpi_tensor **pixels) {
    Model *model = call->model;
    if (take_model(model) < 0) return -1;
    begin_waiting(&model->waiting);
    gpi_status status = gpi_model_decode_scaled(model->core, call->latents, is_interrupted,
                                                &model->waiting, pixels);
    end_waiting(&model->waiting);
    int result = settle_model(model, status, NULL);
    give_model_back(model);
    return result;
}

/// The pictures in the kind that was asked for, and which of them were kept back.
static PyObject *images_of(PipelineCall *call, PyObject **flags) {
    OutputType type = call->arguments.output_type;
    if (type == OUTPUT_LATENTS) {
        gpi_tensor *latents = call->latents;
        call->latents = NULL;
        *flags = Py_NewRef(Py_None);
        return torch_tensor(latents);
    }
    gpi_tensor *pixels = NULL;
    int result = decode(call, &pixels);
    if (result == 0 && call->pipeline->safety_checker != Py_None)
        result = check_safety(call->model, pixels, flags);
    if (result == 0 && *flags == NULL) *flags = Py_NewRef(Py_None);
    PyObject *images = result == 0 ? pictures_as(type, pixels) : NULL;
    gpi_tensor_free(pixels);
    return images;
}

static PyObject *run(PipelineCall *call) {
    static const char *const fields[] = {"images", "nsfw_content_detected"};
    call->model = part_set_model(&call->pipeline->set);
    if (call->model == NULL || check(call) < 0) return NULL;
    if (embed(call->model, &call->arguments.prompts, &call->embeddings) < 0) return NULL;
    if (make_latents(call) < 0 || denoise(call) < 0) return NULL;
    PyObject *flags = NULL;
    PyObject *images = images_of(call, &flags);
    PyObject *values[] = {images, flags};
    PyObject *output =
        images == NULL ? NULL : output_or_tuple(call->arguments.return_dict, fields, values, 2);
    Py_XDECREF(images);
    Py_XDECREF(flags);
    return output;
}

PyObject *pipeline_call(PyObject *self, PyObject *positional, PyObject *keywords) {
    PipelineCall call = {.pipeline = (PipelineObject *)self};
    PyObject *output = NULL;
    if (parse_pipeline_arguments(positional, keywords, &call.arguments) == 0) output = run(&call);
    clear_pipeline_arguments(&call.arguments);
    release_model(call.model);
    gpi_scheduler_free(call.scheduler);
    gpi_tensor_free(call.embeddings);
    gpi_tensor_free(call.noise);
    gpi_tensor_free(call.latents);
    return output;
}
