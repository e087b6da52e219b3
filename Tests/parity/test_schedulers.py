"""The schedulers do what diffusers' classes of the same names do, called in the same way."""

from __future__ import annotations

import copy
import gc
import inspect
import json
import math
import pickle
import resource
import threading
from types import SimpleNamespace

import diffusers
import numpy as np
import pytest
import torch

pytestmark = pytest.mark.ours

NAMES = [
    "DDIMScheduler",
    "DDPMScheduler",
    "PNDMScheduler",
    "LMSDiscreteScheduler",
    "EulerDiscreteScheduler",
    "EulerAncestralDiscreteScheduler",
    "HeunDiscreteScheduler",
    "DPMSolverMultistepScheduler",
    "UniPCMultistepScheduler",
]
WITH_SIGMAS = NAMES[3:]
FLOAT_TIMESTEPS = NAMES[3:7]
ONE_RESULT = ["PNDMScheduler", "DPMSolverMultistepScheduler", "UniPCMultistepScheduler"]
STABLE_DIFFUSION = {
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
    "num_train_timesteps": 1000,
    "set_alpha_to_one": False,
    "skip_prk_steps": True,
    "steps_offset": 1,
    "clip_sample": False,
    "trained_betas": None,
    "timestep_spacing": "leading",
}
CONFIGS = {"defaults": {}, "Stable Diffusion": STABLE_DIFFUSION}
#: Of the largest magnitude, after a run. float32 holds 2**-24 of a number; rounding once more after each
#: of ten steps, and some bits of a coefficient, leave this. 16 bits: a few units in the last place.
LIMITS = {torch.float32: 5e-5, torch.float16: 0.01, torch.bfloat16: 0.06}


@pytest.fixture(scope="module")
def module(subject):
    import gpi_pack.diffusion

    return gpi_pack.diffusion


def pair(module, name, config=None):
    """The same scheduler of ours and of diffusers."""
    config = {} if config is None else config
    return (
        getattr(module, name).from_config(config),
        getattr(diffusers, name).from_config(config),
    )


