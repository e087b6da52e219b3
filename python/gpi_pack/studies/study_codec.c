#include "study_codec.h"

#include "errors.h"
#include "pictures.h"

#include <string.h>

// MARK: - What the model is to see

/// The image as its EXIF data say that it is to be shown. Takes the reference over; a new one, or NULL
/// with an exception.
static PyObject *turned(PyObject *image) {
    PyObject *transpose = imported("PIL.ImageOps", "exif_transpose");
    PyObject *result =
        transpose == NULL ? NULL : PyObject_CallFunctionObjArgs(transpose, image, NULL);
    Py_XDECREF(transpose);
    Py_DECREF(image);
    return result;
}

/// What is seen of a transparent image on the background, in mode RGBA.
static PyObject *composed(const StudyCodec *codec, PyObject *image) {
    PyObject *make = imported("PIL.Image", "new");
    PyObject *compose = imported("PIL.Image", "alpha_composite");
    PyObject *rgba = PyObject_CallMethod(image, "convert", "s", "RGBA");
    PyObject *size = rgba == NULL ? NULL : PyObject_GetAttrString(rgba, "size");
    PyObject *background = make == NULL || size == NULL
        ? NULL
        : PyObject_CallFunction(make, "sOO", "RGBA", size, codec->background);
    PyObject *result = NULL;
    if (background != NULL && compose != NULL)
        result = PyObject_CallFunctionObjArgs(compose, background, rgba, NULL);
    Py_XDECREF(make);
    Py_XDECREF(compose);
    Py_XDECREF(rgba);
    Py_XDECREF(size);
    Py_XDECREF(background);
    return result;
}

/// The image in mode RGB. Takes the reference over.
static PyObject *opaque(const StudyCodec *codec, PyObject *image) {
    PyObject *answer = PyObject_GetAttrString(image, "has_transparency_data");
    int is_transparent = answer == NULL ? -1 : PyObject_IsTrue(answer);
    Py_XDECREF(answer);
    PyObject *base = NULL;
    if (is_transparent == 0) base = Py_NewRef(image);
    if (is_transparent > 0) base = composed(codec, image);
    Py_DECREF(image);
    if (base == NULL) return NULL;
    PyObject *result = rgb_image(base);
    Py_DECREF(base);
    return result;
}

/// `PIL.ImageOps.function(image, size, method=lanczos[, color=color])`
static PyObject *by_image_ops(const char *function, PyObject *image, PyObject *size,
                              PyObject *lanczos, PyObject *color) {
    PyObject *callable = imported("PIL.ImageOps", function);
    PyObject *arguments = PyTuple_Pack(2, image, size);
    PyObject *options = Py_BuildValue("{s:O}", "method", lanczos);
    int result = options == NULL ? -1 : 0;
    if (result == 0 && color != NULL) result = PyDict_SetItemString(options, "color", color);
    PyObject *resized = NULL;
    if (callable != NULL && arguments != NULL && result == 0)
        resized = PyObject_Call(callable, arguments, options);
    Py_XDECREF(callable);
    Py_XDECREF(arguments);
    Py_XDECREF(options);
    return resized;
}

/// The image in the study's size. Takes the reference over.
static PyObject *sized(const StudyCodec *codec, PyObject *image) {
    PyObject *result = NULL;
    if (codec->width == 0) {
        result = fitted_image(image, GPI_LONGEST_SIDE);
        Py_DECREF(image);
        return result;
    }
    PyObject *lanczos = imported("PIL.Image", "LANCZOS");
    PyObject *size = Py_BuildValue("(LL)", (long long)codec->width, (long long)codec->height);
    if (lanczos != NULL && size != NULL) {
        if (PyUnicode_CompareWithASCIIString(codec->fit, "crop") == 0) {
            result = by_image_ops("fit", image, size, lanczos, NULL);
        } else if (PyUnicode_CompareWithASCIIString(codec->fit, "pad") == 0) {
            result = by_image_ops("pad", image, size, lanczos, codec->background);
        } else {
            result = PyObject_CallMethod(image, "resize", "OO", size, lanczos);
        }
    }
    Py_XDECREF(lanczos);
    Py_XDECREF(size);
    Py_DECREF(image);
    return result;
}

// MARK: - From a file

/// `Image.open(file)`
static PyObject *identified(PyObject *file) {
    PyObject *open = imported("PIL.Image", "open");
    PyObject *unidentified = imported("PIL", "UnidentifiedImageError");
    PyObject *image = NULL;
    if (open != NULL && unidentified != NULL) {
        image = PyObject_CallFunctionObjArgs(open, file, NULL);
        // Pillow's text names the object that it was given, which is none that anybody knows.
        if (image == NULL && PyErr_ExceptionMatches(unidentified)) {
            PyErr_Clear();
            PyErr_SetString(PyExc_ValueError, "Pillow knows no format of pictures that it could be.");
        }
    }
    Py_XDECREF(open);
    Py_XDECREF(unidentified);
    return image;
}

