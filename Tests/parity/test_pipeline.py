"""StableDiffusionPipeline does what diffusers' class of this name does, called in the same way."""

from __future__ import annotations

import gc
import inspect
import os
import re
import resource
import signal
import subprocess
import sys
import textwrap
import threading
import warnings

import diffusers
import numpy as np
import pytest
import torch
from checkpoints import FAMILIES
from PIL import Image
from pipelines import compare_latents, compare_pictures, generator, ours_from, theirs_from

pytestmark = [
    pytest.mark.ours,
    # Old scheduler files are put right with a warning on both sides.
    pytest.mark.filterwarnings("ignore"),
]

SCHEDULERS = {
    "DDIMScheduler": {},
    "DDPMScheduler": {},
    "PNDMScheduler": {},
    "LMSDiscreteScheduler": {},
    "EulerDiscreteScheduler": {},
    "EulerAncestralDiscreteScheduler": {},
    "HeunDiscreteScheduler": {},
    "DPMSolverMultistepScheduler": {},
    "UniPCMultistepScheduler": {},
    "DPMSolverMultistepScheduler, Karras": {"use_karras_sigmas": True},
    "DPMSolverMultistepScheduler, SDE": {"algorithm_type": "sde-dpmsolver++"},
    "EulerDiscreteScheduler, trailing": {"timestep_spacing": "trailing"},
}
PROMPT = "a photo of a red house by the sea"
PROMPTS = [PROMPT, "two dogs!"]
NEGATIVE = "ugly! blurred"
SIDES = {"height": 72, "width": 56}


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


@pytest.fixture(scope="module")
def pipes(module, checkpoints):
    """Ours and diffusers' for a family, made once; tests leave them as they found them."""
    made = {}

    def get(family="sd1"):
        if family not in made:
            folder = checkpoints.denoising(family)
            made[family] = ours_from(module, folder), theirs_from(folder)
        return made[family]

    return get


@pytest.fixture(scope="module")
def ours(pipes):
    return pipes()[0]


def both(pipes, family, arguments, **options):
    """The outputs of both; `arguments` is called for each, so that each has its own generators."""
    ours, theirs = pipes(family)
    return ours(**arguments(), **options).images, theirs(**arguments(), **options).images


# MARK: - Against diffusers


@pytest.mark.parametrize("name", SCHEDULERS)
@pytest.mark.parametrize("family", FAMILIES)
def test_schedulers(family, name, pipes, module, measured):
    """A batch, several pictures each, a negative prompt, noise of one seed for all of it."""
    ours, theirs = pipes(family)
    kept = ours.scheduler, theirs.scheduler
    class_name = name.split(",")[0]
    options = SCHEDULERS[name]
    try:
        ours.scheduler = getattr(module, class_name).from_config(ours.scheduler.config, **options)
        theirs.scheduler = getattr(diffusers, class_name).from_config(
            theirs.scheduler.config, **options
        )
        for output_type in ("latent", "np"):
            mine, other = both(
                pipes,
                family,
                lambda: {"prompt": PROMPTS, "generator": generator(7)},
                negative_prompt=[NEGATIVE] * 2,
                num_images_per_prompt=2,
                num_inference_steps=6,
                guidance_scale=3,
                output_type=output_type,
                **SIDES,
            )
            compare = compare_latents if output_type == "latent" else compare_pictures
            compare(measured, f"pipeline, {name}", mine, other)
        # One of diffusers' in ours gives the same.
        ours.scheduler = theirs.scheduler
        mine = ours(PROMPT, 64, 64, 3, seed=1, output_type="latent").images
        other = theirs(PROMPT, 64, 64, 3, generator=generator(1), output_type="latent").images
        compare_latents(measured, f"pipeline, {name}", mine, other)
    finally:
        ours.scheduler, theirs.scheduler = kept