def generator(seed=0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def noise(*shape, seed=0, dtype=torch.float32) -> torch.Tensor:
    return torch.randn(shape, generator=generator(seed), dtype=dtype)


def model(sample: torch.Tensor, timestep) -> torch.Tensor:
    """Stands for a UNet: smooth, of the magnitude of noise, different at each timestep."""
    return (0.7 * torch.tanh(sample) + 0.05 * math.sin(float(timestep))).to(sample.dtype)


def run(scheduler, steps=10, start=0, dtype=torch.float32, seeds=None, batch=2, **options):
    """A whole loop as tutorials write it: the last sample, and all that the steps gave."""
    scheduler.set_timesteps(steps)
    if "generator" in inspect.signature(scheduler.step).parameters and seeds is not None:
        made = [generator(seed) for seed in seeds] if isinstance(seeds, list) else generator(seeds)
        options["generator"] = made
    sample = noise(batch, 4, 8, 8, seed=7).to(dtype) * scheduler.init_noise_sigma
    outputs = []
    for timestep in scheduler.timesteps[start:]:
        scaled = scheduler.scale_model_input(sample, timestep)
        output = scheduler.step(model(scaled, timestep), timestep, sample, **options)
        sample = output.prev_sample
        outputs.append(output)
    return sample, outputs


def assert_close(ours: torch.Tensor, theirs: torch.Tensor, limit=None):
    assert ours.dtype == theirs.dtype
    assert ours.shape == theirs.shape
    limit = LIMITS[ours.dtype] if limit is None else limit
    assert (ours.float() - theirs.float()).abs().max() <= limit * theirs.float().abs().max()


# What there is


def test_all_are_there(module):
    found = [name for name in dir(module) if name.endswith("Scheduler") and name != "Scheduler"]
    assert sorted(found) == sorted(NAMES)
    for name in NAMES:
        kind = getattr(module, name)
        assert issubclass(kind, module.Scheduler)
        assert kind.__module__ == "gpi_pack.diffusion"
        assert kind.__doc__
        assert str(inspect.signature(kind)) == "(**settings)"
    for method in "from_config from_pretrained save_config save_pretrained set_timesteps \
            scale_model_input step add_noise".split():
        assert getattr(module.Scheduler, method).__doc__
        assert inspect.signature(getattr(module.Scheduler, method))


@pytest.mark.parametrize("name", NAMES)
def test_settings_have_the_defaults_of_diffusers(name, module):
    ours, theirs = pair(module, name)
    for key, value in ours.config.items():
        if not key.startswith("_"):
            assert value == theirs.config[key], key
    assert ours.config["_class_name"] == name
    assert len(ours) == len(theirs) == 1000
    assert ours.order == theirs.order


def test_config_does_not_change(module):
    config = module.DDIMScheduler(beta_start=0.001).config
    assert config.beta_start == config["beta_start"] == dict(config)["beta_start"] == 0.001
    assert isinstance(config, dict)
    for change in (
        lambda: config.update(beta_start=1),
        lambda: config.pop("beta_start"),
        lambda: config.popitem(),
        lambda: config.clear(),
        lambda: config.setdefault("x", 1),
        lambda: config.__setitem__("beta_start", 1),
        lambda: config.__delitem__("beta_start"),
        lambda: config.__ior__({"beta_start": 1}),
    ):
        with pytest.raises(TypeError, match="does not change"):
            change()
    with pytest.raises(AttributeError):
        config.beta_start = 1
    with pytest.raises(AttributeError, match="no_such_key"):
        _ = config.no_such_key
    assert config.beta_start == 0.001
    for twin in copy.copy(config), copy.deepcopy(config), pickle.loads(pickle.dumps(config)):
        assert twin == config and type(twin) is type(config)


def test_representation(module):
    text = repr(module.EulerDiscreteScheduler(beta_end=0.012))
    name, settings = text.split(" ", 1)
    assert name == "EulerDiscreteScheduler"
    assert json.loads(settings)["beta_end"] == 0.012
    assert "_use_default_values" not in settings


def test_settings_of_numpy_and_torch(module):
    betas = np.linspace(0.001, 0.02, 20, dtype=np.float32)
    for given in betas, torch.from_numpy(betas), betas.tolist(), tuple(betas):
        scheduler = module.DDIMScheduler(
            trained_betas=given, num_train_timesteps=np.int64(20), clip_sample=np.bool_(False)
        )
        assert scheduler.config.trained_betas == betas.tolist()
        assert len(scheduler) == 20
        assert scheduler.config.clip_sample is False


def test_infinity(module):
    for value in -math.inf, -5.1:
        ours, theirs = pair(module, "DPMSolverMultistepScheduler", {"lambda_min_clipped": value})
        assert ours.config.lambda_min_clipped == theirs.config.lambda_min_clipped == value


# Timesteps


@pytest.mark.parametrize("steps", [1, 2, 7, 10, 50])
@pytest.mark.parametrize("config", CONFIGS)
@pytest.mark.parametrize("name", NAMES)
def test_timesteps(name, config, steps, module):
    ours, theirs = pair(module, name, CONFIGS[config])
    if name == "PNDMScheduler" and not theirs.config.skip_prk_steps and steps < 4:
        with pytest.raises(ValueError, match="4 or more"):
            ours.set_timesteps(steps)
        return
    ours.set_timesteps(steps)
    theirs.set_timesteps(steps)
    assert ours.timesteps.dtype == theirs.timesteps.dtype
    assert torch.equal(ours.timesteps, theirs.timesteps)
    assert ours.timesteps is ours.timesteps
    assert ours.num_inference_steps == theirs.num_inference_steps == steps
    assert math.isclose(ours.init_noise_sigma, float(theirs.init_noise_sigma), rel_tol=1e-6)
    assert hasattr(ours, "sigmas") == hasattr(theirs, "sigmas") == (name in WITH_SIGMAS)
    if name in WITH_SIGMAS:
        assert ours.sigmas.dtype == torch.float32
        torch.testing.assert_close(ours.sigmas, theirs.sigmas.float(), rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("name", NAMES)
def test_before_the_first_run(name, module):
    scheduler = getattr(module, name)()
    assert scheduler.num_inference_steps is None
    assert scheduler.step_index is None
    assert len(scheduler.timesteps) in (1000, 1999)
    assert scheduler.timesteps[0] == 999


def test_device_of_timesteps(module):
    scheduler = module.DDIMScheduler()
    for device in None, "cpu", torch.device("cpu"):
        scheduler.set_timesteps(5, device=device)
        assert scheduler.timesteps.device == torch.device("cpu")
    scheduler.set_timesteps(5, device="meta")
    assert scheduler.timesteps.device.type == "meta"


# Runs


@pytest.mark.parametrize("config", CONFIGS)
@pytest.mark.parametrize("name", NAMES)
def test_run(name, config, module):
    ours, theirs = pair(module, name, CONFIGS[config])
    sample, outputs = run(ours, seeds=3)
    expected, expected_outputs = run(theirs, seeds=3)
    assert_close(sample, expected)
    assert len(outputs) == len(expected_outputs)
    for output, wanted in zip(outputs, expected_outputs, strict=True):
        assert list(output.keys()) == list(wanted.keys())
        for key in wanted:
            assert_close(output[key], wanted[key])
    if name in WITH_SIGMAS:
        assert ours.step_index == theirs.step_index


@pytest.mark.parametrize("name", NAMES)
def test_second_run(name, module):
    """The history of the first is gone."""
    scheduler = getattr(module, name).from_config(STABLE_DIFFUSION)
    first, _ = run(scheduler, seeds=3)
    run(scheduler, steps=6, seeds=4)
    again, _ = run(scheduler, seeds=3)
    assert torch.equal(first, again)


@pytest.mark.parametrize("start", [3, 4])
@pytest.mark.parametrize("name", NAMES)
def test_run_from_the_middle(name, start, module):
    """As from a picture. Heun's begin at the second of two equal timesteps, as in diffusers."""
    ours, theirs = pair(module, name, STABLE_DIFFUSION)
    start *= ours.order
    assert_close(run(ours, start=start, seeds=3)[0], run(theirs, start=start, seeds=3)[0])


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16], ids=str)
@pytest.mark.parametrize("name", NAMES)
def test_sixteen_bits(name, dtype, module):
    ours, theirs = pair(module, name, STABLE_DIFFUSION)
    sample, outputs = run(ours, dtype=dtype, seeds=3)
    expected, expected_outputs = run(theirs, dtype=dtype, seeds=3)
    assert_close(sample, expected)
    for output, wanted in zip(outputs, expected_outputs, strict=True):
        assert [value.dtype for value in output.values()] == [
            value.dtype for value in wanted.values()
        ]


