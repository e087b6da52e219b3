/// Settings between Python and the core: values of a dict here, the text of a
/// `scheduler_config.json` there.

#include "config.h"
#include "errors.h"
#include "scheduler_object.h"
#include "values.h"

// MARK: - JSON

/// `json.dumps(value)`; a new str.
static PyObject *json_text(PyObject *value) {
    PyObject *dumps = imported("json", "dumps");
    if (dumps == NULL) return NULL;
    PyObject *text = PyObject_CallFunctionObjArgs(dumps, value, NULL);
    Py_DECREF(dumps);
    return text;
}

PyObject *core_settings(const gpi_scheduler *core) {
    PyObject *loads = imported("json", "loads");
    if (loads == NULL) return NULL;
    PyObject *settings = PyObject_CallFunction(loads, "s", gpi_scheduler_settings(core));
    Py_DECREF(loads);
    if (settings == NULL || PyDict_Check(settings)) return settings;
    Py_DECREF(settings);
    PyErr_SetString(PyExc_RuntimeError, "The scheduler's settings are no JSON object.");
    return NULL;
}

// MARK: - Values

static int is_scalar(PyObject *value) {
    return value == Py_None || PyBool_Check(value) || PyLong_Check(value) || PyFloat_Check(value)
        || PyUnicode_Check(value);
}

/// The same value in Python's own types: NumPy's and torch's have `tolist`. A new reference.
static PyObject *unwrapped(PyObject *value) {
    if (is_scalar(value)) return Py_NewRef(value);
    PyObject *convert = PyObject_GetAttrString(value, "tolist");
    if (convert == NULL) {
        if (!PyErr_ExceptionMatches(PyExc_AttributeError)) return NULL;
        PyErr_Clear();
        return Py_NewRef(value);
    }
    PyObject *result = PyType_Check(value) ? Py_NewRef(value) : PyObject_CallNoArgs(convert);
    Py_DECREF(convert);
    return result;
}

/// Whether a list or tuple holds numbers alone; these go to `numbers`. -1 with an exception.
static int append_numbers(PyObject *value, PyObject *numbers) {
    Py_ssize_t count = PySequence_Size(value);
    int status = count < 0 ? -1 : 1;
    for (Py_ssize_t i = 0; i < count && status > 0; i++) {
        PyObject *wrapped = PySequence_GetItem(value, i);
        PyObject *number = wrapped == NULL ? NULL : unwrapped(wrapped);
        Py_XDECREF(wrapped);
        if (number == NULL) return -1;
        status = PyLong_Check(number) || PyFloat_Check(number);
        if (status > 0 && PyList_Append(numbers, number) < 0) status = -1;
        Py_DECREF(number);
    }
    return status;
}

/// What JSON can say of a value: itself or a list of numbers. A new reference; NULL without an
/// exception if no scheduler has settings of its kind.
static PyObject *plain(PyObject *value) {
    PyObject *result = unwrapped(value);
    if (result == NULL || is_scalar(result)) return result;
    int fits = PyList_Check(result) || PyTuple_Check(result);
    PyObject *numbers = fits ? PyList_New(0) : NULL;
    if (numbers != NULL) fits = append_numbers(result, numbers);
    Py_DECREF(result);
    if (fits > 0) return numbers;
    Py_XDECREF(numbers);
    return NULL;
}

/// Refuses numbers that no float holds and text that is none, which the core would take for
/// nothing.
static int check_value(PyObject *name, PyObject *value) {
    if (PyUnicode_Check(value)) return check_text(name, value);
    if (!PyLong_Check(value)) return 0;
    if (PyFloat_AsDouble(value) != -1 || !PyErr_Occurred()) return 0;
    if (PyErr_ExceptionMatches(PyExc_OverflowError)) {
        PyErr_Clear();
        PyErr_Format(PyExc_ValueError, "%U is too large.", name);
    }
    return -1;
}

