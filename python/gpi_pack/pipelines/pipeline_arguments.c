#include "pipeline_arguments.h"

#include "dlpack.h"
#include "seeding.h"
#include "step_callback.h"
#include "values.h"

/// The values as they were passed; NULL where the default counts.
typedef struct Passed {
    PyObject *prompt, *height, *width, *num_inference_steps, *guidance_scale, *negative_prompt,
        *num_images_per_prompt, *eta, *generator, *latents, *seed, *prompt_embeds,
        *negative_prompt_embeds, *output_type, *callback_on_step_end,
        *callback_on_step_end_tensor_inputs;
    /// Of diffusers' that only their defaults are possible for.
    PyObject *timesteps, *sigmas, *ip_adapter_image, *ip_adapter_image_embeds,
        *cross_attention_kwargs, *guidance_rescale, *clip_skip, *callback, *callback_steps;
    int return_dict;
} Passed;

static int unpack(PyObject *positional, PyObject *keywords, Passed *passed) {
    static const char *const names[] = {
        "prompt", "height", "width", "num_inference_steps", "guidance_scale", "negative_prompt",
        "num_images_per_prompt", "eta", "generator", "latents", "seed", "prompt_embeds",
        "negative_prompt_embeds", "output_type", "return_dict", "callback_on_step_end",
        "callback_on_step_end_tensor_inputs", "timesteps", "sigmas", "ip_adapter_image",
        "ip_adapter_image_embeds", "cross_attention_kwargs", "guidance_rescale", "clip_skip",
        "callback", "callback_steps", NULL,
    };
    passed->return_dict = 1;
    return PyArg_ParseTupleAndKeywords(
               positional, keywords, "|OOOO$OOOOOOOOOOpOOOOOOOOOOO:StableDiffusionPipeline",
               (char **)names, &passed->prompt, &passed->height, &passed->width,
               &passed->num_inference_steps, &passed->guidance_scale, &passed->negative_prompt,
               &passed->num_images_per_prompt, &passed->eta, &passed->generator, &passed->latents,
               &passed->seed, &passed->prompt_embeds, &passed->negative_prompt_embeds,
               &passed->output_type, &passed->return_dict, &passed->callback_on_step_end,
               &passed->callback_on_step_end_tensor_inputs, &passed->timesteps, &passed->sigmas,
               &passed->ip_adapter_image, &passed->ip_adapter_image_embeds,
               &passed->cross_attention_kwargs, &passed->guidance_rescale, &passed->clip_skip,
               &passed->callback, &passed->callback_steps)
        ? 0
        : -1;
}

// MARK: - What is not there

static int refuse_unknown(const Passed *passed) {
    const struct {
        const char *name;
        PyObject *value;
    } refused[] = {
        {"timesteps", passed->timesteps},
        {"sigmas", passed->sigmas},
        {"ip_adapter_image", passed->ip_adapter_image},
        {"ip_adapter_image_embeds", passed->ip_adapter_image_embeds},
        {"cross_attention_kwargs", passed->cross_attention_kwargs},
        {"guidance_rescale", passed->guidance_rescale},
        {"clip_skip", passed->clip_skip},
    };
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        if (!is_given(refused[i].value)) continue;
        // 0 is the default of one of them, and without effect.
        int is_true = PyObject_IsTrue(refused[i].value);
        if (is_true == 0) continue;
        if (is_true > 0)
            PyErr_Format(PyExc_ValueError, "%s is not supported by this pipeline.", refused[i].name);
        return -1;
    }
    if (!is_given(passed->callback)) return 0;
    PyErr_SetString(PyExc_ValueError, "callback is not supported; pass callback_on_step_end.");
    return -1;
}

// MARK: - Callbacks

static int callback_argument(const Passed *passed, PipelineArguments *result) {
    if (step_callback_argument(passed->callback_on_step_end, &result->callback) < 0) return -1;
    PyObject *names = passed->callback_on_step_end_tensor_inputs;
    if (!is_given(names)) return 0;
    if (!PyList_Check(names) && !PyTuple_Check(names)) {
        raise_wrong_type_of("callback_on_step_end_tensor_inputs", "a list of str", names);
        return -1;
    }
    Py_ssize_t count = PySequence_Size(names);
    for (Py_ssize_t i = 0; i < count; i++) {
        PyObject *name = PySequence_GetItem(names, i);
        if (name == NULL) return -1;
        int known = PyUnicode_Check(name)
            && PyUnicode_CompareWithASCIIString(name, "latents") == 0;
        if (!known)
            PyErr_Format(PyExc_ValueError,
                         "callback_on_step_end_tensor_inputs: callbacks are given \"latents\" alone, "
                         "not %R.",
                         name);
        Py_DECREF(name);
        if (!known) return -1;
    }
    return 0;
}

// MARK: - All of them

static int numbers(const Passed *passed, PipelineArguments *result) {
    result->num_inference_steps = 50;
    result->guidance_scale = 7.5;
    result->prompts.images_per_prompt = 1;
    const struct {
        const char *name;
        PyObject *value;
        int64_t *place;
    } counts[] = {
        {"height", passed->height, &result->height},
        {"width", passed->width, &result->width},
        {"num_inference_steps", passed->num_inference_steps, &result->num_inference_steps},
        {"num_images_per_prompt", passed->num_images_per_prompt,
         &result->prompts.images_per_prompt},
    };
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        if (is_given(counts[i].value)
            && count_argument(counts[i].name, counts[i].value, counts[i].place) < 0)
            return -1;
    }
    if (is_given(passed->guidance_scale)
        && guidance_argument(passed->guidance_scale, &result->guidance_scale) < 0)
        return -1;
    // As in the reference: up to 1 there is none.
    result->prompts.uses_guidance = result->guidance_scale > 1;
    return is_given(passed->eta) ? number_argument("eta", passed->eta, &result->eta) : 0;
}

int parse_pipeline_arguments(PyObject *positional, PyObject *keywords, PipelineArguments *result) {
    Passed passed = {0};
    *result = (PipelineArguments){0};
    if (unpack(positional, keywords, &passed) < 0) return -1;
    result->return_dict = passed.return_dict;
    if (refuse_unknown(&passed) < 0 || numbers(&passed, result) < 0) return -1;
    if (output_type_argument(passed.output_type, &result->output_type) < 0) return -1;
    if (callback_argument(&passed, result) < 0) return -1;
    result->generator = generator_argument(passed.generator, passed.seed);
    if (result->generator == NULL) return -1;
    if (parse_prompt_input(passed.prompt, passed.negative_prompt, passed.prompt_embeds,
                           passed.negative_prompt_embeds, &result->prompts)
        < 0)
        return -1;
    return is_given(passed.latents) ? core_tensor("latents", passed.latents, &result->latents) : 0;
}

void clear_pipeline_arguments(PipelineArguments *arguments) {
    clear_prompt_input(&arguments->prompts);
    Py_CLEAR(arguments->generator);
    gpi_tensor_free(arguments->latents);
    arguments->latents = NULL;
}
