/// From texts to hidden states, and from noise or a picture's latents to new ones.

#include "denoising.h"
#include "dlpack.h"
#include "embedding.h"
#include "errors.h"
#include "image_diffusion_model.h"
#include "noise.h"
#include "scheduler.h"
#include "values.h"

// MARK: - Texts

PyObject *embeds_of(ImageDiffusionObject *self, const char *argument, PyObject *texts,
                    bool with_empty) {
    PromptInput input = {.images_per_prompt = 1, .uses_guidance = with_empty};
    gpi_tensor *embeddings = NULL;
    int result = parse_texts(argument, texts, &input.prompts);
    if (result == 0) {
        Model *model = part_set_model(&self->set);
        result = model == NULL ? -1 : embed(model, &input, &embeddings);
        release_model(model);
    }
    clear_prompt_input(&input);
    if (result == 0) return torch_tensor(embeddings);
    gpi_tensor_free(embeddings);
    return NULL;
}

const char get_text_embeds_doc[] =
    "get_text_embeds($self, text)\n"
    "--\n"
    "\n"
    "The text encoder's hidden states of a text or a list of N texts, each padded and cut to the\n"
    "model's length: a tensor [N, tokens, size].";

PyObject *get_text_embeds(PyObject *self, PyObject *positional, PyObject *keywords) {
    static const char *const names[] = {"text", NULL};
    PyObject *text;
    if (!PyArg_ParseTupleAndKeywords(positional, keywords, "O:get_text_embeds", (char **)names,
                                     &text))
        return NULL;
    return embeds_of((ImageDiffusionObject *)self, "text", text, false);
}

const char get_prompt_embeds_doc[] =
    "get_prompt_embeds($self, prompt)\n"
    "--\n"
    "\n"
    "What guidance needs: N times the empty text's hidden states, then those of a prompt or a\n"
    "list of N prompts. A tensor [2 N, tokens, size].";

PyObject *get_prompt_embeds(PyObject *self, PyObject *positional, PyObject *keywords) {
    static const char *const names[] = {"prompt", NULL};
    PyObject *prompt;
    if (!PyArg_ParseTupleAndKeywords(positional, keywords, "O:get_prompt_embeds", (char **)names,
                                     &prompt))
        return NULL;
    return embeds_of((ImageDiffusionObject *)self, "prompt", prompt, true);
}

// MARK: - A run

typedef struct Run {
    Denoising denoising;
    gpi_tensor *latents, *noise, *embeddings;
    gpi_scheduler *scheduler;
    int64_t height, width;
} Run;

static void clear_run(Run *run) {
    release_model(run->denoising.model);
    gpi_scheduler_free(run->scheduler);
    gpi_tensor_free(run->latents);
    gpi_tensor_free(run->noise);
    gpi_tensor_free(run->embeddings);
}

/// Where to begin: an int of at least 0. The core looks at the rest.
static int start_argument(PyObject *value, int64_t *start) {
    PyObject *number = PyNumber_Index(value);
    if (number == NULL) {
        PyErr_Clear();
        raise_wrong_type_of("start_step", "an int", value);
        return -1;
    }
    long long step = PyLong_AsLongLong(number);
    Py_DECREF(number);
    if (step < 0) {
        PyErr_Clear();
        PyErr_Format(PyExc_ValueError,
                     "start_step must be between 0 and num_inference_steps - 1, not %R.", value);
        return -1;
    }
    *start = step;
    return 0;
}

