/// The methods of `StableDiffusionImg2ImgExtractor`, in files by what they turn into what.
#ifndef GPI_EXTRACTOR_METHODS_H
#define GPI_EXTRACTOR_METHODS_H

#include "extractor.h"

// extractor_encoding.c
extern const char preprocess_image_doc[], encode_prompt_doc[];
PyObject *preprocess_image(PyObject *self, PyObject *positional, PyObject *keywords);
PyObject *encode_prompt(PyObject *self, PyObject *positional, PyObject *keywords);

// extractor_transforming.c
extern const char get_hidden_states_doc[], transform_image_doc[];
PyObject *get_hidden_states(PyObject *self, PyObject *positional, PyObject *keywords);
PyObject *transform_image(PyObject *self, PyObject *positional, PyObject *keywords);

// extractor_decoding.c
extern const char decode_latents_doc[], save_image_doc[];
PyObject *decode_latents(PyObject *self, PyObject *positional, PyObject *keywords);
PyObject *save_image(PyObject *self, PyObject *positional, PyObject *keywords);

/// Decodes latents; 0, or -1 with an exception.
int decode(ExtractorObject *self, const gpi_tensor *latents, gpi_tensor **pixels);

/// Refuses what is no path or has no suffix of a picture. 0, or -1 with an exception.
int check_save_path(PyObject *save_path);

/// Writes the first picture of a batch in the format of the path's suffix; 0, or -1 with an exception.
int save_first(const gpi_tensor *pixels, PyObject *save_path);

#endif
