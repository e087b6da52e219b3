#include "scheduler_traits.h"

#include <string.h>

const SchedulerTraits *scheduler_traits(const char *name) {
    static const SchedulerTraits all[] = {
        // Name, float timesteps, clean sample, no integers, order.
        {"DDIMScheduler", 0, 1, 0, 1},
        {"DDPMScheduler", 0, 1, 0, 1},
        {"PNDMScheduler", 0, 0, 0, 1},
        {"LMSDiscreteScheduler", 1, 1, 0, 1},
        {"EulerDiscreteScheduler", 1, 1, 1, 1},
        {"EulerAncestralDiscreteScheduler", 1, 1, 1, 1},
        {"HeunDiscreteScheduler", 1, 1, 0, 2},
        {"DPMSolverMultistepScheduler", 0, 0, 0, 1},
        {"UniPCMultistepScheduler", 0, 0, 0, 1},
    };
    // Timesteps of any kind fit into floats; a clean sample is given if the core has one.
    static const SchedulerTraits other = {"", 1, 1, 0, 1};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (strcmp(all[i].name, name) == 0) return &all[i];
    return &other;
}
