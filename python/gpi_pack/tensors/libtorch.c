#include "libtorch.h"

#include "errors.h"
#include "gpi_diffusion.h"
#include "limited_python.h"

/// The package folder of torch, without importing it, which takes more than a second. A new str;
/// None if this Python has no torch; NULL with an exception.
static PyObject *torch_package(void) {
    PyObject *find_spec = imported("importlib.util", "find_spec");
    if (find_spec == NULL) return NULL;
    PyObject *spec = PyObject_CallFunction(find_spec, "s", "torch");
    Py_DECREF(find_spec);
    if (spec == NULL || spec == Py_None) return spec;
    PyObject *folders = PyObject_GetAttrString(spec, "submodule_search_locations");
    Py_DECREF(spec);
    if (folders == NULL) return NULL;
    PyObject *folder = folders == Py_None ? Py_NewRef(Py_None) : PySequence_GetItem(folders, 0);
    Py_DECREF(folders);
    return folder;
}

/// Where the installer would have put torch: a search that ends there says so in its error.
static PyObject *absent_package(void) {
    PyObject *get_path = imported("sysconfig", "get_path");
    if (get_path == NULL) return NULL;
    PyObject *site = PyObject_CallFunction(get_path, "s", "platlib");
    Py_DECREF(get_path);
    if (site == NULL) return NULL;
    PyObject *folder = PyUnicode_FromFormat("%S/torch", site);
    Py_DECREF(site);
    return folder;
}

static gpi_status open_in(PyObject *folder) {
    const char *path = PyBytes_AsString(folder);
    if (path == NULL) return GPI_INVALID_ARGUMENT;
    gpi_status status;
    Py_BEGIN_ALLOW_THREADS
    status = gpi_open_libtorch(path);
    Py_END_ALLOW_THREADS
    return status;
}

int open_libtorch(void) {
    // Under the interpreter's lock; it is never closed again.
    static int is_open = 0;
    if (is_open) return 0;
    PyObject *package = torch_package();
    if (package == NULL && PyErr_ExceptionMatches(PyExc_Exception)) {
        // A torch without a spec, as a mock has none: as good as no torch.
        PyErr_Clear();
        package = Py_NewRef(Py_None);
    }
    if (package == NULL) return -1;
    int is_there = package != Py_None;
    if (!is_there) {
        Py_DECREF(package);
        package = absent_package();
        if (package == NULL) return -1;
    }
    PyObject *folder_text = PyUnicode_FromFormat("%S/lib", package);
    Py_DECREF(package);
    if (folder_text == NULL) return -1;
    PyObject *folder = PyUnicode_EncodeFSDefault(folder_text);
    Py_DECREF(folder_text);
    if (folder == NULL) return -1;

    gpi_status status = open_in(folder);
    if (status == GPI_NO_LIBTORCH && is_there) {
        // A CUDA build's libraries may lie in packages that only torch itself knows how to find.
        PyObject *torch = PyImport_ImportModule("torch");
        if (torch == NULL) {
            Py_DECREF(folder);
            return -1;
        }
        Py_DECREF(torch);
        status = open_in(folder);
    }
    Py_DECREF(folder);
    is_open = status == GPI_OK;
    if (is_open) return 0;
    raise_status(status, NULL);
    return -1;
}
