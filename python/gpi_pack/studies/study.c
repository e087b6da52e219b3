#include "study.h"

#include "libtorch.h"
#include "model_folder.h"
#include "study_versions.h"

// MARK: - Opening

/// The text of an optional str; 0, or -1 with an exception.
static int text_of(PyObject *value, const char **text) {
    *text = value == NULL ? NULL : PyUnicode_AsUTF8AndSize(value, NULL);
    return value != NULL && *text == NULL ? -1 : 0;
}

static int fill_texts(const StudyOptions *options, const StudyPictures *pictures,
                      gpi_study_options *core) {
    const struct {
        PyObject *value;
        const char **text;
    } texts[] = {
        {options->output_dir, &core->output_folder}, {options->model_id, &core->model_name},
        {options->device, &core->device},            {options->fit, &core->fit},
        {options->background, &core->background},    {options->posterior, &core->posterior},
        {options->negative_prompt, &core->negative_prompt}, {pictures->prompt, &core->prompt},
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (text_of(texts[i].value, texts[i].text) < 0) return -1;
    return 0;
}

void fill_study_codec(const StudyOptions *options, StudyCodec *codec) {
    codec->width = options->width;
    codec->height = options->height;
    codec->fit = Py_NewRef(options->fit);
    codec->exif = options->exif;
    codec->background = Py_NewRef(options->background);
}

/// With the folder of the model and the versions, which are the caller's.
static int create(const StudyOptions *options, const StudyPictures *pictures, PyObject *folder,
                  const Texts *versions, Study *study) {
    gpi_study_options core = GPI_STUDY_OPTIONS_INIT;
    if (fill_texts(options, pictures, &core) < 0) return -1;
    if (text_of(folder, &core.model_folder) < 0) return -1;
    core.dtype = options->dtype;
    core.precision = options->precision;
    core.width = options->width;
    core.height = options->height;
    core.exif = options->exif;
    core.strength = options->strength;
    core.num_inference_steps = options->num_inference_steps;
    core.guidance_scale = options->guidance_scale;
    core.seed = pictures->has_seed ? &pictures->seed : NULL;
    core.versions = versions->start;
    core.version_count = versions->count / 2;
    core.decode = decode_study_file;
    core.encode = encode_study_file;
    core.codec_context = &study->codec;
    core.warning = warn_python;
    core.warning_context = &study->waiting;
    begin_study(study);
    return end_study(study, gpi_study_create(&core, &study->core));
}

int open_study(const StudyOptions *options, const StudyPictures *pictures, Study *study) {
    *study = (Study){0};
    fill_study_codec(options, &study->codec);
    if (open_libtorch() < 0) return -1;
    PyObject *folder = model_folder(options->model_id, options->cache_dir,
                                    options->strength > 0 ? WHOLE_MODEL : AUTOENCODER_ALONE);
    if (folder == NULL) return -1;
    Texts versions;
    int result = study_versions(&versions);
    if (result == 0) result = create(options, pictures, folder, &versions, study);
    clear_texts(&versions);
    Py_DECREF(folder);
    return result;
}

void close_study(Study *study) {
    gpi_study_free(study->core);
    clear_study_codec(&study->codec);
    *study = (Study){0};
}

// MARK: - Calls

void begin_study(Study *study) {
    study->codec.owner = PyThread_get_thread_ident();
    begin_waiting(&study->waiting);
}

int end_study(Study *study, gpi_status status) {
    end_waiting(&study->waiting);
    // The core's texts name the file or the argument themselves.
    return settle_waiting(status, NULL);
}
