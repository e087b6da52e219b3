/// `extract_dataset`: the latents of all pictures of a study.

#include "dataset.h"
#include "dataset_summary.h"
#include "study.h"
#include "study_progress.h"
#include "values.h"

#include <stdlib.h>

// MARK: - Arguments

/// The values as they were passed, borrowed; NULL where the default counts.
typedef struct Passed {
    PictureValues pictures;
    StudyValues study;
    PyObject *stacked, *resume, *on_error, *shard;
} Passed;

static int unpack(PyObject *positional, PyObject *keywords, Passed *passed) {
    static const char *const names[] = {
        "images", "output_dir", "prompts", "names", "size", "fit", "exif", "background",
        "posterior", "stacked", "resume", "on_error", "save_images", "model_id", "device",
        "cache_dir", "strength", "num_inference_steps", "guidance_scale", "negative_prompt", "seed",
        "dtype", "precision", "shard", "batch_size", NULL,
    };
    PictureValues *pictures = &passed->pictures;
    StudyValues *study = &passed->study;
    // The cast: before 3.13 the names were declared as if they might be written to.
    return PyArg_ParseTupleAndKeywords(
               positional, keywords, "OO|O$OOOOOOOOOOOOOOOOOOOOOO:extract_dataset", (char **)names,
               &pictures->images, &study->output_dir, &pictures->prompts, &pictures->names,
               &study->size, &study->fit, &study->exif, &study->background, &study->posterior,
               &passed->stacked, &passed->resume, &passed->on_error, &study->save_images,
               &study->model_id, &study->device, &study->cache_dir, &study->strength,
               &study->num_inference_steps, &study->guidance_scale, &study->negative_prompt,
               &pictures->seed, &study->dtype, &study->precision, &passed->shard,
               &study->batch_size)
        ? 0
        : -1;
}

/// Reads "2/5".
static int shard_text(PyObject *value, gpi_study_request *request) {
    const char *text = PyUnicode_AsUTF8AndSize(value, NULL);
    if (text == NULL) return -1;
    char *end;
    request->shard = strtoll(text, &end, 10);
    int is_good = end != text && *end == '/';
    if (is_good) {
        const char *rest = end + 1;
        request->shard_count = strtoll(rest, &end, 10);
        is_good = end != rest && *end == '\0';
    }
    if (is_good) return 0;
    PyErr_Format(PyExc_ValueError, "shard: %R is not of the form \"i/n\", such as \"2/5\".", value);
    return -1;
}

static int shard_argument(PyObject *value, gpi_study_request *request) {
    if (!is_given(value)) return 0;
    request->role = GPI_STUDY_SHARD;
    if (PyUnicode_Check(value)) return shard_text(value, request);
    if ((!PyTuple_Check(value) && !PyList_Check(value)) || PySequence_Size(value) != 2) {
        raise_wrong_type_of("shard", "None, \"i/n\" or (i, n)", value);
        return -1;
    }
    int64_t *const numbers[] = {&request->shard, &request->shard_count};
    for (Py_ssize_t i = 0; i < 2; i++) {
        PyObject *number = PySequence_GetItem(value, i);
        int result = number == NULL ? -1 : count_argument("shard", number, numbers[i]);
        Py_XDECREF(number);
        if (result < 0) return -1;
    }
    return 0;
}

static int on_error_argument(PyObject *value, gpi_study_request *request) {
    if (value == NULL) return 0;
    request->stops_at_failure =
        PyUnicode_Check(value) && PyUnicode_CompareWithASCIIString(value, "raise") == 0;
    if (request->stops_at_failure) return 0;
    if (PyUnicode_Check(value) && PyUnicode_CompareWithASCIIString(value, "record") == 0) return 0;
    PyErr_Format(PyExc_ValueError, "on_error must be \"record\" or \"raise\", not %R.", value);
    return -1;
}

/// Stacks all latents if they have one size, unless it is said whether to.
static int stacked_argument(PyObject *value, const StudyOptions *options,
                            gpi_study_request *request) {
    request->stacks = options->width > 0 && request->role == GPI_STUDY_WHOLE;
    if (!is_given(value)) return 0;
    if (flag_argument("stacked", value, &request->stacks) < 0) return -1;
    if (!request->stacks || request->role == GPI_STUDY_WHOLE) return 0;
    PyErr_SetString(PyExc_ValueError,
                    "stacked: a shard has a part of the latents only. When all shards are done, run "
                    "once more without shard, which keeps the latents and stacks them.");
    return -1;
}

