/// A study of the core's, opened by Python's arguments, and what its callbacks and errors need.
#ifndef GPI_STUDY_H
#define GPI_STUDY_H

#include "gpi_studies.h"
#include "limited_python.h"
#include "study_codec.h"
#include "study_options.h"
#include "study_pictures.h"
#include "waiting.h"

/// A study of the core's. It stays where it is as long as `core` lives.
typedef struct Study {
    gpi_study *core;
    /// How the thread that called the core waits for it.
    Waiting waiting;
    StudyCodec codec;
} Study;

/// What becomes of pictures by the options; `clear_study_codec` is the caller's.
void fill_study_codec(const StudyOptions *options, StudyCodec *codec);

/// Finds the model and makes the core's study; nothing is loaded or written yet. The pictures lend the
/// prompt and the seed of all. 0, or -1 with an exception that names the argument; `close_study` is
/// the caller's in either case.
int open_study(const StudyOptions *options, const StudyPictures *pictures, Study *study);

/// Frees what `open_study` made; all zeros afterwards.
void close_study(Study *study);

/// Between these the thread waits for a function of the core's on the study.
void begin_study(Study *study);
/// 0, or -1 with the exception of a callback, a signal, or the core.
int end_study(Study *study, gpi_status status);

#endif
