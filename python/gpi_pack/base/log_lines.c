#include "log_lines.h"

/// Whether `stream.isatty()`; an object that has no such method, or fails at it, is no terminal.
static bool is_terminal(PyObject *stream) {
    PyObject *answer = PyObject_CallMethod(stream, "isatty", NULL);
    int result = answer == NULL ? 0 : PyObject_IsTrue(answer);
    Py_XDECREF(answer);
    PyErr_Clear();
    return result > 0;
}

/// Whether the process is a notebook's, which shows bars though it has no terminal.
static bool is_notebook(void) {
    // What has not been imported is not at work.
    PyObject *module = PyDict_GetItemString(PyImport_GetModuleDict(), "IPython");
    PyObject *shell = module == NULL ? NULL : PyObject_CallMethod(module, "get_ipython", NULL);
    PyObject *config = shell == NULL ? NULL : PyObject_GetAttrString(shell, "config");
    PyObject *key = config == NULL ? NULL : PyUnicode_FromString("IPKernelApp");
    int result = key == NULL ? 0 : PySequence_Contains(config, key);
    Py_XDECREF(key);
    Py_XDECREF(config);
    Py_XDECREF(shell);
    PyErr_Clear();
    return result > 0;
}

LogLines log_lines(void) {
    PyObject *stream = PySys_GetObject("stderr");
    if (stream == NULL || stream == Py_None) return LOG_NOTHING;
    Py_INCREF(stream);
    bool has_bar = is_terminal(stream) || is_notebook();
    Py_DECREF(stream);
    return has_bar ? LOG_BAR : LOG_LINES;
}

int write_log_line(const char *label, const char *text, bool *has_lines) {
    PyObject *stream = PySys_GetObject("stderr");
    Py_XINCREF(stream);
    PyObject *line = PyUnicode_FromFormat("%s: %s\n", label, text);
    int result = line == NULL || stream == NULL ? -1 : PyFile_WriteObject(line, stream, Py_PRINT_RAW);
    if (result == 0) result = call_method(stream, "flush");
    Py_XDECREF(line);
    Py_XDECREF(stream);
    if (result == 0) return 0;
    *has_lines = false;
    if (PyErr_Occurred() && !PyErr_ExceptionMatches(PyExc_Exception)) return -1;
    PyErr_Clear();
    return 0;
}
