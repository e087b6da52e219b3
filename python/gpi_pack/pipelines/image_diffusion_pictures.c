/// Between pictures and latents, and the whole way.

#include "dlpack.h"
#include "errors.h"
#include "image_diffusion_model.h"
#include "memory_format.h"
#include "picture_outputs.h"
#include "pictures.h"
#include "values.h"

#include <string.h>

// MARK: - Latents to pictures

/// Decodes latents. A new tensor on the CPU.
static PyObject *decoded(ImageDiffusionObject *self, PyObject *value) {
    gpi_tensor *latents = NULL, *pixels = NULL;
    if (core_tensor("img_latents", value, &latents) < 0) return NULL;
    Model *model = part_set_model(&self->set);
    int result = model == NULL ? -1 : take_model(model);
    if (result == 0) {
        begin_waiting(&model->waiting);
        gpi_status status = gpi_model_decode_scaled(model->core, latents, is_interrupted,
                                                    &model->waiting, &pixels);
        end_waiting(&model->waiting);
        result = settle_model(model, status, NULL);
        give_model_back(model);
    }
    release_model(model);
    gpi_tensor_free(latents);
    if (result < 0) {
        gpi_tensor_free(pixels);
        return NULL;
    }
    PyObject *tensor = torch_tensor(pixels);
    PyObject *here = tensor == NULL ? NULL : PyObject_CallMethod(tensor, "cpu", NULL);
    Py_XDECREF(tensor);
    return here;
}

const char decode_img_latents_doc[] =
    "decode_img_latents($self, img_latents)\n"
    "--\n"
    "\n"
    "The pictures that scaled latents [N, 4, h, w] stand for: a tensor [N, 3, 8 h, 8 w] on the\n"
    "CPU, about in [-1, 1].";

PyObject *decode_img_latents(PyObject *self, PyObject *positional, PyObject *keywords) {
    static const char *const names[] = {"img_latents", NULL};
    PyObject *latents;
    if (!PyArg_ParseTupleAndKeywords(positional, keywords, "O:decode_img_latents", (char **)names,
                                     &latents))
        return NULL;
    return decoded((ImageDiffusionObject *)self, latents);
}

static PyObject *images_from(PyObject *value) {
    gpi_tensor *pixels = NULL;
    if (core_tensor("imgs", value, &pixels) < 0) return NULL;
    PyObject *images = NULL;
    if (gpi_tensor_dimensions(pixels) == 4) {
        images = pictures_as(OUTPUT_PIL, pixels);
    } else {
        PyErr_SetString(PyExc_ValueError, "imgs must be a tensor [N, 3, H, W].");
    }
    gpi_tensor_free(pixels);
    return images;
}

const char transform_imgs_doc[] =
    "transform_imgs($self, imgs)\n"
    "--\n"
    "\n"
    "A tensor [N, 3, H, W] in [-1, 1] as a list of images of Pillow; other values are cut off.";

PyObject *transform_imgs(PyObject *self, PyObject *positional, PyObject *keywords) {
    static const char *const names[] = {"imgs", NULL};
    PyObject *images;
    (void)self;
    if (!PyArg_ParseTupleAndKeywords(positional, keywords, "O:transform_imgs", (char **)names,
                                     &images))
        return NULL;
    return images_from(images);
}

// MARK: - Pictures to latents

/// The bytes of several pictures of one size.
typedef struct Batch {
    uint8_t *rgb;
    int64_t count, width, height;
} Batch;

/// Adds picture number `index`.
static int add_picture(Batch *batch, Py_ssize_t index, PyObject *source, const char *argument) {
    PyObject *about;
    Pixels pixels;
    // As large as it is: nothing is shrunk here.
    int result = picture_argument(argument, source, INT32_MAX, &about, &pixels);
    if (result == 0 && index == 0) {
        batch->width = pixels.width;
        batch->height = pixels.height;
    }
    if (result == 0 && (pixels.width != batch->width || pixels.height != batch->height)) {
        PyErr_Format(PyExc_ValueError, "%U: the pictures must be of one size.", about);
        result = -1;
    }
    size_t size = (size_t)batch->width * (size_t)batch->height * 3;
    if (result == 0 && index == 0) {
        batch->rgb = PyMem_Calloc((size_t)batch->count, size);
        if (batch->rgb == NULL) {
            PyErr_NoMemory();
            result = -1;
        }
    }
    if (result == 0) memcpy(batch->rgb + (size_t)index * size, pixels.rgb, size);
    clear_pixels(&pixels);
    Py_XDECREF(about);
    return result;
}

/// 0, or -1 with an exception; `batch->rgb` is the caller's to free in either case.
static int read_batch(PyObject *value, Batch *batch) {
    *batch = (Batch){.count = 1};
    if (!PyList_Check(value) && !PyTuple_Check(value)) return add_picture(batch, 0, value, "img");
    PyObject *sources = PySequence_Tuple(value);
    if (sources == NULL) return -1;
    batch->count = PyTuple_Size(sources);
    int result = 0;
    if (batch->count == 0) {
        PyErr_SetString(PyExc_ValueError, "img is an empty list; give at least one picture.");
        result = -1;
    }
    for (Py_ssize_t i = 0; i < batch->count && result == 0; i++) {
        char name[32];
        PyOS_snprintf(name, sizeof name, "img[%zd]", i);
        result = add_picture(batch, i, PyTuple_GetItem(sources, i), name);
    }
    Py_DECREF(sources);
    return result;
}

