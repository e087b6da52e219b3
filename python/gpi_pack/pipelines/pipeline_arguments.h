/// The arguments of a pipeline's call, checked before any work is done.
#ifndef GPI_PIPELINE_ARGUMENTS_H
#define GPI_PIPELINE_ARGUMENTS_H

#include "embedding.h"
#include "picture_outputs.h"

typedef struct PipelineArguments {
    PromptInput prompts;
    /// In pixels; 0 for the model's own size.
    int64_t height, width;
    int64_t num_inference_steps;
    double guidance_scale;
    double eta;
    /// What `check_generator` has passed, or None. Owned.
    PyObject *generator;
    /// Noise to start from, or NULL.
    gpi_tensor *latents;
    OutputType output_type;
    int return_dict;
    /// Borrowed from the call; NULL for none.
    PyObject *callback;
} PipelineArguments;

/// 0, or -1 with an exception that names the argument; `clear_pipeline_arguments` is the caller's in
/// either case.
int parse_pipeline_arguments(PyObject *positional, PyObject *keywords, PipelineArguments *result);

void clear_pipeline_arguments(PipelineArguments *arguments);

#endif
