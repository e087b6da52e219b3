/// The core's extractor, opened by Python's arguments, and what its callbacks and errors need.
#ifndef GPI_CORE_H
#define GPI_CORE_H

#include "gpi_diffusion.h"
#include "limited_python.h"
#include "model_folder.h"
#include "waiting.h"

/// The core's extractor, and what its callbacks need. It stays where it is as long as `core` lives.
typedef struct Extractor {
    gpi_extractor *core;
    /// How the thread that called the core waits for it.
    Waiting waiting;
    /// A bar of tqdm that shows denoising steps, or NULL; borrowed while the caller keeps it.
    PyObject *bar;
    /// What errors about the model's files name; owned.
    PyObject *model_id;
} Extractor;

/// Makes the core's extractor. `device` and `cache_dir` may be NULL. 0, or -1 with an exception
/// that names the argument.
int open_extractor(PyObject *model_id, PyObject *device, PyObject *cache_dir, gpi_dtype dtype,
                   gpi_precision precision, ModelParts parts, Extractor *extractor);

/// Frees what `open_extractor` made, whether it succeeded or not; all zeros afterwards.
void close_extractor(Extractor *extractor);

/// A `gpi_progress` whose context is an Extractor with a `waiting` that has begun: shows the step
/// on the bar, if there is one.
void show_step(void *extractor, int64_t step, int64_t count);

/// `settle_waiting` with a text that begins with the model where the error is about files, which
/// may be opened at any picture.
int settle(const Extractor *extractor, gpi_status status, PyObject *about);

#endif
