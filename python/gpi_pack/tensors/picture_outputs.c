#include "picture_outputs.h"

#include "dlpack.h"
#include "errors.h"
#include "pictures.h"

int output_type_argument(PyObject *value, OutputType *type) {
    static const struct {
        const char *name;
        OutputType type;
    } known[] = {
        {"pil", OUTPUT_PIL}, {"np", OUTPUT_NUMPY},       {"numpy", OUTPUT_NUMPY},
        {"pt", OUTPUT_TORCH}, {"latent", OUTPUT_LATENTS},
    };
    *type = OUTPUT_PIL;
    if (value == NULL) return 0;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (!PyUnicode_Check(value)
            || PyUnicode_CompareWithASCIIString(value, known[i].name) != 0)
            continue;
        *type = known[i].type;
        return 0;
    }
    PyErr_Format(PyExc_ValueError,
                 "output_type must be \"pil\", \"np\", \"pt\" or \"latent\", not %R.", value);
    return -1;
}

/// The image in mode "L", of one channel. Takes it over.
static PyObject *grey(PyObject *image) {
    PyObject *result = image == NULL ? NULL : PyObject_CallMethod(image, "convert", "s", "L");
    Py_XDECREF(image);
    return result;
}

static PyObject *images(const gpi_tensor *pixels) {
    int64_t count = gpi_tensor_shape(pixels)[0];
    int is_grey = gpi_tensor_shape(pixels)[1] == 1;
    PyObject *list = PyList_New(0);
    int result = list == NULL ? -1 : 0;
    for (int64_t i = 0; i < count && result == 0; i++) {
        gpi_picture *picture = NULL;
        gpi_status status;
        Py_BEGIN_ALLOW_THREADS
        status = gpi_tensor_nth_picture(pixels, i, &picture);
        Py_END_ALLOW_THREADS
        PyObject *image = NULL;
        if (status != GPI_OK) {
            raise_status(status, NULL);
        } else {
            image = is_grey ? grey(image_of(picture)) : image_of(picture);
        }
        result = image == NULL ? -1 : PyList_Append(list, image);
        Py_XDECREF(image);
        gpi_picture_free(picture);
    }
    if (result == 0) return list;
    Py_XDECREF(list);
    return NULL;
}

/// A tensor [N, 3, H, W] as an array [N, H, W, 3] of its own. Takes it over.
static PyObject *array(PyObject *tensor) {
    PyObject *here = PyObject_CallMethod(tensor, "cpu", NULL);
    Py_DECREF(tensor);
    PyObject *turned =
        here == NULL ? NULL : PyObject_CallMethod(here, "permute", "iiii", 0, 2, 3, 1);
    PyObject *packed = turned == NULL ? NULL : PyObject_CallMethod(turned, "contiguous", NULL);
    PyObject *result = packed == NULL ? NULL : PyObject_CallMethod(packed, "numpy", NULL);
    Py_XDECREF(here);
    Py_XDECREF(turned);
    Py_XDECREF(packed);
    return result;
}

PyObject *pictures_as(OutputType type, const gpi_tensor *pixels) {
    if (type == OUTPUT_PIL) return images(pixels);
    gpi_tensor *unit = NULL;
    gpi_status status;
    Py_BEGIN_ALLOW_THREADS
    status = gpi_tensor_unit_range(pixels, &unit);
    Py_END_ALLOW_THREADS
    if (status != GPI_OK) {
        raise_status(status, NULL);
        return NULL;
    }
    PyObject *tensor = torch_tensor(unit);
    return tensor == NULL || type == OUTPUT_TORCH ? tensor : array(tensor);
}
