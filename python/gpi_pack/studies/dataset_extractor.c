/// `DatasetExtractor`: a worker that makes latents of one batch of pictures after another, for Ray Data.

#include "dataset.h"
#include "dataset_summary.h"
#include "own_type.h"
#include "rows.h"
#include "study.h"
#include "turn.h"
#include "values.h"

typedef struct DatasetExtractorObject {
    PyObject_HEAD
    /// Zeros until `__init__` is through.
    StudyOptions options;
    /// str: the prompt of all pictures; NULL if the batches have a column of them.
    PyObject *prompt;
    /// int: the seed of all; NULL as well.
    PyObject *seed;
    /// Opened by the first call.
    Study study;
    /// Taken for each call.
    Turn turn;
} DatasetExtractorObject;

// MARK: - Life

static PyObject *new(PyTypeObject *type, PyObject *positional, PyObject *keywords) {
    (void)positional;
    (void)keywords;
    PyObject *object = new_instance(type);
    if (object == NULL || open_turn(&((DatasetExtractorObject *)object)->turn) == 0) return object;
    Py_DECREF(object);
    return NULL;
}

static void forget(DatasetExtractorObject *self) {
    close_study(&self->study);
    clear_study_options(&self->options);
    Py_CLEAR(self->prompt);
    Py_CLEAR(self->seed);
}

static void dealloc(PyObject *object) {
    DatasetExtractorObject *self = (DatasetExtractorObject *)object;
    PyObject_GC_UnTrack(object);
    forget(self);
    close_turn(&self->turn);
    free_instance(object);
}

/// The texts that it holds refer to nothing; the type of a heap type's object does.
static int traverse(PyObject *object, visitproc visit, void *arg) {
    Py_VISIT(Py_TYPE(object));
    return 0;
}

// MARK: - Arguments

static int unpack(PyObject *positional, PyObject *keywords, StudyValues *study, PyObject **prompts,
                  PyObject **seed) {
    static const char *const names[] = {
        "output_dir", "prompts", "size", "fit", "exif", "background", "posterior", "save_images",
        "model_id", "device", "cache_dir", "strength", "num_inference_steps", "guidance_scale",
        "negative_prompt", "seed", "dtype", "precision", "batch_size", NULL,
    };
    return PyArg_ParseTupleAndKeywords(
               positional, keywords, "O|$OOOOOOOOOOOOOOOOOO:DatasetExtractor", (char **)names,
               &study->output_dir, prompts, &study->size, &study->fit, &study->exif,
               &study->background, &study->posterior, &study->save_images, &study->model_id,
               &study->device, &study->cache_dir, &study->strength, &study->num_inference_steps,
               &study->guidance_scale, &study->negative_prompt, seed, &study->dtype,
               &study->precision, &study->batch_size)
        ? 0
        : -1;
}

/// The prompt and the seed of all, if there are any.
static int take_common(DatasetExtractorObject *self, PyObject *prompts, PyObject *seed) {
    if (prompts != Py_None) {
        if (prompts != NULL && !PyUnicode_Check(prompts)) {
            raise_wrong_type_of("prompts", "a str, or None for the column \"prompt\"", prompts);
            return -1;
        }
        self->prompt = common_prompt(prompts);
        if (self->prompt == NULL) return -1;
    }
    if (seed != Py_None) {
        uint64_t number = 0;
        if (seed != NULL
            && seed_value("seed", "an int, or None for the column \"seed\"", seed, &number) < 0)
            return -1;
        self->seed = PyLong_FromUnsignedLongLong(number);
        if (self->seed == NULL) return -1;
    }
    return 0;
}

static int init(PyObject *object, PyObject *positional, PyObject *keywords) {
    DatasetExtractorObject *self = (DatasetExtractorObject *)object;
    StudyValues study = {0};
    PyObject *prompts = NULL, *seed = NULL;
    if (unpack(positional, keywords, &study, &prompts, &seed) < 0) return -1;
    if (take_turn(&self->turn, "This extractor") < 0) return -1;
    forget(self);
    int result = parse_study_options(&study, &self->options);
    if (result == 0) result = take_common(self, prompts, seed);
    if (result < 0) forget(self);
    give_turn_back(&self->turn);
    return result;
}

// MARK: - Batches

static const PictureArguments COLUMNS = {
    "batch[\"path\"]", "batch[\"name\"]", "batch[\"prompt\"]", "batch[\"seed\"]",
};

/// The column of values that pictures have each, or the value of all. Borrowed; NULL with an exception.
static PyObject *column_or_common(PyObject *batch, const char *column, const char *argument,
                                  PyObject *common) {
    PyObject *values = PyDict_GetItemString(batch, column);
    if (common != NULL && values == NULL) return common;
    if (common == NULL && values != NULL) return values;
    if (common == NULL) {
        PyErr_Format(PyExc_ValueError,
                     "batch has no column \"%s\", which %s=None stands for.", column, argument);
    } else {
        // Taken, it would contradict the settings file; passed over, what somebody meant.
        PyErr_Format(PyExc_ValueError,
                     "batch has a column \"%s\", but %s is %R for all pictures. Give the "
                     "DatasetExtractor %s=None to take the column, or leave the column out.",
                     column, argument, common, argument);
    }
    return NULL;
}

