/// The type `ImageDiffusionModel`: the parts of Stable Diffusion put together by hand, step by step.
#ifndef GPI_IMAGE_DIFFUSION_MODEL_H
#define GPI_IMAGE_DIFFUSION_MODEL_H

#include "part_set.h"

typedef struct ImageDiffusionObject {
    PyObject_HEAD
    PartSet set;
    /// Ours or diffusers'; NULL before `__init__` is through.
    PyObject *noise_scheduler, *similarity_scheduler;
} ImageDiffusionObject;

/// Makes the type and adds it to the module. 0, or -1 with an exception.
int add_image_diffusion_type(PyObject *module);

/// What a run is made of, as it was passed; NULL where the default counts.
typedef struct RunOptions {
    PyObject *height, *width, *num_inference_steps, *guidance_scale, *start_step;
} RunOptions;

// image_diffusion_steps.c
extern const char get_text_embeds_doc[], get_prompt_embeds_doc[], get_img_latents_doc[],
    get_img_latents_similar_doc[];
PyObject *get_text_embeds(PyObject *self, PyObject *positional, PyObject *keywords);
PyObject *get_prompt_embeds(PyObject *self, PyObject *positional, PyObject *keywords);
PyObject *get_img_latents(PyObject *self, PyObject *positional, PyObject *keywords);
PyObject *get_img_latents_similar(PyObject *self, PyObject *positional, PyObject *keywords);

/// Hidden states of a text or a list of them, after as many of the empty text's if `with_empty`. A new
/// reference; NULL with an exception, as of the next two.
PyObject *embeds_of(ImageDiffusionObject *self, const char *argument, PyObject *texts,
                    bool with_empty);

/// What `get_img_latents` gives.
PyObject *latents_from_noise(ImageDiffusionObject *self, PyObject *embeds, PyObject *latents,
                             const RunOptions *options);

/// What `get_img_latents_similar` gives.
PyObject *latents_from_picture(ImageDiffusionObject *self, PyObject *latents, PyObject *embeds,
                               const RunOptions *options);

// image_diffusion_pictures.c
extern const char decode_img_latents_doc[], transform_imgs_doc[], encode_img_latents_doc[],
    prompt_to_img_doc[], similar_imgs_doc[];
PyObject *decode_img_latents(PyObject *self, PyObject *positional, PyObject *keywords);
PyObject *transform_imgs(PyObject *self, PyObject *positional, PyObject *keywords);
PyObject *encode_img_latents(PyObject *self, PyObject *positional, PyObject *keywords);
PyObject *prompt_to_img(PyObject *self, PyObject *positional, PyObject *keywords);
PyObject *similar_imgs(PyObject *self, PyObject *positional, PyObject *keywords);

#endif
