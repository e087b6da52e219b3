#include "arguments.h"

#include "errors.h"
#include "pictures.h"
#include "values.h"

// MARK: - Pictures and prompts

/// A tuple of what a list, a tuple or another sequence (a pandas column, say) holds.
static PyObject *elements(const char *argument, const char *expected, PyObject *value) {
    if (!PySequence_Check(value) || PyBytes_Check(value) || PyByteArray_Check(value)) {
        raise_wrong_type_of(argument, expected, value);
        return NULL;
    }
    return PySequence_Tuple(value);
}

/// Whether `images` is one picture. An array of texts or objects with a single axis is a sequence
/// of pictures: what pandas makes of a column.
static int is_single(PyObject *images) {
    int picture = is_picture(images);
    if (picture != 1) return picture;
    int row = is_row_of_objects(images);
    return row < 0 ? -1 : !row;
}

static int images_argument(PyObject *value, Arguments *result) {
    int single = is_single(value);
    if (single < 0) return -1;
    result->single_image = single;
    result->images = single
        ? PyTuple_Pack(1, value)
        : elements("images", "a path, a PIL image, a NumPy array or a list of these", value);
    if (result->images == NULL) return -1;
    Py_ssize_t count = PyTuple_Size(result->images);
    if (count == 0) {
        PyErr_SetString(PyExc_ValueError, "images is empty: no pictures were given.");
        return -1;
    }
    for (Py_ssize_t i = 0; i < count; i++) {
        PyObject *name = single ? PyUnicode_FromString("images")
                                : PyUnicode_FromFormat("images[%zd]", i);
        if (name == NULL) return -1;
        int status = check_picture(PyTuple_GetItem(result->images, i), name);
        Py_DECREF(name);
        if (status < 0) return -1;
    }
    return 0;
}

static int prompts_argument(PyObject *value, Arguments *result) {
    int single = PyUnicode_Check(value);
    result->prompts =
        single ? PyTuple_Pack(1, value) : elements("prompts", "a str or a list of str", value);
    if (result->prompts == NULL) return -1;
    Py_ssize_t count = PyTuple_Size(result->prompts);
    // One text serves all pictures; a list must say something about each.
    if (!single && count != PyTuple_Size(result->images)) {
        PyErr_Format(PyExc_ValueError, "Number of images (%zd) and prompts (%zd) must match.",
                     PyTuple_Size(result->images), count);
        return -1;
    }
    for (Py_ssize_t i = 0; i < count; i++) {
        PyObject *prompt = PyTuple_GetItem(result->prompts, i);
        PyObject *name = single ? PyUnicode_FromString("prompts")
                                : PyUnicode_FromFormat("prompts[%zd]", i);
        if (name == NULL) return -1;
        int status = -1;
        if (PyUnicode_Check(prompt)) {
            status = check_text(name, prompt);
        } else {
            raise_wrong_type(name, "a str", prompt);
        }
        Py_DECREF(name);
        if (status < 0) return -1;
    }
    return 0;
}

PyObject *picture_name(const Arguments *arguments, Py_ssize_t index) {
    PyObject *name = arguments->single_image ? PyUnicode_FromString("images")
                                             : PyUnicode_FromFormat("images[%zd]", index);
    if (name == NULL) return NULL;
    PyObject *path = PyOS_FSPath(PyTuple_GetItem(arguments->images, index));
    if (path == NULL) {
        // An image or an array: its place in the list is all that can be said.
        PyErr_Clear();
        return name;
    }
    PyObject *full = PyUnicode_FromFormat("%U (%R)", name, path);
    Py_DECREF(name);
    Py_DECREF(path);
    return full;
}

PyObject *prompt_for(const Arguments *arguments, Py_ssize_t index) {
    return PyTuple_GetItem(arguments->prompts, PyTuple_Size(arguments->prompts) == 1 ? 0 : index);
}

// MARK: - All of them

/// The values as they were passed; NULL where the default counts.
typedef struct Passed {
    PyObject *images, *prompts, *output_hidden_dir, *output_image_dir, *save_name, *prefix_hidden,
        *model_id, *device, *cache_dir, *strength, *num_inference_steps, *guidance_scale,
        *negative_prompt, *seed;
} Passed;

