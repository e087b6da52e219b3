/// `gpi_pack.diffusion`: pictures to the last latents of a diffusion model, over the C interface of
/// gpi_diffusion.h. Here is the module and the way of one call; each step has its own file.

#include "limited_python.h"

#include "arguments.h"
#include "config.h"
#include "core.h"
#include "dataset.h"
#include "dataset_summary.h"
#include "distribution.h"
#include "extractor.h"
#include "folder.h"
#include "output.h"
#include "image_diffusion_model.h"
#include "outputs.h"
#include "padding.h"
#include "part.h"
#include "pictures.h"
#include "pipeline.h"
#include "scheduler.h"
#include "training.h"
#include "unconditional_pipeline.h"

// MARK: - One picture

static int extract(Extractor *extractor, const Arguments *arguments, Py_ssize_t index,
                   const Pixels *pixels, PyObject *about, gpi_tensor **latents) {
    gpi_request request = GPI_REQUEST_INIT;
    request.rgb = pixels->rgb;
    request.width = pixels->width;
    request.height = pixels->height;
    request.prompt = PyUnicode_AsUTF8AndSize(prompt_for(arguments, index), NULL);
    if (request.prompt == NULL) return -1;
    if (arguments->negative_prompt != NULL) {
        request.negative_prompt = PyUnicode_AsUTF8AndSize(arguments->negative_prompt, NULL);
        if (request.negative_prompt == NULL) return -1;
    }
    request.strength = arguments->strength;
    request.num_inference_steps = arguments->num_inference_steps;
    request.guidance_scale = arguments->guidance_scale;
    request.has_seed = arguments->has_seed;
    request.seed = arguments->seed;
    request.interruption = is_interrupted;
    request.interruption_context = &extractor->waiting;
    request.progress = show_step;
    request.progress_context = extractor;
    begin_waiting(&extractor->waiting);
    gpi_status status = gpi_extract(extractor->core, &request, latents);
    end_waiting(&extractor->waiting);
    return settle(extractor, status, about);
}

/// Decodes the latents and writes the picture, if pictures are asked for.
static int write_decoded(Extractor *extractor, const Arguments *arguments, Py_ssize_t index,
                         const gpi_tensor *latents, PyObject *about) {
    if (arguments->output_image_dir == NULL) return 0;
    PyObject *path =
        numbered_path(arguments->output_image_dir, arguments->save_name, index, ".png");
    if (path == NULL) return -1;
    gpi_picture *picture = NULL;
    begin_waiting(&extractor->waiting);
    gpi_status status = gpi_decode(extractor->core, latents, is_interrupted,
                                   &extractor->waiting, &picture);
    end_waiting(&extractor->waiting);
    int result = settle(extractor, status, about);
    if (result == 0) result = write_picture(picture, path, "PNG", about);
    gpi_picture_free(picture);
    Py_DECREF(path);
    return result;
}

static int write_hidden(const Arguments *arguments, Py_ssize_t index, const gpi_tensor *latents,
                        PyObject *about) {
    PyObject *path =
        numbered_path(arguments->output_hidden_dir, arguments->prefix_hidden, index, ".pt");
    if (path == NULL) return -1;
    int result = write_latents(latents, path, about);
    Py_DECREF(path);
    return result;
}

static int process(Extractor *extractor, const Arguments *arguments, Py_ssize_t index) {
    PyObject *about = picture_name(arguments, index);
    if (about == NULL) return -1;
    Pixels pixels;
    gpi_tensor *latents = NULL;
    int result = read_picture(PyTuple_GetItem(arguments->images, index), about, GPI_LONGEST_SIDE,
                              &pixels);
    if (result == 0) result = extract(extractor, arguments, index, &pixels, about, &latents);
    // The pixels of a photograph weigh more than all that follows.
    clear_pixels(&pixels);
    if (result == 0) result = write_decoded(extractor, arguments, index, latents, about);
    if (result == 0) result = write_hidden(arguments, index, latents, about);
    gpi_tensor_free(latents);
    Py_DECREF(about);
    return result;
}

