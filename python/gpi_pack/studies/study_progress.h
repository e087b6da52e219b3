/// How Python shows how far a study is.
#ifndef GPI_STUDY_PROGRESS_H
#define GPI_STUDY_PROGRESS_H

#include "gpi_studies.h"
#include "limited_python.h"

#include <stdbool.h>

/// In terminals and notebooks a bar of tqdm's, elsewhere (in the log of a job, say) plain lines: one for
/// each tenth of the pictures, and one when a minute has passed.
typedef struct StudyProgress {
    /// NULL where there are lines.
    PyObject *bar;
    /// Whether there is somewhere to write lines.
    bool has_lines;
    /// What the bar shows.
    int64_t reused, others;
    /// Of the last line; -1 before the first.
    int64_t tenth;
    double seconds;
} StudyProgress;

/// Shows the beginning. 0, or -1 with an exception; `close_study_progress` is the caller's in either case.
int open_study_progress(int64_t total, StudyProgress *progress);

/// Shows what the core says. 0, or -1 with an exception.
int show_study_progress(StudyProgress *progress, const gpi_study_progress *now);

/// Leaves the bar as it is; a pending exception stays what it is. 0, or -1 with an exception.
int close_study_progress(StudyProgress *progress);

#endif