@pytest.mark.parametrize(
    "name,config,options",
    [
        ("DDIMScheduler", {}, {"eta": 0.5}),
        ("DDPMScheduler", {}, {}),
        ("EulerAncestralDiscreteScheduler", {}, {}),
        ("DPMSolverMultistepScheduler", {"algorithm_type": "sde-dpmsolver++"}, {}),
    ],
)
@pytest.mark.parametrize("seeds", [5, [5, 6], [5]], ids=str)
def test_seeds(name, config, options, seeds, module):
    ours, theirs = pair(module, name, config)
    batch = len(seeds) if isinstance(seeds, list) else 2
    sample, _ = run(ours, seeds=seeds, batch=batch, **options)
    assert_close(sample, run(theirs, seeds=seeds, batch=batch, **options)[0])
    other, _ = run(ours, seeds=8, batch=batch, **options)
    assert not torch.allclose(sample, other)


def test_generator_of_the_process(module):
    ours, theirs = pair(module, "EulerAncestralDiscreteScheduler")
    torch.manual_seed(11)
    sample, _ = run(ours)
    after = torch.rand(1)
    torch.manual_seed(11)
    assert_close(sample, run(theirs)[0])
    assert torch.equal(after, torch.rand(1))


def test_noise_of_the_caller(module):
    ours, theirs = pair(module, "DDIMScheduler")
    for scheduler in ours, theirs:
        scheduler.set_timesteps(10)
    arguments = noise(2, 4, 8, 8), ours.timesteps[3], noise(2, 4, 8, 8, seed=1)
    given = noise(2, 4, 8, 8, seed=2)
    options = {"eta": 1.0, "variance_noise": given}
    assert_close(
        ours.step(*arguments, **options).prev_sample, theirs.step(*arguments, **options).prev_sample
    )


@pytest.mark.parametrize("name", NAMES)
def test_timestep_in_any_form(name, module):
    results = []
    for form in (lambda t: t, float, lambda t: np.float32(t), lambda t: t.reshape(1)):
        scheduler = getattr(module, name)(**{})
        scheduler.set_timesteps(10)
        timestep = form(scheduler.timesteps[4])
        results.append(
            scheduler.step(
                noise(1, 4, 8, 8), timestep, noise(1, 4, 8, 8, seed=1), generator=generator()
            ).prev_sample
        )
    assert all(torch.equal(results[0], result) for result in results)


@pytest.mark.parametrize("name", NAMES)
def test_place_in_place_of_a_timestep(name, module):
    """Old tutorials pass it; diffusers refuses whole numbers, or misreads them if they occur."""
    scheduler = getattr(module, name)()
    scheduler.set_timesteps(50)
    sample = noise(1, 4, 8, 8)
    if name in ("EulerDiscreteScheduler", "EulerAncestralDiscreteScheduler"):
        for place in 999, torch.tensor(999), torch.tensor(999, dtype=torch.int32):
            with pytest.raises(
                ValueError, match=r"^timestep: .* takes one of scheduler\.timesteps"
            ):
                scheduler.step(sample, place, sample)
    with pytest.raises(ValueError, match=r"^timestep: "):
        scheduler.step(sample, 3, sample)


