#include "safety.h"

#include "dlpack.h"
#include "errors.h"

int has_safety_checker(Model *model) {
    if (take_model(model) < 0) return -1;
    bool answer = false;
    begin_waiting(&model->waiting);
    gpi_status status = gpi_model_has_safety_checker(model->core, &answer);
    end_waiting(&model->waiting);
    int result = settle_model(model, status, NULL);
    give_model_back(model);
    return result < 0 ? -1 : answer;
}

static int find_flagged(Model *model, const gpi_tensor *pixels, bool *flagged) {
    if (take_model(model) < 0) return -1;
    begin_waiting(&model->waiting);
    gpi_status status = gpi_model_check_safety(model->core, pixels, is_interrupted,
                                               &model->waiting, flagged);
    end_waiting(&model->waiting);
    int result = settle_model(model, status, NULL);
    give_model_back(model);
    return result;
}

/// `pixels[index].fill_(-1)`, through a tensor of torch's over the same memory.
static int black_out(const gpi_tensor *pixels, int64_t index) {
    gpi_tensor *shared = NULL;
    gpi_status status = gpi_tensor_share(pixels, &shared);
    if (status != GPI_OK) {
        raise_status(status, NULL);
        return -1;
    }
    PyObject *tensor = torch_tensor(shared);
    PyObject *picture =
        tensor == NULL ? NULL : PyObject_CallMethod(tensor, "select", "iL", 0, (long long)index);
    PyObject *filled = picture == NULL ? NULL : PyObject_CallMethod(picture, "fill_", "i", -1);
    Py_XDECREF(tensor);
    Py_XDECREF(picture);
    Py_XDECREF(filled);
    return filled == NULL ? -1 : 0;
}

static PyObject *black_all_out(const gpi_tensor *pixels, const bool *flagged, int64_t count) {
    PyObject *flags = PyList_New(0);
    int result = flags == NULL ? -1 : 0;
    for (int64_t i = 0; i < count && result == 0; i++) {
        result = PyList_Append(flags, flagged[i] ? Py_True : Py_False);
        if (result == 0 && flagged[i]) result = black_out(pixels, i);
    }
    if (result == 0) return flags;
    Py_XDECREF(flags);
    return NULL;
}

int check_safety(Model *model, gpi_tensor *pixels, PyObject **flags) {
    int is_there = has_safety_checker(model);
    if (is_there <= 0) {
        *flags = is_there < 0 ? NULL : Py_NewRef(Py_None);
        return is_there;
    }
    int64_t count = gpi_tensor_shape(pixels)[0];
    bool *flagged = PyMem_Calloc((size_t)count, sizeof *flagged);
    *flags = NULL;
    if (flagged == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    if (find_flagged(model, pixels, flagged) == 0)
        *flags = black_all_out(pixels, flagged, count);
    PyMem_Free(flagged);
    return *flags == NULL ? -1 : 0;
}
