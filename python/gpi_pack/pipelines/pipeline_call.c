/// One call of a pipeline: prompts, latents, denoising, decoding.

#include "denoising.h"
#include "dlpack.h"
#include "errors.h"
#include "output.h"
#include "pipeline.h"
#include "pipeline_arguments.h"
#include "safety.h"
#include "scheduler.h"
#include "step_callback.h"

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

static int make_latents(PipelineCall *call) {
    const PromptInput *prompts = &call->arguments.prompts;
    int64_t shape[4];
    if (call->arguments.latents != NULL && call->arguments.height == 0
        && call->arguments.width == 0)
        return 0;
    if (latent_shape(call, prompt_count(prompts) * prompts->images_per_prompt, shape) < 0)
        return -1;
    if (call->arguments.latents != NULL) return check_latents(call, shape);
    return draw_first_noise(call->model, shape, call->arguments.generator, &call->noise);
}

// MARK: - Steps

static int denoise(PipelineCall *call) {
    const PipelineArguments *arguments = &call->arguments;
    StepCallback callback = {
        .function = arguments->callback,
        .pipeline = (PyObject *)call->pipeline,
        .interrupt = &call->pipeline->interrupt,
    };
    Denoising denoising = {
        .model = call->model,
        .request = GPI_DENOISING_INIT,
        .generator = arguments->generator,
        .bar_options = call->pipeline->bar_options,
        .after = call_step_callback,
        .context = &callback,
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
    forget_interruption(&callback);
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
