/// Schedulers from configurations and files, and back to files.

#include "errors.h"
#include "folder.h"
#include "model_folder.h"
#include "scheduler_object.h"
#include "values.h"
#include "whole_file.h"

static const char FILE_NAME[] = "scheduler_config.json";

// MARK: - From configurations

/// Takes out the mark of those settings that are the defaults of their class, as diffusers leaves
/// it, and these settings with it if `with_values`. 0, or -1 with an exception.
static int drop_defaults(PyObject *settings, int with_values) {
    PyObject *marked = PyDict_GetItemString(settings, "_use_default_values");
    if (marked == NULL) return 0;
    // No copy, no mark: it is no list.
    PyObject *names = with_values ? PySequence_List(marked) : NULL;
    PyErr_Clear();
    int status = PyDict_DelItemString(settings, "_use_default_values");
    Py_ssize_t count = names == NULL ? 0 : PyList_Size(names);
    for (Py_ssize_t i = 0; i < count && status == 0; i++) {
        PyObject *name = PyList_GetItem(names, i);
        int is_there = PyUnicode_Check(name) ? PyDict_Contains(settings, name) : 0;
        if (is_there < 0) status = -1;
        if (is_there > 0) status = PyDict_DelItem(settings, name);
    }
    Py_XDECREF(names);
    return status;
}

/// A new dict of what a mapping holds; NULL with an exception.
static PyObject *copied_mapping(const char *argument, PyObject *mapping) {
    PyObject *settings = PyDict_New();
    int has_keys = PyDict_Check(mapping) || PyObject_HasAttrString(mapping, "keys");
    if (settings == NULL || (has_keys && PyDict_Update(settings, mapping) == 0)) return settings;
    if (!has_keys)
        raise_wrong_type_of(argument, "a scheduler, or a mapping as its .config is", mapping);
    Py_DECREF(settings);
    return NULL;
}

/// Says which class the settings are of, if they do not say so themselves.
static int add_class(PyObject *settings, PyObject *scheduler) {
    if (PyMapping_HasKeyString(settings, "_class_name")) return 0;
    const char *name = scheduler_name(Py_TYPE(scheduler));
    if (name == NULL) return 0;
    PyObject *text = PyUnicode_FromString(name);
    int status = text == NULL ? -1 : PyDict_SetItemString(settings, "_class_name", text);
    Py_XDECREF(text);
    return status;
}

PyObject *settings_of(const char *argument, PyObject *value, int without_defaults) {
    PyObject *config = NULL;
    if (!PyDict_Check(value)) {
        config = PyObject_GetAttrString(value, "config");
        if (config == NULL && !PyErr_ExceptionMatches(PyExc_AttributeError)) return NULL;
        PyErr_Clear();
    }
    PyObject *settings = copied_mapping(argument, config == NULL ? value : config);
    int status = settings == NULL ? -1 : 0;
    if (status == 0 && config != NULL) status = add_class(settings, value);
    if (status == 0) status = drop_defaults(settings, without_defaults);
    Py_XDECREF(config);
    if (status == 0) return settings;
    Py_XDECREF(settings);
    return NULL;
}

/// The configuration that was passed by position or keyword, borrowed. Leaves the other keywords.
static PyObject *config_argument(PyObject *positional, PyObject *overrides) {
    Py_ssize_t count = PyTuple_Size(positional);
    PyObject *named = PyDict_GetItemString(overrides, "config");
    if (count + (named != NULL) != 1) {
        PyErr_SetString(PyExc_TypeError,
                        "from_config() takes one config, and settings that override it by keyword.");
        return NULL;
    }
    return named != NULL ? named : PyTuple_GetItem(positional, 0);
}

/// A scheduler of `type`, or of the class that the settings name if that is the base.
static PyObject *scheduler_of(PyTypeObject *type, PyObject *settings, const char *origin) {
    gpi_scheduler *core = NULL;
    PyObject *config = NULL;
    if (make_scheduler(scheduler_name(type), settings, 0, origin, &core, &config) < 0) return NULL;
    return finished_scheduler(type, core, config);
}

const char from_config_doc[] =
    "from_config($type, config, **overrides)\n"
    "--\n"
    "\n"
    "A scheduler with the settings of another one, of whatever class: its .config, it itself (of\n"
    "diffusers or of this module), or any mapping. overrides count before these; what this class\n"
    "does not know is left alone, and kept in the new .config.";

