/// `train_unconditional`: a model that makes pictures of the kind that it was shown.

#include "training.h"

#include "gpi_training.h"
#include "libtorch.h"
#include "model_folder.h"
#include "study.h"
#include "training_progress.h"
#include "values.h"

// MARK: - Arguments

/// The values as they were passed, borrowed; NULL where the default counts.
typedef struct Passed {
    PyObject *pictures, *output_dir, *resolution, *fit, *exif, *background, *flips, *model_id,
        *widths, *layers, *beta_schedule, *prediction_type, *snr_gamma, *sample_steps, *steps,
        *batch_size, *gradient_accumulation_steps, *learning_rate, *schedule, *warmup_steps, *beta1,
        *beta2, *weight_decay, *max_gradient_norm, *average_decay, *seed, *save_every,
        *checkpoints_kept, *sample_every, *sample_count, *resume, *device, *dtype, *saved_dtype,
        *cache_dir, *callback;
} Passed;

/// What a run is made of.
typedef struct Run {
    gpi_training training;
    gpi_unconditional_training model;
    StudyOptions options;
    StudyPictures pictures;
    StudyCodec codec;
    Waiting waiting;
    TrainingProgress progress;
    /// int64_t, from PyMem
    int64_t *widths;
    /// str, or NULL
    PyObject *model_folder;
} Run;

static int unpack(PyObject *positional, PyObject *keywords, Passed *passed) {
    static const char *const names[] = {
        "pictures", "output_dir", "resolution", "fit", "exif", "background", "flips", "model_id",
        "widths", "layers", "beta_schedule", "prediction_type", "snr_gamma", "sample_steps",
        "steps", "batch_size", "gradient_accumulation_steps", "learning_rate", "schedule",
        "warmup_steps", "beta1", "beta2", "weight_decay", "max_gradient_norm", "average_decay",
        "seed", "save_every", "checkpoints_kept", "sample_every", "sample_count", "resume",
        "device", "dtype", "saved_dtype", "cache_dir", "callback", NULL,
    };
    return PyArg_ParseTupleAndKeywords(
               positional, keywords, "OO|O$OOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOO:train_unconditional",
               (char **)names, &passed->pictures, &passed->output_dir, &passed->resolution,
               &passed->fit, &passed->exif, &passed->background, &passed->flips, &passed->model_id,
               &passed->widths, &passed->layers, &passed->beta_schedule, &passed->prediction_type,
               &passed->snr_gamma, &passed->sample_steps, &passed->steps, &passed->batch_size,
               &passed->gradient_accumulation_steps, &passed->learning_rate, &passed->schedule,
               &passed->warmup_steps, &passed->beta1, &passed->beta2, &passed->weight_decay,
               &passed->max_gradient_norm, &passed->average_decay, &passed->seed,
               &passed->save_every, &passed->checkpoints_kept, &passed->sample_every,
               &passed->sample_count, &passed->resume, &passed->device, &passed->dtype,
               &passed->saved_dtype, &passed->cache_dir, &passed->callback)
        ? 0
        : -1;
}

/// A whole number, whose range is the core's to check.
static int whole_argument(const char *argument, PyObject *value, int64_t *result) {
    PyObject *number = PyBool_Check(value) ? NULL : PyNumber_Index(value);
    if (number == NULL) {
        PyErr_Clear();
        raise_wrong_type_of(argument, "an int", value);
        return -1;
    }
    *result = PyLong_AsLongLong(number);
    Py_DECREF(number);
    if (*result != -1 || !PyErr_Occurred()) return 0;
    PyErr_Clear();
    PyErr_Format(PyExc_ValueError, "%s: %R is too large.", argument, value);
    return -1;
}

static int whole_numbers(const Passed *passed, Run *run) {
    gpi_training *training = &run->training;
    const struct {
        const char *name;
        PyObject *value;
        int64_t *place;
    } numbers[] = {
        {"layers", passed->layers, &run->model.layers},
        {"sample_steps", passed->sample_steps, &run->model.sample_steps},
        {"steps", passed->steps, &training->steps},
        {"batch_size", passed->batch_size, &training->batch_size},
        {"gradient_accumulation_steps", passed->gradient_accumulation_steps,
         &training->gradient_accumulation_steps},
        {"warmup_steps", passed->warmup_steps, &training->warmup_steps},
        {"save_every", passed->save_every, &training->save_every},
        {"checkpoints_kept", passed->checkpoints_kept, &training->checkpoints_kept},
        {"sample_every", passed->sample_every, &training->sample_every},
        {"sample_count", passed->sample_count, &training->sample_count},
    };
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        if (numbers[i].value != NULL
            && whole_argument(numbers[i].name, numbers[i].value, numbers[i].place) < 0)
            return -1;
    }
    return passed->seed == NULL ? 0 : seed_argument(passed->seed, &training->seed);
}

