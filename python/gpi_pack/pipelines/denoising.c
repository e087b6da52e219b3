#include "denoising.h"

#include "dlpack.h"
#include "noise.h"
#include "placement.h"

// MARK: - The start

int draw_first_noise(Model *model, const int64_t shape[4], PyObject *generator,
                     gpi_tensor **noise) {
    PyObject *sizes = Py_BuildValue("(LLLL)", (long long)shape[0], (long long)shape[1],
                                    (long long)shape[2], (long long)shape[3]);
    PyObject *dtype = model_dtype(model);
    PyObject *device = model_device(model);
    PyObject *tensor = NULL;
    if (sizes != NULL && dtype != NULL && device != NULL)
        tensor = random_tensor(sizes, generator, dtype, device);
    int result = tensor == NULL ? -1 : core_tensor("latents", tensor, noise);
    Py_XDECREF(sizes);
    Py_XDECREF(dtype);
    Py_XDECREF(device);
    Py_XDECREF(tensor);
    return result;
}

// MARK: - The bar

/// `tqdm.auto.tqdm(**options, total=total)`
static PyObject *new_bar(PyObject *bar_options, int64_t total) {
    PyObject *type = imported("tqdm.auto", "tqdm");
    PyObject *nothing = PyTuple_New(0);
    PyObject *options = bar_options == NULL ? PyDict_New() : PyDict_Copy(bar_options);
    PyObject *count = PyLong_FromLongLong(total);
    PyObject *bar = NULL;
    if (type != NULL && nothing != NULL && options != NULL && count != NULL
        && PyDict_SetItemString(options, "total", count) == 0)
        bar = PyObject_Call(type, nothing, options);
    Py_XDECREF(type);
    Py_XDECREF(nothing);
    Py_XDECREF(options);
    Py_XDECREF(count);
    return bar;
}

/// One update for each inference step that is through. Some solvers call the model more often than that,
/// which diffusers' bar does not count either.
static int show(Denoising *denoising, const gpi_step *step) {
    int64_t total = denoising->request.num_inference_steps - denoising->request.start;
    int64_t through = total > 0 ? (step->number + 1) * total / step->count : 0;
    for (; denoising->shown < through; denoising->shown++)
        if (call_method(denoising->bar, "update") < 0) return -1;
    return 0;
}

// MARK: - Steps

/// A `gpi_on_step`.
static int on_step(void *context, gpi_step *step) {
    Denoising *denoising = context;
    Model *model = denoising->model;
    end_waiting(&model->waiting);
    int result = PyErr_Occurred() ? -1 : 0;
    if (result == 0) {
        lend_model(model);
        if (denoising->after != NULL) result = denoising->after(denoising->context, step);
        if (result >= 0 && show(denoising, step) < 0) result = -1;
        end_lending_model(model);
    }
    begin_waiting(&model->waiting);
    return result != 0;
}

int run_denoising(Denoising *denoising, gpi_tensor **latents) {
    Model *model = denoising->model;
    NoiseDrawer drawer = {.generator = denoising->generator, .waiting = &model->waiting};
    gpi_denoising *request = &denoising->request;
    request->randomness.noise = draw_noise;
    request->randomness.noise_context = &drawer;
    request->interruption = is_interrupted;
    request->interruption_context = &model->waiting;
    request->on_step = on_step;
    request->on_step_context = denoising;
    denoising->shown = 0;
    if (take_model(model) < 0) return -1;
    denoising->bar =
        new_bar(denoising->bar_options, request->num_inference_steps - request->start);
    int result = denoising->bar == NULL ? -1 : 0;
    if (result == 0) {
        begin_waiting(&model->waiting);
        gpi_status status = gpi_model_denoise(model->core, request, latents);
        end_waiting(&model->waiting);
        result = settle_model(model, status, NULL);
    }
    give_model_back(model);
    if (denoising->bar != NULL) {
        if (result < 0) {
            call_while_failing(denoising->bar, "close");
        } else {
            result = call_method(denoising->bar, "close");
        }
        Py_CLEAR(denoising->bar);
    }
    return result;
}