/// All but the latents. `run` is the caller's to clear in either case.
static int begin_run(ImageDiffusionObject *self, PyObject *scheduler, const char *scheduler_name,
                     PyObject *embeds, const RunOptions *options, Run *run) {
    *run = (Run){.denoising = {.request = GPI_DENOISING_INIT}, .height = 512, .width = 512};
    gpi_denoising *request = &run->denoising.request;
    if (is_given(options->height) && count_argument("height", options->height, &run->height) < 0)
        return -1;
    if (is_given(options->width) && count_argument("width", options->width, &run->width) < 0)
        return -1;
    if (is_given(options->num_inference_steps)
        && count_argument("num_inference_steps", options->num_inference_steps,
                          &request->num_inference_steps)
            < 0)
        return -1;
    if (is_given(options->guidance_scale)
        && guidance_argument(options->guidance_scale, &request->guidance_scale) < 0)
        return -1;
    if (is_given(options->start_step) && start_argument(options->start_step, &request->start) < 0)
        return -1;
    run->denoising.model = part_set_model(&self->set);
    if (run->denoising.model == NULL) return -1;
    if (core_tensor("text_embeds", embeds, &run->embeddings) < 0) return -1;
    if (gpi_tensor_dimensions(run->embeddings) != 3
        || gpi_tensor_shape(run->embeddings)[0] % 2 != 0) {
        PyErr_SetString(PyExc_ValueError,
                        "text_embeds must be a tensor [2 N, tokens, size], as get_prompt_embeds gives "
                        "it.");
        return -1;
    }
    request->embeddings = run->embeddings;
    run->scheduler = core_scheduler(scheduler_name, scheduler);
    if (run->scheduler == NULL) return -1;
    request->scheduler = run->scheduler;
    gpi_status status = gpi_scheduler_set_timesteps(run->scheduler, request->num_inference_steps);
    if (status == GPI_OK) return 0;
    raise_status(status, NULL);
    return -1;
}

/// Ends it, and gives its latents as a tensor of torch's.
static PyObject *finish_run(Run *run, int result) {
    gpi_tensor *reached = NULL;
    run->denoising.request.latents = run->latents;
    run->denoising.request.added_noise = run->noise;
    if (result == 0) result = run_denoising(&run->denoising, &reached);
    clear_run(run);
    if (result == 0) return torch_tensor(reached);
    gpi_tensor_free(reached);
    return NULL;
}

// MARK: - From noise

/// Standard normal noise for the pictures, drawn on the CPU. A new reference.
static PyObject *drawn_latents(Run *run) {
    Model *model = run->denoising.model;
    int64_t shape[4];
    int64_t rows =
        gpi_tensor_dimensions(run->embeddings) > 0 ? gpi_tensor_shape(run->embeddings)[0] : 0;
    if (take_model(model) < 0) return NULL;
    begin_waiting(&model->waiting);
    gpi_status status =
        gpi_model_latent_shape(model->core, rows / 2, run->height, run->width, shape);
    end_waiting(&model->waiting);
    int result = settle_model(model, status, NULL);
    give_model_back(model);
    if (result < 0) return NULL;
    PyObject *sizes = Py_BuildValue("(LLLL)", (long long)shape[0], (long long)shape[1],
                                    (long long)shape[2], (long long)shape[3]);
    PyObject *noise = sizes == NULL ? NULL : random_tensor(sizes, NULL, NULL, NULL);
    Py_XDECREF(sizes);
    return noise;
}

/// The latents times the first σ of the run.
static int scale_latents(Run *run, PyObject *latents) {
    int64_t count = 0;
    const double *sigmas = gpi_scheduler_sigmas(run->scheduler, &count);
    PyObject *sigma = PyFloat_FromDouble(
        count > 0 ? sigmas[0] : gpi_scheduler_initial_noise_sigma(run->scheduler));
    PyObject *scaled = sigma == NULL ? NULL : PyNumber_Multiply(latents, sigma);
    int result = scaled == NULL ? -1 : core_tensor("img_latents", scaled, &run->latents);
    Py_XDECREF(sigma);
    Py_XDECREF(scaled);
    return result;
}

/// Refuses what is no tensor before it is multiplied.
static int check_tensor(const char *argument, PyObject *value) {
    gpi_tensor *tensor = NULL;
    int result = core_tensor(argument, value, &tensor);
    gpi_tensor_free(tensor);
    return result;
}

