#include "dataset_summary.h"

#include "own_type.h"

#include <string.h>

PyObject *core_text(const char *text) {
    // "replace": a path need not be UTF-8.
    return text == NULL ? Py_NewRef(Py_None)
                        : PyUnicode_DecodeUTF8(text, (Py_ssize_t)strlen(text), "replace");
}

// MARK: - The types

/// `collections.namedtuple(name, fields, module="gpi_pack.diffusion")`
static PyObject *named_tuple(const char *name, const char *fields) {
    PyObject *make = imported("collections", "namedtuple");
    PyObject *arguments = Py_BuildValue("(ss)", name, fields);
    PyObject *options = Py_BuildValue("{s:s}", "module", "gpi_pack.diffusion");
    PyObject *type = NULL;
    if (make != NULL && arguments != NULL && options != NULL)
        type = PyObject_Call(make, arguments, options);
    Py_XDECREF(make);
    Py_XDECREF(arguments);
    Py_XDECREF(options);
    return type;
}

/// Appends `format % values` to a list of lines and gives the tuple `values` up.
static int add_line(PyObject *lines, const char *format, PyObject *values) {
    PyObject *pattern = PyUnicode_FromString(format);
    PyObject *line = pattern == NULL || values == NULL ? NULL : PyUnicode_Format(pattern, values);
    int result = line == NULL ? -1 : PyList_Append(lines, line);
    Py_XDECREF(line);
    Py_XDECREF(pattern);
    Py_XDECREF(values);
    return result;
}

/// The values of attributes in a tuple.
static PyObject *attributes_of(PyObject *object, const char *const *names, Py_ssize_t count) {
    PyObject *values = PyTuple_New(count);
    for (Py_ssize_t i = 0; i < count && values != NULL; i++) {
        PyObject *value = PyObject_GetAttrString(object, names[i]);
        if (value == NULL || PyTuple_SetItem(values, i, value) < 0) Py_CLEAR(values);
    }
    return values;
}

static int add_counts(PyObject *lines, PyObject *summary) {
    static const char *const names[] = {"total", "seconds", "extracted", "reused", "failed"};
    return add_line(lines,
                    "DatasetSummary: %d pictures in %.1f s: %d extracted, %d there already, %d failed",
                    attributes_of(summary, names, 5));
}

static int add_files(PyObject *lines, PyObject *summary) {
    static const char *const names[] = {"latents", "stacked", "pictures", "manifest", "settings"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        PyObject *path = PyObject_GetAttrString(summary, names[i]);
        if (path == NULL) return -1;
        int result = 0;
        if (path != Py_None)
            result = add_line(lines, "  %-9s %s", Py_BuildValue("(sO)", names[i], path));
        Py_DECREF(path);
        if (result < 0) return -1;
    }
    return 0;
}

static int add_failures(PyObject *lines, PyObject *summary) {
    const Py_ssize_t shown = 10;
    PyObject *failures = PyObject_GetAttrString(summary, "failures");
    Py_ssize_t count = failures == NULL ? -1 : PySequence_Size(failures);
    int result = count < 0 ? -1 : 0;
    if (count > 0) result = add_line(lines, "Failed:", PyTuple_New(0));
    for (Py_ssize_t i = 0; i < count && i < shown && result == 0; i++) {
        static const char *const names[] = {"name", "reason"};
        PyObject *failure = PySequence_GetItem(failures, i);
        result = failure == NULL ? -1
                                 : add_line(lines, "  %s: %s", attributes_of(failure, names, 2));
        Py_XDECREF(failure);
    }
    if (result == 0 && count > shown)
        result = add_line(lines, "  and %d more in .failures",
                          Py_BuildValue("(n)", count - shown));
    Py_XDECREF(failures);
    return result;
}

static PyObject *represent(PyObject *summary) {
    PyObject *lines = PyList_New(0);
    PyObject *end = PyUnicode_FromString("\n");
    PyObject *text = NULL;
    if (lines != NULL && end != NULL && add_counts(lines, summary) == 0
        && add_files(lines, summary) == 0 && add_failures(lines, summary) == 0)
        text = PyUnicode_Join(end, lines);
    Py_XDECREF(lines);
    Py_XDECREF(end);
    return text;
}

PyDoc_STRVAR(
    summary_doc,
    "What a run of extract_dataset came to, a named tuple.\n"
    "\n"
    "total, extracted, reused, failed\n"
    "    Numbers of pictures: all, those whose latents were made now, those whose latents were\n"
    "    there from an earlier run, and those without latents.\n"
    "failures\n"
    "    A list with a named tuple (name, path, reason) for each picture that failed.\n"
    "seconds\n"
    "    How long the run took.\n"
    "output_dir, settings, manifest, latents, pictures, stacked\n"
    "    Where the results are; None for those that were not asked for.");

int add_summary_types(PyObject *module) {
    PyObject *failure = named_tuple("DatasetFailure", "name path reason");
    if (failure == NULL) return -1;
    if (add_own_type(module, failure) < 0) return -1;
    PyObject *base = named_tuple("DatasetSummary",
                                 "total extracted reused failed failures seconds output_dir settings "
                                 "manifest latents pictures stacked");
    if (base == NULL) return -1;
    PyType_Slot slots[] = {
        {Py_tp_doc, (void *)summary_doc},
        {Py_tp_repr, (void *)represent},
        {0, NULL},
    };
    PyType_Spec spec = {
        .name = "gpi_pack.diffusion.DatasetSummary",
        .flags = Py_TPFLAGS_DEFAULT,
        .slots = slots,
    };
    PyObject *type = PyType_FromModuleAndSpec(module, &spec, base);
    Py_DECREF(base);
    return add_own_type(module, type);
}

// MARK: - Making one

/// A list of `DatasetFailure`.
static PyObject *failures_of(const gpi_study_summary *summary) {
    PyObject *type = imported("gpi_pack.diffusion", "DatasetFailure");
    PyObject *list = type == NULL ? NULL : PyList_New(0);
    const char *name, *path, *reason;
    for (int64_t i = 0;
         list != NULL && gpi_study_summary_failure(summary, i, &name, &path, &reason); i++) {
        PyObject *failure = PyObject_CallFunction(type, "NNN", core_text(name), core_text(path),
                                                  core_text(reason));
        if (failure == NULL || PyList_Append(list, failure) < 0) Py_CLEAR(list);
        Py_XDECREF(failure);
    }
    Py_XDECREF(type);
    return list;
}

PyObject *new_summary(PyObject *output_dir, const gpi_study_summary *summary) {
    const gpi_study_progress progress = gpi_study_summary_progress(summary);
    PyObject *type = imported("gpi_pack.diffusion", "DatasetSummary");
    if (type == NULL) return NULL;
    PyObject *result = PyObject_CallFunction(
        type, "LLLLNdONNNNN", (long long)progress.total, (long long)progress.extracted,
        (long long)progress.reused, (long long)progress.failed, failures_of(summary),
        progress.seconds, output_dir, core_text(gpi_study_summary_settings(summary)),
        core_text(gpi_study_summary_manifest(summary)),
        core_text(gpi_study_summary_latents(summary)),
        core_text(gpi_study_summary_pictures(summary)),
        core_text(gpi_study_summary_stacked(summary)));
    Py_DECREF(type);
    return result;
}
