/// The parts of a model as types of their own: what they have in common.
#ifndef GPI_PART_H
#define GPI_PART_H

#include "model.h"

typedef struct PartObject {
    PyObject_HEAD
    /// Shared with a pipeline's other parts. NULL before `from_pretrained` is through.
    Model *model;
    gpi_part part;
    /// Made when it is first asked for.
    PyObject *config;
} PartObject;

/// Makes the type that all parts derive from, `ModelPart`, and adds it to the module. 0, or -1 with an
/// exception.
int add_part_type(PyObject *module);

/// Makes the type of one kind of part, with `slots` of its own, and adds it to the module.
int add_kind_of_part(PyObject *module, const char *name, PyType_Slot *slots);

/// A part of a model, which is shared. A new reference; NULL with an exception.
PyObject *part_object(const char *name, gpi_part part, Model *model);

/// `value` as a part of that kind, borrowed; NULL with an exception that names the argument.
PartObject *part_argument(const char *argument, PyObject *value, gpi_part part);

/// Puts a part on another model, with which it goes on. Takes the reference over.
void move_part(PartObject *part, Model *model);

/// The part's `config.json` as a Config, with the defaults for what it does not say. A new reference.
PyObject *part_config(PartObject *part);

/// `from_pretrained` of all of them.
PyObject *part_from_pretrained(PyObject *type, PyObject *positional, PyObject *keywords,
                               gpi_part part);

// The types, each in its file. 0, or -1 with an exception.
int add_autoencoder_type(PyObject *module);
int add_unet_type(PyObject *module);
int add_unconditional_unet_type(PyObject *module);
int add_text_encoder_type(PyObject *module);
int add_tokenizer_type(PyObject *module);

#endif
