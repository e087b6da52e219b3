/// gpi_schedulers: the solvers of the reverse process, one by one; see gpi_diffusion.h for the rules
/// that all of this interface follows.
///
/// A scheduler goes from noise to a clean sample in steps:
///
///     gpi_scheduler_set_timesteps(scheduler, 30);
///     const double *timesteps = gpi_scheduler_timesteps(scheduler, &count);
///     for (int64_t i = 0; i < count; i++) {
///         gpi_scheduler_scale_model_input(scheduler, sample, i, &input);
///         … the model's prediction for `input` at `timesteps[i]` …
///         gpi_scheduler_step(scheduler, prediction, i, sample, NULL, &next, NULL);
///     }
#ifndef GPI_SCHEDULERS_H
#define GPI_SCHEDULERS_H

#include "gpi_diffusion.h"

#ifdef __cplusplus
extern "C" {
#endif

/// A solver with the timesteps of a run, and the history that some solvers keep of it.
typedef struct gpi_scheduler gpi_scheduler;

/// The names of all schedulers, those of diffusers' classes; `count` of them, valid for ever.
const char *const *gpi_scheduler_names(int64_t *count);

/// Makes a scheduler from the text of a `scheduler_config.json`, whatever class that was written for;
/// keys that it does not know are left alone, absent ones have its own defaults. `name` NULL takes the
/// class that the text names. `origin` (NULL for none) is what errors call the text.
gpi_status gpi_scheduler_create(const char *name, const char *json, const char *origin,
                                gpi_scheduler **scheduler);

/// Another one with the same settings, timesteps and history.
gpi_status gpi_scheduler_copy(const gpi_scheduler *scheduler, gpi_scheduler **copy);

const char *gpi_scheduler_name(const gpi_scheduler *scheduler);

/// All settings, defaults included, as the text of a `scheduler_config.json`; valid as long as the
/// scheduler.
const char *gpi_scheduler_settings(const gpi_scheduler *scheduler);

/// Starts a run of so many inference steps, without history. The arrays of `gpi_scheduler_timesteps`
/// and `gpi_scheduler_sigmas` end with it.
gpi_status gpi_scheduler_set_timesteps(gpi_scheduler *scheduler, int64_t num_inference_steps);

/// One for each call of the model, from the noisiest on; those of training before the first run.
const double *gpi_scheduler_timesteps(const gpi_scheduler *scheduler, int64_t *count);

/// The noise level σ at each timestep and after the last; none for solvers that do not have them.
const double *gpi_scheduler_sigmas(const gpi_scheduler *scheduler, int64_t *count);

/// What noise of unit variance is multiplied with to be the first sample.
double gpi_scheduler_initial_noise_sigma(const gpi_scheduler *scheduler);

/// What the model is given for a sample at timestep number `index`.
gpi_status gpi_scheduler_scale_model_input(const gpi_scheduler *scheduler,
                                           const gpi_tensor *sample, int64_t index,
                                           gpi_tensor **input);

/// Called on the working thread for standard normal noise of the shape, dtype and device of `like`,
/// which is valid during the call. Anything but 0 stops the work with GPI_INTERRUPTED; with 0 the
/// tensor is handed over.
typedef int (*gpi_noise)(void *context, const gpi_tensor *like, gpi_tensor **noise);

/// What stochastic solvers draw with.
typedef struct gpi_randomness {
    /// sizeof(gpi_randomness)
    size_t size;
    /// η of DDIM, 0 to 1; other solvers do not ask.
    double eta;
    /// Whether DDIM takes the noise from the clean sample as it was clipped; other solvers do not ask.
    bool uses_clipped_model_output;
    /// NULL for the generator of the process.
    gpi_noise noise;
    void *noise_context;
} gpi_randomness;

#define GPI_RANDOMNESS_INIT { .size = sizeof(gpi_randomness) }

/// One step from `sample` towards the clean one. `randomness` may be NULL. `clean` (may be NULL) gets
/// the clean sample as this step believes it to be, or NULL where the solver does not say.
gpi_status gpi_scheduler_step(gpi_scheduler *scheduler, const gpi_tensor *prediction, int64_t index,
                              const gpi_tensor *sample, const gpi_randomness *randomness,
                              gpi_tensor **previous, gpi_tensor **clean);

/// The forward process: `samples` with `noise` (of the same shape) of the timesteps, of which there
/// are as many as samples, or one for all.
gpi_status gpi_scheduler_add_noise(const gpi_scheduler *scheduler, const gpi_tensor *samples,
                                   const gpi_tensor *noise, const double *timesteps, int64_t count,
                                   gpi_tensor **noised);

void gpi_scheduler_free(gpi_scheduler *scheduler);

#ifdef __cplusplus
}
#endif
#endif