static int real_numbers(const Passed *passed, Run *run) {
    gpi_training *training = &run->training;
    const struct {
        const char *name;
        PyObject *value;
        double *place;
        /// Whether None is possible, which is 0 for the core.
        bool may_be_none;
    } numbers[] = {
        {"learning_rate", passed->learning_rate, &training->learning_rate, false},
        {"beta1", passed->beta1, &training->beta1, false},
        {"beta2", passed->beta2, &training->beta2, false},
        {"weight_decay", passed->weight_decay, &training->weight_decay, false},
        {"max_gradient_norm", passed->max_gradient_norm, &training->max_gradient_norm, true},
        {"average_decay", passed->average_decay, &training->average_decay, true},
        {"snr_gamma", passed->snr_gamma, &run->model.snr_gamma, true},
    };
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        if (numbers[i].value == NULL) continue;
        if (numbers[i].may_be_none && numbers[i].value == Py_None) {
            *numbers[i].place = 0;
        } else if (number_argument(numbers[i].name, numbers[i].value, numbers[i].place) < 0) {
            return -1;
        }
    }
    return 0;
}

/// The text of a str that the core checks; the default stays for NULL.
static int choice(const char *argument, PyObject *value, const char **text) {
    if (value == NULL) return 0;
    PyObject *checked = text_argument(argument, value, "a str");
    if (checked == NULL) return -1;
    // `value` itself, which the caller holds.
    *text = PyUnicode_AsUTF8AndSize(checked, NULL);
    Py_DECREF(checked);
    return *text == NULL ? -1 : 0;
}

static int texts(const Passed *passed, Run *run) {
    if (choice("schedule", passed->schedule, &run->training.schedule) < 0) return -1;
    if (choice("beta_schedule", passed->beta_schedule, &run->model.beta_schedule) < 0) return -1;
    if (choice("prediction_type", passed->prediction_type, &run->model.prediction_type) < 0)
        return -1;
    run->training.output_folder = PyUnicode_AsUTF8AndSize(run->options.output_dir, NULL);
    run->training.fit = PyUnicode_AsUTF8AndSize(run->options.fit, NULL);
    if (run->training.output_folder == NULL || run->training.fit == NULL) return -1;
    if (run->options.device == NULL) return 0;
    run->training.device = PyUnicode_AsUTF8AndSize(run->options.device, NULL);
    return run->training.device == NULL ? -1 : 0;
}

static int widths_argument(PyObject *value, Run *run) {
    static const int64_t usual[] = {64, 128, 128, 256};
    enum { USUAL = sizeof usual / sizeof *usual };
    PyObject *row = value == NULL ? NULL : PySequence_Tuple(value);
    if (value != NULL && row == NULL) {
        PyErr_Clear();
        raise_wrong_type_of("widths", "a list of int", value);
        return -1;
    }
    Py_ssize_t count = row == NULL ? USUAL : PyTuple_Size(row);
    // One more, so that there is something for an empty list, which the core refuses.
    run->widths = PyMem_Calloc((size_t)count + 1, sizeof *run->widths);
    int result = 0;
    if (run->widths == NULL) {
        PyErr_NoMemory();
        result = -1;
    }
    for (Py_ssize_t i = 0; i < count && result == 0; i++) {
        run->widths[i] = row == NULL ? usual[i] : 0;
        if (row != NULL) result = whole_argument("widths", PyTuple_GetItem(row, i), &run->widths[i]);
    }
    Py_XDECREF(row);
    run->model.widths = run->widths;
    run->model.width_count = count;
    return result;
}

