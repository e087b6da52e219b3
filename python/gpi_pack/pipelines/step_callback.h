/// `callback_on_step_end`, which all pipelines have.
#ifndef GPI_STEP_CALLBACK_H
#define GPI_STEP_CALLBACK_H

#include "gpi_models.h"
#include "limited_python.h"

typedef struct StepCallback {
    /// Borrowed, as the next; NULL for none.
    PyObject *function;
    /// Its first argument.
    PyObject *pipeline;
    /// Where the pipeline keeps whether the run is to end, a bool.
    PyObject **interrupt;
} StepCallback;

/// A `Denoising.after` whose context is a StepCallback: calls f(pipe, step, timestep, {'latents': …}) and
/// puts the 'latents' that it gives in the place of those reached.
int call_step_callback(void *callback, gpi_step *step);

/// As in the reference, a run begins without the end of the one before.
void forget_interruption(StepCallback *callback);

/// Reads the argument: NULL or None for none. 0, or -1 with an exception.
int step_callback_argument(PyObject *value, PyObject **function);

#endif
