#include "pictures.h"

#include "errors.h"
#include "gpi_diffusion.h"

// MARK: - Kinds

typedef enum Kind { KIND_ERROR = -1, KIND_OTHER, KIND_PATH, KIND_IMAGE, KIND_ARRAY } Kind;

/// Whether `value` is a NumPy array. Without NumPy there are none, so it need not be imported.
static int is_array(PyObject *value) {
    PyObject *modules = PyImport_GetModuleDict();
    PyObject *numpy = PyDict_GetItemString(modules, "numpy");
    if (numpy == NULL) return 0;
    PyObject *type = PyObject_GetAttrString(numpy, "ndarray");
    if (type == NULL) {
        // A blocked import (None) or a mock.
        PyErr_Clear();
        return 0;
    }
    int result = PyObject_IsInstance(value, type);
    Py_DECREF(type);
    return result;
}

static Kind kind_of(PyObject *source) {
    if (PyUnicode_Check(source)) return KIND_PATH;
    int array = is_array(source);
    if (array != 0) return array < 0 ? KIND_ERROR : KIND_ARRAY;
    PyObject *image_type = imported("PIL.Image", "Image");
    if (image_type == NULL) return KIND_ERROR;
    int image = PyObject_IsInstance(source, image_type);
    Py_DECREF(image_type);
    if (image != 0) return image < 0 ? KIND_ERROR : KIND_IMAGE;
    PyObject *path_type = imported("os", "PathLike");
    if (path_type == NULL) return KIND_ERROR;
    int path = PyObject_IsInstance(source, path_type);
    Py_DECREF(path_type);
    if (path != 0) return path < 0 ? KIND_ERROR : KIND_PATH;
    return KIND_OTHER;
}

int is_picture(PyObject *source) {
    Kind kind = kind_of(source);
    return kind == KIND_ERROR ? -1 : kind != KIND_OTHER;
}

// MARK: - Arrays

/// Whether `object.attribute` as text is `expected`; -1 with an exception.
static int attribute_is(PyObject *object, const char *attribute, const char *expected) {
    PyObject *value = PyObject_GetAttrString(object, attribute);
    if (value == NULL) return -1;
    PyObject *text = PyObject_Str(value);
    Py_DECREF(value);
    if (text == NULL) return -1;
    int result = PyUnicode_CompareWithASCIIString(text, expected) == 0;
    Py_DECREF(text);
    return result;
}

int is_row_of_objects(PyObject *value) {
    int array = is_array(value);
    if (array <= 0) return array;
    int row = attribute_is(value, "ndim", "1");
    if (row <= 0) return row;
    PyObject *dtype = PyObject_GetAttrString(value, "dtype");
    if (dtype == NULL) return -1;
    int result = attribute_is(dtype, "kind", "U");
    if (result == 0) result = attribute_is(dtype, "kind", "O");
    Py_DECREF(dtype);
    return result;
}

/// The lengths of an array with three axes; 0 if it has another number, -1 with an exception.
static int lengths(PyObject *shape, long long result[3]) {
    if (!PyTuple_Check(shape) || PyTuple_Size(shape) != 3) return 0;
    for (Py_ssize_t axis = 0; axis < 3; axis++) {
        result[axis] = PyLong_AsLongLong(PyTuple_GetItem(shape, axis));
        if (result[axis] == -1 && PyErr_Occurred()) return -1;
    }
    return 1;
}

static int check_array(PyObject *array, PyObject *about) {
    int status = -1;
    long long size[3];
    PyObject *dtype = PyObject_GetAttrString(array, "dtype");
    PyObject *shape = PyObject_GetAttrString(array, "shape");
    if (dtype == NULL || shape == NULL) goto done;
    int bytes = attribute_is(array, "dtype", "uint8");
    if (bytes < 0) goto done;
    int three = lengths(shape, size);
    if (three < 0) goto done;
    if (!bytes || !three || size[2] != 3) {
        PyErr_Format(PyExc_ValueError,
                     "%U is an array of shape %R and dtype %S; an array must have the shape "
                     "[height, width, 3] and the dtype uint8. Pass several as a list.",
                     about, shape, dtype);
        goto done;
    }
    if (size[0] < 1 || size[1] < 1) {
        PyErr_Format(PyExc_ValueError, "%U is an array of shape %R, which has no pixels.", about,
                     shape);
        goto done;
    }
    status = 0;
done:
    Py_XDECREF(dtype);
    Py_XDECREF(shape);
    return status;
}

