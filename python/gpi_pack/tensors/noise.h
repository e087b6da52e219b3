/// Noise from torch's own generators, so that a seed gives the bits that it gives in diffusers.
#ifndef GPI_NOISE_H
#define GPI_NOISE_H

#include "gpi_diffusion.h"
#include "limited_python.h"
#include "waiting.h"

/// Refuses what is neither None (nor NULL) nor a torch.Generator nor a list or tuple of at least
/// one torch.Generator. 0, or -1 with an exception that names the argument.
int check_generator(const char *argument, PyObject *value);

/// diffusers' `randn_tensor`: standard normal noise drawn where the generator is and moved to
/// `device`. Of a list of more than one, each generator draws one sample of the batch.
///
/// `shape` is a sequence of int. `generator` may be NULL or None, for that of the process on
/// `device`; `dtype` and `device` are as torch.randn takes them, NULL and None for its defaults. A
/// new torch.Tensor; NULL with an exception (ValueError naming "generator" if the list is not as
/// long as the batch, or the generator is on a device that `device` is not).
PyObject *random_tensor(PyObject *shape, PyObject *generator, PyObject *dtype, PyObject *device);

/// What `draw_noise` draws with.
typedef struct NoiseDrawer {
    /// Borrowed: NULL or what `check_generator` has passed.
    PyObject *generator;
    /// Borrowed: a tensor that is given in place of the first draw (`variance_noise`), or NULL.
    PyObject *given;
    /// What the interpreter's lock was given up with around the call into the core; NULL if it was
    /// kept.
    Waiting *waiting;
} NoiseDrawer;

/// A `gpi_noise` whose context is a NoiseDrawer: `random_tensor` of the shape, dtype and device of
/// `like`. What it raises stays pending and stops the core, which returns GPI_INTERRUPTED;
/// `settle_waiting` then gives -1.
int draw_noise(void *drawer, const gpi_tensor *like, gpi_tensor **noise);

#endif
