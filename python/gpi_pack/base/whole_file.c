#include "whole_file.h"

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
static int fill(PyObject *file, FileWriter write, void *context) {
    if (write(file, context) < 0 || flush_to_disk(file) < 0) {
        call_while_failing(file, "close");
        return -1;
    }
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

int write_whole_file(PyObject *path, FileWriter write, void *context) {
    PyObject *temporary = temporary_path(path);
    if (temporary == NULL) return -1;
    PyObject *open = imported("io", "open");
    // Mode x, not `tempfile`, whose files only their owner may read.
    PyObject *file =
        open == NULL ? NULL : PyObject_CallFunction(open, "Os", temporary, "xb");
    Py_XDECREF(open);
    int status = -1;
    if (file != NULL) {
        status = fill(file, write, context);
        Py_DECREF(file);
        if (status == 0) status = system_call("replace", temporary, path);
        if (status < 0) remove_while_failing(temporary);
    }
    Py_DECREF(temporary);
    return status;
}
