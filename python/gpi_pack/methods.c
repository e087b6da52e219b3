/// The methods of `StableDiffusionImg2ImgExtractor`.

#include "dlpack.h"
#include "errors.h"
#include "extractor.h"
#include "outputs.h"
#include "pictures.h"
#include "values.h"

// MARK: - Pictures

/// How errors name a picture: `image ('/photos/a.jpg')`, or `image` if it has no path. A new str.
static PyObject *picture_about(const char *argument, PyObject *source) {
    PyObject *path = PyOS_FSPath(source);
    if (path == NULL) {
        if (!PyErr_ExceptionMatches(PyExc_TypeError)) return NULL;
        PyErr_Clear();
        return PyUnicode_FromString(argument);
    }
    PyObject *about = PyUnicode_FromFormat("%s (%R)", argument, path);
    Py_DECREF(path);
    return about;
}

static int picture_argument(PyObject *source, PyObject *about, int64_t longest_side,
                            Pixels *pixels) {
    if (check_picture(source, about) < 0) return -1;
    return read_picture(source, about, longest_side, pixels);
}

static PyObject *preprocess_image(PyObject *object, PyObject *positional, PyObject *keywords) {
    static const char *const names[] = {"image", "max_size", NULL};
    ExtractorObject *self = (ExtractorObject *)object;
    PyObject *source;
    PyObject *max_size = NULL;
    int64_t longest_side = GPI_LONGEST_SIDE;
    if (!PyArg_ParseTupleAndKeywords(positional, keywords, "O|O:preprocess_image", (char **)names,
                                     &source, &max_size))
        return NULL;
    if (max_size != NULL && count_argument("max_size", max_size, &longest_side) < 0) return NULL;
    PyObject *about = picture_about("image", source);
    if (about == NULL) return NULL;
    Pixels pixels = {0};
    gpi_tensor *tensor = NULL;
    int result = picture_argument(source, about, longest_side, &pixels);
    if (result == 0) result = take_core(self);
    if (result == 0) {
        begin_waiting(&self->extractor);
        gpi_status status = gpi_picture_tensor(self->extractor.core, pixels.rgb, pixels.width,
                                               pixels.height, longest_side, &tensor);
        end_waiting(&self->extractor);
        result = settle(status, about);
        give_core_back(self);
    }
    clear_pixels(&pixels);
    Py_DECREF(about);
    if (result == 0) return torch_tensor(tensor);
    gpi_tensor_free(tensor);
    return NULL;
}

// MARK: - Prompts

/// A tuple of one str or of those that a list holds; NULL with an exception.
static PyObject *prompts_of(PyObject *prompt) {
    static const char *const expected = "a str or a list of str";
    PyObject *texts = NULL;
    if (PyUnicode_Check(prompt)) {
        texts = PyTuple_Pack(1, prompt);
    } else if (PyList_Check(prompt) || PyTuple_Check(prompt)) {
        texts = PySequence_Tuple(prompt);
    } else {
        raise_wrong_type_of("prompt", expected, prompt);
    }
    if (texts == NULL) return NULL;
    Py_ssize_t count = PyTuple_Size(texts);
    if (count == 0) PyErr_SetString(PyExc_ValueError, "prompt is empty: pass at least one text.");
    for (Py_ssize_t i = 0; i < count && !PyErr_Occurred(); i++)
        Py_XDECREF(text_argument("prompt", PyTuple_GetItem(texts, i), expected));
    if (!PyErr_Occurred()) return texts;
    Py_DECREF(texts);
    return NULL;
}

/// The text of an optional str, valid as long as that; NULL for None. 0, or -1 with an exception.
static int negative_prompt_argument(PyObject *value, const char **result) {
    *result = NULL;
    if (!is_given(value)) return 0;
    PyObject *text = text_argument("negative_prompt", value, "None or a str");
    if (text == NULL) return -1;
    // `value` itself, which the caller holds.
    *result = PyUnicode_AsUTF8AndSize(text, NULL);
    Py_DECREF(text);
    return *result == NULL ? -1 : 0;
}

