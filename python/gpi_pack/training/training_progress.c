#include "training_progress.h"

#include "log_lines.h"
#include "output.h"

// MARK: - The bar

/// `tqdm.auto.tqdm(total=…, initial=…, desc='Training', unit='step')`, which counts from where the run goes
/// on.
static PyObject *new_bar(const gpi_training_progress *now) {
    PyObject *type = imported("tqdm.auto", "tqdm");
    PyObject *nothing = PyTuple_New(0);
    PyObject *options =
        Py_BuildValue("{s:L,s:L,s:s,s:s}", "total", (long long)now->steps, "initial",
                      (long long)(now->step - 1), "desc", "Training", "unit", "step");
    PyObject *bar = NULL;
    if (type != NULL && nothing != NULL && options != NULL)
        bar = PyObject_Call(type, nothing, options);
    Py_XDECREF(type);
    Py_XDECREF(nothing);
    Py_XDECREF(options);
    return bar;
}

static int open_progress(TrainingProgress *progress, const gpi_training_progress *now) {
    LogLines kind = log_lines();
    progress->is_open = true;
    progress->has_lines = kind == LOG_LINES;
    progress->tenth = -1;
    if (kind != LOG_BAR) return 0;
    progress->bar = new_bar(now);
    return progress->bar == NULL ? -1 : 0;
}

static int show_bar(PyObject *bar, const gpi_training_progress *now) {
    char text[64];
    PyOS_snprintf(text, sizeof text, "loss %.4g, %.3g pictures/s", now->average_loss,
                  now->pictures_per_second);
    PyObject *done = PyObject_CallMethod(bar, "set_postfix_str", "sO", text, Py_False);
    if (done == NULL) return -1;
    Py_DECREF(done);
    return call_method(bar, "update");
}

static int show_line(TrainingProgress *progress, const gpi_training_progress *now) {
    int64_t tenth = now->steps > 0 ? 10 * now->step / now->steps : 10;
    time_t time_now = time(NULL);
    if (tenth == progress->tenth && time_now - progress->time < 60) return 0;
    progress->tenth = tenth;
    progress->time = time_now;
    return write_log_line("Training", now->text, &progress->has_lines);
}

// MARK: - The callback

static int call_back(PyObject *callback, const gpi_training_progress *now) {
    static const char *const names[] = {
        "step", "steps", "loss", "average_loss", "learning_rate", "gradient_norm",
        "pictures_per_second", "seconds_left",
    };
    enum { COUNT = sizeof names / sizeof *names };
    PyObject *values[COUNT] = {
        PyLong_FromLongLong(now->step),
        PyLong_FromLongLong(now->steps),
        PyFloat_FromDouble(now->loss),
        PyFloat_FromDouble(now->average_loss),
        PyFloat_FromDouble(now->learning_rate),
        PyFloat_FromDouble(now->gradient_norm),
        PyFloat_FromDouble(now->pictures_per_second),
        PyFloat_FromDouble(now->seconds_left),
    };
    PyObject *told = new_output(names, values, COUNT);
    PyObject *answer =
        told == NULL ? NULL : PyObject_CallFunctionObjArgs(callback, told, NULL);
    for (size_t i = 0; i < COUNT; i++) Py_XDECREF(values[i]);
    Py_XDECREF(told);
    Py_XDECREF(answer);
    return answer == NULL ? -1 : 0;
}

// MARK: - Both

int show_training_progress(TrainingProgress *progress, const gpi_training_progress *now) {
    if (!progress->is_open && open_progress(progress, now) < 0) return -1;
    if (progress->bar != NULL && show_bar(progress->bar, now) < 0) return -1;
    if (progress->has_lines && show_line(progress, now) < 0) return -1;
    return progress->callback == NULL ? 0 : call_back(progress->callback, now);
}

int close_training_progress(TrainingProgress *progress) {
    int result = 0;
    if (progress->bar != NULL) {
        if (PyErr_Occurred()) {
            call_while_failing(progress->bar, "close");
        } else {
            result = call_method(progress->bar, "close");
        }
    }
    Py_XDECREF(progress->bar);
    *progress = (TrainingProgress){0};
    return result;
}
