#include "hub.h"

#include "hub_errors.h"

// MARK: - huggingface_hub

/// Calls one of its functions with a model and options. The dict of options is given away.
static PyObject *call_hub(const char *name, PyObject *model_id, PyObject *options) {
    PyObject *function = options == NULL ? NULL : imported("huggingface_hub", name);
    PyObject *arguments = function == NULL ? NULL : PyTuple_Pack(1, model_id);
    PyObject *result = arguments == NULL ? NULL : PyObject_Call(function, arguments, options);
    Py_XDECREF(arguments);
    Py_XDECREF(function);
    Py_XDECREF(options);
    return result;
}

static PyObject *or_none(PyObject *value) { return value == NULL ? Py_None : value; }

/// How long the Hub may be silent, in seconds, as huggingface_hub has it for its other questions. A new
/// reference.
static PyObject *patience(void) {
    PyObject *seconds = imported("huggingface_hub.constants", "HF_HUB_ETAG_TIMEOUT");
    if (seconds != NULL || !PyErr_ExceptionMatches(PyExc_AttributeError)) return seconds;
    PyErr_Clear();
    return PyLong_FromLong(10);
}

/// What the Hub knows about a model. Asked once: `list_repo_files` would try for half a minute where
/// there is no network, which is long for a model that is kept.
static PyObject *model_info(PyObject *model_id) {
    PyObject *type = imported("huggingface_hub", "HfApi");
    PyObject *api = type == NULL ? NULL : PyObject_CallFunctionObjArgs(type, NULL);
    PyObject *method = api == NULL ? NULL : PyObject_GetAttrString(api, "model_info");
    PyObject *seconds = method == NULL ? NULL : patience();
    PyObject *arguments = seconds == NULL ? NULL : PyTuple_Pack(1, model_id);
    PyObject *options = arguments == NULL ? NULL : Py_BuildValue("{s:O}", "timeout", seconds);
    PyObject *info = options == NULL ? NULL : PyObject_Call(method, arguments, options);
    Py_XDECREF(options);
    Py_XDECREF(arguments);
    Py_XDECREF(seconds);
    Py_XDECREF(method);
    Py_XDECREF(api);
    Py_XDECREF(type);
    return info;
}

/// The names of the repository's files; a new set.
static PyObject *listed_names(PyObject *model_id) {
    PyObject *info = model_info(model_id);
    PyObject *siblings = info == NULL ? NULL : PyObject_GetAttrString(info, "siblings");
    PyObject *files = siblings == NULL ? NULL : PySequence_List(siblings);
    PyObject *names = files == NULL ? NULL : PySet_New(NULL);
    Py_ssize_t count = names == NULL ? 0 : PyList_Size(files);
    int status = 0;
    for (Py_ssize_t i = 0; i < count && status == 0; i++) {
        PyObject *name = PyObject_GetAttrString(PyList_GetItem(files, i), "rfilename");
        status = name == NULL ? -1 : PySet_Add(names, name);
        Py_XDECREF(name);
    }
    Py_XDECREF(files);
    Py_XDECREF(siblings);
    Py_XDECREF(info);
    if (status < 0) Py_CLEAR(names);
    return names;
}

/// The folder of the repository's files with these names, which are fetched where they are missing.
static PyObject *fetched_snapshot(PyObject *model_id, PyObject *cache_dir, PyObject *names) {
    return call_hub("snapshot_download", model_id,
                    Py_BuildValue("{s:O,s:O}", "cache_dir", or_none(cache_dir), "allow_patterns",
                                  names));
}

/// The folder of what was fetched before, however much that is: asked for no file, huggingface_hub
/// misses none.
static PyObject *kept_snapshot(PyObject *model_id, PyObject *cache_dir) {
    return call_hub("snapshot_download", model_id,
                    Py_BuildValue("{s:O,s:[],s:O}", "cache_dir", or_none(cache_dir),
                                  "allow_patterns", "local_files_only", Py_True));
}

/// A `FileSource.fetch`.
static PyObject *fetch_one(FileSource *source, PyObject *name) {
    return call_hub("hf_hub_download", source->model_id,
                    Py_BuildValue("{s:O,s:O}", "filename", name, "cache_dir",
                                  or_none(source->cache_dir)));
}

// MARK: - Folders