CALLS = {
    "defaults": lambda: {"prompt": PROMPT, "generator": generator(0)},
    "one prompt in a list": lambda: {"prompt": [PROMPT], "generator": generator(0)},
    "empty prompt": lambda: {"prompt": "", "generator": generator(0)},
    "no guidance": lambda: {"prompt": PROMPTS, "guidance_scale": 1, "generator": generator(0)},
    "weak guidance": lambda: {"prompt": PROMPT, "guidance_scale": 0.5, "generator": generator(0)},
    "negative prompts": lambda: {
        "prompt": PROMPTS,
        "negative_prompt": [NEGATIVE, "grey"],
        "generator": generator(0),
    },
    "three pictures": lambda: {
        "prompt": PROMPT,
        "num_images_per_prompt": 3,
        "generator": generator(0),
    },
    "generators": lambda: {
        "prompt": PROMPTS,
        "num_images_per_prompt": 2,
        "generator": [generator(seed) for seed in range(4)],
    },
    "eta": lambda: {"prompt": PROMPT, "eta": 0.7, "generator": generator(0)},
    "eta, generators": lambda: {
        "prompt": PROMPTS,
        "eta": 1.0,
        "generator": [generator(3), generator(4)],
    },
    "latents": lambda: {
        "prompt": PROMPTS,
        "latents": torch.randn(2, 4, 9, 7, generator=generator(5)),
        "height": 72,
        "width": 56,
    },
    "latents of half precision": lambda: {
        "prompt": PROMPT,
        "latents": torch.randn(1, 4, 8, 8, generator=generator(5)).to(torch.float16).float(),
    },
    "no negative prompt": lambda: {
        "prompt": PROMPT,
        "negative_prompt": None,
        "generator": generator(0),
    },
    "one step": lambda: {"prompt": PROMPT, "num_inference_steps": 1, "generator": generator(0)},
    "wide": lambda: {"prompt": PROMPT, "height": 64, "width": 128, "generator": generator(0)},
    "embeddings": lambda: {
        "prompt_embeds": torch.randn(2, 77, 32, generator=generator(8)),
        "negative_prompt_embeds": torch.randn(2, 77, 32, generator=generator(9)),
        "num_images_per_prompt": 2,
        "generator": generator(0),
    },
    "embeddings and a negative text": lambda: {
        "prompt_embeds": torch.randn(1, 77, 32, generator=generator(8)),
        "negative_prompt": NEGATIVE,
        "generator": generator(0),
    },
    "a text and negative embeddings": lambda: {
        "prompt": PROMPT,
        "negative_prompt_embeds": torch.randn(1, 77, 32, generator=generator(9)),
        "num_images_per_prompt": 2,
        "generator": generator(0),
    },
    "embeddings without guidance": lambda: {
        "prompt_embeds": torch.randn(2, 77, 32, generator=generator(8)),
        "guidance_scale": 1,
        "generator": generator(0),
    },
}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("scheduler", ["PNDMScheduler", "DDIMScheduler"])
def test_calls(scheduler, call, pipes, module, measured):
    ours, theirs = pipes()
    kept = ours.scheduler, theirs.scheduler
    arguments = CALLS[call]
    options = {} if "num_inference_steps" in arguments() else {"num_inference_steps": 4}
    try:
        ours.scheduler = getattr(module, scheduler).from_config(ours.scheduler.config)
        theirs.scheduler = getattr(diffusers, scheduler).from_config(theirs.scheduler.config)
        mine, other = both(pipes, "sd1", arguments, output_type="latent", **options)
        compare_latents(measured, "pipeline's arguments", mine, other)
        mine, other = both(pipes, "sd1", arguments, **options)
        compare_pictures(measured, "pipeline's arguments", mine, other)
    finally:
        ours.scheduler, theirs.scheduler = kept


def test_the_generator_of_the_process(pipes, measured):
    """Without a generator noise comes from torch's own, first latents and steps alike."""
    ours, theirs = pipes("sd2")
    images = []
    for pipe in (ours, theirs):
        torch.manual_seed(11)
        images.append(pipe(PROMPT, num_inference_steps=3, eta=0.5, output_type="latent").images)
        images.append(torch.rand(3))
    compare_latents(measured, "pipeline, noise of the process", images[0], images[2])
    assert torch.equal(images[1], images[3]), "as much noise was drawn"


