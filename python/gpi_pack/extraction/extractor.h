/// The type `StableDiffusionImg2ImgExtractor`: a model that is loaded once, and its single steps.
#ifndef GPI_EXTRACTOR_H
#define GPI_EXTRACTOR_H

#include "core.h"
#include "limited_python.h"
#include "turn.h"

/// One extractor in Python.
typedef struct ExtractorObject {
    PyObject_HEAD
    /// Without a core until `__init__` is through.
    Extractor extractor;
    gpi_dtype dtype;
    /// str
    PyObject *device;
    /// str or None
    PyObject *cache_dir;
    /// Taken for each call into the core.
    Turn turn;
} ExtractorObject;

/// Waits until no other thread uses the core, and takes it for this one. 0, or -1 with an exception:
/// there is no core yet, the wait was interrupted, or this thread has the core already (a signal
/// handler or a filter of warnings called back).
int take_core(ExtractorObject *self);

void give_core_back(ExtractorObject *self);

/// Makes the type and adds it to the module. 0, or -1 with an exception.
int add_extractor_type(PyObject *module);

#endif