/// Puts one setting where it belongs: into `accepted` as JSON can say it, or into `refused`.
static int sort_setting(PyObject *name, PyObject *value, PyObject *accepted, PyObject *refused) {
    PyObject *simple = plain(value);
    if (simple == NULL && PyErr_Occurred()) {
        raise_again(name);
        return -1;
    }
    if (simple == NULL) return PyDict_SetItem(refused, name, value);
    int status = check_value(name, simple);
    if (status == 0) status = PyDict_SetItem(accepted, name, simple);
    Py_DECREF(simple);
    return status;
}

/// 1 for names that begin with "_", which are not the scheduler's, but for `_class_name`.
static int is_private(PyObject *name) {
    return PyUnicode_ReadChar(name, 0) == '_'
        && PyUnicode_CompareWithASCIIString(name, "_class_name") != 0;
}

static int sort_settings(PyObject *settings, PyObject *accepted, PyObject *refused) {
    // A list, since what the values do when they are asked may change the dict.
    PyObject *names = PyDict_Keys(settings);
    int status = names == NULL ? -1 : 0;
    Py_ssize_t count = names == NULL ? 0 : PyList_Size(names);
    for (Py_ssize_t i = 0; i < count && status == 0; i++) {
        PyObject *name = PyList_GetItem(names, i);
        if (!PyUnicode_Check(name)) {
            PyErr_Format(PyExc_TypeError, "The names of settings must be str, not %R.", name);
            status = -1;
        } else if (PyUnicode_GetLength(name) == 0 || !is_private(name)) {
            PyObject *value = PyDict_GetItemWithError(settings, name);
            if (value == NULL) {
                status = PyErr_Occurred() ? -1 : 0;
                continue;
            }
            Py_INCREF(value);
            status = sort_setting(name, value, accepted, refused);
            Py_DECREF(value);
        }
    }
    Py_XDECREF(names);
    return status;
}

// MARK: - Checks

/// A setting that is known, but of a kind that the core could not be told.
static int check_refused(PyObject *refused, PyObject *known) {
    Py_ssize_t position = 0;
    PyObject *name, *value;
    while (PyDict_Next(refused, &position, &name, &value)) {
        int is_known = PyDict_Contains(known, name);
        if (is_known < 0) return -1;
        if (!is_known) continue;
        raise_wrong_type(name, "None, a bool, a number, a str or a list of numbers", value);
        return -1;
    }
    return 0;
}

/// The names in order, with commas between them, without those of diffusers' own; a new str.
static PyObject *listed(PyObject *known) {
    PyObject *result = NULL;
    PyObject *names = PyDict_Keys(known);
    PyObject *comma = PyUnicode_FromString(", ");
    Py_ssize_t count = names == NULL ? 0 : PyList_Size(names);
    for (Py_ssize_t i = count - 1; i >= 0; i--) {
        PyObject *name = PyList_GetItem(names, i);
        if (PyUnicode_Check(name) && PyUnicode_GetLength(name) > 0
            && PyUnicode_ReadChar(name, 0) == '_' && PySequence_DelItem(names, i) < 0)
            goto done;
    }
    if (names != NULL && comma != NULL && PyList_Sort(names) == 0)
        result = PyUnicode_Join(comma, names);
done:
    Py_XDECREF(names);
    Py_XDECREF(comma);
    return result;
}

static int check_known(const char *owner, PyObject *passed, PyObject *known) {
    Py_ssize_t position = 0;
    PyObject *name;
    while (PyDict_Next(passed, &position, &name, NULL)) {
        int is_known = PyDict_Contains(known, name);
        if (is_known > 0) continue;
        PyObject *names = is_known < 0 ? NULL : listed(known);
        if (names != NULL)
            PyErr_Format(PyExc_TypeError, "%s() has no setting %R. It has %U.", owner, name, names);
        Py_XDECREF(names);
        return -1;
    }
    return 0;
}

// MARK: - The configuration

