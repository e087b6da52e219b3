#include "study_pictures.h"

#include "errors.h"
#include "rows.h"
#include "values.h"

// MARK: - Values of one picture

/// A `RowText`.
static PyObject *path_text(const char *argument, PyObject *value) {
    return path_argument(argument, value, "a str or a path");
}

/// A `RowText`.
static PyObject *prompt_text(const char *argument, PyObject *value) {
    return text_argument(argument, value, "a str");
}

/// A `RowText`: ids of a table are often numbers.
static PyObject *name_text(const char *argument, PyObject *value) {
    if (PyUnicode_Check(value)) return text_argument(argument, value, "a str or an int");
    PyObject *number = PyNumber_Index(value);
    if (number == NULL) {
        if (!PyErr_ExceptionMatches(PyExc_TypeError)) return NULL;
        PyErr_Clear();
        raise_wrong_type_of(argument, "a str or an int", value);
        return NULL;
    }
    PyObject *text = PyObject_Str(number);
    Py_DECREF(number);
    return text;
}

/// Refuses rows that are not as long as there are pictures.
static int check_count(const char *argument, const char *advice, Py_ssize_t count, int64_t pictures) {
    if (count == pictures) return 0;
    PyErr_Format(PyExc_ValueError, "%s: there are %zd for %lld pictures; give %s.", argument, count,
                 (long long)pictures, advice);
    return -1;
}

// MARK: - Files

/// The suffixes of all formats that Pillow reads. A new list.
static PyObject *readable_suffixes(void) {
    PyObject *registered = imported("PIL.Image", "registered_extensions");
    PyObject *formats = registered == NULL ? NULL : PyObject_CallNoArgs(registered);
    // Filled by that call. Some formats are written but not read.
    PyObject *readers = imported("PIL.Image", "OPEN");
    PyObject *items = formats == NULL ? NULL : PyDict_Items(formats);
    PyObject *suffixes = items == NULL || readers == NULL ? NULL : PyList_New(0);
    Py_ssize_t count = suffixes == NULL ? 0 : PyList_Size(items);
    for (Py_ssize_t i = 0; i < count && suffixes != NULL; i++) {
        PyObject *item = PyList_GetItem(items, i);
        int result = PySequence_Contains(readers, PyTuple_GetItem(item, 1));
        if (result > 0) result = PyList_Append(suffixes, PyTuple_GetItem(item, 0));
        if (result < 0) Py_CLEAR(suffixes);
    }
    if (suffixes != NULL && PyList_Sort(suffixes) < 0) Py_CLEAR(suffixes);
    Py_XDECREF(registered);
    Py_XDECREF(formats);
    Py_XDECREF(readers);
    Py_XDECREF(items);
    return suffixes;
}

static int settle_listing(gpi_status status) {
    if (status == GPI_OK) return 0;
    raise_status(status, NULL);
    return -1;
}

static int list_folder(const char *argument, PyObject *folder, gpi_pictures **core) {
    PyObject *path = path_text(argument, folder);
    PyObject *list = path == NULL ? NULL : readable_suffixes();
    PyObject *row = list == NULL ? NULL : PyList_AsTuple(list);
    Texts suffixes = {0};
    int result = row == NULL ? -1 : row_texts("PIL.Image.OPEN", row, prompt_text, &suffixes);
    const char *start = result < 0 ? NULL : PyUnicode_AsUTF8AndSize(path, NULL);
    if (start != NULL) {
        gpi_status status;
        Py_BEGIN_ALLOW_THREADS
        status = gpi_pictures_under(start, suffixes.start, suffixes.count, core);
        Py_END_ALLOW_THREADS
        result = settle_listing(status);
    } else {
        result = -1;
    }
    clear_texts(&suffixes);
    Py_XDECREF(row);
    Py_XDECREF(list);
    Py_XDECREF(path);
    return result;
}

/// The same pictures under other names.
static int rename_all(const char *const *paths, const PictureArguments *arguments, PyObject *names,
                      int64_t count, gpi_pictures **core) {
    if (!is_given(names)) return settle_listing(gpi_pictures_named(paths, NULL, count, core));
    PyObject *row = row_argument(arguments->names, "a list with a name for each picture", names);
    if (row == NULL) return -1;
    Texts texts = {0};
    int result = row_texts(arguments->names, row, name_text, &texts);
    if (result == 0)
        result = check_count(arguments->names, "one name for each", texts.count, count);
    if (result == 0) result = settle_listing(gpi_pictures_named(paths, texts.start, count, core));
    clear_texts(&texts);
    Py_DECREF(row);
    return result;
}