/// `<folder>/<name>`; a new str.
static PyObject *path_in(PyObject *folder, PyObject *name) {
    return PyUnicode_FromFormat("%U/%U", folder, name);
}

/// A `FileSource.fetch`.
static PyObject *open_kept(FileSource *source, PyObject *name) {
    return path_in(source->folder, name);
}

/// Whether there is such a file, itself or through a link; -1 with an exception.
static int is_file(PyObject *folder, PyObject *name) {
    PyObject *function = imported("os.path", "isfile");
    PyObject *path = function == NULL ? NULL : path_in(folder, name);
    PyObject *answer = path == NULL ? NULL : PyObject_CallFunctionObjArgs(function, path, NULL);
    int result = answer == NULL ? -1 : PyObject_IsTrue(answer);
    Py_XDECREF(answer);
    Py_XDECREF(path);
    Py_XDECREF(function);
    return result;
}

/// All names below a folder, of files and folders; a new list.
static PyObject *names_below(PyObject *folder) {
    PyObject *glob = imported("glob", "glob");
    PyObject *pattern = Py_BuildValue("(s)", "**/*");
    PyObject *options = Py_BuildValue("{s:O,s:O}", "root_dir", folder, "recursive", Py_True);
    PyObject *names = NULL;
    if (glob != NULL && pattern != NULL && options != NULL)
        names = PyObject_Call(glob, pattern, options);
    Py_XDECREF(glob);
    Py_XDECREF(pattern);
    Py_XDECREF(options);
    return names;
}

/// The names of the files below a folder, without links that lead nowhere; a new set.
static PyObject *kept_names(PyObject *folder) {
    PyObject *names = names_below(folder);
    PyObject *files = names == NULL ? NULL : PySet_New(NULL);
    Py_ssize_t count = files == NULL ? 0 : PyList_Size(names);
    int status = 0;
    for (Py_ssize_t i = 0; i < count && status >= 0; i++) {
        PyObject *name = PyList_GetItem(names, i);
        status = is_file(folder, name);
        if (status > 0) status = PySet_Add(files, name);
    }
    Py_XDECREF(names);
    if (status < 0) Py_CLEAR(files);
    return files;
}

// MARK: - Kept models

/// The folder, if it has the needed files.
static PyObject *complete(PyObject *folder, const NeededFiles *needed) {
    FileSource source = {.folder = folder, .fetch = open_kept, .advice = ""};
    PyObject *files = NULL;
    source.about = PyUnicode_FromFormat("the copy in %R", folder);
    if (source.about != NULL) source.names = kept_names(folder);
    if (source.names != NULL) files = chosen_files(&source, needed);
    Py_XDECREF(source.names);
    Py_XDECREF(source.about);
    if (files == NULL) return NULL;
    Py_DECREF(files);
    return Py_NewRef(folder);
}

/// Where huggingface_hub keeps models. A new str.
static PyObject *cache_folder(PyObject *cache_dir) {
    if (cache_dir != NULL) return Py_NewRef(cache_dir);
    PyObject *value = imported("huggingface_hub.constants", "HF_HUB_CACHE");
    if (value != NULL && PyUnicode_Check(value)) return value;
    Py_XDECREF(value);
    PyErr_Clear();
    return PyUnicode_FromString("~/.cache/huggingface/hub");
}

/// The text of the pending exception, which is over then. A new str.
static PyObject *pending_text(void) {
    PyObject *type, *value, *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    PyErr_NormalizeException(&type, &value, &traceback);
    PyObject *text = PyObject_Str(value);
    Py_XDECREF(type);
    Py_XDECREF(value);
    Py_XDECREF(traceback);
    return text;
}

/// What was fetched before, if it is all that is needed. NULL without an exception, but with `lacking`,
/// a new str, if it is not.
static PyObject *kept(PyObject *model_id, PyObject *cache_dir, const NeededFiles *needed,
                      PyObject **lacking) {
    PyObject *snapshot = kept_snapshot(model_id, cache_dir);
    PyObject *folder = snapshot == NULL ? NULL : complete(snapshot, needed);
    if (folder == NULL && PyErr_ExceptionMatches(PyExc_Exception)) {
        if (snapshot != NULL) {
            *lacking = pending_text();
        } else {
            PyErr_Clear();
            PyObject *cache = cache_folder(cache_dir);
            if (cache != NULL) *lacking = PyUnicode_FromFormat("%U keeps no copy of it", cache);
            Py_XDECREF(cache);
        }
    }
    Py_XDECREF(snapshot);
    return folder;
}

