"""What diffusers' schedulers compute, for the test beside this file.

    scheduler_reference.py CLASS

A new scheduler is a new entry of `ROWS`.
"""

import itertools
import json
import sys

import diffusers
import torch

torch.set_grad_enabled(False)

# Every run is made with so many steps, where training had as many.
STEPS = (1, 3, 10, 50)


def grid(base=None, **choices):
    """All combinations of choices, on top of `base`."""
    names, values = list(choices), itertools.product(*choices.values())
    return [
        {**(base or {}), **dict(zip(names, combination, strict=True))} for combination in values
    ]


def each(base=None, **choices):
    """One choice at a time, on top of `base`."""
    return [{**(base or {}), name: value} for name, values in choices.items() for value in values]


STABLE_DIFFUSION = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear"}
BETAS = [
    {"beta_start": start, "beta_end": end}
    for start, end in ((0.00001, 0.0002), (0.0001, 0.002), (0.001, 0.02), (0.01, 0.2))
]
PREDICTIONS = ("epsilon", "sample", "v_prediction")
SPACINGS = ("leading", "trailing", "linspace")
SIGMAS = [
    {},
    {"use_karras_sigmas": True},
    {"use_exponential_sigmas": True},
    {"use_beta_sigmas": True},
]
VARIANCES = ("fixed_small", "fixed_small_log", "fixed_large", "fixed_large_log", "learned",
             "learned_range")  # fmt: skip
# The steps of Runge and Kutta are four, so that there can be no fewer timesteps.
PRK_STEPS = (4, 5, 10, 27, 50)


def with_sigmas(rows):
    return [{**row, **sigmas} for row in rows for sigmas in SIGMAS]


# Rows for each class, by name: the configuration's keys, and with an underscore what a run has beside
# them (`_eta`, `_dtype`, `_steps`).
ROWS = {
    "DDIMScheduler": [
        {**row, "_eta": eta}
        for eta in (0.0, 0.5, 1.0)
        for row in [
            {},
            {**STABLE_DIFFUSION, "clip_sample": False, "set_alpha_to_one": False, "steps_offset": 1},
            {**STABLE_DIFFUSION, "prediction_type": "sample", "clip_sample_range": 0.7},
            {**STABLE_DIFFUSION, "timestep_spacing": "trailing", "rescale_betas_zero_snr": True,
             "clip_sample": False, "prediction_type": "v_prediction"},
            {**STABLE_DIFFUSION, "timestep_spacing": "linspace", "thresholding": True,
             "sample_max_value": 2.0, "dynamic_thresholding_ratio": 0.9},
            {"beta_schedule": "squaredcos_cap_v2", "num_train_timesteps": 77},
            {"trained_betas": [0.001 * (i + 1) for i in range(20)], "num_train_timesteps": 20},
            *BETAS,
            *grid(num_train_timesteps=(100, 500), steps_offset=(0, 1)),
            *grid(prediction_type=PREDICTIONS, timestep_spacing=SPACINGS, clip_sample=(True, False)),
            *grid(thresholding=(True,), sample_max_value=(1.0, 2.0), prediction_type=PREDICTIONS),
        ]
    ]
    + [{"_steps": steps} for steps in (2, 7, 20, 999, 1000)],
    "DDPMScheduler": [
        {},
        {**STABLE_DIFFUSION, "clip_sample": False, "steps_offset": 1},
        {"trained_betas": [0.001 * (i + 1) for i in range(20)], "num_train_timesteps": 20},
        *BETAS,
        *grid(num_train_timesteps=(1, 5, 100, 1000), beta_schedule=("linear", "squaredcos_cap_v2")),
        *grid(prediction_type=PREDICTIONS, timestep_spacing=SPACINGS, clip_sample=(True, False)),
        *grid(variance_type=VARIANCES, prediction_type=PREDICTIONS, beta_schedule=("scaled_linear",)),
        *grid(variance_type=VARIANCES, clip_sample=(False,), beta_start=(0.00085,)),
        *grid(thresholding=(True,), sample_max_value=(0.5, 1.0, 2.0), prediction_type=PREDICTIONS),
        *grid(rescale_betas_zero_snr=(True,), prediction_type=PREDICTIONS, timestep_spacing=SPACINGS),
        *grid(_dtype=("float16", "bfloat16"), variance_type=("fixed_small", "learned_range")),
        *grid(_steps=(2, 7, 20, 999, 1000)),
    ],
    "PNDMScheduler": [
        *grid(_steps=PRK_STEPS, prediction_type=("epsilon", "v_prediction"),
              timestep_spacing=SPACINGS, set_alpha_to_one=(True, False)),
        *grid({"skip_prk_steps": True}, prediction_type=("epsilon", "v_prediction"),
              timestep_spacing=SPACINGS, set_alpha_to_one=(True, False)),
        *grid({**STABLE_DIFFUSION, "steps_offset": 1}, _steps=PRK_STEPS, skip_prk_steps=(False, True)),
        *grid(_steps=(10, 50), num_train_timesteps=(100, 1000), steps_offset=(0, 1),
              beta_schedule=("linear", "squaredcos_cap_v2"), skip_prk_steps=(False, True)),
        *grid(_steps=(10,), beta_start=(0.01,), set_alpha_to_one=(False, True)),
        *grid({"_steps": 10, "skip_prk_steps": True}, _dtype=("float16", "bfloat16")),
        *[{**row, "_steps": 10} for row in BETAS],
        *grid(_steps=(2, 100, 999, 1000), skip_prk_steps=(True,)),
    ],
}  # fmt: skip