/// Gives the pictures of a folder the names.
static int name_listed(const PictureArguments *arguments, PyObject *names, gpi_pictures **core) {
    int64_t count = gpi_pictures_count(*core);
    const char **paths = PyMem_Calloc((size_t)count, sizeof *paths);
    if (paths == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    for (int64_t i = 0; i < count; i++) paths[i] = gpi_pictures_path(*core, i);
    gpi_pictures *named = NULL;
    int result = rename_all(paths, arguments, names, count, &named);
    PyMem_Free(paths);
    if (result < 0) return -1;
    gpi_pictures_free(*core);
    *core = named;
    return 0;
}

static int list_row(PyObject *images, const PictureArguments *arguments, PyObject *names,
                    gpi_pictures **core) {
    PyObject *row = row_argument(arguments->images, "a folder or a list of paths", images);
    if (row == NULL) return -1;
    Texts paths = {0};
    int result = row_texts(arguments->images, row, path_text, &paths);
    if (result == 0 && paths.count == 0) {
        PyErr_Format(PyExc_ValueError, "%s is empty: no pictures were given.", arguments->images);
        result = -1;
    }
    if (result == 0) result = rename_all(paths.start, arguments, names, paths.count, core);
    clear_texts(&paths);
    Py_DECREF(row);
    return result;
}

/// Whether it stands for a path; -1 with an exception.
static int is_path(PyObject *value) {
    if (PyUnicode_Check(value)) return 1;
    PyObject *type = imported("os", "PathLike");
    if (type == NULL) return -1;
    int result = PyObject_IsInstance(value, type);
    Py_DECREF(type);
    return result;
}

static int find_files(const PictureValues *values, const PictureArguments *arguments,
                      gpi_pictures **core) {
    int folder = is_path(values->images);
    if (folder < 0) return -1;
    if (!folder) return list_row(values->images, arguments, values->names, core);
    if (list_folder(arguments->images, values->images, core) < 0) return -1;
    return is_given(values->names) ? name_listed(arguments, values->names, core) : 0;
}

// MARK: - Prompts and seeds

PyObject *common_prompt(PyObject *prompts) {
    return prompts == NULL ? PyUnicode_FromString("")
                           : text_argument("prompts", prompts, "a str or a list of str");
}

static int set_common_prompt(PyObject *prompt, StudyPictures *pictures) {
    pictures->prompt = common_prompt(prompt);
    if (pictures->prompt == NULL) return -1;
    const char *text = PyUnicode_AsUTF8AndSize(pictures->prompt, NULL);
    if (text == NULL) return -1;
    return settle_listing(gpi_pictures_set_prompts(pictures->core, &text, 1));
}

static int set_prompts(const char *argument, PyObject *prompts, StudyPictures *pictures) {
    if (prompts == NULL || PyUnicode_Check(prompts)) return set_common_prompt(prompts, pictures);
    PyObject *row = row_argument(argument, "a str or a list of str", prompts);
    if (row == NULL) return -1;
    Texts texts = {0};
    int result = row_texts(argument, row, prompt_text, &texts);
    if (result == 0)
        result = check_count(argument, "one for all, or one for each", texts.count,
                             gpi_pictures_count(pictures->core));
    if (result == 0)
        result =
            settle_listing(gpi_pictures_set_prompts(pictures->core, texts.start, texts.count));
    clear_texts(&texts);
    Py_DECREF(row);
    return result;
}

/// A seed for each picture.
static int set_row_of_seeds(const char *argument, PyObject *row, const StudyPictures *pictures) {
    Py_ssize_t count = PyTuple_Size(row);
    if (check_count(argument, "one for all, or one for each", count,
                    gpi_pictures_count(pictures->core))
        < 0)
        return -1;
    uint64_t *seeds = PyMem_Calloc((size_t)count + 1, sizeof *seeds);
    if (seeds == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    int result = 0;
    for (Py_ssize_t i = 0; i < count && result == 0; i++) {
        const RowName name = row_name(argument, i);
        result = seed_value(name.text, "an int", PyTuple_GetItem(row, i), &seeds[i]);
    }
    if (result == 0) result = settle_listing(gpi_pictures_set_seeds(pictures->core, seeds, count));
    PyMem_Free(seeds);
    return result;
}

static int set_seeds(const char *argument, PyObject *seed, StudyPictures *pictures) {
    static const char *const expected = "an int, or a list with an int for each picture";
    // An array of NumPy's has all that makes an index of a value, but says no when it is asked.
    PyObject *number = seed == NULL ? PyLong_FromLong(0) : PyNumber_Index(seed);
    if (number != NULL) {
        int result = seed_value(argument, expected, number, &pictures->seed);
        Py_DECREF(number);
        pictures->has_seed = result == 0;
        if (result < 0) return -1;
        return settle_listing(gpi_pictures_set_seeds(pictures->core, &pictures->seed, 1));
    }
    if (!PyErr_ExceptionMatches(PyExc_TypeError)) return -1;
    PyErr_Clear();
    PyObject *row = row_argument(argument, expected, seed);
    if (row == NULL) return -1;
    int result = set_row_of_seeds(argument, row, pictures);
    Py_DECREF(row);
    return result;
}

// MARK: - All of them

int find_study_pictures(const PictureValues *values, const PictureArguments *arguments,
                        StudyPictures *pictures) {
    *pictures = (StudyPictures){0};
    if (find_files(values, arguments, &pictures->core) < 0) return -1;
    if (set_prompts(arguments->prompts, values->prompts, pictures) < 0) return -1;
    return set_seeds(arguments->seed, values->seed, pictures);
}

void clear_study_pictures(StudyPictures *pictures) {
    gpi_pictures_free(pictures->core);
    Py_XDECREF(pictures->prompt);
    *pictures = (StudyPictures){0};
}
