/// A model of the core's that parts and pipelines of Python share, one thread at a time.
///
///     Model *model = retain_model(self->model);
///     int result = take_model(model);
///     if (result == 0) {
///         begin_waiting(&model->waiting);
///         gpi_status status = gpi_model_…(model->core, …, is_interrupted, &model->waiting, &tensor);
///         end_waiting(&model->waiting);
///         result = settle_model(model, status, NULL);
///         give_model_back(model);
///     }
///     release_model(model);
#ifndef GPI_MODEL_H
#define GPI_MODEL_H

#include "gpi_models.h"
#include "limited_python.h"
#include "turn.h"
#include "waiting.h"

#include <stdbool.h>

/// Where a model runs, and in what.
typedef struct Placement {
    /// str: "cpu", "cuda" or "cuda:N"; NULL for the best device. Owned.
    PyObject *device;
    gpi_dtype dtype;
    gpi_precision precision;
    /// Whether its autoencoder takes large pictures in tiles.
    bool uses_tiling;
} Placement;

typedef struct Model {
    gpi_model *core;
    /// How the thread that called the core waits for it.
    Waiting waiting;
    Turn turn;
    /// Under the interpreter's lock.
    Py_ssize_t references;
    /// str: what errors about files name.
    PyObject *name;
    /// str: of the whole model, or of the part alone.
    PyObject *folder;
    /// Which part that is; -1 for the whole model.
    int part;
    /// What a model of parts of several shares with them; they have their turns together. In the order of
    /// their addresses, so that no two threads wait for each other.
    struct Model *sources[4];
    int source_count;
} Model;

/// A model of a folder. `part` is -1 where it holds a whole one. A new reference; NULL with an exception.
Model *open_model(PyObject *name, PyObject *folder, int part, const Placement *placement);

/// The same model elsewhere or in another dtype. Nothing of it is loaded yet.
Model *model_at(const Model *model, const Placement *placement);

/// One model of parts of several, which share what they have loaded.
Model *combined_model(Model *autoencoder, Model *tokenizer, Model *text_encoder, Model *unet);

Model *retain_model(Model *model);

/// Does nothing for NULL.
void release_model(Model *model);

/// Waits for this thread's turn with the model. 0, or -1 with an exception.
int take_model(Model *model);
void give_model_back(Model *model);

/// For a callback that may use the model that the call works with; see `lend_turn`.
void lend_model(Model *model);
void end_lending_model(Model *model);

/// `settle_waiting` with a text that begins with the model's name where the error is about files.
int settle_model(const Model *model, gpi_status status, PyObject *about);

/// Whether the autoencoder takes large pictures in tiles from now on. 0, or -1 with an exception.
int set_tiling(Model *model, bool uses_tiling);

/// Loads a part now, to have its errors now. 0, or -1 with an exception.
int load_part(Model *model, gpi_part part);

#endif