def test_a_run_ends(module):
    scheduler = module.LMSDiscreteScheduler()
    sample, _ = run(scheduler, steps=5)
    with pytest.raises(ValueError, match=r"^timestep: all 5 .* set_timesteps"):
        scheduler.step(sample, scheduler.timesteps[0], sample)


# Results


@pytest.mark.parametrize("name", NAMES)
def test_output(name, module):
    ours, theirs = pair(module, name)
    results = {}
    for scheduler in ours, theirs:
        scheduler.set_timesteps(10)
        arguments = noise(1, 4, 8, 8), scheduler.timesteps[0], noise(1, 4, 8, 8, seed=1)
        results[scheduler] = copy.deepcopy(scheduler).step(*arguments)
        plain = copy.deepcopy(scheduler).step(*arguments, return_dict=False)
        assert type(plain) is tuple
        assert len(plain) == (1 if name in ONE_RESULT else 2)
    output, wanted = results[ours], results[theirs]
    assert output.prev_sample is output["prev_sample"] is output[0] is output.to_tuple()[0]
    assert list(output) == list(wanted) == list(output.keys())
    assert len(output) == len(wanted) == len(output[:])
    assert "prev_sample" in output and "x" not in output
    assert output.get("x") is None and output.get("x", 1) == 1
    assert dict(output.items()).keys() == dict(wanted.items()).keys()
    assert repr(output).startswith("Output(")
    assert hasattr(output, "pred_original_sample") == hasattr(wanted, "pred_original_sample")
    with pytest.raises(KeyError):
        output["x"]
    with pytest.raises(IndexError):
        output[2]
    with pytest.raises(AttributeError, match="'x'"):
        _ = output.x
    with pytest.raises(TypeError):
        type(output)()
    # It outlives what it came from.
    del ours, results
    gc.collect()
    assert output.prev_sample.isfinite().all()


@pytest.mark.parametrize("name", NAMES)
def test_copies_go_on_alone(name, module):
    scheduler = getattr(module, name).from_config(STABLE_DIFFUSION)
    scheduler.set_timesteps(10)
    sample = noise(1, 4, 8, 8)
    for timestep in scheduler.timesteps[:3]:
        sample = scheduler.step(model(sample, timestep), timestep, sample)[0]
    timestep = scheduler.timesteps[3]
    ends = []
    for one in copy.copy(scheduler), copy.deepcopy(scheduler), scheduler:
        assert one.num_inference_steps == 10
        assert one.step_index == (3 if name in WITH_SIGMAS else None)
        output = one.step(model(sample, timestep), timestep, sample, generator=generator())
        ends.append(output.prev_sample)
    assert torch.equal(ends[0], ends[2]) and torch.equal(ends[1], ends[2])


# Noise


@pytest.mark.parametrize("name", NAMES)
def test_add_noise(name, module):
    ours, theirs = pair(module, name, STABLE_DIFFUSION)
    for scheduler in ours, theirs:
        scheduler.set_timesteps(10)
    samples, epsilon = noise(3, 4, 8, 8), noise(3, 4, 8, 8, seed=1)
    timesteps = ours.timesteps[[0, 4, 7]]
    expected = theirs.add_noise(samples, epsilon, timesteps)
    for form in timesteps, timesteps.tolist(), timesteps.numpy():
        assert_close(ours.add_noise(samples, epsilon, form), expected, limit=1e-5)
    expected = theirs.add_noise(samples, epsilon, timesteps[1:2])
    for form in timesteps[1:2], timesteps[1], float(timesteps[1]), [float(timesteps[1])]:
        assert_close(ours.add_noise(samples, epsilon, form), expected, limit=1e-5)


@pytest.mark.parametrize("name", NAMES[:3])
def test_add_noise_of_any_timestep_of_training(name, module):
    ours, theirs = pair(module, name)
    ours.set_timesteps(10)
    samples, epsilon = noise(2, 4, 8, 8), noise(2, 4, 8, 8, seed=1)
    timesteps = torch.tensor([0, 778])
    assert_close(
        ours.add_noise(samples, epsilon, timesteps), theirs.add_noise(samples, epsilon, timesteps)
    )