def test_a_seed_is_a_generator(ours):
    made = [
        ours(PROMPT, num_inference_steps=2, output_type="latent", **noise).images
        for noise in ({"seed": 5}, {"generator": generator(5)}, {"generator": [generator(5)]})
    ]
    assert torch.equal(made[0], made[1]) and torch.equal(made[0], made[2])
    again = [
        ours(PROMPT, num_inference_steps=1, output_type="latent", seed=seed).images
        for seed in (-1, 2**64 - 1)
    ]
    assert torch.equal(*again)


@pytest.mark.parametrize("output_type", ["pil", "np", "pt", "latent"])
def test_output_types(output_type, pipes, measured):
    mine, other = both(
        pipes,
        "sd1",
        lambda: {"prompt": PROMPTS, "generator": generator(2)},
        num_inference_steps=3,
        output_type=output_type,
    )
    assert type(mine) is type(other)
    if output_type == "latent":
        compare_latents(measured, "pipeline's outputs", mine, other)
        return
    compare_pictures(measured, "pipeline's outputs", mine, other)
    if output_type == "pil":
        assert [image.size for image in mine] == [image.size for image in other]
    else:
        assert mine.dtype == other.dtype and mine.shape == other.shape
        assert mine.min() >= 0 and mine.max() <= 1
        assert abs(mine - other).max() < 1e-3


def test_output_objects(ours):
    output = ours(PROMPT, num_inference_steps=1)
    assert output.images is output["images"] is output[0]
    assert output.nsfw_content_detected is None
    images, flags = ours(PROMPT, num_inference_steps=1, return_dict=False)
    assert isinstance(images[0], Image.Image) and flags is None


def test_what_diffusers_does_not_do(ours):
    """A height alone counts, and one negative text serves all prompts."""
    images = ours(PROMPT, height=104, num_inference_steps=1).images
    assert images[0].size == (64, 104)
    one, each = [
        ours(
            PROMPTS,
            negative_prompt=negative,
            num_inference_steps=2,
            seed=1,
            output_type="latent",
        ).images
        for negative in (NEGATIVE, [NEGATIVE] * 2)
    ]
    assert torch.equal(one, each)


# MARK: - Callbacks


def test_callbacks(pipes, measured):
    """They see each step, and may change the latents."""
    seen = [[], []]

    def watch(number, pipe, expected, change):
        def callback(given, step, timestep, values):
            assert given is pipe
            seen[number].append((step, int(timestep), values["latents"].clone()))
            if change and step == 1:
                values["latents"] = values["latents"] * 0.5
            return values

        return callback

    for change in (False, True):
        mine, other = [
            pipe(
                PROMPT,
                num_inference_steps=4,
                generator=generator(1),
                output_type="latent",
                callback_on_step_end=watch(number, pipe, None, change),
            ).images
            for number, pipe in enumerate(pipes())
        ]
        compare_latents(measured, "pipeline's callbacks", mine, other)
    assert [entry[:2] for entry in seen[0]] == [entry[:2] for entry in seen[1]]
    for (_, _, mine), (_, _, other) in zip(*seen, strict=True):
        compare_latents(measured, "pipeline's callbacks", mine, other)


def test_a_callback_that_gives_nothing(ours):
    steps = []
    ours(PROMPT, num_inference_steps=3, callback_on_step_end=lambda *a: steps.append(a[1]))
    # PNDM takes one step more.
    assert steps == [0, 1, 2, 3] and ours.num_timesteps == 4


def test_interrupting(pipes, measured):
    def stop(pipe, step, timestep, values):
        pipe._interrupt = step == 1
        return values

    mine, other = both(
        pipes,
        "sd2",
        lambda: {"prompt": PROMPT, "generator": generator(1)},
        num_inference_steps=5,
        output_type="latent",
        callback_on_step_end=stop,
    )
    compare_latents(measured, "pipeline, interrupted", mine, other)