PyObject *from_config(PyObject *type, PyObject *positional, PyObject *keywords) {
    PyObject *overrides = keywords == NULL ? PyDict_New() : PyDict_Copy(keywords);
    if (overrides == NULL) return NULL;
    PyObject *result = NULL;
    PyObject *config = config_argument(positional, overrides);
    PyObject *settings = config == NULL ? NULL : settings_of("config", config, 1);
    int status = settings == NULL ? -1 : 0;
    if (status == 0 && PyMapping_HasKeyString(overrides, "config"))
        status = PyDict_DelItemString(overrides, "config");
    if (status == 0) status = PyDict_Update(settings, overrides);
    if (status == 0) result = scheduler_of((PyTypeObject *)type, settings, "config");
    Py_XDECREF(settings);
    Py_DECREF(overrides);
    return result;
}

// MARK: - From files

/// `os.path.join(folder, …)`, without the parts that are NULL; a new str.
static PyObject *joined(PyObject *folder, PyObject *subfolder) {
    PyObject *join = imported("os.path", "join");
    if (join == NULL) return NULL;
    PyObject *path = subfolder == NULL
        ? PyObject_CallFunction(join, "Os", folder, FILE_NAME)
        : PyObject_CallFunction(join, "OOs", folder, subfolder, FILE_NAME);
    Py_DECREF(join);
    return path;
}

static int is_file(PyObject *path) {
    PyObject *function = imported("os.path", "isfile");
    if (function == NULL) return -1;
    PyObject *answer = PyObject_CallFunctionObjArgs(function, path, NULL);
    Py_DECREF(function);
    if (answer == NULL) return -1;
    int result = PyObject_IsTrue(answer);
    Py_DECREF(answer);
    return result;
}

/// The file in the subfolder if it is there; a new str, or NULL, without an exception if it is not
/// there.
static PyObject *file_in(PyObject *folder, PyObject *subfolder) {
    PyObject *path = joined(folder, subfolder);
    int found = path == NULL ? -1 : is_file(path);
    if (found > 0) return path;
    Py_XDECREF(path);
    return NULL;
}

/// The scheduler's file in the subfolder, else in the folder itself, as in diffusers. A new str.
static PyObject *find_file(PyObject *folder, PyObject *subfolder) {
    PyObject *path = subfolder == NULL ? NULL : file_in(folder, subfolder);
    if (path == NULL && !PyErr_Occurred()) path = file_in(folder, NULL);
    if (path != NULL || PyErr_Occurred()) return path;
    PyObject *usual = PyUnicode_FromString("scheduler");
    if (usual == NULL) return NULL;
    PyObject *elsewhere = file_in(folder, usual);
    Py_DECREF(usual);
    if (PyErr_Occurred()) return NULL;
    PyErr_Format(PyExc_FileNotFoundError, "model_id: there is no %s in %R%s", FILE_NAME, folder,
                 elsewhere == NULL ? "." : "; pass subfolder=\"scheduler\".");
    Py_XDECREF(elsewhere);
    return NULL;
}

/// The text of a file; a new str.
static PyObject *file_text(PyObject *path) {
    PyObject *open = imported("io", "open");
    PyObject *arguments = PyTuple_Pack(1, path);
    PyObject *options = Py_BuildValue("{s:s}", "encoding", "utf-8");
    PyObject *file = NULL;
    if (open != NULL && arguments != NULL && options != NULL)
        file = PyObject_Call(open, arguments, options);
    Py_XDECREF(open);
    Py_XDECREF(arguments);
    Py_XDECREF(options);
    if (file == NULL) return NULL;
    PyObject *text = PyObject_CallMethod(file, "read", NULL);
    if (text == NULL) {
        call_while_failing(file, "close");
    } else if (call_method(file, "close") < 0) {
        Py_CLEAR(text);
    }
    Py_DECREF(file);
    return text;
}

/// The dict in a scheduler's file; errors begin with `about`.
static PyObject *file_settings(PyObject *path, PyObject *about) {
    PyObject *loads = imported("json", "loads");
    if (loads == NULL) return NULL;
    PyObject *text = file_text(path);
    PyObject *settings = text == NULL ? NULL : PyObject_CallFunctionObjArgs(loads, text, NULL);
    Py_XDECREF(text);
    Py_DECREF(loads);
    if (settings == NULL) raise_again(about);
    if (settings == NULL || PyDict_Check(settings)) return settings;
    Py_DECREF(settings);
    PyErr_Format(PyExc_ValueError, "%U: it holds no JSON object.", about);
    return NULL;
}