PyObject *latents_from_noise(ImageDiffusionObject *self, PyObject *embeds, PyObject *latents,
                             const RunOptions *options) {
    Run run;
    int result = begin_run(self, self->noise_scheduler, "scheduler_LMS", embeds, options, &run);
    PyObject *noise = NULL;
    if (result == 0 && is_given(latents)) {
        result = check_tensor("img_latents", latents);
        noise = Py_NewRef(latents);
    } else if (result == 0) {
        noise = drawn_latents(&run);
        if (noise == NULL) result = -1;
    }
    if (result == 0) result = scale_latents(&run, noise);
    Py_XDECREF(noise);
    return finish_run(&run, result);
}

const char get_img_latents_doc[] =
    "get_img_latents($self, text_embeds, height=512, width=512, num_inference_steps=50,\n"
    "                guidance_scale=7.5, img_latents=None)\n"
    "--\n"
    "\n"
    "The latents of pictures for get_prompt_embeds' tensor of N prompts, by scheduler_LMS. They\n"
    "start from img_latents [N, 4, height / 8, width / 8], noise of unit variance, which is\n"
    "drawn by torch.randn unless given, times the first sigma.";

PyObject *get_img_latents(PyObject *self, PyObject *positional, PyObject *keywords) {
    static const char *const names[] = {
        "text_embeds", "height", "width", "num_inference_steps", "guidance_scale", "img_latents",
        NULL,
    };
    RunOptions options = {0};
    PyObject *embeds;
    PyObject *latents = NULL;
    if (!PyArg_ParseTupleAndKeywords(positional, keywords, "O|OOOOO:get_img_latents",
                                     (char **)names, &embeds, &options.height, &options.width,
                                     &options.num_inference_steps, &options.guidance_scale,
                                     &latents))
        return NULL;
    return latents_from_noise((ImageDiffusionObject *)self, embeds, latents, &options);
}

// MARK: - From a picture

/// `torch.randn_like(latents)` for the core.
static int noise_like(PyObject *latents, gpi_tensor **noise) {
    PyObject *draw = imported("torch", "randn_like");
    PyObject *drawn = draw == NULL ? NULL : PyObject_CallFunctionObjArgs(draw, latents, NULL);
    int result = drawn == NULL ? -1 : core_tensor("img_latents", drawn, noise);
    Py_XDECREF(draw);
    Py_XDECREF(drawn);
    return result;
}

PyObject *latents_from_picture(ImageDiffusionObject *self, PyObject *latents, PyObject *embeds,
                               const RunOptions *options) {
    Run run;
    int result =
        begin_run(self, self->similarity_scheduler, "scheduler_DDIM", embeds, options, &run);
    if (result == 0 && options->start_step == NULL) run.denoising.request.start = 10;
    if (result == 0) result = core_tensor("img_latents", latents, &run.latents);
    if (result == 0 && run.denoising.request.start > 0) result = noise_like(latents, &run.noise);
    return finish_run(&run, result);
}

const char get_img_latents_similar_doc[] =
    "get_img_latents_similar($self, img_latents, text_embeds, height=512, width=512,\n"
    "                        num_inference_steps=50, guidance_scale=7.5, start_step=10)\n"
    "--\n"
    "\n"
    "The latents of pictures similar to those of img_latents [N, 4, h, w], by scheduler_DDIM:\n"
    "noise of torch.randn_like is added for timestep number start_step, and taken away again\n"
    "under the prompts. The larger start_step, the more similar; at 0 none is added. height and\n"
    "width have no influence.";

PyObject *get_img_latents_similar(PyObject *self, PyObject *positional, PyObject *keywords) {
    static const char *const names[] = {
        "img_latents", "text_embeds", "height", "width", "num_inference_steps", "guidance_scale",
        "start_step", NULL,
    };
    RunOptions options = {0};
    PyObject *latents, *embeds;
    if (!PyArg_ParseTupleAndKeywords(positional, keywords, "OO|OOOOO:get_img_latents_similar",
                                     (char **)names, &latents, &embeds, &options.height,
                                     &options.width, &options.num_inference_steps,
                                     &options.guidance_scale, &options.start_step))
        return NULL;
    return latents_from_picture((ImageDiffusionObject *)self, latents, embeds, &options);
}