static int batch_values(const DatasetExtractorObject *self, PyObject *batch,
                        PictureValues *values) {
    if (!PyDict_Check(batch)) {
        raise_wrong_type_of("batch", "a dict of columns (batch_format=\"numpy\")", batch);
        return -1;
    }
    values->images = PyDict_GetItemString(batch, "path");
    if (values->images == NULL) {
        PyErr_SetString(PyExc_ValueError,
                        "batch has no column \"path\" with the paths of the pictures.");
        return -1;
    }
    values->names = PyDict_GetItemString(batch, "name");
    values->prompts = column_or_common(batch, "prompt", "prompts", self->prompt);
    if (values->prompts == NULL) return -1;
    values->seed = column_or_common(batch, "seed", "seed", self->seed);
    return values->seed == NULL ? -1 : 0;
}

// MARK: - Results

/// A dict of what failed: names to reasons.
static PyObject *reasons_of(const gpi_study_summary *summary) {
    PyObject *reasons = PyDict_New();
    const char *name, *reason;
    for (int64_t i = 0;
         reasons != NULL && gpi_study_summary_failure(summary, i, &name, NULL, &reason); i++) {
        PyObject *key = core_text(name);
        PyObject *value = core_text(reason);
        if (key == NULL || value == NULL || PyDict_SetItem(reasons, key, value) < 0)
            Py_CLEAR(reasons);
        Py_XDECREF(key);
        Py_XDECREF(value);
    }
    return reasons;
}

/// The columns that are added, as lists of str.
typedef struct Added {
    PyObject *status, *error, *latents;
} Added;

/// Appends a new str and gives it up.
static int append_text(PyObject *list, PyObject *text) {
    int result = text == NULL ? -1 : PyList_Append(list, text);
    Py_XDECREF(text);
    return result;
}

static int add_row(const Added *added, const char *name, PyObject *reasons, const char *folder) {
    PyObject *key = core_text(name);
    if (key == NULL) return -1;
    PyObject *reason = PyDict_GetItemWithError(reasons, key);
    int result = reason == NULL && PyErr_Occurred() ? -1 : 0;
    if (result == 0)
        result = append_text(added->status, PyUnicode_FromString(reason ? "failed" : "done"));
    if (result == 0)
        result = append_text(added->error, reason ? Py_NewRef(reason) : PyUnicode_FromString(""));
    if (result == 0)
        result = append_text(added->latents, reason ? PyUnicode_FromString("")
                                                    : PyUnicode_FromFormat("%s/%U.pt", folder, key));
    Py_DECREF(key);
    return result;
}

/// `batch[name] = numpy.array(list, dtype=object)`
static int set_column(PyObject *batch, const char *name, PyObject *list) {
    PyObject *make = imported("numpy", "array");
    PyObject *arguments = PyTuple_Pack(1, list);
    PyObject *options = Py_BuildValue("{s:O}", "dtype", (PyObject *)&PyBaseObject_Type);
    PyObject *array = make == NULL || arguments == NULL || options == NULL
        ? NULL
        : PyObject_Call(make, arguments, options);
    int result = array == NULL ? -1 : PyDict_SetItemString(batch, name, array);
    Py_XDECREF(make);
    Py_XDECREF(arguments);
    Py_XDECREF(options);
    Py_XDECREF(array);
    return result;
}

/// The batch with the columns of what became of its pictures; without a summary there are none. A new dict.
static PyObject *result_of(PyObject *batch, const gpi_pictures *pictures,
                           const gpi_study_summary *summary) {
    const Added added = {PyList_New(0), PyList_New(0), PyList_New(0)};
    PyObject *reasons = summary == NULL ? PyDict_New() : reasons_of(summary);
    PyObject *dict = PyDict_Copy(batch);
    int result = added.status == NULL || added.error == NULL || added.latents == NULL
            || reasons == NULL || dict == NULL
        ? -1
        : 0;
    int64_t count = summary == NULL ? 0 : gpi_pictures_count(pictures);
    for (int64_t i = 0; i < count && result == 0; i++)
        result = add_row(&added, gpi_pictures_name(pictures, i), reasons,
                         gpi_study_summary_latents(summary));
    if (result == 0) result = set_column(dict, "status", added.status);
    if (result == 0) result = set_column(dict, "error", added.error);
    if (result == 0) result = set_column(dict, "latents", added.latents);
    Py_XDECREF(added.status);
    Py_XDECREF(added.error);
    Py_XDECREF(added.latents);
    Py_XDECREF(reasons);
    if (result < 0) Py_CLEAR(dict);
    return dict;
}

// MARK: - Calls

