/// The core's extractor, and how Python waits for it: without the interpreter's lock, but with its
/// signals and warnings.
#ifndef GPI_CORE_H
#define GPI_CORE_H

#include "gpi_diffusion.h"
#include "limited_python.h"
#include "model_folder.h"

/// The core's extractor, and what its callbacks need. It stays where it is as long as `core` lives.
typedef struct Extractor {
    gpi_extractor *core;
    /// The state of the thread that waits for the core.
    PyThreadState *waiting;
    /// A bar of tqdm that shows denoising steps, or NULL; borrowed while the caller keeps it.
    PyObject *bar;
    /// What errors about the model's files name; owned.
    PyObject *model_id;
} Extractor;

/// Makes the core's extractor. `device` and `cache_dir` may be NULL. 0, or -1 with an exception that
/// names the argument.
int open_extractor(PyObject *model_id, PyObject *device, PyObject *cache_dir, gpi_dtype dtype,
                   ModelParts parts, Extractor *extractor);

/// Frees what `open_extractor` made, whether it succeeded or not; all zeros afterwards.
void close_extractor(Extractor *extractor);

/// Gives up the interpreter's lock for a call into the core, and takes it back.
void begin_waiting(Extractor *extractor);
void end_waiting(Extractor *extractor);

/// A `gpi_interruption` whose context is an Extractor between `begin_waiting` and `end_waiting`.
///
/// Runs Python's signal handlers. An exception of theirs (KeyboardInterrupt) stays pending in the
/// thread's state while the lock is away again, and is the exception of the call in the end.
int is_interrupted(void *extractor);

/// A `gpi_progress` with the same context: shows the step on the bar, if there is one.
void show_step(void *extractor, int64_t step, int64_t count);

/// After the core: an error of its own, or a signal that came in its last moment. 0, or -1 with an
/// exception. Its text begins with the model where it is about files, which may be opened at any
/// picture, with the argument that is out of range, and else with `about`, which may be NULL.
int settle(const Extractor *extractor, gpi_status status, PyObject *about);

#endif