static int parse_request(const Passed *passed, const StudyOptions *options,
                         gpi_study_request *request) {
    if (shard_argument(passed->shard, request) < 0) return -1;
    if (stacked_argument(passed->stacked, options, request) < 0) return -1;
    if (passed->resume && flag_argument("resume", passed->resume, &request->resumes) < 0) return -1;
    request->saves_pictures = options->saves_pictures;
    request->batch_size = options->batch_size;
    return on_error_argument(passed->on_error, request);
}

// MARK: - The run

/// What the progress callback needs.
typedef struct Run {
    Study study;
    StudyProgress progress;
} Run;

/// A `gpi_study_progress_callback`.
static void show(void *context, const gpi_study_progress *now) {
    Run *run = context;
    end_waiting(&run->study.waiting);
    // What it raises stays pending, and `is_interrupted` ends the work.
    if (!PyErr_Occurred()) (void)show_study_progress(&run->progress, now);
    begin_waiting(&run->study.waiting);
}

/// How many pictures are the run's.
static int64_t total(const gpi_study_request *request) {
    int64_t count = gpi_pictures_count(request->pictures);
    if (request->role != GPI_STUDY_SHARD) return count;
    // A shard that there is not is the core's to refuse.
    if (request->shard_count < 1 || request->shard > request->shard_count) return 0;
    return (count + request->shard_count - request->shard) / request->shard_count;
}

static PyObject *run_study(Run *run, gpi_study_request *request, PyObject *output_dir) {
    request->interruption = is_interrupted;
    request->interruption_context = &run->study.waiting;
    request->progress = show;
    request->progress_context = run;
    gpi_study_summary *summary = NULL;
    int result = open_study_progress(total(request), &run->progress);
    if (result == 0) {
        begin_study(&run->study);
        gpi_status status = gpi_study_run(run->study.core, request, &summary);
        result = end_study(&run->study, status);
    }
    if (close_study_progress(&run->progress) < 0) result = -1;
    PyObject *value = result == 0 ? new_summary(output_dir, summary) : NULL;
    gpi_study_summary_free(summary);
    return value;
}

static const PictureArguments ARGUMENTS = {"images", "names", "prompts", "seed"};

static PyObject *run(const Passed *passed, const StudyOptions *options,
                     gpi_study_request *request) {
    StudyPictures pictures;
    Run state = {0};
    PyObject *summary = NULL;
    int result = find_study_pictures(&passed->pictures, &ARGUMENTS, &pictures);
    if (result == 0) result = open_study(options, &pictures, &state.study);
    if (result == 0) {
        request->pictures = pictures.core;
        summary = run_study(&state, request, options->output_dir);
    }
    close_study(&state.study);
    clear_study_pictures(&pictures);
    return summary;
}

PyObject *extract_dataset(PyObject *module, PyObject *positional, PyObject *keywords) {
    (void)module;
    Passed passed = {0};
    StudyOptions options = {0};
    gpi_study_request request = GPI_STUDY_REQUEST_INIT;
    PyObject *summary = NULL;
    int result = unpack(positional, keywords, &passed);
    if (result == 0) result = parse_study_options(&passed.study, &options);
    if (result == 0) result = parse_request(&passed, &options, &request);
    if (result == 0) summary = run(&passed, &options, &request);
    clear_study_options(&options);
    return summary;
}

