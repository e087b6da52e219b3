/// The types of the schedulers: `Scheduler` and a subclass of it for each name of
/// `gpi_scheduler_names`, usable as diffusers' classes of these names are.
#ifndef GPI_SCHEDULER_H
#define GPI_SCHEDULER_H

#include "gpi_schedulers.h"
#include "limited_python.h"

/// Makes the types and adds them to the module. 0, or -1 with an exception.
int add_scheduler_types(PyObject *module);

/// An instance, of the class that its name says, that owns `core`, which is taken over in any case.
/// A new reference; NULL with an exception.
PyObject *scheduler_object(gpi_scheduler *core);

/// A copy of what is behind a scheduler of ours, with its timesteps and history; or a fresh one
/// from the `.config` of any other object whose class has the name of a known scheduler (one of
/// diffusers'). The caller frees it. NULL with an exception that names the argument and, where the
/// class is the matter, the known ones.
gpi_scheduler *core_scheduler(const char *argument, PyObject *value);

#endif