@pytest.mark.parametrize("kind", [torch.float64, torch.float16], ids=str)
def test_tensors_of_any_kind(kind, module):
    """Strides, gradients, and types that the core has not."""
    scheduler = module.DDIMScheduler()
    scheduler.set_timesteps(10)
    sample = noise(8, 8, 4, 1).to(kind).permute(3, 2, 0, 1).requires_grad_()
    output = scheduler.step(sample, scheduler.timesteps[0], sample)
    assert output.prev_sample.dtype == (torch.float32 if kind == torch.float64 else kind)
    assert not output.prev_sample.requires_grad


# Configurations


@pytest.mark.parametrize("source", NAMES)
@pytest.mark.parametrize("target", NAMES)
def test_from_config_across_classes(source, target, module):
    """Each from each, of ours and of diffusers, with the values that diffusers would take."""
    given = {key: value for key, value in STABLE_DIFFUSION.items() if key != "set_alpha_to_one"}
    theirs = getattr(diffusers, source).from_config(given)
    ours = getattr(module, source).from_config(given)
    wanted = getattr(diffusers, target).from_config(theirs.config, prediction_type="v_prediction")
    for config in theirs.config, theirs, ours.config, ours, dict(ours.config):
        made = getattr(module, target).from_config(config, prediction_type="v_prediction")
        for key, value in made.config.items():
            if not key.startswith("_"):
                assert value == wanted.config[key], key
        assert made.config["_class_name"] == target
    made = getattr(diffusers, target).from_config(ours.config, prediction_type="v_prediction")
    for key, value in made.config.items():
        if not key.startswith("_"):
            assert value == wanted.config[key], key


def test_settings_of_other_classes_are_kept(module):
    first = module.DDIMScheduler(clip_sample_range=2.0, set_alpha_to_one=False)
    second = module.EulerDiscreteScheduler.from_config(first)
    assert second.config.clip_sample_range == 2
    third = module.DDIMScheduler.from_config(second.config)
    assert third.config.clip_sample_range == 2
    assert third.config.set_alpha_to_one is False


def test_base_takes_the_class_of_the_configuration(module):
    for name in NAMES:
        ours, theirs = pair(module, name)
        for config in ours.config, ours, theirs:
            assert type(module.Scheduler.from_config(config)) is getattr(module, name)
    with pytest.raises(ValueError, match="_class_name"):
        module.Scheduler.from_config({})
    with pytest.raises(TypeError, match=r"DDIMScheduler, .*make one of these"):
        module.Scheduler()


@pytest.mark.parametrize("name", NAMES)
def test_files(name, module, tmp_path):
    ours = getattr(module, name).from_config(STABLE_DIFFUSION, unknown=[1, "x"])
    ours.save_pretrained(tmp_path / "model" / "scheduler")
    assert [path.name for path in (tmp_path / "model" / "scheduler").iterdir()] == [
        "scheduler_config.json"
    ]
    theirs = getattr(diffusers, name).from_pretrained(tmp_path / "model", subfolder="scheduler")
    for key, value in ours.config.items():
        if not key.startswith("_"):
            assert theirs.config[key] == value
    theirs.save_pretrained(tmp_path / "theirs")
    ours.save_config(str(tmp_path / "ours"))
    for folder, subfolder in (("ours", None), ("theirs", None), ("model", "scheduler")):
        for kind in getattr(module, name), module.Scheduler:
            again = kind.from_pretrained(str(tmp_path / folder), subfolder=subfolder)
            assert type(again) is type(ours)
            for key, value in ours.config.items():
                if not key.startswith("_"):
                    assert again.config[key] == value


def test_model_of_the_hub(module, tmp_path, monkeypatch):
    """Nothing but the scheduler's file is fetched."""
    import huggingface_hub

    module.PNDMScheduler(beta_end=0.012).save_pretrained(tmp_path / "scheduler")
    asked = []

    def snapshot_download(model_id, **options):
        asked.append((model_id, options["cache_dir"], options["allow_patterns"]))
        return str(tmp_path)

    files = ["scheduler/scheduler_config.json", "unet/diffusion_pytorch_model.bin"]
    info = SimpleNamespace(siblings=[SimpleNamespace(rfilename=name) for name in files])
    monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot_download)
    monkeypatch.setattr(huggingface_hub.HfApi, "model_info", lambda *_, **options: info)
    scheduler = module.Scheduler.from_pretrained("a/b", subfolder="scheduler", cache_dir=tmp_path)
    assert type(scheduler) is module.PNDMScheduler
    assert scheduler.config.beta_end == 0.012
    assert asked == [("a/b", str(tmp_path), ["scheduler/scheduler_config.json"])]


