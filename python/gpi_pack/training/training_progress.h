/// How Python shows how far a training is.
#ifndef GPI_TRAINING_PROGRESS_H
#define GPI_TRAINING_PROGRESS_H

#include "gpi_training.h"
#include "limited_python.h"

#include <time.h>

/// In terminals and notebooks a bar of tqdm's, elsewhere (in the log of a job, say) plain lines: one for
/// each tenth of the steps, and one when a minute has passed.
typedef struct TrainingProgress {
    /// Called with each step, or NULL. Borrowed.
    PyObject *callback;
    /// NULL where there are lines, and before the first step.
    PyObject *bar;
    bool has_lines, is_open;
    /// Of the last line; -1 before the first.
    int64_t tenth;
    time_t time;
} TrainingProgress;

/// Shows what the core says, and tells the callback. 0, or -1 with an exception.
int show_training_progress(TrainingProgress *progress, const gpi_training_progress *now);

/// Leaves the bar as it is; a pending exception stays what it is. 0, or -1 with an exception.
int close_training_progress(TrainingProgress *progress);

#endif
