/// The types `DDPMPipeline` and `DDIMPipeline`: pictures from noise alone.
#ifndef GPI_UNCONDITIONAL_PIPELINE_H
#define GPI_UNCONDITIONAL_PIPELINE_H

#include "part.h"

typedef struct UnconditionalObject {
    PyObject_HEAD
    /// A PartObject; NULL before `__init__` is through, as the next.
    PyObject *unet;
    /// Ours or one of diffusers'.
    PyObject *scheduler;
    /// A dict of arguments of tqdm's.
    PyObject *bar_options;
    /// Set by a callback to end the run.
    PyObject *interrupt;
    /// How often the UNet is called in the run that goes on, or went last.
    int64_t num_timesteps;
} UnconditionalObject;

/// Makes the types and adds them to the module. 0, or -1 with an exception.
int add_unconditional_pipeline_types(PyObject *module);

/// The model of the UNet. A new reference; NULL with an exception.
Model *unconditional_model(UnconditionalObject *self);

// unconditional_pipeline_loading.c
extern const char unconditional_from_pretrained_doc[];
PyObject *unconditional_from_pretrained(PyObject *type, PyObject *positional, PyObject *keywords);
int ddpm_init(PyObject *self, PyObject *positional, PyObject *keywords);
int ddim_init(PyObject *self, PyObject *positional, PyObject *keywords);

// unconditional_pipeline_call.c
PyObject *ddpm_call(PyObject *self, PyObject *positional, PyObject *keywords);
PyObject *ddim_call(PyObject *self, PyObject *positional, PyObject *keywords);

#endif
