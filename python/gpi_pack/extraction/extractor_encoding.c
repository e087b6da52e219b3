/// From pictures and prompts to what the models are given.

#include "dlpack.h"
#include "extractor_methods.h"
#include "pictures.h"
#include "values.h"

// MARK: - Pictures

const char preprocess_image_doc[] =
    "preprocess_image($self, image, max_size=512)\n"
    "--\n"
    "\n"
    "What the encoder sees of a picture (a path, a PIL image or a NumPy array): shrunk to\n"
    "max_size pixels on the longest side, padded to multiples of 8, in [-1, 1].\n"
    "A tensor [1, 3, height, width].";

PyObject *preprocess_image(PyObject *object, PyObject *positional, PyObject *keywords) {
    static const char *const names[] = {"image", "max_size", NULL};
    ExtractorObject *self = (ExtractorObject *)object;
    PyObject *source;
    PyObject *max_size = NULL;
    int64_t longest_side = GPI_LONGEST_SIDE;
    if (!PyArg_ParseTupleAndKeywords(positional, keywords, "O|O:preprocess_image", (char **)names,
                                     &source, &max_size))
        return NULL;
    if (max_size != NULL && count_argument("max_size", max_size, &longest_side) < 0) return NULL;
    PyObject *about;
    Pixels pixels;
    gpi_tensor *tensor = NULL;
    int result = picture_argument("image", source, longest_side, &about, &pixels);
    if (result == 0) result = take_core(self);
    if (result == 0) {
        begin_waiting(&self->extractor.waiting);
        gpi_status status = gpi_picture_tensor(self->extractor.core, pixels.rgb, pixels.width,
                                               pixels.height, longest_side, &tensor);
        end_waiting(&self->extractor.waiting);
        result = settle(&self->extractor, status, about);
        give_core_back(self);
    }
    clear_pixels(&pixels);
    Py_XDECREF(about);
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
        begin_waiting(&extractor->waiting);
        gpi_status status = gpi_encode_prompt(extractor->core, prompts, count, negative,
                                              is_interrupted, &extractor->waiting, tensor);
        end_waiting(&extractor->waiting);
        result = settle(extractor, status, NULL);
        give_core_back(self);
    }
    PyMem_Free(prompts);
    return result;
}

const char encode_prompt_doc[] =
    "encode_prompt($self, prompt, negative_prompt=None)\n"
    "--\n"
    "\n"
    "The text encoder's hidden states of a text or a list of N texts, after as many of the\n"
    "negative prompt's (an empty text for None). A tensor [2 N, tokens, size].";

PyObject *encode_prompt(PyObject *object, PyObject *positional, PyObject *keywords) {
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
