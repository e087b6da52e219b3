/// Progress where no bar can be drawn: plain lines, in the log of a job, say.
#ifndef GPI_LOG_LINES_H
#define GPI_LOG_LINES_H

#include "limited_python.h"

#include <stdbool.h>

/// How progress is shown on stderr.
typedef enum LogLines {
    /// There is no stderr.
    LOG_NOTHING,
    /// By a bar: it is a terminal, or the process is a notebook's.
    LOG_BAR,
    /// By lines.
    LOG_LINES,
} LogLines;

LogLines log_lines(void);

/// Writes "label: text". What is told is not worth a run: where it cannot be written, `has_lines` becomes
/// false. 0, or -1 with an exception that is none of writing.
int write_log_line(const char *label, const char *text, bool *has_lines);

#endif
