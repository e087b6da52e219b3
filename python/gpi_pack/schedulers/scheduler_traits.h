/// In what diffusers' classes of schedulers differ to those who call them.
#ifndef GPI_SCHEDULER_TRAITS_H
#define GPI_SCHEDULER_TRAITS_H

typedef struct SchedulerTraits {
    const char *name;
    /// Whether timesteps are float32 rather than int64.
    int has_float_timesteps;
    /// Whether `step` gives the clean sample as well.
    int gives_clean_sample;
    /// Whether `step` refuses whole numbers as timesteps, which old code passes for their places.
    int refuses_integers;
    /// How often the model is called for a step.
    int order;
} SchedulerTraits;

/// Never NULL: a name that is not known here has the traits of most.
const SchedulerTraits *scheduler_traits(const char *name);

#endif
