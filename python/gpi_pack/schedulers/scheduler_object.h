/// One scheduler in Python, and its methods, in files by what they are about.
#ifndef GPI_SCHEDULER_OBJECT_H
#define GPI_SCHEDULER_OBJECT_H

#include "gpi_schedulers.h"
#include "limited_python.h"
#include "turn.h"

typedef struct SchedulerObject {
    PyObject_HEAD
    /// Not NULL in a finished object.
    gpi_scheduler *core;
    /// A Config with the core's settings, and more that a configuration brought along.
    PyObject *config;
    /// Tensors of the run, or NULL until they are asked for.
    PyObject *timesteps, *sigmas;
    /// Of the run; 0 before the first.
    int64_t num_inference_steps;
    /// Of the next step, for solvers that count their steps; -1 before the first of a run.
    int64_t step_index;
    /// Taken for each call into the core that the step of another thread must not meet: a step
    /// gives up the interpreter's lock, and asks torch for noise, which may give it up too.
    Turn turn;
} SchedulerObject;

int take_scheduler(SchedulerObject *self);

// scheduler.c

/// The name that the core knows a type by; NULL without an exception if it is the base of them.
const char *scheduler_name(PyTypeObject *type);

/// Raises a TypeError about `argument` that lists the known classes.
void raise_unknown_scheduler(const char *argument, PyObject *value);

/// An instance of `type`, or, if that is NULL or the base, of the class of `core`. Takes over both
/// `core` and `config`; NULL with an exception, also if `config` is NULL.
PyObject *finished_scheduler(PyTypeObject *type, gpi_scheduler *core, PyObject *config);

// scheduler_settings.c

/// Makes the core's scheduler and the Config from a dict of settings. `name` NULL takes the class
/// that they name. `origin` is what errors call them. Settings that are not known are a TypeError
/// if `strict`, and else kept in the Config. 0, or -1 with an exception.
int make_scheduler(const char *name, PyObject *settings, int strict, const char *origin,
                   gpi_scheduler **core, PyObject **config);

/// The core's settings as a new dict, its class name among them; NULL with an exception.
PyObject *core_settings(const gpi_scheduler *core);

/// The text of a `scheduler_config.json`: a new str, or NULL with an exception.
PyObject *settings_text(PyObject *config);

// scheduler_configuration.c

extern const char from_config_doc[], from_pretrained_doc[], save_config_doc[],
    save_pretrained_doc[];
PyObject *from_config(PyObject *type, PyObject *positional, PyObject *keywords);
PyObject *from_pretrained(PyObject *type, PyObject *positional, PyObject *keywords);
PyObject *save_config(PyObject *self, PyObject *positional, PyObject *keywords);

/// The settings of a mapping, of a scheduler, or of anything else with a `.config`, without those
/// that diffusers marks as defaults, if there are any marks and `without_defaults`. A new dict;
/// NULL with an exception that names the argument.
PyObject *settings_of(const char *argument, PyObject *value, int without_defaults);

// scheduler_run.c

extern const char set_timesteps_doc[], scale_model_input_doc[], add_noise_doc[];
PyObject *set_timesteps(PyObject *self, PyObject *positional, PyObject *keywords);
PyObject *scale_model_input(PyObject *self, PyObject *positional, PyObject *keywords);
PyObject *add_noise(PyObject *self, PyObject *positional, PyObject *keywords);
PyObject *get_timesteps(PyObject *self, void *unused);
PyObject *get_sigmas(PyObject *self, void *unused);

// scheduler_places.c

/// The place of a timestep in those of the run. Solvers with noise levels count their steps from
/// the first one on, as diffusers' do: timesteps may occur twice. Under the turn. 0, or -1 with an
/// exception.
int find_place(SchedulerObject *self, PyObject *timestep, int64_t *place);

/// Remembers that the step at a place was taken, if the solver counts.
void count_step(SchedulerObject *self, int64_t place);

/// The core's timestep that equals a number once it is rounded as those in the tensor are; the
/// number itself if there is none.
double nearest_timestep(SchedulerObject *self, double timestep);

// scheduler_step.c

extern const char step_doc[];
PyObject *step(PyObject *self, PyObject *positional, PyObject *keywords);

#endif