def test_folders_without_a_scheduler(module, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"^model_id: there is no scheduler_config\.json"):
        module.DDIMScheduler.from_pretrained(tmp_path)
    module.DDIMScheduler().save_config(tmp_path / "scheduler")
    with pytest.raises(FileNotFoundError, match=r'pass subfolder="scheduler"'):
        module.DDIMScheduler.from_pretrained(tmp_path)
    with pytest.raises(FileNotFoundError, match=r"^model_id: there is no folder"):
        module.DDIMScheduler.from_pretrained("./no/such/folder")
    with pytest.raises(FileNotFoundError, match=r"^model_id: "):
        module.DDIMScheduler.from_pretrained("no-such-owner/no-such-model")
    file = tmp_path / "scheduler_config.json"
    for text in "", "{", "[]", "3", '{"beta_start": "x"}', '{"num_train_timesteps": {}}', "\xff":
        file.write_text(text, encoding="latin-1")
        with pytest.raises((ValueError, TypeError)) as raised:
            module.DDIMScheduler.from_pretrained(tmp_path)
        assert str(file) in str(raised.value) or "num_train_timesteps" in str(raised.value)


# Errors


def step(scheduler, **changed):
    scheduler.set_timesteps(10)
    arguments = {
        "model_output": noise(2, 4, 8, 8),
        "timestep": scheduler.timesteps[2],
        "sample": noise(2, 4, 8, 8, seed=1),
    }
    return scheduler.step(**(arguments | changed))


