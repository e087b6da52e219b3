/// The type `StableDiffusionPipeline`: prompts to pictures.
#ifndef GPI_PIPELINE_H
#define GPI_PIPELINE_H

#include "part.h"

enum { PART_COUNT = 4 };

typedef struct PipelineObject {
    PyObject_HEAD
    /// By gpi_part: vae, tokenizer, text_encoder, unet. PartObjects; NULL before it is loaded.
    PyObject *parts[PART_COUNT];
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
    /// Of parts of several models, and which those were.
    Model *combined;
    Model *combined_of[PART_COUNT];
} PipelineObject;

/// Makes the type and adds it to the module. 0, or -1 with an exception.
int add_pipeline_type(PyObject *module);

/// What the attributes are called, by gpi_part.
extern const char *const PART_NAMES[PART_COUNT];

/// The model of all parts. A new reference; NULL with an exception.
Model *pipeline_model(PipelineObject *self);

/// Gives the pipeline its parts and its scheduler: those in `options`, a dict, which are taken out of it,
/// the others, if `model` is not NULL, the model's. 0, or -1 with an exception.
int fill_pipeline(PipelineObject *self, Model *model, PyObject *options);

/// Refuses what is no scheduler that the core knows. 0, or -1 with an exception.
int check_scheduler(PyObject *value);

// pipeline_loading.c
extern const char pipeline_from_pretrained_doc[];
PyObject *pipeline_from_pretrained(PyObject *type, PyObject *positional, PyObject *keywords);
int pipeline_init(PyObject *self, PyObject *positional, PyObject *keywords);

// pipeline_call.c
PyObject *pipeline_call(PyObject *self, PyObject *positional, PyObject *keywords);

// pipeline_attributes.c
extern PyGetSetDef pipeline_attributes[];

// pipeline_options.c
extern PyMethodDef pipeline_methods[];

#endif