/// The image that the bytes hold, loaded. A new reference.
static PyObject *opened(const uint8_t *bytes, size_t count) {
    PyObject *content = PyBytes_FromStringAndSize((const char *)bytes, (Py_ssize_t)count);
    PyObject *make = content == NULL ? NULL : imported("io", "BytesIO");
    PyObject *file = make == NULL ? NULL : PyObject_CallFunctionObjArgs(make, content, NULL);
    PyObject *image = file == NULL ? NULL : identified(file);
    // Some formats know their true size and mode only once they are loaded.
    if (image != NULL && call_method(image, "load") < 0) Py_CLEAR(image);
    Py_XDECREF(content);
    Py_XDECREF(make);
    Py_XDECREF(file);
    return image;
}

static int decode(const StudyCodec *codec, const uint8_t *bytes, size_t count,
                  gpi_picture **picture) {
    PyObject *image = opened(bytes, count);
    if (image != NULL && codec->exif) image = turned(image);
    if (image != NULL) image = opaque(codec, image);
    if (image != NULL) image = sized(codec, image);
    Pixels pixels;
    int result = take_pixels(image, &pixels);
    if (result == 0) {
        gpi_status status =
            gpi_picture_create(pixels.rgb, pixels.width, pixels.height, picture);
        if (status != GPI_OK) {
            raise_status(status, NULL);
            result = -1;
        }
    }
    clear_pixels(&pixels);
    return result;
}

// MARK: - To a file

/// The bytes of a PNG file; a new reference.
static PyObject *encoded(const gpi_picture *picture) {
    PyObject *image = image_of(picture);
    PyObject *make = image == NULL ? NULL : imported("io", "BytesIO");
    PyObject *file = make == NULL ? NULL : PyObject_CallNoArgs(make);
    PyObject *saved =
        file == NULL ? NULL : PyObject_CallMethod(image, "save", "Os", file, "PNG");
    PyObject *bytes = saved == NULL ? NULL : PyObject_CallMethod(file, "getvalue", NULL);
    Py_XDECREF(image);
    Py_XDECREF(make);
    Py_XDECREF(file);
    Py_XDECREF(saved);
    return bytes;
}

// MARK: - Errors

/// What is wrong with a picture, from the pending exception, which is over then: bytes in UTF-8; NULL
/// with another exception.
static PyObject *pending_words(const char *path) {
    PyObject *type, *value, *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    PyErr_NormalizeException(&type, &value, &traceback);
    PyObject *words = value == NULL ? NULL : PyObject_Str(value);
    if (words != NULL && PyUnicode_GetLength(words) == 0) {
        Py_DECREF(words);
        words = PyObject_Repr(value);
    }
    PyObject *name = PyUnicode_DecodeUTF8(path, (Py_ssize_t)strlen(path), "replace");
    PyObject *text =
        words == NULL || name == NULL ? NULL : PyUnicode_FromFormat("%U: %U", name, words);
    PyObject *bytes =
        text == NULL ? NULL : PyUnicode_AsEncodedString(text, "utf-8", "backslashreplace");
    Py_XDECREF(text);
    Py_XDECREF(name);
    Py_XDECREF(words);
    Py_XDECREF(type);
    Py_XDECREF(value);
    Py_XDECREF(traceback);
    return bytes;
}

/// The pending exception as a text for the core, which `kept` holds. None is pending on a thread of the
/// core's then, where nobody would look for it.
static const char *told(const StudyCodec *codec, const char *path, PyObject **kept) {
    // Ctrl-C, say: the thread that waits for the core finds it.
    if (!PyErr_ExceptionMatches(PyExc_Exception) && PyThread_get_thread_ident() == codec->owner)
        return "The work was interrupted.";
    *kept = pending_words(path);
    const char *text = *kept == NULL ? NULL : PyBytes_AsString(*kept);
    if (text != NULL) return text;
    PyErr_Clear();
    return "The picture cannot be read, and there is no memory to say why.";
}

// MARK: - Callbacks

const char *decode_study_file(void *context, const char *path, const uint8_t *bytes, size_t count,
                              gpi_picture **picture) {
    StudyCodec *codec = context;
    const char *error = NULL;
    PyGILState_STATE state = PyGILState_Ensure();
    Py_CLEAR(codec->decode_error);
    if (PyErr_Occurred()) {
        error = "The work was interrupted.";
    } else if (decode(codec, bytes, count, picture) < 0) {
        error = told(codec, path, &codec->decode_error);
    }
    PyGILState_Release(state);
    return error;
}

const char *encode_study_file(void *context, const gpi_picture *picture, const uint8_t **bytes,
                              size_t *count) {
    StudyCodec *codec = context;
    const char *error = NULL;
    PyGILState_STATE state = PyGILState_Ensure();
    Py_CLEAR(codec->encode_error);
    Py_CLEAR(codec->encoded);
    codec->encoded = encoded(picture);
    char *start = NULL;
    Py_ssize_t size = 0;
    if (codec->encoded != NULL && PyBytes_AsStringAndSize(codec->encoded, &start, &size) == 0) {
        *bytes = (const uint8_t *)start;
        *count = (size_t)size;
    } else {
        error = told(codec, "PNG", &codec->encode_error);
    }
    PyGILState_Release(state);
    return error;
}

void clear_study_codec(StudyCodec *codec) {
    Py_XDECREF(codec->fit);
    Py_XDECREF(codec->background);
    Py_XDECREF(codec->decode_error);
    Py_XDECREF(codec->encode_error);
    Py_XDECREF(codec->encoded);
    *codec = (StudyCodec){0};
}