TWO = [torch.Generator(), torch.Generator()]
BAD_INPUT = [
    # What is called, the exception, what its text names.
    (lambda m: m.DDIMScheduler(beta_strt=1), TypeError, "'beta_strt'.*beta_start"),
    (lambda m: m.DDIMScheduler(1000), TypeError, "by keyword"),
    (lambda m: m.DDIMScheduler(beta_start="x"), ValueError, "beta_start"),
    (lambda m: m.DDIMScheduler(beta_start={}), TypeError, "beta_start"),
    (lambda m: m.DDIMScheduler(beta_start=object()), TypeError, "beta_start"),
    (lambda m: m.DDIMScheduler(beta_start=np.float32), TypeError, "beta_start"),
    (lambda m: m.DDIMScheduler(beta_start=math.nan), ValueError, "beta_start"),
    (lambda m: m.DDIMScheduler(beta_end=-math.inf), ValueError, "beta_end"),
    (lambda m: m.DDIMScheduler(trained_betas=["x"]), TypeError, "trained_betas"),
    (lambda m: m.DDIMScheduler(trained_betas=[[0.1]]), TypeError, "trained_betas"),
    (lambda m: m.DDIMScheduler(trained_betas=[]), ValueError, "trained_betas"),
    (lambda m: m.DDIMScheduler(beta_schedule="foo"), ValueError, "beta_schedule.*scaled_linear"),
    (lambda m: m.DDIMScheduler(beta_schedule="\ud800"), ValueError, "beta_schedule"),
    (lambda m: m.DDIMScheduler(num_train_timesteps=10**400), ValueError, "num_train_timesteps"),
    (lambda m: m.DDIMScheduler(num_train_timesteps=0), ValueError, "num_train_timesteps"),
    (lambda m: m.DDIMScheduler.from_config(3), TypeError, "^config "),
    (lambda m: m.DDIMScheduler.from_config("folder"), TypeError, "^config "),
    (lambda m: m.DDIMScheduler.from_config(None), TypeError, "^config "),
    (lambda m: m.DDIMScheduler.from_config(), TypeError, "one config"),
    (lambda m: m.DDIMScheduler.from_config({}, {}), TypeError, "one config"),
    (lambda m: m.DDIMScheduler.from_config({3: 4}), TypeError, "must be str, not 3"),
    (lambda m: m.DDIMScheduler.from_config({"beta_end": []}, beta_end=[1]), ValueError, "beta_end"),
    (lambda m: m.Scheduler.from_config({"_class_name": "X"}), ValueError, "X.*DDIMScheduler"),
    (lambda m: m.Scheduler.from_config({"_class_name": 3}), ValueError, "_class_name"),
    (lambda m: m.DDIMScheduler.from_pretrained(3), TypeError, "^model_id "),
    (lambda m: m.DDIMScheduler.from_pretrained(""), ValueError, "^model_id "),
    (lambda m: m.DDIMScheduler.from_pretrained(".", subfolder=3), TypeError, "^subfolder "),
    (lambda m: m.DDIMScheduler.from_pretrained(".", cache_dir=3), TypeError, "^cache_dir "),
    (lambda m: m.DDIMScheduler().save_config(3), TypeError, "^save_directory "),
    (lambda m: m.DDIMScheduler().save_config("/dev/null/x"), OSError, "^.*save_directory"),
    (lambda m: m.DDIMScheduler().set_timesteps(0), ValueError, "^num_inference_steps "),
    (lambda m: m.DDIMScheduler().set_timesteps(1001), ValueError, "^num_inference_steps"),
    (lambda m: m.DDIMScheduler().set_timesteps(2**70), ValueError, "^num_inference_steps "),
    (lambda m: m.DDIMScheduler().set_timesteps("x"), TypeError, "^num_inference_steps "),
    (lambda m: m.DDIMScheduler().set_timesteps(2.5), TypeError, "^num_inference_steps "),
    (lambda m: m.DDIMScheduler().set_timesteps(5, device="x"), Exception, "^device"),
    (lambda m: m.DDIMScheduler().set_timesteps(5, device=[]), Exception, "^device"),
    (lambda m: step(m.DDIMScheduler(), model_output=3), TypeError, "^model_output "),
    (lambda m: step(m.DDIMScheduler(), sample=None), TypeError, "^sample "),
    (lambda m: step(m.DDIMScheduler(), sample=torch.ones(2, dtype=int)), TypeError, "^sample "),
    (lambda m: step(m.DDIMScheduler(), sample=noise(5)), RuntimeError, "^model_output and sample"),
    (lambda m: step(m.DDIMScheduler(), sample=noise(2, 4).to("meta")), Exception, "^sample"),
    (lambda m: step(m.DDIMScheduler(), timestep=1), ValueError, "^timestep: 1 "),
    (lambda m: step(m.DDIMScheduler(), timestep=-1), ValueError, "^timestep: -1 "),
    (lambda m: step(m.DDIMScheduler(), timestep=math.nan), ValueError, "^timestep: nan "),
    (lambda m: step(m.DDIMScheduler(), timestep=10**400), ValueError, "^timestep: "),
    (lambda m: step(m.DDIMScheduler(), timestep="x"), TypeError, "^timestep "),
    (lambda m: step(m.DDIMScheduler(), timestep=None), TypeError, "^timestep "),
    (lambda m: step(m.DDIMScheduler(), timestep=torch.ones(2)), Exception, "^timestep"),
    (lambda m: step(m.DDIMScheduler(), eta=2), ValueError, "^eta "),
    (lambda m: step(m.DDIMScheduler(), eta=math.nan), ValueError, "^eta "),
    (lambda m: step(m.DDIMScheduler(), eta="x"), TypeError, "^eta "),
    (lambda m: step(m.DDIMScheduler(), generator=3), TypeError, "^generator .*torch.Generator"),
    (lambda m: step(m.DDIMScheduler(), generator=[3]), TypeError, "^generator .*torch.Generator"),
    (lambda m: step(m.DDIMScheduler(), generator=[]), ValueError, "^generator is empty"),
    (lambda m: step(m.DDPMScheduler(), generator=TWO + TWO), ValueError, "^generator is a list"),
    (lambda m: step(m.DDIMScheduler(), variance_noise=3), TypeError, "^variance_noise "),
    (lambda m: step(m.DDIMScheduler(), variance_noise=noise(2), eta=1), ValueError, "noise"),
    (
        lambda m: step(m.DDIMScheduler(), variance_noise=noise(2), generator=TWO[0]),
        ValueError,
        "^generator and variance_noise",
    ),
    (lambda m: m.DDIMScheduler().scale_model_input(3), TypeError, "^sample "),
    (lambda m: m.DDIMScheduler().scale_model_input(noise(2), "x"), TypeError, "^timestep "),
    (lambda m: m.HeunDiscreteScheduler().scale_model_input(noise(2)), TypeError, "^timestep "),
    (lambda m: m.DDIMScheduler().add_noise(3, noise(2), 1), TypeError, "^original_samples "),
    (lambda m: m.DDIMScheduler().add_noise(noise(2), 3, 1), TypeError, "^noise "),
    (lambda m: m.DDIMScheduler().add_noise(noise(2), noise(3), 1), ValueError, "^noise"),
    (lambda m: m.DDIMScheduler().add_noise(noise(2), noise(2), "x"), TypeError, "^timesteps "),
    (lambda m: m.DDIMScheduler().add_noise(noise(2), noise(2), [None]), TypeError, "^timesteps "),
    (lambda m: m.DDIMScheduler().add_noise(noise(2), noise(2), []), ValueError, "^timesteps "),
    (lambda m: m.DDIMScheduler().add_noise(noise(2), noise(2), [1] * 3), ValueError, "^timesteps"),
    (lambda m: m.DDIMScheduler().add_noise(noise(2), noise(2), 5000), ValueError, "timestep"),
    (lambda m: m.DDIMScheduler().add_noise(noise(2), noise(2), -1), ValueError, "timestep"),
    (lambda m: m.DDIMScheduler().add_noise(noise(2), noise(2), 0.5), ValueError, "timestep"),
    (lambda m: m.DDIMScheduler().add_noise(noise(2), noise(2), math.inf), ValueError, "timestep"),
    (lambda m: m.DDIMScheduler().add_noise(noise(2), noise(2), 1e300), ValueError, "timestep"),
    (lambda m: m.DDIMScheduler().sigmas, AttributeError, "sigmas"),
]