const char extract_dataset_doc[] =
    "extract_dataset($module, images, output_dir, prompts='', *, names=None, size=None,\n"
    "                fit='crop', exif=True, background='white', posterior='sample',\n"
    "                stacked=None, resume=True, on_error='record', save_images=False,\n"
    "                model_id='runwayml/stable-diffusion-v1-5', device=None, cache_dir=None,\n"
    "                strength=0, num_inference_steps=50, guidance_scale=7.5,\n"
    "                negative_prompt=None, seed=0, dtype='float32', precision='default',\n"
    "                shard=None, batch_size=8)\n"
    "--\n"
    "\n"
    "Writes the last latents of a diffusion model for all pictures of a study, however many,\n"
    "with a record of how each was made.\n"
    "\n"
    "    summary = extract_dataset('photographs', 'study', size=512)\n"
    "\n"
    "A run that was ended by Ctrl-C, a crash or a power cut goes on where it was when the same\n"
    "call is made again: latents of a picture are kept if its file, its prompt and seed and all\n"
    "settings are the same as they were. The folder holds\n"
    "\n"
    "    settings.json     all settings, the model's files, versions: for the methods section\n"
    "    manifest.jsonl    for each picture its file, digest, prompt, seed, status and times\n"
    "    latents/NAME.pt   for torch.load: float32 [1, 4, height / 8, width / 8]\n"
    "    latents.npy       with size: all latents in one array for numpy.load\n"
    "    latents.csv       with size: which row of that array is which picture's\n"
    "    pictures/NAME.png with save_images: what the latents stand for\n"
    "\n"
    "images\n"
    "    A folder, all pictures in which and in whose folders are taken, 9.jpg before 10.jpg; or\n"
    "    paths in a list, an array, or a column of a table.\n"
    "output_dir\n"
    "    The folder for the results, made where it is missing.\n"
    "prompts\n"
    "    A text for all pictures, or one for each. Without influence at strength 0.\n"
    "names\n"
    "    What to call the pictures' results: for each a text (it may have '/' in it) or a number,\n"
    "    such as the ids of a table. None for the files' own names, with their folders below\n"
    "    images if that is a folder, without suffix.\n"
    "size\n"
    "    What each picture is brought to before the model sees it, in pixels: the side of a square,\n"
    "    or (width, height), multiples of 8. Only then do latents have one shape and can be\n"
    "    stacked. None shrinks those whose longest side is above 512 and keeps their shapes.\n"
    "fit\n"
    "    How a picture of another shape is brought to size: 'crop' cuts the edges off, 'pad' puts\n"
    "    bands of the background beside it, 'stretch' distorts it.\n"
    "exif\n"
    "    Whether photographs are turned upright as the camera noted.\n"
    "background\n"
    "    The colour under transparent pictures and of the bands: a name or '#rrggbb'.\n"
    "posterior\n"
    "    'sample' draws the latents from the distribution that the encoder gives, by the seed;\n"
    "    'mode' takes its mean, so that they depend on the picture alone at strength 0.\n"
    "stacked\n"
    "    Whether to write latents.npy and latents.csv; None for whenever size is given (not for a\n"
    "    shard).\n"
    "resume\n"
    "    False computes everything again, which takes other settings in the same folder.\n"
    "on_error\n"
    "    What to do about a picture that cannot be read: 'record' it, with the reason, in the\n"
    "    manifest and the summary, or 'raise' and end the run.\n"
    "save_images\n"
    "    Whether to decode the latents to pictures too, which takes about as long again.\n"
    "model_id, device, cache_dir, strength, num_inference_steps, guidance_scale,\n"
    "negative_prompt\n"
    "    As of extract_images.\n"
    "seed\n"
    "    An int for all pictures, or one for each; equal seeds give equal noise to pictures of one\n"
    "    size.\n"
    "dtype\n"
    "    What the model computes in: 'float32', 'float16' or 'bfloat16', of torch or by name.\n"
    "    Latents are written as float32.\n"
    "precision\n"
    "    How exactly it computes: 'default' by kernels that are several times faster than\n"
    "    PyTorch's operators on a CPU and about as close to the true numbers; 'exact' by PyTorch's\n"
    "    operators alone; 'reduced' in bfloat16.\n"
    "shard\n"
    "    'i/n' or (i, n) does the i-th of n parts, i from 1, beside other processes or machines\n"
    "    that do the others in the same folder. Afterwards a run without shard joins them. On\n"
    "    CPUs, equal last digits take equal numbers of threads (OMP_NUM_THREADS).\n"
    "batch_size\n"
    "    How many neighbours of one size are computed at once on a GPU; fewer take less of its\n"
    "    memory. On a CPU it is one always.\n"
    "\n"
    "Gives a DatasetSummary. In a terminal and a notebook a bar shows how far it is, in the log\n"
    "of a job a line for each tenth. Errors name the argument: ValueError and TypeError; other\n"
    "settings than the folder was begun with are a ValueError that says which. OSError: another\n"
    "process is at work in the folder, or a file cannot be written. KeyboardInterrupt leaves\n"
    "only whole files.";