/// The pending exception is the network's or the Hub's: what was fetched before will do.
static PyObject *kept_instead(PyObject *model_id, PyObject *cache_dir, const NeededFiles *needed) {
    PyObject *type, *value, *traceback, *lacking = NULL;
    PyErr_Fetch(&type, &value, &traceback);
    PyObject *folder = kept(model_id, cache_dir, needed, &lacking);
    if (lacking != NULL) {
        // The first failure says more than that there is no copy.
        PyErr_Restore(type, value, traceback);
        raise_hub_error(model_id, lacking);
        Py_DECREF(lacking);
        return NULL;
    }
    Py_XDECREF(type);
    Py_XDECREF(value);
    Py_XDECREF(traceback);
    return folder;
}

// MARK: - The Hub's models

/// Refuses a folder that lacks one of the files that were fetched into it.
static int check_fetched(PyObject *model_id, PyObject *folder, PyObject *files) {
    Py_ssize_t count = PyList_Size(files);
    for (Py_ssize_t i = 0; i < count; i++) {
        PyObject *name = PyList_GetItem(files, i);
        int result = is_file(folder, name);
        if (result > 0) continue;
        if (result == 0) {
            PyErr_Format(PyExc_FileNotFoundError,
                         "model_id: %R changed on the Hub while it was fetched: %U is gone. Try again.",
                         model_id, name);
        }
        return -1;
    }
    return 0;
}

/// The Hub's answer. NULL with an exception, which is the Hub's or the network's if `is_unreachable` is
/// set.
static PyObject *fetched(PyObject *model_id, PyObject *cache_dir, const NeededFiles *needed,
                         int *is_unreachable) {
    FileSource source = {
        .fetch = fetch_one,
        .advice = "; pass a model in the layout of diffusers.",
        .model_id = model_id,
        .cache_dir = cache_dir,
    };
    *is_unreachable = 1;
    source.names = listed_names(model_id);
    if (source.names == NULL) return NULL;
    source.about = PyUnicode_FromFormat("model_id: %R on the Hugging Face Hub", model_id);
    PyObject *files = source.about == NULL ? NULL : chosen_files(&source, needed);
    Py_DECREF(source.names);
    Py_XDECREF(source.about);
    *is_unreachable = files != NULL || source.is_unreachable;
    if (files == NULL) return NULL;
    PyObject *folder = fetched_snapshot(model_id, cache_dir, files);
    if (folder != NULL) {
        *is_unreachable = 0;
        if (check_fetched(model_id, folder, files) < 0) Py_CLEAR(folder);
    }
    Py_DECREF(files);
    return folder;
}

/// Says what to do if the pending ImportError is that there is no huggingface_hub.
static void explain_import_error(PyObject *model_id) {
    PyObject *type, *value, *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    PyErr_NormalizeException(&type, &value, &traceback);
    PyObject *name = PyObject_GetAttrString(value, "name");
    int is_absent = name != NULL && PyUnicode_Check(name)
        && PyUnicode_CompareWithASCIIString(name, "huggingface_hub") == 0;
    Py_XDECREF(name);
    PyErr_Clear();
    PyErr_Restore(type, value, traceback);
    if (!is_absent) return;
    PyErr_Format(PyExc_ImportError,
                 "model_id: %R is no folder, and to fetch it from the Hugging Face Hub the package "
                 "huggingface_hub is missing: run `pip install huggingface_hub`.",
                 model_id);
}

PyObject *hub_folder(PyObject *model_id, PyObject *cache_dir, const NeededFiles *needed) {
    int is_unreachable;
    PyObject *folder = fetched(model_id, cache_dir, needed, &is_unreachable);
    if (folder != NULL || !is_unreachable) return folder;
    // Ctrl-C, or no memory.
    if (!PyErr_ExceptionMatches(PyExc_Exception) || PyErr_ExceptionMatches(PyExc_MemoryError))
        return NULL;
    if (PyErr_ExceptionMatches(PyExc_ImportError)) {
        explain_import_error(model_id);
        return NULL;
    }
    return kept_instead(model_id, cache_dir, needed);
}