static PyObject *scheduler_in_file(PyTypeObject *type, PyObject *path) {
    PyObject *result = NULL;
    PyObject *settings = NULL;
    PyObject *about = PyUnicode_FromFormat("model_id: %U", path);
    if (about != NULL) settings = file_settings(path, about);
    if (settings != NULL) {
        const char *origin = PyUnicode_AsUTF8AndSize(about, NULL);
        if (origin != NULL && drop_defaults(settings, 1) == 0)
            result = scheduler_of(type, settings, origin);
    }
    Py_XDECREF(settings);
    Py_XDECREF(about);
    return result;
}

const char from_pretrained_doc[] =
    "from_pretrained($type, model_id, subfolder=None, cache_dir=None)\n"
    "--\n"
    "\n"
    "A scheduler with the settings of a scheduler_config.json: in a folder, or of a model on the\n"
    "Hugging Face Hub, of which nothing else is fetched. Models have it in\n"
    "subfolder='scheduler'.";

PyObject *from_pretrained(PyObject *type, PyObject *positional, PyObject *keywords) {
    static const char *const names[] = {"model_id", "subfolder", "cache_dir", NULL};
    PyObject *model_id, *subfolder = NULL, *cache_dir = NULL;
    if (!PyArg_ParseTupleAndKeywords(positional, keywords, "O|OO:from_pretrained", (char **)names,
                                     &model_id, &subfolder, &cache_dir))
        return NULL;
    PyObject *folder = NULL, *path = NULL;
    model_id = model_argument(model_id);
    subfolder = is_given(subfolder) ? path_argument("subfolder", subfolder, "None, a str or a path")
                                    : NULL;
    cache_dir = is_given(cache_dir) && !PyErr_Occurred()
        ? path_argument("cache_dir", cache_dir, "None, a str or a path")
        : NULL;
    if (!PyErr_Occurred()) folder = model_folder(model_id, cache_dir, SCHEDULER_ALONE);
    if (folder != NULL) path = find_file(folder, subfolder);
    PyObject *result = path == NULL ? NULL : scheduler_in_file((PyTypeObject *)type, path);
    Py_XDECREF(model_id);
    Py_XDECREF(subfolder);
    Py_XDECREF(cache_dir);
    Py_XDECREF(folder);
    Py_XDECREF(path);
    return result;
}

// MARK: - To files

/// A `FileWriter` for a str.
static int write_text(PyObject *file, void *context) {
    PyObject *bytes = PyUnicode_AsUTF8String(context);
    PyObject *written =
        bytes == NULL ? NULL : PyObject_CallMethod(file, "write", "O", bytes);
    Py_XDECREF(bytes);
    if (written == NULL) return -1;
    Py_DECREF(written);
    return 0;
}

const char save_config_doc[] =
    "save_config($self, save_directory)\n"
    "--\n"
    "\n"
    "Writes scheduler_config.json into a folder, which is made where it is missing.";

const char save_pretrained_doc[] =
    "save_pretrained($self, save_directory)\n"
    "--\n"
    "\n"
    "Writes scheduler_config.json into a folder, which is made where it is missing.";

PyObject *save_config(PyObject *self, PyObject *positional, PyObject *keywords) {
    static const char *const names[] = {"save_directory", NULL};
    PyObject *folder;
    if (!PyArg_ParseTupleAndKeywords(positional, keywords, "O:save_config", (char **)names, &folder))
        return NULL;
    folder = path_argument("save_directory", folder, "a str or a path");
    if (folder == NULL) return NULL;
    int status = make_folder("save_directory", folder);
    PyObject *path = status < 0 ? NULL : joined(folder, NULL);
    PyObject *text = path == NULL ? NULL : settings_text(((SchedulerObject *)self)->config);
    status = text == NULL ? -1 : write_whole_file(path, write_text, text);
    if (text != NULL && status < 0) {
        PyObject *about = PyUnicode_FromString("save_directory");
        if (about != NULL) raise_again(about);
        Py_XDECREF(about);
    }
    Py_DECREF(folder);
    Py_XDECREF(path);
    Py_XDECREF(text);
    return status < 0 ? NULL : Py_NewRef(Py_None);
}