// MARK: - Images of Pillow

/// Width and height; 0, or -1 with an exception.
static int image_size(PyObject *image, int64_t *width, int64_t *height) {
    long long sides[2];
    const char *names[2] = {"width", "height"};
    for (int i = 0; i < 2; i++) {
        PyObject *side = PyObject_GetAttrString(image, names[i]);
        if (side == NULL) return -1;
        sides[i] = PyLong_AsLongLong(side);
        Py_DECREF(side);
        if (sides[i] == -1 && PyErr_Occurred()) return -1;
    }
    if (sides[0] < 1 || sides[1] < 1) {
        PyErr_Format(PyExc_ValueError, "the picture is %lld by %lld pixels, which is none.",
                     sides[0], sides[1]);
        return -1;
    }
    *width = sides[0];
    *height = sides[1];
    return 0;
}

PyObject *fitted_image(PyObject *image, int64_t longest_side) {
    int64_t width, height, fitted_width, fitted_height;
    if (image_size(image, &width, &height) < 0) return NULL;
    gpi_status status =
        gpi_fitted_size(width, height, longest_side, &fitted_width, &fitted_height);
    if (status != GPI_OK) {
        raise_status(status, NULL);
        return NULL;
    }
    if (fitted_width == width && fitted_height == height) return Py_NewRef(image);
    PyObject *lanczos = imported("PIL.Image", "LANCZOS");
    if (lanczos == NULL) return NULL;
    PyObject *result = PyObject_CallMethod(image, "resize", "(LL)O", (long long)fitted_width,
                                           (long long)fitted_height, lanczos);
    Py_DECREF(lanczos);
    return result;
}

PyObject *rgb_image(PyObject *image) {
    int is_rgb = attribute_is(image, "mode", "RGB");
    if (is_rgb < 0) return NULL;
    return is_rgb ? Py_NewRef(image) : PyObject_CallMethod(image, "convert", "s", "RGB");
}

/// Points `rgb` into `bytes`, after a look at their number.
static int open_bytes(Pixels *pixels) {
    char *start;
    Py_ssize_t count;
    if (PyBytes_AsStringAndSize(pixels->bytes, &start, &count) < 0) return -1;
    if (count / 3 / pixels->width != pixels->height || count % (3 * pixels->width) != 0) {
        PyErr_Format(PyExc_ValueError, "%zd bytes are not %lld by %lld pixels.", count,
                     (long long)pixels->width, (long long)pixels->height);
        return -1;
    }
    pixels->rgb = (const uint8_t *)start;
    return 0;
}

int take_pixels(PyObject *image, Pixels *pixels) {
    *pixels = (Pixels){0};
    if (image == NULL) return -1;
    int status = image_size(image, &pixels->width, &pixels->height);
    if (status == 0) {
        pixels->bytes = PyObject_CallMethod(image, "tobytes", NULL);
        status = pixels->bytes == NULL ? -1 : open_bytes(pixels);
    }
    Py_DECREF(image);
    return status;
}

/// Shrinks, then converts.
static int read_image(PyObject *image, int64_t longest_side, Pixels *pixels) {
    PyObject *small = fitted_image(image, longest_side);
    if (small == NULL) return -1;
    PyObject *rgb = rgb_image(small);
    Py_DECREF(small);
    return take_pixels(rgb, pixels);
}

