/// How Python waits for the core: without the interpreter's lock, but with its signals and
/// warnings.
///
/// For whatever holds an object of the core: an extractor, a model, a scheduler. One `Waiting`
/// serves one call at a time and stays where it is during the call:
///
///     Waiting waiting = {0};
///     begin_waiting(&waiting);
///     gpi_status status = gpi_…(…, is_interrupted, &waiting, &result);
///     end_waiting(&waiting);
///     if (settle_waiting(status, about) < 0) …
#ifndef GPI_WAITING_H
#define GPI_WAITING_H

#include "gpi_diffusion.h"
#include "limited_python.h"

typedef struct Waiting {
    /// The state of the thread that waits for the core; NULL while it does not.
    PyThreadState *state;
} Waiting;

/// Gives up the interpreter's lock for a call into the core, and takes it back. The other way
/// round, a callback of the core's, which comes on the thread that called it, takes the lock with
/// `end_waiting` and gives it up again with `begin_waiting`. An exception that it leaves stays
/// pending in the thread's state while the lock is away, and is the exception of the call in the
/// end.
void begin_waiting(Waiting *waiting);
void end_waiting(Waiting *waiting);

/// A `gpi_interruption` whose context is a Waiting between `begin_waiting` and `end_waiting`. Runs
/// Python's signal handlers; an exception of theirs (KeyboardInterrupt), or one that another
/// callback left, ends the work.
int is_interrupted(void *waiting);

/// A `gpi_warning` with the same context: a warning of the core's as one of Python's. Where
/// warnings are errors, the exception stays pending as one of a signal handler does.
void warn_python(void *waiting, const char *text);

/// After the core: an exception that a callback left, an error of the core's own, or a signal that
/// came in its last moment. 0, or -1 with an exception. The core names an argument that is out of
/// range itself; the text of any other error begins with `about`, which may be NULL.
int settle_waiting(gpi_status status, PyObject *about);

#endif
