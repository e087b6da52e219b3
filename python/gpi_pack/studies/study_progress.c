#include "study_progress.h"

#include "log_lines.h"

// MARK: - Where to

/// -1 with an exception.
static int attribute_is_true(PyObject *object, const char *name) {
    PyObject *value = PyObject_GetAttrString(object, name);
    int result = value == NULL ? -1 : PyObject_IsTrue(value);
    Py_XDECREF(value);
    return result;
}

static PyObject *new_bar(int64_t total) {
    PyObject *type = imported("tqdm.auto", "tqdm");
    PyObject *nothing = PyTuple_New(0);
    PyObject *options = Py_BuildValue("{s:L,s:s,s:s}", "total", (long long)total, "desc",
                                      "Extracting", "unit", "picture");
    PyObject *bar = NULL;
    if (type != NULL && nothing != NULL && options != NULL)
        bar = PyObject_Call(type, nothing, options);
    Py_XDECREF(type);
    Py_XDECREF(nothing);
    Py_XDECREF(options);
    return bar;
}

int open_study_progress(int64_t total, StudyProgress *progress) {
    *progress = (StudyProgress){.tenth = -1};
    LogLines kind = log_lines();
    progress->has_lines = kind == LOG_LINES;
    if (kind == LOG_NOTHING) return 0;
    if (progress->has_lines) return 0;
    progress->bar = new_bar(total);
    if (progress->bar == NULL) return -1;
    int is_off = attribute_is_true(progress->bar, "disable");
    // A bar that is switched off (TQDM_DISABLE) lacks half of its attributes.
    if (is_off > 0) Py_CLEAR(progress->bar);
    return is_off < 0 ? -1 : 0;
}

// MARK: - Lines

static int show_line(StudyProgress *progress, const gpi_study_progress *now, int64_t finished) {
    int64_t tenth = now->total > 0 ? 10 * finished / now->total : 10;
    if (tenth == progress->tenth && now->seconds - progress->seconds < 60) return 0;
    progress->tenth = tenth;
    progress->seconds = now->seconds;
    return write_log_line("Extracting", now->text, &progress->has_lines);
}

// MARK: - The bar

/// `bar.name += number`
static int increase(PyObject *bar, const char *name, int64_t number) {
    PyObject *before = PyObject_GetAttrString(bar, name);
    PyObject *more = PyLong_FromLongLong(number);
    PyObject *sum = before == NULL || more == NULL ? NULL : PyNumber_Add(before, more);
    int result = sum == NULL ? -1 : PyObject_SetAttrString(bar, name, sum);
    Py_XDECREF(before);
    Py_XDECREF(more);
    Py_XDECREF(sum);
    return result;
}

/// Counts pictures whose latents were there, but not for the rate: as if the bar had begun with them.
static int skip(PyObject *bar, int64_t number, bool is_first) {
    static const char *const counts[] = {"initial", "n", "last_print_n"};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        if (increase(bar, counts[i], number) < 0) return -1;
    // Nor does the time that went by with them count, as long as nothing else was done in it.
    if (is_first && call_method(bar, "unpause") < 0) return -1;
    return call_method(bar, "refresh");
}

static int show_notes(PyObject *bar, const gpi_study_progress *now) {
    PyObject *text = NULL;
    if (now->failed > 0 && now->reused > 0) {
        text = PyUnicode_FromFormat("%lld failed, %lld were there", (long long)now->failed,
                                    (long long)now->reused);
    } else if (now->failed > 0) {
        text = PyUnicode_FromFormat("%lld failed", (long long)now->failed);
    } else if (now->reused > 0) {
        text = PyUnicode_FromFormat("%lld were there", (long long)now->reused);
    } else {
        return 0;
    }
    if (text == NULL) return -1;
    PyObject *done = PyObject_CallMethod(bar, "set_postfix_str", "OO", text, Py_False);
    Py_DECREF(text);
    if (done == NULL) return -1;
    Py_DECREF(done);
    return 0;
}

static int show_bar(StudyProgress *progress, const gpi_study_progress *now) {
    int64_t reused = now->reused - progress->reused;
    int64_t others = now->extracted + now->failed - progress->others;
    bool is_first = progress->others == 0 && others == 0;
    progress->reused += reused;
    progress->others += others;
    if (reused == 0 && others == 0) return 0;
    if (show_notes(progress->bar, now) < 0) return -1;
    if (reused > 0 && skip(progress->bar, reused, is_first) < 0) return -1;
    if (others == 0) return 0;
    PyObject *done = PyObject_CallMethod(progress->bar, "update", "L", (long long)others);
    if (done == NULL) return -1;
    Py_DECREF(done);
    return 0;
}

// MARK: - Both

int show_study_progress(StudyProgress *progress, const gpi_study_progress *now) {
    if (progress->bar != NULL) return show_bar(progress, now);
    if (!progress->has_lines) return 0;
    return show_line(progress, now, now->extracted + now->reused + now->failed);
}

int close_study_progress(StudyProgress *progress) {
    int result = 0;
    if (progress->bar != NULL) {
        if (PyErr_Occurred()) {
            call_while_failing(progress->bar, "close");
        } else {
            result = call_method(progress->bar, "close");
        }
    }
    Py_XDECREF(progress->bar);
    *progress = (StudyProgress){0};
    return result;
}
