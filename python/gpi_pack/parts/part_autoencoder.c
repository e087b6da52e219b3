/// `AutoencoderKL`: between pictures and latents.

#include "distribution.h"
#include "dlpack.h"
#include "memory_format.h"
#include "output.h"
#include "part.h"

// MARK: - Encoding

static int encode_pixels(Model *model, const gpi_tensor *pixels, gpi_tensor **mean,
                         gpi_tensor **deviation) {
    if (take_model(model) < 0) return -1;
    begin_waiting(&model->waiting);
    gpi_status status = gpi_model_encode(model->core, pixels, is_interrupted, &model->waiting, mean,
                                         deviation);
    end_waiting(&model->waiting);
    int result = settle_model(model, status, NULL);
    give_model_back(model);
    return result;
}

PyDoc_STRVAR(encode_doc,
             "encode($self, x, return_dict=True)\n"
             "--\n"
             "\n"
             "The posterior of pictures [N, 3, H, W] in [-1, 1] as .latent_dist, with .mean, .std,\n"
             ".sample(generator) and .mode(): latents [N, 4, H / 8, W / 8] that are not scaled.");

static PyObject *encode(PyObject *object, PyObject *positional, PyObject *keywords) {
    static const char *const names[] = {"x", "return_dict", NULL};
    static const char *const fields[] = {"latent_dist"};
    PyObject *value;
    int return_dict = 1;
    if (!PyArg_ParseTupleAndKeywords(positional, keywords, "O|p:encode", (char **)names, &value,
                                     &return_dict))
        return NULL;
    gpi_tensor *pixels = NULL, *mean = NULL, *deviation = NULL;
    if (core_tensor("x", value, &pixels) < 0) return NULL;
    Model *model = retain_model(((PartObject *)object)->model);
    int result = encode_pixels(model, pixels, &mean, &deviation);
    gpi_tensor_free(pixels);
    release_model(model);
    if (result < 0) {
        gpi_tensor_free(mean);
        gpi_tensor_free(deviation);
        return NULL;
    }
    PyObject *means = torch_tensor(mean);
    PyObject *deviations = torch_tensor(deviation);
    int is_last = means == NULL || deviations == NULL ? -1 : is_channels_last(value);
    if (is_last > 0) {
        means = channels_last(means);
        deviations = channels_last(deviations);
    } else if (is_last < 0) {
        Py_CLEAR(means);
    }
    PyObject *distribution = new_distribution(means, deviations);
    PyObject *output = output_or_tuple(return_dict, fields, &distribution, 1);
    Py_XDECREF(distribution);
    return output;
}

// MARK: - Decoding

static int decode_latents(Model *model, const gpi_tensor *latents, gpi_tensor **pixels) {
    if (take_model(model) < 0) return -1;
    begin_waiting(&model->waiting);
    gpi_status status =
        gpi_model_decode(model->core, latents, is_interrupted, &model->waiting, pixels);
    end_waiting(&model->waiting);
    int result = settle_model(model, status, NULL);
    give_model_back(model);
    return result;
}

PyDoc_STRVAR(decode_doc,
             "decode($self, z, return_dict=True, generator=None)\n"
             "--\n"
             "\n"
             "Pictures of latents [N, 4, h, w] that are not scaled, as .sample: [N, 3, 8 h, 8 w],\n"
             "about in [-1, 1]. generator is not used.");

static PyObject *decode(PyObject *object, PyObject *positional, PyObject *keywords) {
    static const char *const names[] = {"z", "return_dict", "generator", NULL};
    static const char *const fields[] = {"sample"};
    PyObject *value;
    PyObject *generator = NULL;
    int return_dict = 1;
    if (!PyArg_ParseTupleAndKeywords(positional, keywords, "O|pO:decode", (char **)names, &value,
                                     &return_dict, &generator))
        return NULL;
    gpi_tensor *latents = NULL, *pixels = NULL;
    if (core_tensor("z", value, &latents) < 0) return NULL;
    Model *model = retain_model(((PartObject *)object)->model);
    int result = decode_latents(model, latents, &pixels);
    gpi_tensor_free(latents);
    release_model(model);
    if (result < 0) {
        gpi_tensor_free(pixels);
        return NULL;
    }
    PyObject *sample = torch_tensor(pixels);
    PyObject *output = output_or_tuple(return_dict, fields, &sample, 1);
    Py_XDECREF(sample);
    return output;
}