@pytest.mark.parametrize("number", range(len(BAD_INPUT)))
def test_bad_input(number, module):
    call, kind, text = BAD_INPUT[number]
    with pytest.raises(kind, match=text) as raised:
        call(module)
    assert not isinstance(raised.value, SystemError)


def test_what_is_no_own_type_is_refused(module, monkeypatch):
    scheduler = module.DDIMScheduler()
    scheduler.set_timesteps(10)
    monkeypatch.setattr(module, "Output", dict)
    with pytest.raises(RuntimeError, match=r"Output was replaced"):
        scheduler.step(noise(1), scheduler.timesteps[0], noise(1))
    monkeypatch.setattr(module, "DDIMScheduler", dict)
    with pytest.raises(RuntimeError, match=r"DDIMScheduler was replaced"):
        module.Scheduler.from_config(scheduler)


def test_the_noise_of_a_step_can_fail(module):
    """The error of the generator is that of the step, and the scheduler lives on."""
    scheduler = module.DDPMScheduler()
    with pytest.raises(ValueError, match=r"^generator is a list of 4"):
        step(scheduler, generator=TWO + TWO)
    assert step(scheduler, generator=TWO).prev_sample.isfinite().all()


# In the interpreter


def test_threads_share_a_scheduler(module):
    """One works, the others wait; each result is that of one thread alone."""
    scheduler = module.DDPMScheduler()
    scheduler.set_timesteps(10)
    sample = noise(4, 4, 64, 64)
    timesteps = list(scheduler.timesteps)
    expected = [
        scheduler.step(sample, timestep, sample, generator=generator()).prev_sample
        for timestep in timesteps
    ]
    wrong = []

    def work():
        for _ in range(5):
            for timestep, wanted in zip(timesteps, expected, strict=True):
                got = scheduler.step(sample, timestep, sample, generator=generator()).prev_sample
                if not torch.equal(got, wanted):
                    wrong.append(timestep)
                len(scheduler.timesteps), scheduler.init_noise_sigma, copy.copy(scheduler)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_use_from_within_a_step(module):
    """Code of the caller's that torch runs for the noise finds the scheduler taken, not torn."""
    from torch.overrides import TorchFunctionMode

    scheduler = module.DDPMScheduler()
    scheduler.set_timesteps(10)
    arguments = noise(1, 4), scheduler.timesteps[0], noise(1, 4)

    class Meddler(TorchFunctionMode):
        def __torch_function__(self, function, types, args=(), kwargs=None):
            if function is torch.randn:
                scheduler.set_timesteps(5)
            return function(*args, **(kwargs or {}))

    with Meddler(), pytest.raises(RuntimeError, match="at work further up in this thread"):
        scheduler.step(*arguments)
    assert len(scheduler.timesteps) == 10


def resident() -> int:
    """Bytes of this process in memory."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize()


@pytest.mark.parametrize("name", NAMES)
def test_memory(name, module):
    sample = noise(1, 4, 64, 64)
    kind = getattr(module, name)

    def loop(count):
        scheduler = kind()
        for _ in range(count // 20):
            scheduler.set_timesteps(20)
            for timestep in scheduler.timesteps:
                scheduler.scale_model_input(sample, timestep)
                scheduler.step(sample, timestep, sample, generator=generator())
            for attempt in (lambda: kind(foo=1), lambda: kind(beta_start="x")):
                with pytest.raises((TypeError, ValueError)):
                    attempt()
            copy.copy(scheduler), repr(scheduler), kind.from_config(scheduler)

    loop(200)
    gc.collect()
    before = resident()
    loop(2000)
    gc.collect()
    assert resident() - before < 4 << 20