/// The mean of the posterior times the scaling factor.
static int encode(Model *model, const gpi_tensor *pixels, gpi_tensor **mean, double *factor) {
    if (take_model(model) < 0) return -1;
    gpi_tensor *deviation = NULL;
    begin_waiting(&model->waiting);
    gpi_status status = gpi_model_encode(model->core, pixels, is_interrupted, &model->waiting, mean,
                                         &deviation);
    if (status == GPI_OK) status = gpi_model_scaling_factor(model->core, factor);
    end_waiting(&model->waiting);
    int result = settle_model(model, status, NULL);
    gpi_tensor_free(deviation);
    give_model_back(model);
    return result;
}

/// `tensor * factor`, which takes both over.
static PyObject *scaled(PyObject *tensor, PyObject *factor) {
    PyObject *result =
        tensor == NULL || factor == NULL ? NULL : PyNumber_Multiply(tensor, factor);
    Py_XDECREF(tensor);
    Py_XDECREF(factor);
    return result;
}

static PyObject *encoded(ImageDiffusionObject *self, PyObject *value) {
    Batch batch;
    gpi_tensor *pixels = NULL, *mean = NULL;
    double factor = 1;
    int result = read_batch(value, &batch);
    if (result == 0) {
        gpi_status status =
            gpi_pictures_tensor(batch.rgb, batch.count, batch.width, batch.height, &pixels);
        if (status != GPI_OK) {
            raise_status(status, NULL);
            result = -1;
        }
    }
    PyMem_Free(batch.rgb);
    if (result == 0) {
        Model *model = part_set_model(&self->set);
        result = model == NULL ? -1 : encode(model, pixels, &mean, &factor);
        release_model(model);
    }
    gpi_tensor_free(pixels);
    if (result == 0)
        return channels_last(scaled(torch_tensor(mean), PyFloat_FromDouble(factor)));
    gpi_tensor_free(mean);
    return NULL;
}

const char encode_img_latents_doc[] =
    "encode_img_latents($self, img)\n"
    "--\n"
    "\n"
    "The latents of a picture or a list of N pictures of one size, whose sides are multiples of\n"
    "8: the means of their posteriors, scaled. A tensor [N, 4, H / 8, W / 8].";

PyObject *encode_img_latents(PyObject *self, PyObject *positional, PyObject *keywords) {
    static const char *const names[] = {"img", NULL};
    PyObject *image;
    if (!PyArg_ParseTupleAndKeywords(positional, keywords, "O:encode_img_latents", (char **)names,
                                     &image))
        return NULL;
    return encoded((ImageDiffusionObject *)self, image);
}

// MARK: - The whole way

/// Decodes latents, which are taken over, to images.
static PyObject *images_of(ImageDiffusionObject *self, PyObject *latents) {
    PyObject *pixels = latents == NULL ? NULL : decoded(self, latents);
    PyObject *images = pixels == NULL ? NULL : images_from(pixels);
    Py_XDECREF(latents);
    Py_XDECREF(pixels);
    return images;
}

const char prompt_to_img_doc[] =
    "prompt_to_img($self, prompts, height=512, width=512, num_inference_steps=50,\n"
    "              guidance_scale=7.5, img_latents=None)\n"
    "--\n"
    "\n"
    "A list of images for a prompt or a list of prompts; see get_img_latents.";

PyObject *prompt_to_img(PyObject *object, PyObject *positional, PyObject *keywords) {
    static const char *const names[] = {
        "prompts", "height", "width", "num_inference_steps", "guidance_scale", "img_latents", NULL,
    };
    ImageDiffusionObject *self = (ImageDiffusionObject *)object;
    RunOptions options = {0};
    PyObject *prompts;
    PyObject *latents = NULL;
    if (!PyArg_ParseTupleAndKeywords(positional, keywords, "O|OOOOO:prompt_to_img", (char **)names,
                                     &prompts, &options.height, &options.width,
                                     &options.num_inference_steps, &options.guidance_scale,
                                     &latents))
        return NULL;
    PyObject *embeds = embeds_of(self, "prompts", prompts, true);
    if (embeds == NULL) return NULL;
    PyObject *reached = latents_from_noise(self, embeds, latents, &options);
    Py_DECREF(embeds);
    return images_of(self, reached);
}

const char similar_imgs_doc[] =
    "similar_imgs($self, img, prompt, height=512, width=512, num_inference_steps=50,\n"
    "             guidance_scale=7.5, start_step=10)\n"
    "--\n"
    "\n"
    "A list of images similar to a picture or a list of them, under a prompt for each; see\n"
    "get_img_latents_similar.";

PyObject *similar_imgs(PyObject *object, PyObject *positional, PyObject *keywords) {
    static const char *const names[] = {
        "img", "prompt", "height", "width", "num_inference_steps", "guidance_scale", "start_step",
        NULL,
    };
    ImageDiffusionObject *self = (ImageDiffusionObject *)object;
    RunOptions options = {0};
    PyObject *image, *prompt;
    if (!PyArg_ParseTupleAndKeywords(positional, keywords, "OO|OOOOO:similar_imgs", (char **)names,
                                     &image, &prompt, &options.height, &options.width,
                                     &options.num_inference_steps, &options.guidance_scale,
                                     &options.start_step))
        return NULL;
    PyObject *latents = encoded(self, image);
    PyObject *embeds = latents == NULL ? NULL : embeds_of(self, "prompt", prompt, true);
    PyObject *reached =
        embeds == NULL ? NULL : latents_from_picture(self, latents, embeds, &options);
    Py_XDECREF(latents);
    Py_XDECREF(embeds);
    return images_of(self, reached);
}
