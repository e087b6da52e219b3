/// `contact_sheet`: a random sample of a study for the eye.

#include "dataset.h"
#include "outputs.h"
#include "pictures.h"
#include "study.h"
#include "study_settings_file.h"
#include "values.h"

// MARK: - Arguments

/// The values as they were passed, borrowed; NULL where the default counts.
typedef struct Passed {
    PyObject *output_dir, *path, *count, *seed, *columns, *cell, *model_id, *device, *cache_dir;
} Passed;

static int unpack(PyObject *positional, PyObject *keywords, Passed *passed) {
    static const char *const names[] = {
        "output_dir", "path", "count", "seed", "columns", "cell", "model_id", "device", "cache_dir",
        NULL,
    };
    return PyArg_ParseTupleAndKeywords(positional, keywords, "O|O$OOOOOOO:contact_sheet",
                                       (char **)names, &passed->output_dir, &passed->path,
                                       &passed->count, &passed->seed, &passed->columns,
                                       &passed->cell, &passed->model_id, &passed->device,
                                       &passed->cache_dir)
        ? 0
        : -1;
}

static int parse_sheet(const Passed *passed, gpi_sheet_options *sheet) {
    if (passed->count && count_argument("count", passed->count, &sheet->count) < 0) return -1;
    if (passed->columns && count_argument("columns", passed->columns, &sheet->columns) < 0)
        return -1;
    if (passed->cell && count_argument("cell", passed->cell, &sheet->cell) < 0) return -1;
    return passed->seed ? seed_value("seed", "an int", passed->seed, &sheet->seed) : 0;
}

/// The settings of the run, with what is about this machine. The caller clears `options` in either case.
static int parse_options(const Passed *passed, StudyOptions *options) {
    PyObject *folder = path_argument("output_dir", passed->output_dir, "a str or a path");
    if (folder == NULL) return -1;
    StudyValues values = {0};
    PyObject *record = read_study_settings(folder, &values);
    int result = -1;
    if (record != NULL) {
        values.output_dir = folder;
        if (is_given(passed->model_id)) values.model_id = passed->model_id;
        values.device = passed->device;
        values.cache_dir = passed->cache_dir;
        result = parse_study_options(&values, options);
        Py_DECREF(record);
    }
    Py_DECREF(folder);
    return result;
}

// MARK: - The sheet

static int draw(const StudyOptions *options, gpi_sheet_options *sheet, gpi_picture **picture) {
    // The pictures' own prompts and seeds have made the latents already.
    const StudyPictures pictures = {0};
    Study study;
    int result = open_study(options, &pictures, &study);
    if (result == 0) {
        sheet->interruption = is_interrupted;
        sheet->interruption_context = &study.waiting;
        begin_study(&study);
        gpi_status status = gpi_study_sheet(study.core, sheet, picture);
        result = end_study(&study, status);
    }
    close_study(&study);
    return result;
}

/// A str with the path to write to and Pillow's name of its format; NULL for both if there is none.
static int parse_path(PyObject *value, PyObject **path, PyObject **format) {
    if (!is_given(value)) return 0;
    *path = path_argument("path", value, "None, a str or a path");
    *format = *path == NULL ? NULL : picture_format("path", *path);
    return *format == NULL ? -1 : 0;
}

static int write_sheet(const gpi_picture *picture, PyObject *path, PyObject *format) {
    PyObject *about = PyUnicode_FromString("path");
    const char *name = about == NULL ? NULL : PyUnicode_AsUTF8AndSize(format, NULL);
    int result = name == NULL ? -1 : write_picture(picture, path, name, about);
    Py_XDECREF(about);
    return result;
}

PyObject *contact_sheet(PyObject *module, PyObject *positional, PyObject *keywords) {
    (void)module;
    Passed passed = {0};
    StudyOptions options = {0};
    gpi_sheet_options sheet = GPI_SHEET_OPTIONS_INIT;
    PyObject *path = NULL, *format = NULL, *image = NULL;
    gpi_picture *picture = NULL;
    int result = unpack(positional, keywords, &passed);
    if (result == 0) result = parse_sheet(&passed, &sheet);
    // Now, not after the work.
    if (result == 0) result = parse_path(passed.path, &path, &format);
    if (result == 0) result = parse_options(&passed, &options);
    if (result == 0) result = draw(&options, &sheet, &picture);
    if (result == 0 && path != NULL) result = write_sheet(picture, path, format);
    if (result == 0) image = image_of(picture);
    gpi_picture_free(picture);
    Py_XDECREF(path);
    Py_XDECREF(format);
    clear_study_options(&options);
    return image;
}

const char contact_sheet_doc[] =
    "contact_sheet($module, output_dir, path=None, *, count=12, seed=0, columns=3, cell=160,\n"
    "              model_id=None, device=None, cache_dir=None)\n"
    "--\n"
    "\n"
    "A picture of some pictures of a study, drawn at random: each as the model saw it beside\n"
    "what its latents decode to, with its name. For a look whether sizes, cuts and turns are as\n"
    "they should be, and how much of the pictures the latents hold.\n"
    "\n"
    "output_dir\n"
    "    The folder that extract_dataset wrote. The pictures must be where they were.\n"
    "path\n"
    "    A file to write the sheet to as well, such as 'sheet.png'.\n"
    "count, columns, cell\n"
    "    How many pictures, how many in a row, and the longest side of one in pixels.\n"
    "seed\n"
    "    Another int draws other pictures.\n"
    "model_id\n"
    "    The model, if it is no longer where it was.\n"
    "device, cache_dir\n"
    "    As of extract_images.\n"
    "\n"
    "Gives an image of Pillow.";