// MARK: - All pictures

static PyObject *progress_bar(Py_ssize_t total) {
    PyObject *type = imported("tqdm.auto", "tqdm");
    PyObject *nothing = PyTuple_New(0);
    PyObject *options = Py_BuildValue("{s:n,s:s}", "total", total, "desc", "Processing");
    PyObject *bar = NULL;
    if (type != NULL && nothing != NULL && options != NULL)
        bar = PyObject_Call(type, nothing, options);
    Py_XDECREF(type);
    Py_XDECREF(nothing);
    Py_XDECREF(options);
    return bar;
}

static int process_all(Extractor *extractor, const Arguments *arguments) {
    Py_ssize_t count = PyTuple_Size(arguments->images);
    PyObject *bar = progress_bar(count);
    if (bar == NULL) return -1;
    extractor->bar = bar;
    int result = 0;
    for (Py_ssize_t i = 0; i < count && result == 0; i++) {
        result = PyErr_CheckSignals();
        if (result == 0) result = process(extractor, arguments, i);
        if (result == 0) result = call_method(bar, "update");
    }
    if (result == 0) {
        result = call_method(bar, "close");
    } else {
        call_while_failing(bar, "close");
    }
    extractor->bar = NULL;
    Py_DECREF(bar);
    return result;
}

static int run(const Arguments *arguments) {
    // Before the model, which takes a while: a folder that cannot be made is told at once.
    if (make_folder("output_hidden_dir", arguments->output_hidden_dir) < 0) return -1;
    if (arguments->output_image_dir != NULL
        && make_folder("output_image_dir", arguments->output_image_dir) < 0)
        return -1;
    Extractor extractor = {0};
    int result = open_extractor(arguments->model_id, arguments->device, arguments->cache_dir,
                                GPI_FLOAT32, GPI_PRECISION_DEFAULT,
                                arguments->strength > 0 ? WHOLE_MODEL : AUTOENCODER_ALONE,
                                &extractor);
    if (result == 0) result = process_all(&extractor, arguments);
    close_extractor(&extractor);
    return result;
}

// MARK: - The module

PyDoc_STRVAR(
    extract_images_doc,
    "extract_images($module, images, prompts, output_hidden_dir,\n"
    "               output_image_dir=None, save_name='gen', prefix_hidden='hidden',\n"
    "               model_id='runwayml/stable-diffusion-v1-5', device=None, cache_dir=None,\n"
    "               strength=0, num_inference_steps=50, guidance_scale=7.5,\n"
    "               negative_prompt=None, seed=None)\n"
    "--\n"
    "\n"
    "Writes the last latents of a diffusion model for each picture, ready for causal\n"
    "inference, and the pictures that they stand for if a folder for them is given.\n"
    "\n"
    "Latents go to {output_hidden_dir}/{prefix_hidden}_{i}.pt, for torch.load: a float32\n"
    "tensor of the shape [1, 4, height / 8, width / 8]. Pictures go to\n"
    "{output_image_dir}/{save_name}_{i}.png. i counts from 0. Files that are there already\n"
    "are overwritten.\n"
    "\n"
    "A picture whose longest side is above 512 pixels is shrunk to that; then its sides are\n"
    "padded to multiples of 8 by reflection.\n"
    "\n"
    "images\n"
    "    A path, a PIL image, a NumPy array ([height, width, 3], uint8), or a sequence of these.\n"
    "prompts\n"
    "    A text for each picture; a single str serves all of them. Without influence at\n"
    "    strength 0.\n"
    "output_hidden_dir, output_image_dir\n"
    "    Folders, made where they are missing. Without output_image_dir nothing is decoded.\n"
    "save_name, prefix_hidden\n"
    "    What the files' names begin with.\n"
    "model_id\n"
    "    A folder in the layout of diffusers, or the id of a model on the Hugging Face Hub.\n"
    "device\n"
    "    'cpu', 'cuda' or 'cuda:N'; None for the first NVIDIA device if there is one, else\n"
    "    the CPU.\n"
    "cache_dir\n"
    "    Where models from the Hub are kept; None for huggingface_hub's own folder.\n"
    "strength\n"
    "    How far the picture is changed, 0 (not at all) to 1. Above 0, noise is added up to that\n"
    "    share of the way and taken away again under the prompt, by the UNet.\n"
    "num_inference_steps\n"
    "    Steps of the whole way, at least 1; a strength below 1 takes a share of them.\n"
    "guidance_scale\n"
    "    How strongly the prompt is followed; a finite number.\n"
    "negative_prompt\n"
    "    What guidance leads away from: a text or None.\n"
    "seed\n"
    "    An int as for torch.manual_seed, set again before each picture: equal sizes share\n"
    "    their noise. None leaves the noise to the generator of the process.\n"
    "\n"
    "Errors name the argument or the picture. ValueError and TypeError: an argument, or a\n"
    "file that holds no picture. FileNotFoundError: no such picture or model. OSError: a file\n"
    "cannot be read or written. ImportError: torch is missing or older than 2.10.\n"
    "KeyboardInterrupt stops a run within one operation of the model and leaves no partial\n"
    "file.");