def test_a_callback_may_use_the_model(ours):
    """A preview of each step."""
    previews = []

    def preview(pipe, step, timestep, values):
        scaled = values["latents"] / pipe.vae.config.scaling_factor
        previews.append(pipe.vae.decode(scaled).sample)
        return values

    images = ours(PROMPT, 64, 64, 2, seed=3, callback_on_step_end=preview, output_type="pt").images
    assert torch.allclose((previews[-1] / 2 + 0.5).clamp(0, 1), images, atol=1e-6)
    assert len(previews) == 3


def test_a_callback_that_fails(ours):
    def fail(*arguments):
        raise LookupError("mine")

    with pytest.raises(LookupError, match="mine"):
        ours(PROMPT, num_inference_steps=2, callback_on_step_end=fail)
    assert ours(PROMPT, num_inference_steps=1).images


def test_bars(pipes, capsys):
    """As many updates as steps, for solvers that take more as well."""
    texts = []
    for pipe in pipes():
        pipe.set_progress_bar_config(desc="drawing", ncols=60, mininterval=0)
        pipe(PROMPT, num_inference_steps=3)
        texts.append(capsys.readouterr().err)
        pipe.set_progress_bar_config(disable=True)
        pipe(PROMPT, num_inference_steps=1)
        assert capsys.readouterr().err == ""
    for text in texts:
        assert "drawing: 100%" in text and "3/3" in text


# MARK: - Parts and places


def test_parts(ours, module):
    assert isinstance(ours.vae, module.AutoencoderKL)
    assert isinstance(ours.unet, module.UNet2DConditionModel)
    assert isinstance(ours.text_encoder, module.CLIPTextModel)
    assert isinstance(ours.tokenizer, module.CLIPTokenizer)
    assert isinstance(ours.scheduler, module.PNDMScheduler)
    assert ours.safety_checker is None
    assert (ours.device, ours.dtype) == (torch.device("cpu"), torch.float32)
    assert set(ours.components) >= {"vae", "unet", "text_encoder", "tokenizer", "scheduler"}
    assert ours.to("cpu") is ours and ours.to(torch.float32) is ours
    # Keys that only other schedulers know stay, for from_config.
    assert ours.scheduler.config["clip_sample"] is False
    for name in ("enable_attention_slicing", "disable_attention_slicing", "enable_vae_slicing"):
        assert getattr(ours, name)() is None
    for name, answer in [("enable_vae_tiling", True), ("disable_vae_tiling", False)]:
        assert getattr(ours, name)() is None
        assert ours.vae.use_tiling is answer


def test_replaced_parts(pipes, module, checkpoints, measured):
    """An autoencoder of another checkpoint, put in or given to from_pretrained."""
    folder = checkpoints.denoising("sd1")
    other_folder = checkpoints("no-scaling-factor")
    theirs = theirs_from(folder)
    theirs.vae = diffusers.AutoencoderKL.from_pretrained(other_folder / "vae")
    expected = theirs(PROMPT, 64, 64, 2, latents=torch.ones(1, 4, 8, 8), output_type="np").images
    vae = module.AutoencoderKL.from_pretrained(other_folder, subfolder="vae")
    given = ours_from(module, folder, vae=vae)
    put = ours_from(module, folder)
    put.vae = vae
    parts = {name: getattr(put, name) for name in ("text_encoder", "tokenizer", "unet", "vae")}
    made = module.StableDiffusionPipeline(**parts, scheduler=put.scheduler, safety_checker=None)
    for pipe in (given, put, made):
        pipe.set_progress_bar_config(disable=True)
        latents = torch.ones(1, 4, 8, 8)
        mine = pipe(PROMPT, num_inference_steps=2, latents=latents, output_type="np").images
        # Two blocks instead of four: the latents give another size.
        assert mine.shape == expected.shape or theirs.vae_scale_factor != 2
    assert given.vae is vae


