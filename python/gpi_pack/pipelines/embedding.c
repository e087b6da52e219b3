#include "embedding.h"

#include "dlpack.h"
#include "values.h"

// MARK: - Arguments

/// A prompt or its hidden states, of which one may be given.
static int parse_pair(const char *text_name, PyObject *text, const char *given_name,
                      PyObject *given, Texts *texts, gpi_tensor **tensor) {
    if (is_given(text) && is_given(given)) {
        PyErr_Format(PyExc_ValueError, "%s and %s were both given; pass one of them.", text_name,
                     given_name);
        return -1;
    }
    if (is_given(given)) return core_tensor(given_name, given, tensor);
    return is_given(text) ? parse_texts(text_name, text, texts) : 0;
}

int parse_prompt_input(PyObject *prompt, PyObject *negative_prompt, PyObject *prompt_embeds,
                       PyObject *negative_prompt_embeds, PromptInput *input) {
    if (!is_given(prompt) && !is_given(prompt_embeds)) {
        PyErr_SetString(PyExc_ValueError,
                        "prompt: pass a str, a list of str, or prompt_embeds instead.");
        return -1;
    }
    if (parse_pair("prompt", prompt, "prompt_embeds", prompt_embeds, &input->prompts,
                   &input->given)
        < 0)
        return -1;
    return parse_pair("negative_prompt", negative_prompt, "negative_prompt_embeds",
                      negative_prompt_embeds, &input->negatives, &input->given_negative);
}

void clear_prompt_input(PromptInput *input) {
    clear_texts(&input->prompts);
    clear_texts(&input->negatives);
    gpi_tensor_free(input->given);
    gpi_tensor_free(input->given_negative);
    input->given = input->given_negative = NULL;
}

int64_t prompt_count(const PromptInput *input) {
    if (input->given == NULL) return input->prompts.count;
    return gpi_tensor_dimensions(input->given) > 0 ? gpi_tensor_shape(input->given)[0] : 0;
}

// MARK: - The core

/// Hidden states of texts. Without guidance those of the prompts alone.
static gpi_status encode(Model *model, const Texts *prompts, const Texts *negatives,
                         int64_t images_per_prompt, bool uses_guidance, gpi_tensor **result) {
    return gpi_model_encode_prompts(model->core, prompts->start, prompts->count, negatives->start,
                                    negatives->count, images_per_prompt, uses_guidance,
                                    is_interrupted, &model->waiting, result);
}

/// The negative prompts' hidden states, one for each of `count`, where the prompts' were given.
static gpi_status encode_negatives(Model *model, const Texts *negatives, int64_t count,
                                   gpi_tensor **result) {
    if (negatives->count == count) {
        const Texts none = {0};
        return encode(model, negatives, &none, 1, false, result);
    }
    // One for all, or the empty text.
    const char *text = negatives->count == 0 ? "" : negatives->start[0];
    return gpi_model_encode_prompts(model->core, &text, 1, NULL, 0, count, false, is_interrupted,
                                    &model->waiting, result);
}

static gpi_status join(Model *model, const PromptInput *input, gpi_tensor **embeddings) {
    gpi_tensor *own = NULL, *own_negative = NULL;
    gpi_status status = GPI_OK;
    if (input->given == NULL) {
        const Texts none = {0};
        status = encode(model, &input->prompts, &none, 1, false, &own);
    }
    if (status == GPI_OK && input->uses_guidance && input->given_negative == NULL)
        status = encode_negatives(model, &input->negatives, prompt_count(input), &own_negative);
    const gpi_tensor *prompt = input->given != NULL ? input->given : own;
    const gpi_tensor *negative =
        input->given_negative != NULL ? input->given_negative : own_negative;
    if (status == GPI_OK)
        status = gpi_model_join_embeddings(model->core, prompt,
                                           input->uses_guidance ? negative : NULL,
                                           input->images_per_prompt, embeddings);
    gpi_tensor_free(own);
    gpi_tensor_free(own_negative);
    return status;
}

int embed(Model *model, const PromptInput *input, gpi_tensor **embeddings) {
    int64_t negatives = input->negatives.count;
    if (negatives > 1 && negatives != prompt_count(input)) {
        PyErr_Format(PyExc_ValueError,
                     "negative_prompt: there are %lld negative prompts for %lld prompts; give one, or "
                     "one for each.",
                     (long long)negatives, (long long)prompt_count(input));
        return -1;
    }
    if (take_model(model) < 0) return -1;
    begin_waiting(&model->waiting);
    gpi_status status = input->given == NULL && input->given_negative == NULL
        ? encode(model, &input->prompts, &input->negatives, input->images_per_prompt,
                 input->uses_guidance, embeddings)
        : join(model, input, embeddings);
    end_waiting(&model->waiting);
    int result = settle_model(model, status, NULL);
    give_model_back(model);
    return result;
}
