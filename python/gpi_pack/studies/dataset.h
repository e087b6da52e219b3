/// The functions and the type of studies that the module has.
#ifndef GPI_DATASET_H
#define GPI_DATASET_H

#include "limited_python.h"

// extract_dataset.c
extern const char extract_dataset_doc[];
PyObject *extract_dataset(PyObject *module, PyObject *positional, PyObject *keywords);

// contact_sheet.c
extern const char contact_sheet_doc[];
PyObject *contact_sheet(PyObject *module, PyObject *positional, PyObject *keywords);

// dataset_extractor.c

/// Makes the type `DatasetExtractor` and adds it to the module. 0, or -1 with an exception.
int add_dataset_extractor_type(PyObject *module);

#endif
