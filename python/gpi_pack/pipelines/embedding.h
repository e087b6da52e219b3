/// Prompts, or hidden states that were made of them before, as what the UNet attends to.
#ifndef GPI_EMBEDDING_H
#define GPI_EMBEDDING_H

#include "model.h"
#include "texts.h"

typedef struct PromptInput {
    /// Without texts where `given` is there.
    Texts prompts, negatives;
    /// Hidden states [N, tokens, size], or NULL.
    gpi_tensor *given, *given_negative;
    int64_t images_per_prompt;
    bool uses_guidance;
} PromptInput;

/// Reads the four arguments of a pipeline, each NULL or None where it was not passed. 0, or -1 with an
/// exception that names the argument; `clear_prompt_input` is the caller's in either case.
int parse_prompt_input(PyObject *prompt, PyObject *negative_prompt, PyObject *prompt_embeds,
                       PyObject *negative_prompt_embeds, PromptInput *input);

void clear_prompt_input(PromptInput *input);

/// How many prompts there are.
int64_t prompt_count(const PromptInput *input);

/// What `gpi_denoising.embeddings` is. 0, or -1 with an exception.
int embed(Model *model, const PromptInput *input, gpi_tensor **embeddings);

#endif
