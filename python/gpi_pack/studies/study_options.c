#include "study_options.h"

#include "errors.h"
#include "values.h"

// MARK: - Size and background

int size_argument(const char *argument, PyObject *value, int64_t *width, int64_t *height) {
    static const char *const expected = "None, an int, or (width, height)";
    if (!is_given(value)) return 0;
    if (PyIndex_Check(value) && !PySequence_Check(value)) {
        if (count_argument(argument, value, width) < 0) return -1;
        *height = *width;
        return 0;
    }
    if (!PySequence_Check(value) || PyUnicode_Check(value) || PyBytes_Check(value)) {
        raise_wrong_type_of(argument, expected, value);
        return -1;
    }
    PyObject *pair = PySequence_Tuple(value);
    if (pair == NULL) return -1;
    int result = -1;
    if (PyTuple_Size(pair) != 2) {
        PyErr_Format(PyExc_ValueError, "%s must be %s, not %R.", argument, expected, value);
    } else if (count_argument(argument, PyTuple_GetItem(pair, 0), width) == 0) {
        result = count_argument(argument, PyTuple_GetItem(pair, 1), height);
    }
    Py_DECREF(pair);
    return result;
}

/// The colour that Pillow understands by a text, as "#rrggbb". A new str.
static PyObject *background_argument(PyObject *value) {
    if (value == NULL) return PyUnicode_FromString("#ffffff");
    PyObject *text = text_argument("background", value, "a colour's name or \"#rrggbb\"");
    PyObject *parse = text == NULL ? NULL : imported("PIL.ImageColor", "getrgb");
    PyObject *color = parse == NULL ? NULL : PyObject_CallFunctionObjArgs(parse, text, NULL);
    if (parse != NULL && color == NULL) {
        PyObject *about = PyUnicode_FromString("background");
        if (about != NULL) raise_again(about);
        Py_XDECREF(about);
    }
    Py_XDECREF(text);
    Py_XDECREF(parse);
    if (color == NULL) return NULL;
    int red, green, blue, alpha = 255;
    int parsed = PyArg_ParseTuple(color, "iii|i", &red, &green, &blue, &alpha);
    Py_DECREF(color);
    if (!parsed) return NULL;
    if (alpha != 255) {
        PyErr_Format(PyExc_ValueError, "background: %R is transparent itself; take an opaque colour.",
                     value);
        return NULL;
    }
    static const char digits[] = "0123456789abcdef";
    char name[8] = "#";
    const int levels[3] = {red, green, blue};
    for (int i = 0; i < 3; i++) {
        name[1 + 2 * i] = digits[levels[i] >> 4 & 15];
        name[2 + 2 * i] = digits[levels[i] & 15];
    }
    return PyUnicode_FromStringAndSize(name, 7);
}

// MARK: - All of them

/// A str that the core checks, or its default.
static PyObject *choice_argument(const char *argument, PyObject *value, const char *usual) {
    return value == NULL ? PyUnicode_FromString(usual) : text_argument(argument, value, "a str");
}

static int appearance(const StudyValues *values, StudyOptions *options) {
    if (size_argument("size", values->size, &options->width, &options->height) < 0) return -1;
    options->fit = choice_argument("fit", values->fit, "crop");
    if (options->fit == NULL) return -1;
    options->exif = true;
    if (values->exif && flag_argument("exif", values->exif, &options->exif) < 0) return -1;
    options->background = background_argument(values->background);
    if (options->background == NULL) return -1;
    options->posterior = choice_argument("posterior", values->posterior, "sample");
    if (options->posterior == NULL) return -1;
    return values->save_images
        ? flag_argument("save_images", values->save_images, &options->saves_pictures)
        : 0;
}

static int model(const StudyValues *values, StudyOptions *options) {
    options->model_id = model_argument(values->model_id);
    if (options->model_id == NULL) return -1;
    if (is_given(values->device)) {
        options->device = device_argument(values->device);
        if (options->device == NULL) return -1;
    }
    if (is_given(values->cache_dir)) {
        options->cache_dir = path_argument("cache_dir", values->cache_dir, "None, a str or a path");
        if (options->cache_dir == NULL) return -1;
    }
    const gpi_study_request usual = GPI_STUDY_REQUEST_INIT;
    options->batch_size = usual.batch_size;
    if (values->batch_size
        && count_argument("batch_size", values->batch_size, &options->batch_size) < 0)
        return -1;
    if (precision_argument(values->precision, &options->precision) < 0) return -1;
    return dtype_argument(values->dtype, &options->dtype);
}

static int denoising(const StudyValues *values, StudyOptions *options) {
    options->num_inference_steps = 50;
    options->guidance_scale = 7.5;
    if (values->strength && strength_argument(values->strength, &options->strength) < 0) return -1;
    if (values->num_inference_steps
        && count_argument("num_inference_steps", values->num_inference_steps,
                          &options->num_inference_steps)
            < 0)
        return -1;
    if (values->guidance_scale
        && guidance_argument(values->guidance_scale, &options->guidance_scale) < 0)
        return -1;
    if (is_given(values->negative_prompt)) {
        options->negative_prompt =
            text_argument("negative_prompt", values->negative_prompt, "None or a str");
        if (options->negative_prompt == NULL) return -1;
    }
    return 0;
}

int parse_study_options(const StudyValues *values, StudyOptions *options) {
    *options = (StudyOptions){0};
    options->output_dir = path_argument("output_dir", values->output_dir, "a str or a path");
    if (options->output_dir == NULL) return -1;
    if (appearance(values, options) < 0 || model(values, options) < 0) return -1;
    return denoising(values, options);
}

void clear_study_options(StudyOptions *options) {
    Py_XDECREF(options->output_dir);
    Py_XDECREF(options->fit);
    Py_XDECREF(options->posterior);
    Py_XDECREF(options->background);
    Py_XDECREF(options->model_id);
    Py_XDECREF(options->device);
    Py_XDECREF(options->cache_dir);
    Py_XDECREF(options->negative_prompt);
    *options = (StudyOptions){0};
}
