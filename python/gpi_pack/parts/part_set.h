/// The four parts that make pictures together, of one model or of several.
#ifndef GPI_PART_SET_H
#define GPI_PART_SET_H

#include "part.h"
#include "placement.h"

enum { PART_COUNT = 4 };

/// What the parts are called, by gpi_part.
extern const char *const PART_NAMES[PART_COUNT];

typedef struct PartSet {
    /// By gpi_part: vae, tokenizer, text_encoder, unet. PartObjects; NULL before they are there.
    PyObject *parts[PART_COUNT];
    /// Of parts of several models, and which those were.
    Model *combined;
    Model *combined_of[PART_COUNT];
} PartSet;

void clear_part_set(PartSet *set);
int visit_part_set(const PartSet *set, visitproc visit, void *arg);

/// The model of all parts. A new reference; NULL with an exception.
Model *part_set_model(PartSet *set);

/// Takes those parts that `options`, a dict, names out of it; the others, if `model` is not NULL, are the
/// model's. `caller` is how errors call what was called. 0, or -1 with an exception.
int fill_part_set(PartSet *set, Model *model, PyObject *options, const char *caller);

/// Loads all parts that are the model's own, for their errors now.
int load_own_parts(const PartSet *set, Model *model);

/// All parts at a place, or none. 0, or -1 with an exception.
int move_part_set(PartSet *set, const Placement *placement);

/// What the file of a model's scheduler says. A new dict; NULL with an exception.
PyObject *scheduler_settings(Model *model);

#endif