static int encode(ExtractorObject *self, PyObject *texts, const char *negative,
                  gpi_tensor **tensor) {
    Py_ssize_t count = PyTuple_Size(texts);
    const char **prompts = PyMem_Calloc((size_t)count, sizeof *prompts);
    if (prompts == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    int result = 0;
    for (Py_ssize_t i = 0; i < count && result == 0; i++) {
        prompts[i] = PyUnicode_AsUTF8AndSize(PyTuple_GetItem(texts, i), NULL);
        if (prompts[i] == NULL) result = -1;
    }
    if (result == 0) result = take_core(self);
    if (result == 0) {
        Extractor *extractor = &self->extractor;
        begin_waiting(extractor);
        gpi_status status = gpi_encode_prompt(extractor->core, prompts, count, negative,
                                              is_interrupted, extractor, tensor);
        end_waiting(extractor);
        result = settle(status, NULL);
        give_core_back(self);
    }
    PyMem_Free(prompts);
    return result;
}

static PyObject *encode_prompt(PyObject *object, PyObject *positional, PyObject *keywords) {
    static const char *const names[] = {"prompt", "negative_prompt", NULL};
    PyObject *prompt;
    PyObject *negative_prompt = NULL;
    const char *negative;
    if (!PyArg_ParseTupleAndKeywords(positional, keywords, "O|O:encode_prompt", (char **)names,
                                     &prompt, &negative_prompt))
        return NULL;
    if (negative_prompt_argument(negative_prompt, &negative) < 0) return NULL;
    PyObject *texts = prompts_of(prompt);
    if (texts == NULL) return NULL;
    gpi_tensor *tensor = NULL;
    int result = encode((ExtractorObject *)object, texts, negative, &tensor);
    Py_DECREF(texts);
    if (result == 0) return torch_tensor(tensor);
    gpi_tensor_free(tensor);
    return NULL;
}

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
    request->interruption_context = extractor;
    begin_waiting(extractor);
    gpi_status status = gpi_extract(extractor->core, request, latents);
    end_waiting(extractor);
    int result = settle(status, about);
    give_core_back(self);
    return result;
}

/// The latents of a transformed picture; 0, or -1 with an exception.
static int hidden_states(ExtractorObject *self, const Passed *passed, gpi_tensor **latents) {
    gpi_request request = GPI_REQUEST_INIT;
    if (fill_request(passed, &request) < 0) return -1;
    PyObject *about = picture_about("input_image", passed->image);
    if (about == NULL) return -1;
    Pixels pixels = {0};
    int result = picture_argument(passed->image, about, GPI_LONGEST_SIDE, &pixels);
    if (result == 0) result = extract(self, &request, &pixels, about, latents);
    clear_pixels(&pixels);
    Py_DECREF(about);
    return result;
}