static int unpack(PyObject *positional, PyObject *keywords, Passed *passed) {
    static const char *const names[] = {
        "images", "prompts", "output_hidden_dir", "output_image_dir", "save_name",
        "prefix_hidden", "model_id", "device", "cache_dir", "strength", "num_inference_steps",
        "guidance_scale", "negative_prompt", "seed", NULL,
    };
    // The cast: before 3.13 the names were declared as if they might be written to.
    return PyArg_ParseTupleAndKeywords(
               positional, keywords, "OOO|OOOOOOOOOOO:extract_images", (char **)names,
               &passed->images, &passed->prompts, &passed->output_hidden_dir,
               &passed->output_image_dir, &passed->save_name, &passed->prefix_hidden,
               &passed->model_id, &passed->device, &passed->cache_dir, &passed->strength,
               &passed->num_inference_steps, &passed->guidance_scale, &passed->negative_prompt,
               &passed->seed)
        ? 0
        : -1;
}

static int numbers(const Passed *passed, Arguments *result) {
    result->num_inference_steps = 50;
    result->guidance_scale = 7.5;
    if (passed->strength && strength_argument(passed->strength, &result->strength) < 0) return -1;
    if (passed->num_inference_steps
        && count_argument("num_inference_steps", passed->num_inference_steps,
                          &result->num_inference_steps)
            < 0)
        return -1;
    if (passed->guidance_scale
        && guidance_argument(passed->guidance_scale, &result->guidance_scale) < 0)
        return -1;
    result->has_seed = is_given(passed->seed);
    return result->has_seed ? seed_argument(passed->seed, &result->seed) : 0;
}

static int texts(const Passed *passed, Arguments *result) {
    result->save_name = passed->save_name
        ? text_argument("save_name", passed->save_name, "a str")
        : PyUnicode_FromString("gen");
    if (result->save_name == NULL) return -1;
    result->prefix_hidden = passed->prefix_hidden
        ? text_argument("prefix_hidden", passed->prefix_hidden, "a str")
        : PyUnicode_FromString("hidden");
    if (result->prefix_hidden == NULL) return -1;
    result->model_id = model_argument(passed->model_id);
    if (result->model_id == NULL) return -1;
    if (is_given(passed->device)) {
        result->device = device_argument(passed->device);
        if (result->device == NULL) return -1;
    }
    if (is_given(passed->negative_prompt)) {
        result->negative_prompt =
            text_argument("negative_prompt", passed->negative_prompt, "None or a str");
        if (result->negative_prompt == NULL) return -1;
    }
    return 0;
}

static int folders(const Passed *passed, Arguments *result) {
    result->output_hidden_dir =
        path_argument("output_hidden_dir", passed->output_hidden_dir, "a str or a path");
    if (result->output_hidden_dir == NULL) return -1;
    // gpi_pack asks whether it is true, so "" and False stand for None.
    int pictures = passed->output_image_dir ? PyObject_IsTrue(passed->output_image_dir) : 0;
    if (pictures < 0) return -1;
    if (pictures) {
        result->output_image_dir =
            path_argument("output_image_dir", passed->output_image_dir, "None, a str or a path");
        if (result->output_image_dir == NULL) return -1;
    }
    if (is_given(passed->cache_dir)) {
        result->cache_dir = path_argument("cache_dir", passed->cache_dir, "None, a str or a path");
        if (result->cache_dir == NULL) return -1;
    }
    return 0;
}

int parse_arguments(PyObject *positional, PyObject *keywords, Arguments *result) {
    Passed passed = {0};
    *result = (Arguments){0};
    if (unpack(positional, keywords, &passed) < 0) return -1;
    if (images_argument(passed.images, result) < 0) return -1;
    if (prompts_argument(passed.prompts, result) < 0) return -1;
    if (folders(&passed, result) < 0) return -1;
    if (texts(&passed, result) < 0) return -1;
    return numbers(&passed, result);
}

void clear_arguments(Arguments *arguments) {
    Py_CLEAR(arguments->images);
    Py_CLEAR(arguments->prompts);
    Py_CLEAR(arguments->output_hidden_dir);
    Py_CLEAR(arguments->output_image_dir);
    Py_CLEAR(arguments->save_name);
    Py_CLEAR(arguments->prefix_hidden);
    Py_CLEAR(arguments->model_id);
    Py_CLEAR(arguments->device);
    Py_CLEAR(arguments->cache_dir);
    Py_CLEAR(arguments->negative_prompt);
}
