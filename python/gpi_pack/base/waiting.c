#include "waiting.h"

#include "errors.h"

void begin_waiting(Waiting *waiting) { waiting->state = PyEval_SaveThread(); }

void end_waiting(Waiting *waiting) {
    PyThreadState *state = waiting->state;
    PyEval_RestoreThread(state);
    waiting->state = NULL;
}

int is_interrupted(void *context) {
    Waiting *waiting = context;
    end_waiting(waiting);
    int interrupted = PyErr_Occurred() != NULL || PyErr_CheckSignals() < 0;
    begin_waiting(waiting);
    return interrupted;
}

void warn_python(void *context, const char *text) {
    Waiting *waiting = context;
    end_waiting(waiting);
    if (!PyErr_Occurred()) (void)PyErr_WarnEx(PyExc_UserWarning, text, 1);
    begin_waiting(waiting);
}

int settle_waiting(gpi_status status, PyObject *about) {
    if (PyErr_Occurred()) return -1;
    if (status == GPI_OK) return PyErr_CheckSignals();
    raise_status(status, status == GPI_INVALID_ARGUMENT ? NULL : about);
    return -1;
}
