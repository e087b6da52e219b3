#include "file_source.h"

#include <string.h>

int append(PyObject *list, PyObject *text) {
    if (text == NULL) return -1;
    int status = PyList_Append(list, text);
    Py_DECREF(text);
    return status;
}

PyObject *name_in(const char *folder, const char *name) {
    return PyUnicode_FromFormat("%s%s%s", folder, *folder == '\0' ? "" : "/", name);
}

int is_there(const FileSource *source, const char *folder, const char *name) {
    PyObject *path = name_in(folder, name);
    if (path == NULL) return -1;
    int result = PySet_Contains(source->names, path);
    Py_DECREF(path);
    return result;
}

const char *name_below(const char *folder, PyObject *name) {
    const char *text = PyUnicode_AsUTF8AndSize(name, NULL);
    if (text == NULL) {
        PyErr_Clear();
        return NULL;
    }
    size_t length = strlen(folder);
    if (length > 0) {
        if (strncmp(text, folder, length) != 0 || text[length] != '/') return NULL;
        text += length + 1;
    }
    return *text == '\0' || strpbrk(text, "/\\*?[") != NULL ? NULL : text;
}

int ends_in(const char *text, const char *end) {
    size_t length = strlen(text), end_length = strlen(end);
    return length >= end_length && strcmp(text + length - end_length, end) == 0;
}

void raise_missing(const FileSource *source, const char *folder, const char *name) {
    PyErr_Format(PyExc_FileNotFoundError, "%U lacks %s%s%s%s", source->about, folder,
                 *folder == '\0' ? "" : "/", name, source->advice);
}

int append_needed(PyObject *list, const FileSource *source, const char *folder, const char *name) {
    int found = is_there(source, folder, name);
    if (found > 0) return append(list, name_in(folder, name));
    if (found == 0) raise_missing(source, folder, name);
    return -1;
}