def test_other_dtypes(module, checkpoints, measured):
    folder = checkpoints.denoising("sd2")
    pipe = ours_from(module, folder, torch_dtype=torch.bfloat16)
    single = ours_from(module, folder)
    assert pipe.dtype == pipe.unet.dtype == torch.bfloat16
    arguments = {"num_inference_steps": 2, "latents": torch.ones(1, 4, 8, 8)}
    rough = pipe(PROMPT, output_type="latent", **arguments).images
    fine = single(PROMPT, output_type="latent", **arguments).images
    assert rough.dtype == torch.bfloat16
    assert (rough.float() - fine).abs().max() < 0.2 * fine.abs().max()
    # There and back nothing is lost.
    vae = pipe.vae
    assert pipe.to(torch.float32) is pipe and pipe.vae is vae and vae.dtype == torch.float32
    assert torch.equal(pipe(PROMPT, output_type="latent", **arguments).images, fine)


@pytest.mark.parametrize("precision", ["default", "exact", "reduced"])
def test_precision(precision, module, checkpoints):
    """Of pipelines, of parts, and of the parts put together by hand."""
    folder = checkpoints.denoising("sd1")
    dtype = torch.bfloat16 if precision == "reduced" else torch.float32
    # Not constant ones, whose normalisation would be of rounding errors alone.
    noise = torch.randn(1, 4, 16, 16, generator=generator(1))
    arguments = {"num_inference_steps": 2, "latents": noise}

    def latents(precision):
        pipe = ours_from(module, folder, precision=precision)
        # With whose precision a part was loaded remains when it is moved and back.
        assert pipe.to("cpu").dtype == (torch.bfloat16 if precision == "reduced" else torch.float32)
        return pipe(PROMPT, output_type="latent", **arguments).images.float()

    def decoded(vae):
        return vae.decode(noise.to(vae.dtype)).sample.float()

    model = module.ImageDiffusionModel(folder, device="cpu", precision=precision)
    part = module.AutoencoderKL.from_pretrained(folder, subfolder="vae", precision=precision)
    assert model.dtype == part.dtype == dtype
    exact = module.AutoencoderKL.from_pretrained(folder, subfolder="vae", precision="exact")
    assert torch.equal(decoded(part), decoded(model.vae))
    for given, expected in [
        (latents(precision), latents("exact")),
        (decoded(part), decoded(exact)),
    ]:
        difference = (given - expected).abs().max() / expected.abs().max()
        if precision == "reduced":
            assert 1e-4 < difference < 0.2
        else:
            assert difference < 2e-5
        if precision == "exact":
            assert torch.equal(given, expected)
    if precision == "reduced":
        # What is asked for by name is what it is moved to.
        assert part.to(torch.float32).dtype == torch.float32


def test_unknown_precision(module, checkpoints):
    folder = checkpoints.denoising("sd1")
    for load in (
        lambda **given: ours_from(module, folder, **given),
        lambda **given: module.UNet2DConditionModel.from_pretrained(
            folder, subfolder="unet", **given
        ),
        lambda **given: module.ImageDiffusionModel(folder, **given),
    ):
        for precision in ("", "fast", None, 1):
            with pytest.raises(ValueError, match="precision must be"):
                load(precision=precision)


@pytest.mark.parametrize("steps", [3, 100])
def test_tutorials(steps, module, checkpoints, tmp_path, monkeypatch):
    """As they are written, but for the folder, the dtype and the device."""
    folder = str(checkpoints.denoising("sd2" if steps == 100 else "sd1"))
    monkeypatch.chdir(tmp_path)
    StableDiffusionPipeline = module.StableDiffusionPipeline
    pipe = StableDiffusionPipeline.from_pretrained(folder, torch_dtype=torch.float32)
    pipe = pipe.to("cpu")
    prompts = ["a photo of an astronaut", "a castle in the clouds"]
    images = []
    for i, prompt in enumerate(prompts):
        image = pipe(prompt, num_inference_steps=steps, guidance_scale=7.5).images[0]
        image.save(f"picture_{i}.jpg")
        images.append(image)
    assert [Image.open(f"picture_{i}.jpg").size for i in range(2)] == [(64, 64)] * 2


