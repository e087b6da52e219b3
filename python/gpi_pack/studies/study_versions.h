/// The versions that a study's folder records.
#ifndef GPI_STUDY_VERSIONS_H
#define GPI_STUDY_VERSIONS_H

#include "texts.h"

/// Names and versions in turn: of Python, torch, Pillow and this package, of those that say theirs. 0, or
/// -1 with an exception; `clear_texts` is the caller's in either case.
int study_versions(Texts *versions);

#endif