static PyObject *extract_images(PyObject *module, PyObject *positional, PyObject *keywords) {
    (void)module;
    Arguments arguments;
    int result = parse_arguments(positional, keywords, &arguments);
    if (result == 0) result = run(&arguments);
    clear_arguments(&arguments);
    return result < 0 ? NULL : Py_NewRef(Py_None);
}

static PyMethodDef functions[] = {
    // Through a pointer to void: C has no cast between functions of different arguments.
    {"extract_images", (PyCFunction)(void *)extract_images, METH_VARARGS | METH_KEYWORDS,
     extract_images_doc},
    {"pad_to_multiple_of_8", (PyCFunction)(void *)pad_to_multiple_of_8,
     METH_VARARGS | METH_KEYWORDS, pad_to_multiple_of_8_doc},
    {"extract_dataset", (PyCFunction)(void *)extract_dataset, METH_VARARGS | METH_KEYWORDS,
     extract_dataset_doc},
    {"contact_sheet", (PyCFunction)(void *)contact_sheet, METH_VARARGS | METH_KEYWORDS,
     contact_sheet_doc},
    {"train_unconditional", (PyCFunction)(void *)train_unconditional, METH_VARARGS | METH_KEYWORDS,
     train_unconditional_doc},
    {NULL, NULL, 0, NULL},
};

// Through a pointer to void here too: ISO C has no cast from functions to it, but POSIX has.
static PyModuleDef_Slot slots[] = {
    {Py_mod_exec, (void *)add_extractor_type},
    {Py_mod_exec, (void *)add_config_type},
    {Py_mod_exec, (void *)add_output_type},
    {Py_mod_exec, (void *)add_scheduler_types},
    {Py_mod_exec, (void *)add_distribution_type},
    {Py_mod_exec, (void *)add_part_type},
    {Py_mod_exec, (void *)add_autoencoder_type},
    {Py_mod_exec, (void *)add_unet_type},
    {Py_mod_exec, (void *)add_unconditional_unet_type},
    {Py_mod_exec, (void *)add_text_encoder_type},
    {Py_mod_exec, (void *)add_tokenizer_type},
    {Py_mod_exec, (void *)add_pipeline_type},
    {Py_mod_exec, (void *)add_unconditional_pipeline_types},
    {Py_mod_exec, (void *)add_image_diffusion_type},
    {Py_mod_exec, (void *)add_summary_types},
    {Py_mod_exec, (void *)add_dataset_extractor_type},
    {0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "gpi_pack.diffusion",
    .m_doc = "Pictures to the last latents of a diffusion model.",
    // The types are kept by the module's dictionary; there is no other state.
    .m_size = 0,
    .m_methods = functions,
    .m_slots = slots,
};

PyMODINIT_FUNC PyInit_diffusion(void) { return PyModuleDef_Init(&definition); }
