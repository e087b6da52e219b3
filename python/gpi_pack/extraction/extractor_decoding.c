/// From latents to pictures and their files.

#include "dlpack.h"
#include "errors.h"
#include "extractor_methods.h"
#include "outputs.h"
#include "values.h"

// MARK: - Decoding

int decode(ExtractorObject *self, const gpi_tensor *latents, gpi_tensor **pixels) {
    if (take_core(self) < 0) return -1;
    Extractor *extractor = &self->extractor;
    begin_waiting(&extractor->waiting);
    gpi_status status =
        gpi_decode_tensor(extractor->core, latents, is_interrupted, &extractor->waiting, pixels);
    end_waiting(&extractor->waiting);
    int result = settle(extractor, status, NULL);
    give_core_back(self);
    return result;
}

const char decode_latents_doc[] =
    "decode_latents($self, latents)\n"
    "--\n"
    "\n"
    "The pictures that latents [N, 4, h, w] stand for: a tensor [N, 3, 8 h, 8 w], about in\n"
    "[-1, 1]. Latents of another floating-point dtype or device are converted.";

PyObject *decode_latents(PyObject *object, PyObject *positional, PyObject *keywords) {
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

// MARK: - Files

int check_save_path(PyObject *save_path) {
    PyObject *path = path_argument("save_path", save_path, "a str or a path");
    PyObject *format = path == NULL ? NULL : picture_format("save_path", path);
    Py_XDECREF(path);
    Py_XDECREF(format);
    return format == NULL ? -1 : 0;
}

int save_first(const gpi_tensor *pixels, PyObject *save_path) {
    PyObject *path = path_argument("save_path", save_path, "a str or a path");
    if (path == NULL) return -1;
    PyObject *about = PyUnicode_FromString("save_path");
    PyObject *format = about == NULL ? NULL : picture_format("save_path", path);
    const char *name = format == NULL ? NULL : PyUnicode_AsUTF8AndSize(format, NULL);
    gpi_picture *picture = NULL;
    int result = -1;
    if (name != NULL) {
        gpi_status status;
        Py_BEGIN_ALLOW_THREADS
        status = gpi_tensor_picture(pixels, &picture);
        Py_END_ALLOW_THREADS
        if (status == GPI_OK) result = 0;
        else raise_status(status, NULL);
    }
    if (result == 0) result = write_picture(picture, path, name, about);
    gpi_picture_free(picture);
    Py_XDECREF(format);
    Py_XDECREF(about);
    Py_DECREF(path);
    return result;
}

const char save_image_doc[] =
    "save_image($self, image, save_path)\n"
    "--\n"
    "\n"
    "Writes the first picture of a tensor [N, 3, height, width] with values in [-1, 1]; others\n"
    "are cut off. The format is the suffix's. The file appears whole or not at all.";

PyObject *save_image(PyObject *object, PyObject *positional, PyObject *keywords) {
    (void)object;
    static const char *const names[] = {"image", "save_path", NULL};
    PyObject *value, *path;
    if (!PyArg_ParseTupleAndKeywords(positional, keywords, "OO:save_image", (char **)names, &value,
                                     &path))
        return NULL;
    gpi_tensor *pixels = NULL;
    int result = core_tensor("image", value, &pixels);
    if (result == 0) result = save_first(pixels, path);
    gpi_tensor_free(pixels);
    return result < 0 ? NULL : Py_NewRef(Py_None);
}