/// Has the core make the latents. 0, or -1 with an exception.
static int run_batch(DatasetExtractorObject *self, const StudyPictures *pictures,
                     gpi_study_summary **summary) {
    if (self->study.core == NULL && open_study(&self->options, pictures, &self->study) < 0) {
        close_study(&self->study);
        return -1;
    }
    gpi_study_request request = GPI_STUDY_REQUEST_INIT;
    request.pictures = pictures->core;
    request.role = GPI_STUDY_WORKER;
    request.saves_pictures = self->options.saves_pictures;
    request.batch_size = self->options.batch_size;
    request.interruption = is_interrupted;
    request.interruption_context = &self->study.waiting;
    begin_study(&self->study);
    gpi_status status = gpi_study_run(self->study.core, &request, summary);
    return end_study(&self->study, status);
}

/// In this thread's turn.
static PyObject *extract_batch(DatasetExtractorObject *self, PyObject *batch) {
    PictureValues values = {0};
    if (self->options.output_dir == NULL) {
        PyErr_SetString(PyExc_RuntimeError, "This extractor has no output_dir: "
                                            "DatasetExtractor.__init__ was not called, or failed.");
        return NULL;
    }
    if (batch_values(self, batch, &values) < 0) return NULL;
    Py_ssize_t count = PyObject_Size(values.images);
    if (count < 0) return NULL;
    // Ray asks with an empty batch what columns there will be.
    if (count == 0) return result_of(batch, NULL, NULL);
    StudyPictures pictures;
    gpi_study_summary *summary = NULL;
    PyObject *dict = NULL;
    int result = find_study_pictures(&values, &COLUMNS, &pictures);
    if (result == 0) result = run_batch(self, &pictures, &summary);
    if (result == 0) dict = result_of(batch, pictures.core, summary);
    gpi_study_summary_free(summary);
    clear_study_pictures(&pictures);
    return dict;
}

static PyObject *call(PyObject *object, PyObject *positional, PyObject *keywords) {
    static const char *const names[] = {"batch", NULL};
    DatasetExtractorObject *self = (DatasetExtractorObject *)object;
    PyObject *batch;
    if (!PyArg_ParseTupleAndKeywords(positional, keywords, "O:DatasetExtractor.__call__",
                                     (char **)names, &batch))
        return NULL;
    if (take_turn(&self->turn, "This extractor") < 0) return NULL;
    PyObject *result = extract_batch(self, batch);
    give_turn_back(&self->turn);
    return result;
}

// MARK: - The type

PyDoc_STRVAR(
    type_doc,
    "DatasetExtractor(output_dir, *, prompts='', size=None, fit='crop', exif=True,\n"
    "                 background='white', posterior='sample', save_images=False,\n"
    "                 model_id='runwayml/stable-diffusion-v1-5', device=None, cache_dir=None,\n"
    "                 strength=0, num_inference_steps=50, guidance_scale=7.5,\n"
    "                 negative_prompt=None, seed=0, dtype='float32',\n"
    "                 precision='default', batch_size=8)\n"
    "--\n"
    "\n"
    "A worker that makes the latents of a study, one batch of pictures after another, beside\n"
    "other workers: extract_dataset for Ray Data.\n"
    "\n"
    "    table = ray.data.read_csv('pictures.csv')\n"
    "    done = table.map_batches(\n"
    "        DatasetExtractor, fn_constructor_kwargs={'output_dir': 'study', 'size': 512},\n"
    "        concurrency=2, batch_size=32, num_gpus=1)\n"
    "    done.write_parquet('done')\n"
    "\n"
    "The model is loaded by the first batch and kept. A batch is a dict of columns, arrays or\n"
    "lists: 'path', and if wanted 'name' (the file's own without folder and suffix unless given;\n"
    "no two pictures of the study may have the same), 'prompt' and 'seed'. It comes back with\n"
    "the columns 'status' ('done' or 'failed'), 'error' (why, else '') and 'latents' (the path of\n"
    "the .pt file, else ''). A batch may be done twice: latents of the same file, prompt, seed\n"
    "and settings are kept. No manifest is written; extract_dataset with the same settings\n"
    "writes it, and stacks the latents, without computing them again.\n"
    "\n"
    "On CPUs the last digits of latents depend on the number of torch's threads. Ray gives a\n"
    "worker as many as num_cpus, which is 1 unless asked for, or OMP_NUM_THREADS where that is\n"
    "set; runs elsewhere agree to the bit with as many.\n"
    "\n"
    "prompts\n"
    "    The text for all pictures; None for the batches' column 'prompt'.\n"
    "seed\n"
    "    The seed for all pictures; None for the batches' column 'seed'.\n"
    "\n"
    "All else is as of extract_dataset.");

int add_dataset_extractor_type(PyObject *module) {
    PyType_Slot slots[] = {
        {Py_tp_doc, (void *)type_doc},
        {Py_tp_new, (void *)new},
        {Py_tp_init, (void *)init},
        {Py_tp_dealloc, (void *)dealloc},
        {Py_tp_traverse, (void *)traverse},
        {Py_tp_call, (void *)call},
        {0, NULL},
    };
    PyType_Spec spec = {
        .name = "gpi_pack.diffusion.DatasetExtractor",
        .basicsize = sizeof(DatasetExtractorObject),
        .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
        .slots = slots,
    };
    return add_own_type(module, PyType_FromModuleAndSpec(module, &spec, NULL));
}
