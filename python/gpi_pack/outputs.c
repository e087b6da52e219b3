#include "outputs.h"

#include "errors.h"
#include "pictures.h"

int make_folder(const char *argument, PyObject *folder) {
    PyObject *about = PyUnicode_FromString(argument);
    PyObject *make = imported("os", "makedirs");
    PyObject *arguments = PyTuple_Pack(1, folder);
    PyObject *options = Py_BuildValue("{s:O}", "exist_ok", Py_True);
    PyObject *done = NULL;
    if (about != NULL && make != NULL && arguments != NULL && options != NULL) {
        done = PyObject_Call(make, arguments, options);
        if (done == NULL) raise_again(about);
    }
    Py_XDECREF(about);
    Py_XDECREF(make);
    Py_XDECREF(arguments);
    Py_XDECREF(options);
    if (done == NULL) return -1;
    Py_DECREF(done);
    return 0;
}

PyObject *numbered_path(PyObject *folder, PyObject *name, Py_ssize_t index, const char *suffix) {
    PyObject *file = PyUnicode_FromFormat("%U_%zd%s", name, index, suffix);
    if (file == NULL) return NULL;
    PyObject *join = imported("os.path", "join");
    PyObject *path = join == NULL ? NULL : PyObject_CallFunctionObjArgs(join, folder, file, NULL);
    Py_XDECREF(join);
    Py_DECREF(file);
    return path;
}

int write_latents(const gpi_tensor *latents, PyObject *path, PyObject *about) {
    const char *utf8 = PyUnicode_AsUTF8AndSize(path, NULL);
    if (utf8 == NULL) return -1;
    gpi_status status;
    Py_BEGIN_ALLOW_THREADS
    status = gpi_tensor_save(latents, utf8);
    Py_END_ALLOW_THREADS
    if (status == GPI_OK) return 0;
    raise_status(status, about);
    return -1;
}

// MARK: - Pictures

/// A name in the folder of `path` that no other process takes: `.gpi-0123456789abcdef.tmp`.
static PyObject *temporary_path(PyObject *path) {
    PyObject *result = NULL;
    PyObject *file = NULL;
    PyObject *random = imported("secrets", "token_hex");
    PyObject *dirname = imported("os.path", "dirname");
    PyObject *join = imported("os.path", "join");
    PyObject *folder =
        dirname == NULL ? NULL : PyObject_CallFunctionObjArgs(dirname, path, NULL);
    PyObject *token = random == NULL ? NULL : PyObject_CallFunction(random, "i", 8);
    if (token != NULL) file = PyUnicode_FromFormat(".gpi-%U.tmp", token);
    if (join != NULL && folder != NULL && file != NULL)
        result = PyObject_CallFunctionObjArgs(join, folder, file, NULL);
    Py_XDECREF(random);
    Py_XDECREF(dirname);
    Py_XDECREF(join);
    Py_XDECREF(folder);
    Py_XDECREF(token);
    Py_XDECREF(file);
    return result;
}

static int flush_to_disk(PyObject *file) {
    if (call_method(file, "flush") < 0) return -1;
    PyObject *fsync = imported("os", "fsync");
    if (fsync == NULL) return -1;
    PyObject *done = PyObject_CallFunctionObjArgs(fsync, file, NULL);
    Py_DECREF(fsync);
    if (done == NULL) return -1;
    Py_DECREF(done);
    return 0;
}

/// Writes to the open file and closes it in any case.
static int fill(PyObject *file, PyObject *image, const char *format) {
    PyObject *saved = PyObject_CallMethod(image, "save", "Os", file, format);
    if (saved == NULL || flush_to_disk(file) < 0) {
        Py_XDECREF(saved);
        call_while_failing(file, "close");
        return -1;
    }
    Py_DECREF(saved);
    return call_method(file, "close");
}

/// `os.<function>(path[, other])`
static int system_call(const char *function, PyObject *path, PyObject *other) {
    PyObject *callable = imported("os", function);
    if (callable == NULL) return -1;
    PyObject *done = PyObject_CallFunctionObjArgs(callable, path, other, NULL);
    Py_DECREF(callable);
    if (done == NULL) return -1;
    Py_DECREF(done);
    return 0;
}

static void remove_while_failing(PyObject *path) {
    PyObject *type, *value, *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    if (system_call("unlink", path, NULL) < 0) PyErr_Clear();
    PyErr_Restore(type, value, traceback);
}

/// Through a temporary file: another process, or the next run after a crash, sees a whole picture
/// or none.
static int save_image(PyObject *image, PyObject *path, const char *format) {
    PyObject *temporary = temporary_path(path);
    if (temporary == NULL) return -1;
    PyObject *open = imported("io", "open");
    // Mode x, not `tempfile`, whose files only their owner may read.
    PyObject *file =
        open == NULL ? NULL : PyObject_CallFunction(open, "Os", temporary, "xb");
    Py_XDECREF(open);
    int status = -1;
    if (file != NULL) {
        status = fill(file, image, format);
        Py_DECREF(file);
        if (status == 0) status = system_call("replace", temporary, path);
        if (status < 0) remove_while_failing(temporary);
    }
    Py_DECREF(temporary);
    return status;
}

int write_picture(const gpi_picture *picture, PyObject *path, const char *format, PyObject *about) {
    PyObject *image = image_of(picture);
    if (image == NULL) return -1;
    int status = save_image(image, path, format);
    Py_DECREF(image);
    if (status < 0 && PyErr_ExceptionMatches(PyExc_OSError)) {
        PyObject *writing = PyUnicode_FromFormat("%U: writing %R", about, path);
        if (writing == NULL) return -1;
        raise_again(writing);
        Py_DECREF(writing);
    }
    return status;
}
