/// The type `StableDiffusionPipeline`: prompts to pictures.
#ifndef GPI_PIPELINE_H
#define GPI_PIPELINE_H

#include "part_set.h"

typedef struct PipelineObject {
    PyObject_HEAD
    PartSet set;
    /// Ours or one of diffusers'.
    PyObject *scheduler;
    /// None, or True for the model's own.
    PyObject *safety_checker;
    /// A dict of arguments of tqdm's.
    PyObject *bar_options;
    /// Set by a callback to end the run.
    PyObject *interrupt;
    /// How often the UNet is called in the run that goes on, or went last.
    int64_t num_timesteps;
} PipelineObject;

/// Makes the type and adds it to the module. 0, or -1 with an exception.
int add_pipeline_type(PyObject *module);

/// Refuses what is no scheduler that the core knows. 0, or -1 with an exception.
int check_scheduler(PyObject *value);

// pipeline_loading.c
extern const char pipeline_from_pretrained_doc[], pipeline_from_single_file_doc[];
PyObject *pipeline_from_pretrained(PyObject *type, PyObject *positional, PyObject *keywords);
int pipeline_init(PyObject *self, PyObject *positional, PyObject *keywords);

// pipeline_call.c
PyObject *pipeline_call(PyObject *self, PyObject *positional, PyObject *keywords);

// pipeline_attributes.c
int check_safety_checker(PyObject *value);
extern PyGetSetDef pipeline_attributes[];

// pipeline_options.c
extern PyMethodDef pipeline_methods[];

#endif
