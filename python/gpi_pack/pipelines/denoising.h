/// The reverse process with a bar that shows its steps, noise of torch's, and a look at each step.
#ifndef GPI_DENOISING_H
#define GPI_DENOISING_H

#include "model.h"

typedef struct Denoising {
    /// Holds the turn with it during `run_denoising`.
    Model *model;
    /// All but what this fills in: interruption, steps and randomness but for η.
    gpi_denoising request;
    /// Borrowed: NULL or what `check_generator` has passed.
    PyObject *generator;
    /// Borrowed: a dict of arguments of tqdm's, or NULL.
    PyObject *bar_options;
    /// Called with the interpreter's lock after each step, and may use the model; NULL for none. 0 goes
    /// on, 1 ends the run with the latents reached, -1 is an exception.
    int (*after)(void *context, gpi_step *step);
    void *context;
    // Of the run itself.
    PyObject *bar;
    int64_t shown;
} Denoising;

/// The noise of torch's that a run starts from, in the model's dtype, drawn where the generator is, which is
/// what `check_generator` has passed. 0, or -1 with an exception.
int draw_first_noise(Model *model, const int64_t shape[4], PyObject *generator, gpi_tensor **noise);

/// 0, or -1 with an exception.
int run_denoising(Denoising *denoising, gpi_tensor **latents);

#endif
