"""DDPMPipeline, DDIMPipeline and UNet2DModel do what diffusers' classes of these names do."""

from __future__ import annotations

import inspect
import os
import shutil
import signal
import threading

import diffusers
import numpy as np
import pytest
import torch
from pipelines import compare_pictures, generator

pytestmark = [pytest.mark.ours]

#: Of the largest magnitude.
LIMIT = 1e-4


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """These models are so small that threads would only wait for each other."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def module():
    import gpi_pack.diffusion

    return gpi_pack.diffusion


def save(folder, scheduler=None, **options):
    torch.manual_seed(0)
    shape = dict(
        sample_size=16,
        block_out_channels=(8, 16),
        down_block_types=("DownBlock2D", "AttnDownBlock2D"),
        up_block_types=("AttnUpBlock2D", "UpBlock2D"),
        layers_per_block=1,
        norm_num_groups=4,
    )
    unet = diffusers.UNet2DModel(**(shape | options))
    with torch.no_grad():
        # Else the pictures are hardly of more than the noise.
        unet.conv_out.weight *= 4
    scheduler = diffusers.DDPMScheduler(**(scheduler or {}))
    diffusers.DDPMPipeline(unet, scheduler).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    folder = tmp_path_factory.mktemp("unconditional")
    flat = folder / "flat"
    plain = save(folder / "plain")
    shutil.copytree(plain / "unet", flat)
    shutil.copy(plain / "scheduler" / "scheduler_config.json", flat)
    shutil.copy(plain / "model_index.json", flat)
    return {
        "plain": plain,
        "flat": flat,
        "wide": save(folder / "wide", dict(prediction_type="v_prediction"), sample_size=(8, 24)),
        "grey": save(folder / "grey", in_channels=1, out_channels=1),
        "learned": save(folder / "learned", dict(variance_type="learned_range"), out_channels=6),
    }


def pipes(module, name, folder):
    ours = getattr(module, name).from_pretrained(folder)
    # Here diffusers' own is quiet about its old layout.
    theirs = getattr(diffusers, name).from_pretrained(folder)
    for pipe in (ours, theirs):
        pipe.set_progress_bar_config(disable=True)
    return ours, theirs


# MARK: - Against diffusers


@pytest.mark.parametrize("output_type", ["pil", "np", "pt"])
@pytest.mark.parametrize("model", ["plain", "flat", "wide", "grey", "learned"])
def test_ddpm(model, output_type, module, models, measured):
    ours, theirs = pipes(module, "DDPMPipeline", models[model])
    options = dict(batch_size=2, num_inference_steps=8, output_type=output_type)
    mine = ours(generator=generator(3), **options).images
    other = theirs(generator=generator(3), **options).images
    if output_type == "pil":
        assert [picture.mode for picture in mine] == [picture.mode for picture in other]
        assert [picture.size for picture in mine] == [picture.size for picture in other]
    compare_pictures(measured, f"DDPMPipeline, {model}", mine, other)


@pytest.mark.parametrize(
    "options", [{}, {"eta": 0.6}, {"eta": 1.0, "use_clipped_model_output": True}]
)
@pytest.mark.parametrize("model", ["plain", "wide"])
def test_ddim(model, options, module, models, measured):
    ours, theirs = pipes(module, "DDIMPipeline", models[model])
    assert type(ours.scheduler) is module.DDIMScheduler
    options = dict(batch_size=2, num_inference_steps=7, output_type="np") | options
    mine = ours(generator=generator(4), **options).images
    other = theirs(generator=generator(4), **options).images
    compare_pictures(measured, f"DDIMPipeline, {model}", mine, other)


def test_a_generator_for_each(module, models, measured):
    ours, theirs = pipes(module, "DDPMPipeline", models["plain"])
    options = dict(batch_size=2, num_inference_steps=5, output_type="np")
    mine = ours(generator=[generator(1), generator(2)], **options).images
    other = theirs(generator=[generator(1), generator(2)], **options).images
    compare_pictures(measured, "DDPMPipeline, generators", mine, other)
    with pytest.raises(ValueError, match="generator"):
        ours(generator=[generator(1)] * 3, **options)


def test_a_seed_is_a_generator(module, models):
    ours, _ = pipes(module, "DDPMPipeline", models["plain"])
    options = dict(num_inference_steps=4, output_type="pt", return_dict=False)
    (mine,) = ours(seed=5, **options)
    (other,) = ours(generator=generator(5), **options)
    assert torch.equal(mine, other)
    (third,) = ours(seed=6, **options)
    assert not torch.equal(mine, third)


def test_the_arguments_stand_where_they_do_in_diffusers(module, models, measured):
    ours, theirs = pipes(module, "DDIMPipeline", models["plain"])
    mine = ours(1, generator(7), 0.5, 5, None, "np").images
    other = theirs(1, generator(7), 0.5, 5, None, "np").images
    compare_pictures(measured, "DDIMPipeline, by places", mine, other)
    ours, theirs = pipes(module, "DDPMPipeline", models["plain"])
    mine, other = ours(1, generator(7), 5, "np", False), theirs(1, generator(7), 5, "np", False)
    assert isinstance(mine, tuple) and len(mine) == len(other) == 1
    parameters = list(inspect.signature(diffusers.DDPMPipeline.__call__).parameters)
    assert parameters[1:] == [
        "batch_size",
        "generator",
        "num_inference_steps",
        "output_type",
        "return_dict",
    ]


def test_other_schedulers(module, models, measured):
    ours, theirs = pipes(module, "DDPMPipeline", models["plain"])
    theirs.scheduler = diffusers.DDIMScheduler.from_config(theirs.scheduler.config)
    ours.scheduler = module.DDIMScheduler.from_config(ours.scheduler.config)
    options = dict(num_inference_steps=6, output_type="np")
    mine = ours(generator=generator(8), **options).images
    other = theirs(generator=generator(8), **options).images
    compare_pictures(measured, "DDPMPipeline, DDIM", mine, other)
    ours.scheduler = theirs.scheduler
    again = ours(generator=generator(8), **options).images
    assert np.array_equal(mine, again)


@pytest.mark.parametrize("timestep", [3, torch.tensor(990), torch.tensor([7, 800])])
def test_the_unet(timestep, module, models, measured):
    ours = module.UNet2DModel.from_pretrained(models["plain"], subfolder="unet")
    theirs = diffusers.UNet2DModel.from_pretrained(models["plain"], subfolder="unet")
    sample = torch.randn(2, 3, 16, 16, generator=generator(0))
    with torch.no_grad():
        expected = theirs(sample, timestep).sample
    measured.latents("UNet2DModel", ours(sample, timestep).sample, expected, LIMIT)
    assert torch.equal(ours(sample, timestep, return_dict=False)[0], ours(sample, timestep)[0])
    for key, value in theirs.config.items():
        if not key.startswith("_") and not isinstance(value, tuple):
            assert ours.config[key] == value, key


def test_a_clipped_step(module):
    ours, theirs = module.DDIMScheduler(), diffusers.DDIMScheduler()
    sample, output = (torch.randn(1, 3, 8, 8, generator=generator(i)) * 2 for i in range(2))
    steps = []
    for scheduler in (ours, theirs):
        scheduler.set_timesteps(10)
        steps.append(scheduler.step(output, 500, sample, use_clipped_model_output=True).prev_sample)
    plain = theirs.step(output, 500, sample).prev_sample
    assert torch.allclose(steps[0], steps[1], atol=1e-5)
    assert not torch.allclose(plain, steps[1], atol=1e-2)


# MARK: - Ours


def test_parts_are_shared(module, models):
    ours, _ = pipes(module, "DDPMPipeline", models["plain"])
    other = module.DDIMPipeline(unet=ours.unet, scheduler=ours.scheduler)
    assert other.unet is ours.unet and set(other.components) == {"unet", "scheduler"}
    assert type(other.scheduler) is module.DDIMScheduler
    replaced = module.DDPMPipeline.from_pretrained(
        models["plain"], unet=ours.unet, scheduler=other.scheduler
    )
    assert replaced.unet is ours.unet and replaced.scheduler is other.scheduler
    assert str(replaced.device) == "cpu" and replaced.dtype == torch.float32
    assert ours.to(torch.bfloat16) is ours and ours.dtype == torch.bfloat16
    picture = ours(num_inference_steps=3, seed=1, output_type="np").images
    assert np.isfinite(picture).all()


def test_callbacks_see_and_change_the_run(module, models):
    ours, _ = pipes(module, "DDPMPipeline", models["plain"])
    seen = []

    def callback(pipe, step, timestep, values):
        assert pipe is ours
        seen.append((step, int(timestep), values["latents"].shape))
        if step == 2:
            pipe._interrupt = True
        return {"latents": values["latents"] * 0}

    images = ours(
        num_inference_steps=5, seed=1, output_type="np", callback_on_step_end=callback
    ).images
    assert seen == [(step, 800 - 200 * step, (1, 3, 16, 16)) for step in range(3)]
    # Grey: the callback left nothing else.
    assert np.array_equal(images, np.full_like(images, 0.5))
    assert ours.num_timesteps == 5

    def failing(*_):
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        ours(num_inference_steps=2, callback_on_step_end=failing)


def test_control_c_ends_a_run(module, models):
    ours, _ = pipes(module, "DDPMPipeline", models["plain"])
    timer = threading.Timer(0.5, lambda: os.kill(os.getpid(), signal.SIGINT))
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        while True:
            ours(batch_size=4, num_inference_steps=1000)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"batch_size": 0}, "batch_size"),
        ({"num_inference_steps": 0}, "num_inference_steps"),
        ({"num_inference_steps": 1001}, "num_inference_steps"),
        ({"output_type": "latent"}, "output_type"),
        ({"seed": 1, "generator": generator(1)}, "seed"),
    ],
)
def test_bad_arguments_are_named(options, message, module, models):
    ours, _ = pipes(module, "DDPMPipeline", models["plain"])
    with pytest.raises(ValueError, match=message):
        ours(**options)


def test_wrong_kinds_are_named(module, models):
    ours, theirs = pipes(module, "DDIMPipeline", models["plain"])
    with pytest.raises(ValueError, match="eta"):
        ours(eta=1.5)
    with pytest.raises(TypeError, match="use_clipped_model_output"):
        ours(use_clipped_model_output="yes")
    with pytest.raises(TypeError, match="unet"):
        module.DDPMPipeline(unet=theirs.unet, scheduler=ours.scheduler)
    with pytest.raises(ValueError, match="class_labels"):
        ours.unet(torch.zeros(1, 3, 16, 16), 0, torch.zeros(1))
    with pytest.raises(ValueError, match="sample"):
        ours.unet(torch.zeros(1, 3, 15, 16), 0)
    with pytest.raises(ValueError, match="timestep"):
        ours.unet(torch.zeros(2, 3, 16, 16), torch.tensor([1, 2, 3]))
    with pytest.raises(TypeError, match="surprise"):
        module.DDPMPipeline.from_pretrained(models["plain"], surprise=1)


def test_models_of_other_kinds_are_named(module, checkpoints, models, tmp_path):
    with pytest.raises(ValueError, match="UNet2DConditionModel"):
        module.DDPMPipeline.from_pretrained(checkpoints.denoising("sd1"))
    with pytest.raises(FileNotFoundError, match="model_id"):
        module.DDPMPipeline.from_pretrained(tmp_path / "none" / "there" / "at all")
    broken = tmp_path / "broken"
    shutil.copytree(models["plain"], broken)
    (broken / "unet" / "config.json").write_text('{"down_block_types": ["SkipDownBlock2D"]}')
    with pytest.raises(ValueError, match="down_block_types"):
        module.DDPMPipeline.from_pretrained(broken)
