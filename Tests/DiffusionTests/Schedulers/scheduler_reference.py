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
    for start, end in ((0.00001, 0.0002), (0.0001, 0.002), (0.001, 0.02))
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
SIXTEEN_BITS = grid(_dtype=("float16", "bfloat16"), _steps=(10,), prediction_type=PREDICTIONS)
DPM_SIGMAS = [*SIGMAS[1:], {"use_lu_lambdas": True}]


def with_sigmas(rows, sigmas=SIGMAS):
    return [{**row, **options} for row in rows for options in sigmas]


# Rows for each class, by name: the configuration's keys, and with an underscore what a run has beside
# them (`_eta`, `_dtype`, `_steps`; `_timesteps` or `_sigmas` of the caller's choice instead; and
# `_start`, where the second run begins).
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
            {"beta_start": 0.01, "beta_end": 0.2},
            *grid(num_train_timesteps=(100, 500), steps_offset=(0, 1)),
            *grid(prediction_type=PREDICTIONS, timestep_spacing=SPACINGS, clip_sample=(True, False)),
            *grid(thresholding=(True,), sample_max_value=(1.0, 2.0), prediction_type=PREDICTIONS),
        ]
    ]
    + [{"_steps": steps} for steps in (2, 7, 20, 999, 1000)],
    # Without bfloat16: on a CPU torch rounds diffusers' coefficients to it, since they stand before the
    # tensor in a product. On a GPU, and here, they keep their bits.
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
        *grid(_dtype=("float16",), variance_type=("fixed_small", "learned_range")),
        *grid(_steps=(2, 7, 20, 999, 1000)),
        *each(_timesteps=([100, 87, 50, 1, 0], [999, 500, 3])),
    ],
    "DPMSolverMultistepScheduler": [
        {},
        *[{**row, "final_sigmas_type": "sigma_min"} for row in BETAS],
        {"trained_betas": [0.001 * (i + 1) for i in range(20)], "num_train_timesteps": 20},
        *grid(num_train_timesteps=(25, 50, 100, 999), beta_schedule=("linear", "squaredcos_cap_v2")),
        *grid(num_train_timesteps=(100, 999), steps_offset=(0, 1), timestep_spacing=("leading",)),
        *grid(STABLE_DIFFUSION, prediction_type=PREDICTIONS, timestep_spacing=SPACINGS,
              final_sigmas_type=("zero", "sigma_min"), rescale_betas_zero_snr=(False, True)),
        *grid({"final_sigmas_type": "sigma_min"}, solver_order=(1, 2, 3),
              solver_type=("midpoint", "heun"), prediction_type=PREDICTIONS,
              algorithm_type=("dpmsolver", "dpmsolver++"), lower_order_final=(False, True)),
        *grid({"final_sigmas_type": "sigma_min"}, solver_order=(1, 2),
              solver_type=("midpoint", "heun"), prediction_type=PREDICTIONS,
              algorithm_type=("sde-dpmsolver", "sde-dpmsolver++")),
        *grid(solver_order=(1, 2, 3), solver_type=("midpoint", "heun"), prediction_type=PREDICTIONS,
              algorithm_type=("dpmsolver++", "sde-dpmsolver++"), euler_at_final=(False, True)),
        *grid({"thresholding": True}, sample_max_value=(0.5, 1.0, 2.0), solver_order=(1, 2, 3),
              solver_type=("midpoint", "heun"), prediction_type=("epsilon", "sample")),
        *grid({"thresholding": True, "final_sigmas_type": "sigma_min"}, _steps=(10,),
              algorithm_type=("dpmsolver", "sde-dpmsolver++"), dynamic_thresholding_ratio=(0.87,)),
        *grid(lambda_min_clipped=(-float("inf"), -5.1), timestep_spacing=SPACINGS,
              beta_schedule=("linear", "squaredcos_cap_v2")),
        *each(variance_type=("learned", "learned_range", "fixed_small")),
        *each({"final_sigmas_type": "sigma_min"}, algorithm_type=("deis",), solver_type=("logrho", "bh1", "bh2")),
        *with_sigmas(grid(STABLE_DIFFUSION, prediction_type=PREDICTIONS,
                          final_sigmas_type=("zero", "sigma_min")), DPM_SIGMAS),
        # In 50 of its largest levels, of 2e4, one bit of them changes the third order by 3e-4.
        *with_sigmas(grid(beta_schedule=("squaredcos_cap_v2",), solver_order=(2, 3), _steps=(1, 3, 10)),
                     DPM_SIGMAS),
        *grid(use_flow_sigmas=(True,), flow_shift=(1.0, 3.0), prediction_type=("flow_prediction",),
              algorithm_type=("dpmsolver++", "sde-dpmsolver++"), solver_order=(2, 3)),
        *grid(_timesteps=([900, 650, 400, 30, 1], [999, 0]), prediction_type=PREDICTIONS,
              final_sigmas_type=("zero", "sigma_min"),
              algorithm_type=("dpmsolver++", "sde-dpmsolver++")),
        *SIXTEEN_BITS,
        *each(_steps=(2, 5, 7, 14, 15, 100, 999)),
    ],
    "EulerAncestralDiscreteScheduler": [
        *BETAS,
        *each(num_train_timesteps=(10, 50, 100, 1100), beta_schedule=("scaled_linear",)),
        *grid(STABLE_DIFFUSION, steps_offset=(0, 1), timestep_spacing=("leading",)),
        *grid(
            STABLE_DIFFUSION,
            prediction_type=("epsilon", "v_prediction"),
            timestep_spacing=SPACINGS,
            rescale_betas_zero_snr=(False, True),
        ),
        *[row for row in SIXTEEN_BITS if row["prediction_type"] != "sample"],
    ],
    "EulerDiscreteScheduler": [
        *BETAS,
        *each(num_train_timesteps=(10, 50, 100, 1100), beta_schedule=("scaled_linear",)),
        {"trained_betas": [0.001 * (i + 1) for i in range(20)], "num_train_timesteps": 20},
        *grid(STABLE_DIFFUSION, steps_offset=(0, 1), timestep_spacing=("leading",)),
        *with_sigmas(
            grid(
                STABLE_DIFFUSION,
                prediction_type=PREDICTIONS,
                interpolation_type=("linear", "log_linear"),
                final_sigmas_type=("zero", "sigma_min"),
            ),
            [*SIGMAS, {"use_karras_sigmas": True, "sigma_min": 0.02, "sigma_max": 700.0}],
        ),
        *grid(
            STABLE_DIFFUSION,
            prediction_type=PREDICTIONS,
            timestep_type=("discrete", "continuous"),
            timestep_spacing=SPACINGS,
            rescale_betas_zero_snr=(False, True),
        ),
        {"timestep_type": "continuous", "prediction_type": "v_prediction",
         "interpolation_type": "log_linear"},
        *grid(
            STABLE_DIFFUSION,
            _timesteps=([900, 650, 400, 30, 1], [999, 0]),
            prediction_type=PREDICTIONS,
            interpolation_type=("linear", "log_linear"),
            final_sigmas_type=("zero", "sigma_min"),
        ),
        *grid(
            STABLE_DIFFUSION,
            _sigmas=([14.0, 7.5, 2.0, 0.5, 0.03, 0.0], [20.0, 1.0, 0.5]),
            prediction_type=PREDICTIONS,
            timestep_type=("discrete", "continuous"),
        ),
        *SIXTEEN_BITS,
    ],
    "HeunDiscreteScheduler": [
        *BETAS,
        *each(num_train_timesteps=(10, 50, 100, 1100)),
        *each(beta_schedule=("scaled_linear", "squaredcos_cap_v2", "exp")),
        *grid(STABLE_DIFFUSION, steps_offset=(0, 1), timestep_spacing=("leading",)),
        *grid(clip_sample=(True,), clip_sample_range=(1.0, 2.0, 3.0), prediction_type=PREDICTIONS),
        *with_sigmas(grid(STABLE_DIFFUSION, prediction_type=PREDICTIONS, timestep_spacing=SPACINGS)),
        *grid(
            STABLE_DIFFUSION,
            _timesteps=([900, 650, 400, 30, 1], [999]),
            prediction_type=PREDICTIONS,
        ),
        *SIXTEEN_BITS,
    ],
    "LMSDiscreteScheduler": [
        *BETAS,
        *each(num_train_timesteps=(10, 50, 100, 1100), beta_schedule=("scaled_linear",)),
        *grid(STABLE_DIFFUSION, steps_offset=(0, 1), timestep_spacing=("leading",)),
        *with_sigmas(grid(STABLE_DIFFUSION, prediction_type=PREDICTIONS, timestep_spacing=SPACINGS)),
        *SIXTEEN_BITS,
    ],
    # A run with steps of Runge and Kutta that begins in the middle transfers samples over a great part of
    # the schedule, up to 1e4 times as large: float32 does not hold the result, diffusers' own neither.
    "PNDMScheduler": [
        *[row for row in grid(_steps=(10, 27, 50), _start=(3, 4), timestep_spacing=SPACINGS,
                              prediction_type=("epsilon", "v_prediction"),
                              set_alpha_to_one=(True, False)) if row["_steps"] > 10 or row["_start"] == 3],
        *grid({"_start": 0}, _steps=(4, 5), timestep_spacing=("leading", "trailing")),
        *grid({"skip_prk_steps": True}, _steps=(1, 5, 10, 50), timestep_spacing=SPACINGS,
              prediction_type=("epsilon", "v_prediction"), set_alpha_to_one=(True, False)),
        *grid({**STABLE_DIFFUSION, "steps_offset": 1, "skip_prk_steps": True}, _steps=(3, 10, 50, 100)),
        *grid({"_start": 4}, _steps=(10, 50), num_train_timesteps=(100, 1000), steps_offset=(0, 1),
              beta_schedule=("linear", "squaredcos_cap_v2"), skip_prk_steps=(False, True)),
        *grid({"skip_prk_steps": True}, _steps=(2, 3)),
        *grid({"_start": 0}, _steps=(10,), beta_start=(0.01,), set_alpha_to_one=(False, True)),
        *grid({"_steps": 10, "skip_prk_steps": True}, _dtype=("float16",)),
        *[{**row, "_steps": 10, "_start": 4} for row in BETAS],
        *grid(_steps=(100, 999, 1000), skip_prk_steps=(True,)),
    ],
    "UniPCMultistepScheduler": [
        {},
        *[{**row, "final_sigmas_type": "sigma_min"} for row in BETAS],
        {"trained_betas": [0.001 * (i + 1) for i in range(20)], "num_train_timesteps": 20},
        *grid(num_train_timesteps=(25, 50, 100, 999), beta_schedule=("linear", "squaredcos_cap_v2")),
        *grid(num_train_timesteps=(100, 999), steps_offset=(0, 1), timestep_spacing=("leading",)),
        *grid(STABLE_DIFFUSION, prediction_type=PREDICTIONS, timestep_spacing=SPACINGS,
              final_sigmas_type=("zero", "sigma_min"), rescale_betas_zero_snr=(False, True)),
        *grid({"final_sigmas_type": "sigma_min"}, solver_order=(1, 2, 3), solver_type=("bh1", "bh2"),
              prediction_type=PREDICTIONS, lower_order_final=(True, False)),
        # Not the third order up to the end: one bit of the levels changes its result by 7e-4.
        *grid({"final_sigmas_type": "sigma_min", "predict_x0": False}, solver_order=(1, 2, 3),
              solver_type=("bh1", "bh2"), prediction_type=PREDICTIONS),
        *grid({"final_sigmas_type": "sigma_min", "predict_x0": False, "lower_order_final": False},
              solver_order=(1, 2), solver_type=("bh1", "bh2"), prediction_type=PREDICTIONS),
        # With bh1 diffusers' last step to no noise at all is no number: infinity times 0.
        *grid(solver_order=(1, 2, 3), prediction_type=PREDICTIONS),
        *grid({"thresholding": True, "final_sigmas_type": "sigma_min"}, sample_max_value=(0.5, 1.0, 2.0), solver_order=(1, 2, 3),
              solver_type=("bh1", "bh2"), prediction_type=("epsilon", "sample")),
        *grid(disable_corrector=([0], [0, 2, 3], list(range(1000))), solver_order=(2, 3)),
        *each(solver_type=("midpoint", "heun", "logrho")),
        *with_sigmas(grid(STABLE_DIFFUSION, prediction_type=PREDICTIONS, solver_order=(2, 3),
                          final_sigmas_type=("zero", "sigma_min"))),
        *with_sigmas([{"sigma_min": 0.1, "sigma_max": 10.0}]),
        *grid({"use_flow_sigmas": True}, _steps=(3, 10, 50), flow_shift=(1.0, 3.0), shift_terminal=(None, 0.1),
              prediction_type=("flow_prediction", "epsilon"), final_sigmas_type=("zero", "sigma_min")),
        *grid({"use_flow_sigmas": True, "use_karras_sigmas": True}, _steps=(5, 10, 50),
              prediction_type=("flow_prediction",), final_sigmas_type=("zero", "sigma_min")),
        {"use_flow_sigmas": True, "use_karras_sigmas": True, "sigma_min": 0.01, "sigma_max": 200.0},
        *SIXTEEN_BITS,
        *each(_steps=(2, 5, 7, 14, 15, 100, 999)),
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
    """What a denoising loop from a place in the timesteps on gives, and the magnitude that differences
    are to be seen against.

    That is the result's own, and that of the sample before it: where the model says nothing, at
    timestep 0, the last step subtracts the sample from itself. And with noise levels in the thousands,
    what rounding leaves of the first sample.
    """
    first = sample
    draws = itertools.cycle(DRAWS)
    module = sys.modules[type(scheduler).__module__]
    module.randn_tensor = lambda *_, dtype=None, **__: next(draws).to(dtype or torch.float32)
    if hasattr(scheduler, "set_begin_index"):
        # Or it would look for the timestep, and run past the end where that stands twice.
        scheduler.set_begin_index(start)
    for timestep in scheduler.timesteps[start:]:
        output = model(scheduler.scale_model_input(sample, timestep), timestep)
        if str(scheduler.config.get("variance_type")).startswith("learned"):
            output = with_variance(output)
        before, sample = sample, scheduler.step(output, timestep, sample, **arguments).prev_sample
    scale = max(tensor.abs().max().item() for tensor in (sample, before, first / 1000))
    result = packed(sample)
    return {"result": result, "scale": scale if result else 0}


def answer(name, row, steps):
    options = {key: value for key, value in row.items() if not key.startswith("_")}
    arguments = {"eta": row["_eta"]} if "_eta" in row else {}
    dtype = row.get("_dtype", "float32")
    sample, noise = SAMPLE.to(getattr(torch, dtype)), NOISE.to(getattr(torch, dtype))

    def ready():
        scheduler = getattr(diffusers, name)(**options)
        custom = {key: row[f"_{key}"] for key in ("timesteps", "sigmas") if f"_{key}" in row}
        scheduler.set_timesteps(None if custom else steps, **custom)
        return scheduler

    scheduler = ready()
    timesteps = scheduler.timesteps
    count = len(timesteps)
    start = row.get("_start", count // 2)
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
        "customTimesteps": row.get("_timesteps"),
        "customSigmas": row.get("_sigmas"),
        "eta": row.get("_eta", 0.0),
        "dtype": dtype,
        "timesteps": timesteps.tolist(),
        "sigmas": scheduler.sigmas.tolist() if hasattr(scheduler, "sigmas") else [],
        "initialNoiseSigma": float(scheduler.init_noise_sigma),
        "loop": run(scheduler, first, 0, **arguments),
        "noised": [packed(tensor) for tensor in noised],
        "start": start,
        "fromStart": run(ready(), middle, start, **arguments),
    }


if __name__ == "__main__":
    (name,) = sys.argv[1:]
    cases = []
    for row in ROWS[name]:
        trained = row.get("num_train_timesteps", 1000)
        custom = row.get("_timesteps") or row.get("_sigmas", ())[1:]
        for steps in (len(custom),) if custom else (row["_steps"],) if "_steps" in row else STEPS:
            # With an offset the first of as many steps as training had would lie past its end.
            if steps + row.get("steps_offset", 0) <= trained:
                cases.append(answer(name, row, steps))
    inputs = {"sample": packed(SAMPLE), "noise": packed(NOISE)}
    draws = [packed(draw) for draw in DRAWS]
    json.dump({**inputs, "draws": draws, "cases": cases}, sys.stdout, allow_nan=False)