/// Converts, then shrinks.
static int read_opened(PyObject *image, int64_t longest_side, Pixels *pixels) {
    // Some formats know their true size and mode only once they are loaded.
    if (call_method(image, "load") < 0) return -1;
    PyObject *rgb = rgb_image(image);
    if (rgb == NULL) return -1;
    PyObject *small = fitted_image(rgb, longest_side);
    Py_DECREF(rgb);
    return take_pixels(small, pixels);
}

static int read_file(PyObject *path, int64_t longest_side, Pixels *pixels) {
    PyObject *open = imported("PIL.Image", "open");
    if (open == NULL) return -1;
    PyObject *image = PyObject_CallFunctionObjArgs(open, path, NULL);
    Py_DECREF(open);
    if (image == NULL) return -1;
    int status = read_opened(image, longest_side, pixels);
    if (status < 0) {
        call_while_failing(image, "close");
    } else {
        status = call_method(image, "close");
    }
    Py_DECREF(image);
    return status;
}

/// An array of [H, W, 3] and uint8, whatever its strides; a masked array's values as they are.
static int read_array(PyObject *array, int64_t longest_side, Pixels *pixels) {
    PyObject *plain = NULL;
    PyObject *image = NULL;
    PyObject *as_array = imported("numpy", "ascontiguousarray");
    PyObject *from_array = imported("PIL.Image", "fromarray");
    if (as_array != NULL && from_array != NULL)
        plain = PyObject_CallFunctionObjArgs(as_array, array, NULL);
    if (plain != NULL) image = PyObject_CallFunctionObjArgs(from_array, plain, NULL);
    Py_XDECREF(as_array);
    Py_XDECREF(from_array);
    Py_XDECREF(plain);
    if (image == NULL) return -1;
    int status = read_image(image, longest_side, pixels);
    Py_DECREF(image);
    return status;
}

// MARK: - All of them

int check_picture(PyObject *source, PyObject *about) {
    switch (kind_of(source)) {
    case KIND_ERROR:
        return -1;
    case KIND_OTHER:
        raise_wrong_type(about, "a path, a PIL image or a NumPy array", source);
        return -1;
    case KIND_ARRAY:
        return check_array(source, about);
    case KIND_PATH:
    case KIND_IMAGE:
        break;
    }
    return 0;
}

int read_picture(PyObject *source, PyObject *about, int64_t longest_side, Pixels *pixels) {
    int status = -1;
    *pixels = (Pixels){0};
    switch (kind_of(source)) {
    case KIND_ERROR:
    case KIND_OTHER:
        break;
    case KIND_PATH:
        status = read_file(source, longest_side, pixels);
        break;
    case KIND_IMAGE:
        status = read_image(source, longest_side, pixels);
        break;
    case KIND_ARRAY:
        // Again: an array may have been changed since it was checked.
        if (check_array(source, about) < 0) return -1;
        status = read_array(source, longest_side, pixels);
        break;
    }
    if (status < 0) {
        clear_pixels(pixels);
        if (!PyErr_Occurred()) raise_wrong_type(about, "a path, a PIL image or a NumPy array", source);
        raise_again(about);
    }
    return status;
}

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

int picture_argument(const char *argument, PyObject *source, int64_t longest_side, PyObject **about,
                     Pixels *pixels) {
    *pixels = (Pixels){0};
    *about = picture_about(argument, source);
    if (*about == NULL) return -1;
    if (check_picture(source, *about) < 0) return -1;
    return read_picture(source, *about, longest_side, pixels);
}

void clear_pixels(Pixels *pixels) {
    Py_CLEAR(pixels->bytes);
    pixels->rgb = NULL;
}

PyObject *image_of(const gpi_picture *picture) {
    int64_t width = gpi_picture_width(picture);
    int64_t height = gpi_picture_height(picture);
    PyObject *make = imported("PIL.Image", "frombytes");
    if (make == NULL) return NULL;
    PyObject *image = PyObject_CallFunction(
        make, "s(LL)y#", "RGB", (long long)width, (long long)height,
        (const char *)gpi_picture_rgb(picture), (Py_ssize_t)(width * height * 3));
    Py_DECREF(make);
    return image;
}