def packed(tensor):
    """None if a value is no number: where diffusers divides by zero, there is nothing to compare."""
    if not tensor.isfinite().all():
        return None
    return {"shape": list(tensor.shape), "values": tensor.double().flatten().tolist()}


torch.manual_seed(0)
SAMPLE = torch.randn(2, 3, 4, 4)
NOISE = torch.randn(2, 3, 4, 4)
# What stochastic steps draw, over and over.
DRAWS = torch.randn(5, 2, 3, 4, 4)


def model(sample, timestep):
    """The model of diffusers' own tests of its schedulers."""
    timestep = timestep.reshape(1, 1, 1, 1).to(sample.dtype)
    return sample * timestep / (timestep + 1)


def with_variance(output):
    """The same for schedulers that ask for a variance beside it: between 0 and 1, as more channels."""
    square = output * output
    return torch.cat([output, square / (square + 1)], dim=1)


def run(scheduler, sample, start, **arguments):
    """A denoising loop from a place in the timesteps on."""
    draws = itertools.cycle(DRAWS)
    module = sys.modules[type(scheduler).__module__]
    module.randn_tensor = lambda *_, dtype=None, **__: next(draws).to(dtype or torch.float32)
    for timestep in scheduler.timesteps[start:]:
        output = model(scheduler.scale_model_input(sample, timestep), timestep)
        if str(scheduler.config.get("variance_type")).startswith("learned"):
            output = with_variance(output)
        sample = scheduler.step(output, timestep, sample, **arguments).prev_sample
    return sample


def answer(name, row, steps):
    options = {key: value for key, value in row.items() if not key.startswith("_")}
    arguments = {"eta": row["_eta"]} if "_eta" in row else {}
    dtype = row.get("_dtype", "float32")
    sample, noise = SAMPLE.to(getattr(torch, dtype)), NOISE.to(getattr(torch, dtype))

    def ready():
        scheduler = getattr(diffusers, name)(**options)
        scheduler.set_timesteps(steps)
        return scheduler

    scheduler = ready()
    timesteps = scheduler.timesteps
    count = len(timesteps)
    start = count // 2
    if hasattr(scheduler, "index_for_timestep"):
        # Where a timestep stands twice, a run starts at the second one.
        start = scheduler.index_for_timestep(timesteps[start])

    first = (sample * scheduler.init_noise_sigma).to(sample.dtype)
    noised = [
        scheduler.add_noise(sample, noise, timesteps[index : index + 1])
        for index in sorted({0, start, count - 1})
    ]
    middle = scheduler.add_noise(sample, noise, timesteps[start : start + 1])
    return {
        "configuration": json.dumps({**dict(scheduler.config), **options}, default=str),
        "steps": steps,
        "eta": row.get("_eta", 0.0),
        "dtype": dtype,
        "timesteps": timesteps.tolist(),
        "sigmas": scheduler.sigmas.tolist() if hasattr(scheduler, "sigmas") else [],
        "initialNoiseSigma": float(scheduler.init_noise_sigma),
        "loop": packed(run(scheduler, first, 0, **arguments)),
        "noised": [packed(tensor) for tensor in noised],
        "start": start,
        "fromStart": packed(run(ready(), middle, start, **arguments)),
    }


if __name__ == "__main__":
    (name,) = sys.argv[1:]
    cases = []
    for row in ROWS[name]:
        trained = row.get("num_train_timesteps", 1000)
        for steps in (row["_steps"],) if "_steps" in row else STEPS:
            # With an offset the first of as many steps as training had would lie past its end.
            if steps + row.get("steps_offset", 0) <= trained:
                cases.append(answer(name, row, steps))
    inputs = {"sample": packed(SAMPLE), "noise": packed(NOISE)}
    json.dump({**inputs, "draws": [packed(draw) for draw in DRAWS], "cases": cases}, sys.stdout)
