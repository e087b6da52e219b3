/// From a picture to its latents under a prompt, and on to a picture again.

#include "dlpack.h"
#include "extractor_methods.h"
#include "pictures.h"
#include "values.h"

// MARK: - Latents

/// The arguments that a picture is transformed by, as they were passed; NULL where the default
/// counts. The caller of the method holds them.
typedef struct Passed {
    PyObject *image, *prompt, *strength, *num_inference_steps, *guidance_scale, *negative_prompt,
        *seed;
} Passed;

/// All but the picture. 0, or -1 with an exception.
static int fill_request(const Passed *passed, gpi_request *request) {
    PyObject *prompt = text_argument("prompt", passed->prompt, "a str");
    if (prompt == NULL) return -1;
    request->prompt = PyUnicode_AsUTF8AndSize(prompt, NULL);
    Py_DECREF(prompt);
    if (request->prompt == NULL) return -1;
    if (negative_prompt_argument(passed->negative_prompt, &request->negative_prompt) < 0) return -1;
    request->strength = 0.8;
    if (passed->strength && strength_argument(passed->strength, &request->strength) < 0) return -1;
    if (passed->num_inference_steps
        && count_argument("num_inference_steps", passed->num_inference_steps,
                          &request->num_inference_steps)
            < 0)
        return -1;
    if (passed->guidance_scale
        && guidance_argument(passed->guidance_scale, &request->guidance_scale) < 0)
        return -1;
    request->has_seed = is_given(passed->seed);
    return request->has_seed ? seed_argument(passed->seed, &request->seed) : 0;
}

static int extract(ExtractorObject *self, gpi_request *request, const Pixels *pixels,
                   PyObject *about, gpi_tensor **latents) {
    if (take_core(self) < 0) return -1;
    Extractor *extractor = &self->extractor;
    request->rgb = pixels->rgb;
    request->width = pixels->width;
    request->height = pixels->height;
    request->interruption = is_interrupted;
    request->interruption_context = &extractor->waiting;
    begin_waiting(&extractor->waiting);
    gpi_status status = gpi_extract(extractor->core, request, latents);
    end_waiting(&extractor->waiting);
    int result = settle(extractor, status, about);
    give_core_back(self);
    return result;
}

/// The latents of a transformed picture; 0, or -1 with an exception.
static int hidden_states(ExtractorObject *self, const Passed *passed, gpi_tensor **latents) {
    gpi_request request = GPI_REQUEST_INIT;
    if (fill_request(passed, &request) < 0) return -1;
    PyObject *about;
    Pixels pixels;
    int result =
        picture_argument("input_image", passed->image, GPI_LONGEST_SIDE, &about, &pixels);
    if (result == 0) result = extract(self, &request, &pixels, about, latents);
    clear_pixels(&pixels);
    Py_XDECREF(about);
    return result;
}

const char get_hidden_states_doc[] =
    "get_hidden_states($self, input_image, prompt, strength=0.8, num_inference_steps=50,\n"
    "                  guidance_scale=7.5, negative_prompt=None, seed=None)\n"
    "--\n"
    "\n"
    "The last latents of a picture that is changed under the prompt; see extract_images for\n"
    "the arguments. A tensor [1, 4, height / 8, width / 8].";

PyObject *get_hidden_states(PyObject *object, PyObject *positional, PyObject *keywords) {
    static const char *const names[] = {
        "input_image", "prompt", "strength", "num_inference_steps", "guidance_scale",
        "negative_prompt", "seed", NULL,
    };
    Passed passed = {0};
    if (!PyArg_ParseTupleAndKeywords(positional, keywords, "OO|OOOOO:get_hidden_states",
                                     (char **)names, &passed.image, &passed.prompt,
                                     &passed.strength, &passed.num_inference_steps,
                                     &passed.guidance_scale, &passed.negative_prompt, &passed.seed))
        return NULL;
    gpi_tensor *latents = NULL;
    if (hidden_states((ExtractorObject *)object, &passed, &latents) == 0)
        return torch_tensor(latents);
    gpi_tensor_free(latents);
    return NULL;
}

// MARK: - Pictures

/// The pair (image, latents), or the image alone. Takes both tensors over.
static PyObject *transformed(gpi_tensor *pixels, gpi_tensor *latents, int both) {
    PyObject *image = torch_tensor(pixels);
    if (!both || image == NULL) {
        gpi_tensor_free(latents);
        return image;
    }
    PyObject *states = torch_tensor(latents);
    PyObject *pair = states == NULL ? NULL : PyTuple_Pack(2, image, states);
    Py_DECREF(image);
    Py_XDECREF(states);
    return pair;
}

const char transform_image_doc[] =
    "transform_image($self, input_image, prompt, strength=0.8, negative_prompt=None,\n"
    "                num_inference_steps=50, guidance_scale=7.5, seed=None, save_path=None,\n"
    "                return_hidden_states=False)\n"
    "--\n"
    "\n"
    "get_hidden_states, decode_latents and, with save_path, save_image. The decoded picture;\n"
    "with return_hidden_states the pair of it and the latents.";

PyObject *transform_image(PyObject *object, PyObject *positional, PyObject *keywords) {
    static const char *const names[] = {
        "input_image", "prompt", "strength", "negative_prompt", "num_inference_steps",
        "guidance_scale", "seed", "save_path", "return_hidden_states", NULL,
    };
    ExtractorObject *self = (ExtractorObject *)object;
    Passed passed = {0};
    PyObject *save_path = NULL;
    int both = 0;
    if (!PyArg_ParseTupleAndKeywords(positional, keywords, "OO|OOOOOOp:transform_image",
                                     (char **)names, &passed.image, &passed.prompt,
                                     &passed.strength, &passed.negative_prompt,
                                     &passed.num_inference_steps, &passed.guidance_scale,
                                     &passed.seed, &save_path, &both))
        return NULL;
    // gpi_pack asks whether it is true, so "" and False stand for None.
    int saving = save_path == NULL ? 0 : PyObject_IsTrue(save_path);
    // Now, not after the work.
    if (saving < 0 || (saving && check_save_path(save_path) < 0)) return NULL;
    gpi_tensor *latents = NULL;
    gpi_tensor *pixels = NULL;
    int result = hidden_states(self, &passed, &latents);
    if (result == 0) result = decode(self, latents, &pixels);
    if (result == 0 && saving) result = save_first(pixels, save_path);
    if (result == 0) return transformed(pixels, latents, both);
    gpi_tensor_free(latents);
    gpi_tensor_free(pixels);
    return NULL;
}