static int parse(const Passed *passed, Run *run) {
    const StudyValues values = {
        .output_dir = passed->output_dir,
        .fit = passed->fit,
        .exif = passed->exif,
        .background = passed->background,
        .device = passed->device,
        .dtype = passed->dtype,
        .cache_dir = passed->cache_dir,
    };
    if (parse_study_options(&values, &run->options) < 0) return -1;
    run->options.width = run->options.height = 64;
    if (size_argument("resolution", passed->resolution, &run->options.width, &run->options.height)
        < 0)
        return -1;
    run->training.width = run->options.width;
    run->training.height = run->options.height;
    run->training.dtype = run->options.dtype;
    if (dtype_argument(passed->saved_dtype, &run->training.saved_dtype) < 0) return -1;
    if (passed->flips && flag_argument("flips", passed->flips, &run->training.flips) < 0) return -1;
    if (passed->resume && flag_argument("resume", passed->resume, &run->training.resumes) < 0)
        return -1;
    if (is_given(passed->callback)) {
        if (!PyCallable_Check(passed->callback)) {
            raise_wrong_type_of("callback", "callable", passed->callback);
            return -1;
        }
        run->progress.callback = passed->callback;
    }
    if (whole_numbers(passed, run) < 0 || real_numbers(passed, run) < 0) return -1;
    return texts(passed, run) < 0 ? -1 : widths_argument(passed->widths, run);
}

// MARK: - The run

static int find_model(const Passed *passed, Run *run) {
    if (!is_given(passed->model_id)) return 0;
    PyObject *model = model_argument(passed->model_id);
    if (model == NULL) return -1;
    run->model_folder = model_folder(model, run->options.cache_dir, UNCONDITIONAL_MODEL);
    Py_DECREF(model);
    if (run->model_folder == NULL) return -1;
    run->model.model_folder = PyUnicode_AsUTF8AndSize(run->model_folder, NULL);
    return run->model.model_folder == NULL ? -1 : 0;
}

static int find_pictures(const Passed *passed, Run *run) {
    static const PictureArguments arguments = {"pictures", "names", "prompts", "seed"};
    const PictureValues values = {.images = passed->pictures};
    if (find_study_pictures(&values, &arguments, &run->pictures) < 0) return -1;
    run->training.pictures = run->pictures.core;
    return 0;
}

/// A `gpi_training_progress_callback`.
static void show(void *context, const gpi_training_progress *now) {
    Run *run = context;
    end_waiting(&run->waiting);
    // What it raises stays pending, and `is_interrupted` ends the work.
    if (!PyErr_Occurred()) (void)show_training_progress(&run->progress, now);
    begin_waiting(&run->waiting);
}

static int train(Run *run) {
    if (open_libtorch() < 0) return -1;
    fill_study_codec(&run->options, &run->codec);
    run->codec.owner = PyThread_get_thread_ident();
    gpi_training *training = &run->training;
    training->decode = decode_study_file;
    training->encode = encode_study_file;
    training->codec_context = &run->codec;
    training->interruption = is_interrupted;
    training->interruption_context = &run->waiting;
    training->progress = show;
    training->progress_context = run;
    begin_waiting(&run->waiting);
    gpi_status status = gpi_train_unconditional(training, &run->model);
    end_waiting(&run->waiting);
    // The core's texts name the file or the argument themselves.
    int result = settle_waiting(status, NULL);
    return close_training_progress(&run->progress) < 0 ? -1 : result;
}

PyObject *train_unconditional(PyObject *module, PyObject *positional, PyObject *keywords) {
    (void)module;
    Passed passed = {0};
    Run run = {.training = GPI_TRAINING_INIT, .model = GPI_UNCONDITIONAL_TRAINING_INIT};
    PyObject *folder = NULL;
    int result = unpack(positional, keywords, &passed);
    if (result == 0) result = parse(&passed, &run);
    if (result == 0) result = find_pictures(&passed, &run);
    if (result == 0) result = find_model(&passed, &run);
    if (result == 0) result = train(&run);
    if (result == 0) {
        PyObject *join = imported("os.path", "join");
        if (join != NULL) folder = PyObject_CallFunction(join, "Os", run.options.output_dir, "model");
        Py_XDECREF(join);
    }
    clear_study_pictures(&run.pictures);
    clear_study_codec(&run.codec);
    clear_study_options(&run.options);
    PyMem_Free(run.widths);
    Py_XDECREF(run.model_folder);
    return folder;
}

