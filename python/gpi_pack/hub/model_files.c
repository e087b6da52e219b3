#include "model_files.h"

#include "model_weights.h"

#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

// MARK: - Parts

NeededFiles needed_files(ModelParts parts) {
    // In an order in which each model is the first parts of the next.
    static const NeededPart model[] = {
        {PART_WITH_WEIGHTS, "vae", 0, 0},
        {PART_WITH_WEIGHTS, "unet", 0, 0},
        {PART_WITH_WEIGHTS, "text_encoder", 0, 0},
        {PART_TOKENIZER, "tokenizer", 0, 0},
        {PART_SCHEDULER, "scheduler", 0, 0},
        {PART_WITH_WEIGHTS, "safety_checker", 1, 0},
        {PART_FEATURE_EXTRACTOR, "feature_extractor", 1, 0},
    };
    static const NeededPart unconditional[] = {
        {PART_WITH_WEIGHTS, "unet", 0, 1},
        {PART_SCHEDULER, "scheduler", 0, 1},
    };
    static const NeededPart scheduler[] = {{PART_SCHEDULER_ANYWHERE, "", 0, 0}};
    switch (parts) {
    case AUTOENCODER_ALONE: return (NeededFiles){model, 1, 1};
    case WHOLE_MODEL: return (NeededFiles){model, 5, 1};
    case WHOLE_MODEL_WITH_SAFETY_CHECKER: return (NeededFiles){model, COUNT(model), 1};
    case UNCONDITIONAL_MODEL: return (NeededFiles){unconditional, COUNT(unconditional), 1};
    case SCHEDULER_ALONE: break;
    }
    return (NeededFiles){scheduler, COUNT(scheduler), 0};
}

NeededPart needed_part(gpi_part part, const char *folder) {
    PartKind kind = part == GPI_TOKENIZER ? PART_TOKENIZER
        : part == GPI_SCHEDULER           ? PART_SCHEDULER
                                          : PART_WITH_WEIGHTS;
    return (NeededPart){kind, folder, 0, 0};
}

// MARK: - Settings

typedef int (*NameTest)(const char *name);

static int is_setting(const char *name) {
    return ends_in(name, ".json") || ends_in(name, ".txt") || ends_in(name, ".model");
}

/// Tokenizers of other kinds keep their vocabulary in one file.
static int is_vocabulary(const char *name) {
    return strcmp(name, "tokenizer.json") == 0 || ends_in(name, ".model");
}

static int is_any(const char *name) {
    (void)name;
    return 1;
}

/// Appends the files of a folder whose names pass, in order of their names; with NULL for a list,
/// only counts them. Their count, or -1 with an exception.
static Py_ssize_t append_those(PyObject *list, const FileSource *source, const char *folder,
                               NameTest passes) {
    PyObject *names = PySequence_List(source->names);
    if (names == NULL || PyList_Sort(names) < 0) {
        Py_XDECREF(names);
        return -1;
    }
    Py_ssize_t passed = 0, count = PyList_Size(names);
    for (Py_ssize_t i = 0; i < count && passed >= 0; i++) {
        PyObject *path = PyList_GetItem(names, i);
        const char *name = name_below(folder, path);
        if (name == NULL || !passes(name)) continue;
        passed++;
        if (list != NULL && PyList_Append(list, path) < 0) passed = -1;
    }
    Py_DECREF(names);
    return passed;
}

/// Refuses a folder without a file that must be there.
static int check_needed(const FileSource *source, const char *folder, const char *name) {
    int found = is_there(source, folder, name);
    if (found == 0) raise_missing(source, folder, name);
    return found > 0 ? 0 : -1;
}

static int check_vocabulary(const FileSource *source, const char *folder) {
    Py_ssize_t others = append_those(NULL, source, folder, is_vocabulary);
    if (others != 0) return others < 0 ? -1 : 0;
    if (check_needed(source, folder, "vocab.json") < 0) return -1;
    return check_needed(source, folder, "merges.txt");
}

/// Appends the files called scheduler_config.json.
static int append_schedulers(PyObject *list, const FileSource *source) {
    PyObject *iterator = PyObject_GetIter(source->names);
    if (iterator == NULL) return -1;
    int status = 0;
    PyObject *path;
    while (status == 0 && (path = PyIter_Next(iterator)) != NULL) {
        const char *text = PyUnicode_AsUTF8AndSize(path, NULL);
        if (text == NULL) PyErr_Clear();
        const char *slash = text == NULL ? NULL : strrchr(text, '/');
        const char *name = slash == NULL ? text : slash + 1;
        if (name != NULL && strcmp(name, "scheduler_config.json") == 0
            && strpbrk(text, "\\*?[") == NULL)
            status = PyList_Append(list, path);
        Py_DECREF(path);
    }
    Py_DECREF(iterator);
    if (status < 0 || PyErr_Occurred()) return -1;
    if (PyList_Size(list) > 0) return 0;
    raise_missing(source, "scheduler", "scheduler_config.json");
    return -1;
}

// MARK: - All

static int append_part(PyObject *list, FileSource *source, const NeededPart *part) {
    const char *folder = part->folder;
    if (part->is_optional || part->may_lie_outside) {
        Py_ssize_t count = append_those(NULL, source, folder, is_any);
        if (count < 0 || (count == 0 && part->is_optional)) return (int)count;
        if (count == 0) folder = "";
    }
    int status = -1;
    switch (part->kind) {
    case PART_WITH_WEIGHTS:
        if (append_needed(list, source, folder, "config.json") < 0) return -1;
        return append_weights(list, source, folder);
    case PART_SCHEDULER_ANYWHERE: return append_schedulers(list, source);
    case PART_TOKENIZER: status = check_vocabulary(source, folder); break;
    case PART_FEATURE_EXTRACTOR:
        status = check_needed(source, folder, "preprocessor_config.json");
        break;
    case PART_SCHEDULER: return append_needed(list, source, folder, "scheduler_config.json");
    }
    return status < 0 || append_those(list, source, folder, is_setting) < 0 ? -1 : 0;
}

PyObject *chosen_files(FileSource *source, const NeededFiles *needed) {
    static const char *const index = "model_index.json";
    PyObject *list = PyList_New(0);
    if (list == NULL) return NULL;
    int status = 0;
    if (needed->with_index) {
        status = is_there(source, "", index);
        if (status > 0) status = append(list, PyUnicode_FromString(index));
    }
    for (size_t i = 0; status == 0 && i < needed->count; i++)
        status = append_part(list, source, &needed->parts[i]);
    if (status == 0) return list;
    Py_DECREF(list);
    return NULL;
}