# MARK: - Wrong input


WRONG = {
    "no prompt": ({}, ValueError, "prompt"),
    "empty list": ({"prompt": []}, ValueError, "prompt"),
    "no text": ({"prompt": 3}, TypeError, "prompt"),
    "no text in the list": ({"prompt": [PROMPT, 3]}, TypeError, "prompt"),
    "lone surrogate": ({"prompt": "\ud800"}, ValueError, "prompt"),
    "negative prompts": (
        {"prompt": PROMPTS, "negative_prompt": ["a", "b", "c"]},
        ValueError,
        "negative_prompt",
    ),
    "no negative text": ({"prompt": PROMPT, "negative_prompt": 3}, TypeError, "negative_prompt"),
    "both prompts": (
        {"prompt": PROMPT, "prompt_embeds": torch.zeros(1, 77, 32)},
        ValueError,
        "prompt_embeds",
    ),
    "embeddings of another size": (
        {"prompt_embeds": torch.zeros(1, 77, 31)},
        ValueError,
        "prompt_embeds",
    ),
    "embeddings without a batch": (
        {"prompt_embeds": torch.zeros(77, 32), "negative_prompt_embeds": torch.zeros(77, 32)},
        ValueError,
        "prompt_embeds",
    ),
    "embeddings that are none": ({"prompt_embeds": "x"}, TypeError, "prompt_embeds"),
    "embeddings that do not match": (
        {
            "prompt_embeds": torch.zeros(1, 77, 32),
            "negative_prompt_embeds": torch.zeros(2, 77, 32),
        },
        ValueError,
        "negative_prompt_embeds",
    ),
    "latents of another batch": (
        {"prompt": PROMPTS, "latents": torch.zeros(1, 4, 8, 8)},
        ValueError,
        "latents",
    ),
    "latents of other channels": (
        {"prompt": PROMPT, "latents": torch.zeros(1, 3, 8, 8)},
        ValueError,
        "sample|latents",
    ),
    "latents of another size": (
        {"prompt": PROMPT, "latents": torch.zeros(1, 4, 8, 8), "height": 72},
        ValueError,
        "latents",
    ),
    "latents without a batch": (
        {"prompt": PROMPT, "latents": torch.zeros(4, 8, 8)},
        ValueError,
        "latents|sample",
    ),
    "latents that are no tensor": ({"prompt": PROMPT, "latents": [1]}, TypeError, "latents"),
    "latents that are no numbers": (
        {"prompt": PROMPT, "latents": torch.full((1, 4, 8, 8), float("nan"))},
        RuntimeError,
        "latents",
    ),
    "no steps": ({"prompt": PROMPT, "num_inference_steps": 0}, ValueError, "num_inference_steps"),
    "too many steps": (
        {"prompt": PROMPT, "num_inference_steps": 1001},
        ValueError,
        "num_inference_steps",
    ),
    "half a step": (
        {"prompt": PROMPT, "num_inference_steps": 1.5},
        TypeError,
        "num_inference_steps",
    ),
    "height": ({"prompt": PROMPT, "height": 100}, ValueError, "height"),
    "no height": ({"prompt": PROMPT, "height": 0}, ValueError, "height"),
    "width": ({"prompt": PROMPT, "width": -8}, ValueError, "width"),
    "huge width": ({"prompt": PROMPT, "width": 2**40}, ValueError, "width"),
    "output": ({"prompt": PROMPT, "output_type": "jpeg"}, ValueError, "output_type"),
    "no output": ({"prompt": PROMPT, "output_type": None}, ValueError, "output_type"),
    "seed and generator": (
        {"prompt": PROMPT, "seed": 1, "generator": torch.Generator()},
        ValueError,
        "seed and generator",
    ),
    "seed": ({"prompt": PROMPT, "seed": "1"}, TypeError, "seed"),
    "huge seed": ({"prompt": PROMPT, "seed": 2**64}, ValueError, "seed"),
    "generator": ({"prompt": PROMPT, "generator": 1}, TypeError, "generator"),
    "no generators": ({"prompt": PROMPT, "generator": []}, ValueError, "generator"),
    "too few generators": (
        {"prompt": PROMPT, "num_images_per_prompt": 3, "generator": [torch.Generator()] * 2},
        ValueError,
        "generator",
    ),
    "guidance": ({"prompt": PROMPT, "guidance_scale": "7"}, TypeError, "guidance_scale"),
    "no guidance": (
        {"prompt": PROMPT, "guidance_scale": float("nan")},
        ValueError,
        "guidance_scale",
    ),
    "eta": ({"prompt": PROMPT, "eta": 2}, ValueError, "eta"),
    "no eta": ({"prompt": PROMPT, "eta": "x"}, TypeError, "eta"),
    "no pictures": (
        {"prompt": PROMPT, "num_images_per_prompt": 0},
        ValueError,
        "num_images_per_prompt",
    ),
    "too many pictures": (
        {"prompt": PROMPT, "num_images_per_prompt": 2**40},
        ValueError,
        "num_images_per_prompt",
    ),
    "callback": (
        {"prompt": PROMPT, "callback_on_step_end": 3},
        TypeError,
        "callback_on_step_end",
    ),
    "callback's tensors": (
        {"prompt": PROMPT, "callback_on_step_end_tensor_inputs": ["noise"]},
        ValueError,
        "callback_on_step_end_tensor_inputs",
    ),
    "callback's answer": (
        {"prompt": PROMPT, "callback_on_step_end": lambda *arguments: 3},
        TypeError,
        "callback_on_step_end",
    ),
    "callback's latents": (
        {
            "prompt": PROMPT,
            "callback_on_step_end": lambda *arguments: {"latents": torch.zeros(3)},
        },
        ValueError,
        "latents",
    ),
    "not here": ({"prompt": PROMPT, "clip_skip": 2}, ValueError, "clip_skip"),
    "unknown": ({"prompt": PROMPT, "colour": "red"}, TypeError, "colour"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_arguments(case, ours):
    arguments, exception, text = WRONG[case]
    with pytest.raises(exception, match=text):
        ours(**{"num_inference_steps": 2} | arguments)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_no_gpu(ours, module, checkpoints):
    for move in (lambda: ours.to("cuda"), ours.enable_model_cpu_offload):
        with pytest.raises(ValueError, match=r"(?s)device.*cuda"):
            move()
    assert ours.device.type == "cpu" and ours(PROMPT, num_inference_steps=1).images
    with pytest.raises(ValueError, match="device"):
        ours.to("tpu")
    half = ours_from(module, checkpoints.denoising("sd1"), torch_dtype=torch.float16)
    with pytest.raises(ValueError, match=r"torch_dtype.*float16"):
        half(PROMPT, num_inference_steps=1)


def test_wrong_parts(ours, module, checkpoints, tmp_path):
    folder = checkpoints.denoising("sd1")
    with pytest.raises(TypeError, match="vae"):
        ours.vae = ours.unet
    with pytest.raises((TypeError, ValueError), match=r"(?s)scheduler.*DDIMScheduler"):
        ours.scheduler = diffusers.FlowMatchEulerDiscreteScheduler()
    with pytest.raises(TypeError, match="safety_checker"):
        ours.safety_checker = 3
    load = module.StableDiffusionPipeline.from_pretrained
    with pytest.raises(FileNotFoundError, match="nowhere"):
        load("/nowhere/at all/model")
    with pytest.raises(FileNotFoundError, match="model_id"):
        load(tmp_path)
    with pytest.raises(TypeError, match="colour"):
        load(folder, colour="red")
    with pytest.raises(ValueError, match="device_map"):
        load(folder, device_map="balanced")
    with pytest.raises(ValueError, match="dtype"):
        load(folder, torch_dtype=torch.int8)
    with pytest.raises(TypeError, match="unet"):
        module.StableDiffusionPipeline(ours.vae, ours.text_encoder, ours.tokenizer)
    unmade = module.StableDiffusionPipeline.__new__(module.StableDiffusionPipeline)
    with pytest.raises(RuntimeError, match="vae"):
        unmade(PROMPT)
    options = {"use_safetensors": True, "variant": "fp16", "revision": "fp16"}
    assert load(folder, **options, low_cpu_mem_usage=True, use_auth_token=True)


def test_parts_in_several_dtypes(module, checkpoints):
    folder = checkpoints.denoising("sd1")
    pipe = ours_from(module, folder)
    pipe.vae.to(torch.bfloat16)
    with pytest.raises(ValueError, match="vae"):
        pipe(PROMPT, num_inference_steps=1)


def test_signature(module):
    """By their places as in diffusers: prompt, height, width, steps."""
    theirs = list(inspect.signature(diffusers.StableDiffusionPipeline.__call__).parameters)
    assert theirs[1:5] == ["prompt", "height", "width", "num_inference_steps"]
    for name in ("__call__", "from_pretrained", "to", "set_progress_bar_config"):
        assert getattr(module.StableDiffusionPipeline, name).__doc__


# MARK: - Memory, threads, Ctrl-C


def test_calls_leave_nothing_behind(ours):
    def grown():
        gc.collect()
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    def work(count):
        for number in range(count):
            ours(
                PROMPT,
                num_inference_steps=1,
                seed=number,
                output_type=["pil", "np", "pt", "latent"][number % 4],
                callback_on_step_end=lambda pipe, step, timestep, values: {
                    "latents": values["latents"] * 0.9
                },
            )
            with pytest.raises(ValueError, match="latents"):
                ours(PROMPT, latents=torch.zeros(3, 4, 8, 8), num_inference_steps=1)

    work(40)
    before = grown()
    work(200)
    # 200 calls that each keep one tensor of a picture (48 kB) would take 10 MB.
    assert grown() - before < 4096


def test_threads_wait_for_each_other(ours):
    made = {}

    def work(number):
        made[number] = ours(PROMPT, num_inference_steps=2, seed=1, output_type="latent").images

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 4 and all(torch.equal(made[0], other) for other in made.values())


def test_ctrl_c(checkpoints):
    code = """
        import signal, sys, torch
        signal.signal(signal.SIGINT, signal.default_int_handler)
        torch.set_num_threads(1)
        from gpi_pack.diffusion import StableDiffusionPipeline
        pipe = StableDiffusionPipeline.from_pretrained(sys.argv[1], safety_checker=None)
        print("ready", flush=True)
        try:
            pipe("x", num_inference_steps=900, height=256, width=256)
        except KeyboardInterrupt:
            print("interrupted", flush=True)
        print(len(pipe("x", num_inference_steps=1).images), flush=True)
    """
    with subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", textwrap.dedent(code), checkpoints.denoising("sd1")],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout.readline() == "ready\n"
            # The bar stands at 0 before the first step; which numbers it shows after that, tqdm decides
            # by the clock.
            shown = ""
            while not re.search(r"[1-9]\d*/900", shown) and process.poll() is None:
                shown += process.stderr.read(1)
            process.send_signal(signal.SIGINT)
            output, errors = process.communicate(timeout=60)
        finally:
            process.kill()
    assert output == "interrupted\n1\n", errors


def test_warnings_of_cut_prompts(ours):
    with pytest.warns(UserWarning, match=r"prompt: the text has \d+ tokens"):
        ours(" ".join(["house"] * 100), num_inference_steps=1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(UserWarning, match="tokens"):
            ours(" ".join(["house "] * 101), num_inference_steps=1)


def test_arrays_are_their_own(ours):
    array = ours(PROMPT, num_inference_steps=1, output_type="np").images
    assert array.flags.c_contiguous and array.flags.writeable
    assert array.dtype == np.float32