static PyObject *get_hidden_states(PyObject *object, PyObject *positional, PyObject *keywords) {
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

// MARK: - Back to pictures

static int decode(ExtractorObject *self, const gpi_tensor *latents, gpi_tensor **pixels) {
    if (take_core(self) < 0) return -1;
    Extractor *extractor = &self->extractor;
    begin_waiting(extractor);
    gpi_status status =
        gpi_decode_tensor(extractor->core, latents, is_interrupted, extractor, pixels);
    end_waiting(extractor);
    int result = settle(status, NULL);
    give_core_back(self);
    return result;
}

static PyObject *decode_latents(PyObject *object, PyObject *positional, PyObject *keywords) {
    static const char *const names[] = {"latents", NULL};
    PyObject *value;
    if (!PyArg_ParseTupleAndKeywords(positional, keywords, "O:decode_latents", (char **)names,
                                     &value))
        return NULL;
    gpi_tensor *latents = NULL;
    gpi_tensor *pixels = NULL;
    int result = core_tensor("latents", value, &latents);
    if (result == 0) result = decode((ExtractorObject *)object, latents, &pixels);
    gpi_tensor_free(latents);
    if (result == 0) return torch_tensor(pixels);
    gpi_tensor_free(pixels);
    return NULL;
}

/// Pillow's name of the format that the suffix stands for. A new str.
static PyObject *format_of(PyObject *path) {
    PyObject *split = imported("os.path", "splitext");
    PyObject *registered = imported("PIL.Image", "registered_extensions");
    PyObject *parts =
        split == NULL ? NULL : PyObject_CallFunctionObjArgs(split, path, NULL);
    PyObject *formats = registered == NULL ? NULL : PyObject_CallNoArgs(registered);
    PyObject *suffix =
        parts == NULL ? NULL : PyObject_CallMethod(PyTuple_GetItem(parts, 1), "lower", NULL);
    PyObject *format = NULL;
    if (suffix != NULL && formats != NULL) {
        format = PyObject_CallMethod(formats, "get", "O", suffix);
        if (format == Py_None) {
            Py_CLEAR(format);
            PyErr_Format(PyExc_ValueError,
                         "save_path: %R is no suffix of a picture that Pillow can write; use .png, "
                         "for example.",
                         suffix);
        }
    }
    Py_XDECREF(split);
    Py_XDECREF(registered);
    Py_XDECREF(parts);
    Py_XDECREF(formats);
    Py_XDECREF(suffix);
    return format;
}

/// Writes the first picture of a batch; 0, or -1 with an exception.
static int save(const gpi_tensor *pixels, PyObject *save_path) {
    PyObject *path = path_argument("save_path", save_path, "a str or a path");
    if (path == NULL) return -1;
    PyObject *about = PyUnicode_FromString("save_path");
    PyObject *format = about == NULL ? NULL : format_of(path);
    const char *name = format == NULL ? NULL : PyUnicode_AsUTF8AndSize(format, NULL);
    gpi_picture *picture = NULL;
    int result = -1;
    if (name != NULL) {
        gpi_status status;
        Py_BEGIN_ALLOW_THREADS
        status = gpi_tensor_picture(pixels, &picture);
        Py_END_ALLOW_THREADS
        result = settle(status, NULL);
    }
    if (result == 0) {
        result = write_picture(picture, path, name, about);
        // A format that Pillow reads but does not write.
        if (result < 0 && PyErr_ExceptionMatches(PyExc_KeyError)) raise_again(about);
    }
    gpi_picture_free(picture);
    Py_XDECREF(format);
    Py_XDECREF(about);
    Py_DECREF(path);
    return result;
}

static PyObject *save_image(PyObject *object, PyObject *positional, PyObject *keywords) {
    (void)object;
    static const char *const names[] = {"image", "save_path", NULL};
    PyObject *value, *path;
    if (!PyArg_ParseTupleAndKeywords(positional, keywords, "OO:save_image", (char **)names, &value,
                                     &path))
        return NULL;
    gpi_tensor *pixels = NULL;
    int result = core_tensor("image", value, &pixels);
    if (result == 0) result = save(pixels, path);
    gpi_tensor_free(pixels);
    return result < 0 ? NULL : Py_NewRef(Py_None);
}

// MARK: - All at once

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

static PyObject *transform_image(PyObject *object, PyObject *positional, PyObject *keywords) {
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
    if (saving < 0) return NULL;
    gpi_tensor *latents = NULL;
    gpi_tensor *pixels = NULL;
    int result = hidden_states(self, &passed, &latents);
    if (result == 0) result = decode(self, latents, &pixels);
    if (result == 0 && saving) result = save(pixels, save_path);
    if (result == 0) return transformed(pixels, latents, both);
    gpi_tensor_free(latents);
    gpi_tensor_free(pixels);
    return NULL;
}

// MARK: - The table

PyDoc_STRVAR(preprocess_image_doc,
             "preprocess_image($self, image, max_size=512)\n"
             "--\n"
             "\n"
             "What the encoder sees of a picture (a path, a PIL image or a NumPy array): shrunk to\n"
             "max_size pixels on the longest side, padded to multiples of 8, in [-1, 1].\n"
             "A tensor [1, 3, height, width].");

PyDoc_STRVAR(encode_prompt_doc,
             "encode_prompt($self, prompt, negative_prompt=None)\n"
             "--\n"
             "\n"
             "The text encoder's hidden states of a text or a list of N texts, after as many of the\n"
             "negative prompt's (an empty text for None). A tensor [2 N, tokens, size].");

PyDoc_STRVAR(get_hidden_states_doc,
             "get_hidden_states($self, input_image, prompt, strength=0.8, num_inference_steps=50,\n"
             "                  guidance_scale=7.5, negative_prompt=None, seed=None)\n"
             "--\n"
             "\n"
             "The last latents of a picture that is changed under the prompt; see extract_images for\n"
             "the arguments. A tensor [1, 4, height / 8, width / 8].");

PyDoc_STRVAR(decode_latents_doc,
             "decode_latents($self, latents)\n"
             "--\n"
             "\n"
             "The pictures that latents [N, 4, h, w] stand for: a tensor [N, 3, 8 h, 8 w], about in\n"
             "[-1, 1]. Latents of another floating-point dtype or device are converted.");

PyDoc_STRVAR(transform_image_doc,
             "transform_image($self, input_image, prompt, strength=0.8, negative_prompt=None,\n"
             "                num_inference_steps=50, guidance_scale=7.5, seed=None, save_path=None,\n"
             "                return_hidden_states=False)\n"
             "--\n"
             "\n"
             "get_hidden_states, decode_latents and, with save_path, save_image. The decoded picture;\n"
             "with return_hidden_states the pair of it and the latents.");

PyDoc_STRVAR(save_image_doc,
             "save_image($self, image, save_path)\n"
             "--\n"
             "\n"
             "Writes the first picture of a tensor [N, 3, height, width] with values in [-1, 1]; others\n"
             "are cut off. The format is the suffix's. The file appears whole or not at all.");

// Through a pointer to void: C has no cast between functions of different arguments.
#define METHOD(name) \
    {#name, (PyCFunction)(void *)name, METH_VARARGS | METH_KEYWORDS, name##_doc}

PyMethodDef extractor_methods[] = {
    METHOD(preprocess_image), METHOD(encode_prompt),   METHOD(get_hidden_states),
    METHOD(decode_latents),   METHOD(transform_image), METHOD(save_image),
    {NULL, NULL, 0, NULL},
};