/// What was passed, known or not, and over it what the core made of it.
static PyObject *configuration(PyObject *settings, PyObject *made) {
    PyObject *items = PyDict_Copy(settings);
    PyObject *config = NULL;
    if (items != NULL && PyDict_Update(items, made) == 0) config = new_config(items);
    Py_XDECREF(items);
    return config;
}

static int create(const char *name, PyObject *accepted, const char *origin, gpi_scheduler **core) {
    PyObject *text = json_text(accepted);
    if (text == NULL) return -1;
    const char *json = PyUnicode_AsUTF8AndSize(text, NULL);
    int status = -1;
    if (json != NULL) {
        gpi_status created = gpi_scheduler_create(name, json, origin, core);
        status = created == GPI_OK ? 0 : -1;
        if (status < 0) raise_status(created, NULL);
    }
    Py_DECREF(text);
    return status;
}

/// The settings that a class has, with its defaults; a new dict.
static PyObject *class_settings(const gpi_scheduler *core) {
    gpi_scheduler *plain_one = NULL;
    gpi_status status = gpi_scheduler_create(gpi_scheduler_name(core), "{}", NULL, &plain_one);
    if (status != GPI_OK) {
        raise_status(status, NULL);
        return NULL;
    }
    PyObject *settings = core_settings(plain_one);
    gpi_scheduler_free(plain_one);
    return settings;
}

int make_scheduler(const char *name, PyObject *settings, int strict, const char *origin,
                   gpi_scheduler **core, PyObject **config) {
    PyObject *accepted = PyDict_New();
    PyObject *refused = PyDict_New();
    PyObject *known = NULL, *made = NULL;
    *core = NULL;
    *config = NULL;
    int status = accepted == NULL || refused == NULL ? -1 : 0;
    if (status == 0) status = sort_settings(settings, accepted, refused);
    if (status == 0) status = create(name, accepted, origin, core);
    if (status == 0) known = class_settings(*core);
    if (known == NULL) status = -1;
    if (status == 0) status = check_refused(refused, known);
    if (status == 0 && strict) status = check_known(gpi_scheduler_name(*core), accepted, known);
    if (status == 0 && strict) status = check_known(gpi_scheduler_name(*core), refused, known);
    if (status == 0) made = core_settings(*core);
    if (made != NULL) *config = configuration(settings, made);
    if (*config == NULL) {
        gpi_scheduler_free(*core);
        *core = NULL;
    }
    Py_XDECREF(accepted);
    Py_XDECREF(refused);
    Py_XDECREF(known);
    Py_XDECREF(made);
    return *config == NULL ? -1 : 0;
}

PyObject *settings_text(PyObject *config) {
    static const char *const unsaved[] = {"_use_default_values", "_ignore_files"};
    PyObject *items = PyDict_New();
    PyObject *dumps = imported("json", "dumps");
    PyObject *arguments = items == NULL ? NULL : PyTuple_Pack(1, items);
    // What came along from elsewhere may be anything: as text, if JSON has nothing better.
    PyObject *options = Py_BuildValue("{s:i,s:O,s:O}", "indent", 2, "sort_keys", Py_True, "default",
                                      (PyObject *)&PyUnicode_Type);
    PyObject *text = NULL;
    if (dumps != NULL && arguments != NULL && options != NULL && PyDict_Update(items, config) == 0) {
        int status = 0;
        for (size_t i = 0; i < sizeof unsaved / sizeof *unsaved && status == 0; i++)
            if (PyMapping_HasKeyString(items, unsaved[i]))
                status = PyDict_DelItemString(items, unsaved[i]);
        if (status == 0) text = PyObject_Call(dumps, arguments, options);
    }
    Py_XDECREF(items);
    Py_XDECREF(dumps);
    Py_XDECREF(arguments);
    Py_XDECREF(options);
    if (text == NULL) return NULL;
    PyObject *line = PyUnicode_FromFormat("%U\n", text);
    Py_DECREF(text);
    return line;
}