// MARK: - Tiles

static PyObject *tile(PyObject *object, bool uses_tiling) {
    Model *model = retain_model(((PartObject *)object)->model);
    int result = set_tiling(model, uses_tiling);
    release_model(model);
    return result < 0 ? NULL : Py_NewRef(Py_None);
}

PyDoc_STRVAR(enable_tiling_doc,
             "enable_tiling($self)\n"
             "--\n"
             "\n"
             "Pictures larger than config.sample_size are encoded and decoded in overlapping tiles of\n"
             "that size, which are blended: memory stays that of one tile, and results are others,\n"
             "though similar.");

static PyObject *enable_tiling(PyObject *self, PyObject *unused) {
    (void)unused;
    return tile(self, true);
}

PyDoc_STRVAR(disable_tiling_doc,
             "disable_tiling($self)\n--\n\nPictures are encoded and decoded as a whole again.");

static PyObject *disable_tiling(PyObject *self, PyObject *unused) {
    (void)unused;
    return tile(self, false);
}

static PyObject *get_use_tiling(PyObject *self, void *unused) {
    (void)unused;
    return PyBool_FromLong(gpi_model_uses_tiling(((PartObject *)self)->model->core));
}

static PyGetSetDef attributes[] = {
    {"use_tiling", get_use_tiling, NULL, "Whether large pictures are taken in tiles.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

// MARK: - The type

PyDoc_STRVAR(from_pretrained_doc,
             "from_pretrained($type, pretrained_model_name_or_path, *, subfolder=None,\n"
             "                torch_dtype=None, cache_dir=None, device='cpu', precision='default',\n"
             "                **options)\n"
             "--\n"
             "\n"
             "The autoencoder of a folder or of a model on the Hugging Face Hub, in `subfolder` of\n"
             "it. Options of diffusers' about the way of loading (use_safetensors, variant, …) have\n"
             "no effect.");

static PyObject *from_pretrained(PyObject *type, PyObject *positional, PyObject *keywords) {
    return part_from_pretrained(type, positional, keywords, GPI_AUTOENCODER);
}

static PyMethodDef methods[] = {
    {"from_pretrained", (PyCFunction)(void *)from_pretrained,
     METH_CLASS | METH_VARARGS | METH_KEYWORDS, from_pretrained_doc},
    {"encode", (PyCFunction)(void *)encode, METH_VARARGS | METH_KEYWORDS, encode_doc},
    {"decode", (PyCFunction)(void *)decode, METH_VARARGS | METH_KEYWORDS, decode_doc},
    {"enable_tiling", enable_tiling, METH_NOARGS, enable_tiling_doc},
    {"disable_tiling", disable_tiling, METH_NOARGS, disable_tiling_doc},
    {NULL, NULL, 0, NULL},
};

PyDoc_STRVAR(type_doc, "The autoencoder of a Stable Diffusion model: pictures to latents and back.\n"
                       "\n"
                       "    vae = AutoencoderKL.from_pretrained(model_id, subfolder='vae')\n"
                       "    latents = vae.encode(pixels).latent_dist.sample()\n"
                       "    pixels = vae.decode(latents).sample");

int add_autoencoder_type(PyObject *module) {
    PyType_Slot slots[] = {
        {Py_tp_doc, (void *)type_doc},
        {Py_tp_methods, methods},
        {Py_tp_getset, attributes},
        {0, NULL},
    };
    return add_kind_of_part(module, "gpi_pack.diffusion.AutoencoderKL", slots);
}