const char train_unconditional_doc[] =
    "train_unconditional($module, pictures, output_dir, resolution=64, *, fit='crop', exif=True,\n"
    "                    background='white', flips=False, model_id=None,\n"
    "                    widths=(64, 128, 128, 256), layers=2, beta_schedule='linear',\n"
    "                    prediction_type='epsilon', snr_gamma=None, sample_steps=50,\n"
    "                    steps=10000, batch_size=16, gradient_accumulation_steps=1,\n"
    "                    learning_rate=0.0001, schedule='cosine', warmup_steps=500, beta1=0.9,\n"
    "                    beta2=0.999, weight_decay=0.01, max_gradient_norm=1.0,\n"
    "                    average_decay=0.9999, seed=0, save_every=500, checkpoints_kept=2,\n"
    "                    sample_every=500, sample_count=16, resume=True, device=None,\n"
    "                    dtype='float32', saved_dtype='float32', cache_dir=None, callback=None)\n"
    "--\n"
    "\n"
    "Trains a model that makes pictures of the kind that it is shown, from noise, and gives the\n"
    "folder of the model.\n"
    "\n"
    "    folder = train_unconditional('butterflies', 'run', 64)\n"
    "    DDPMPipeline.from_pretrained(folder)().images[0]\n"
    "\n"
    "output_dir holds\n"
    "\n"
    "    settings.json            all settings, and which pictures were learnt from\n"
    "    loss.csv, loss.png       the loss of each step, and its curve\n"
    "    checkpoint-000500        what a run goes on from\n"
    "    samples/000500.png       pictures that the model made then\n"
    "    model                    in the end: the model, in the layout of diffusers\n"
    "\n"
    "A run that was ended by Ctrl-C, a crash or a power cut goes on from its last checkpoint when\n"
    "the same call is made again, and ends with the same bytes as one that was not.\n"
    "\n"
    "pictures\n"
    "    A folder, all pictures in which and in whose folders are taken; or paths in a list.\n"
    "resolution\n"
    "    Pixels that pictures are brought to: the side of a square, or (width, height).\n"
    "fit, exif, background\n"
    "    How, as of extract_dataset.\n"
    "flips\n"
    "    Whether every second picture, at random, is seen in a mirror.\n"
    "model_id, cache_dir\n"
    "    A model to go on with, a DDPMPipeline's: a folder, or an id on the Hugging Face Hub, from\n"
    "    which it is fetched into cache_dir. None for one from scratch, of\n"
    "widths, layers\n"
    "    channels at each level, each half as large as the one above, and residual blocks there,\n"
    "beta_schedule, prediction_type\n"
    "    and such a growth of noise: 'linear', 'scaled_linear', 'squaredcos_cap_v2' or 'exp'; the\n"
    "    model predicts 'epsilon', 'v_prediction' or 'sample'.\n"
    "snr_gamma\n"
    "    How much timesteps with little noise count at most (Min-SNR; 5 is common); None for all\n"
    "    alike.\n"
    "steps, batch_size, gradient_accumulation_steps\n"
    "    Updates of the model; pictures whose loss is computed at once; batches whose gradients are\n"
    "    averaged for one step.\n"
    "learning_rate, schedule, warmup_steps, beta1, beta2, weight_decay\n"
    "    Of AdamW. After the warm-up the rate falls: 'cosine', 'linear' or 'constant'.\n"
    "max_gradient_norm\n"
    "    The length that gradients together may have; None for any.\n"
    "average_decay\n"
    "    The most that stays of the parameters' average at a step; None for no average. Samples and\n"
    "    the saved model are of the average.\n"
    "seed\n"
    "    Of the first weights, the order of the pictures, the noise, and all else that is drawn.\n"
    "save_every, checkpoints_kept\n"
    "    Steps between checkpoints, and how many are kept.\n"
    "sample_every, sample_count, sample_steps\n"
    "    Steps between sheets of samples, 0 for none; pictures on one; steps of DDIM for them.\n"
    "resume\n"
    "    False removes the run that is in the folder and begins anew.\n"
    "device\n"
    "    None for the first NVIDIA device if there is one, else the CPU.\n"
    "dtype, saved_dtype\n"
    "    The numbers that are computed with ('bfloat16' on a GPU that has it; the parameters stay in\n"
    "    float32), and those that the model is saved in.\n"
    "callback\n"
    "    Called after each step with an object that has .step, .steps, .loss, .average_loss,\n"
    "    .learning_rate, .gradient_norm, .pictures_per_second and .seconds_left. What it raises ends\n"
    "    the run, which can be gone on with.\n"
    "\n"
    "In a terminal and a notebook a bar shows how far it is, in the log of a job a line for each\n"
    "tenth. Errors name the argument: ValueError and TypeError; other settings than the folder was\n"
    "begun with are a ValueError that says which. RuntimeError: the loss is not finite; the text has\n"
    "the step's number and the last good checkpoint, which is kept.";
