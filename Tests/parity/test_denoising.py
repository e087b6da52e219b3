"""Above strength 0: noise, timesteps, prompts and guidance, against the original.

A timestep that is off by one changes the latents of these models by a multiple of the limit, which
`test_comparison_sees_a_timestep_off_by_one` makes sure of. So equal latents mean the same calls of
the UNet.
"""

from __future__ import annotations

import shutil
import warnings

import numpy as np
import pytest
import torch
from checkpoints import (
    ABSENT,
    FAMILIES,
    FULL_SIZE,
    FULL_SIZE_FAMILIES,
    make_family,
    widened_vae,
)
from conftest import SELF_CHECK
from full_size_run import in_own_process
from measure import EQUAL_LEVELS_DENOISED, LATENTS_LIMIT, NOISED_LIMIT
from pictures import picture
from PIL import Image

#: The padding token of Stable Diffusion 2 is an exclamation mark.
PROMPT = "a photo of the person! wow!!"
NEGATIVE = "ugly! blurred"

#: Those with an edge are there: no step at all, `timesteps[-0]`, products that float32 gets wrong.
STRENGTHS_AND_STEPS = [
    *[(0.01, steps) for steps in (1, 2, 7, 50, 999)],
    *[(0.3, steps) for steps in (1, 2, 7, 50)],
    *[(0.58, steps) for steps in (2, 7, 50)],
    *[(0.6, steps) for steps in (7, 50)],
    *[(1, steps) for steps in (1, 2, 7, 50)],
]
#: These take turns instead of multiplying the cases. Latents of 9 by 7 and 5 by 5 are odd on the
#: UNet's way down; sides that 8 does not divide are padded.
GUIDANCE_SCALES = (7.5, 0, 1)
NEGATIVE_PROMPTS = (None, NEGATIVE, NEGATIVE, None, None)
SIZES = ((64, 48), (72, 56), (33, 37), (50, 64))
SCHEDULES = [
    (family, offset, strength, steps)
    for family in FAMILIES
    for offset in (0, 1)
    for strength, steps in STRENGTHS_AND_STEPS
]

#: Latents that are clipped let the UNet's rounding errors grow under guidance. At 7.5 the
#: original's own latents move by 1e-3 when its UNet's output is changed by 2e-7.
STEADY_GUIDANCE = 1.5

#: What a scheduler file may say, and what the original makes of it.
SCHEDULERS = {
    "trailing": {"timestep_spacing": "trailing"},
    "linspace": {"timestep_spacing": "linspace"},
    "clip_sample": {"clip_sample": True},
    "clip_sample_range": {"clip_sample": True, "clip_sample_range": 2.5},
    "no clip_sample": {"clip_sample": ABSENT},
    "set_alpha_to_one": {"set_alpha_to_one": True},
    "no set_alpha_to_one": {"set_alpha_to_one": ABSENT},
    "no steps_offset": {"steps_offset": ABSENT},
    "no betas": {"beta_start": ABSENT, "beta_end": ABSENT, "beta_schedule": ABSENT},
    "squaredcos": {"beta_schedule": "squaredcos_cap_v2"},
    "thresholding": {
        "thresholding": True,
        "dynamic_thresholding_ratio": 0.9,
        "sample_max_value": 1.5,
    },
    "sample": {"prediction_type": "sample"},
    "epsilon": {"prediction_type": "epsilon"},
    "v_prediction": {"prediction_type": "v_prediction"},
    # As recommended together by Lin et al., 2023.
    "zero SNR": {
        "rescale_betas_zero_snr": True,
        "timestep_spacing": "trailing",
        "prediction_type": "v_prediction",
        # With 1 the UNet never sees the timestep without signal.
        "steps_offset": 0,
    },
    "zero SNR, leading": {"rescale_betas_zero_snr": True},
}


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """These models are so small that threads would only wait for each other."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def compared(original, subject, checkpoints, measured):
    """Compares one picture's latents and returns the timesteps of the original's UNet."""

    def compare(check, checkpoint, image, prompt=PROMPT, seed=42, **options):
        with original.unet_calls(checkpoint) as timesteps:
            expected = original.denoised(checkpoint, image, prompt, seed=seed, **options)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ours = subject.latents(checkpoint, image, seed, [prompt], **options)[0]
        # Otherwise the comparison would show little.
        assert 0.1 < expected.std() < 50
        if timesteps:
            measured.latents(f"{check}, denoised", ours, expected)
        else:
            measured.latents(f"{check}, noised only", ours, expected, NOISED_LIMIT)
        return timesteps

    return compare


@pytest.mark.parametrize(
    ("number", "schedule"),
    list(enumerate(SCHEDULES)),
    ids=["-".join(map(str, schedule)) for schedule in SCHEDULES],
)
def test_schedule(number, schedule, compared, checkpoints):
    family, offset, strength, steps = schedule
    timesteps = compared(
        f"{family}, {steps} steps",
        checkpoints.denoising(family, steps_offset=offset),
        picture(*SIZES[number % len(SIZES)]),
        strength=strength,
        num_inference_steps=steps,
        guidance_scale=GUIDANCE_SCALES[number % len(GUIDANCE_SCALES)],
        negative_prompt=NEGATIVE_PROMPTS[number % len(NEGATIVE_PROMPTS)],
    )
    assert len(timesteps) == max(0, min(int(steps * strength) + offset, steps) - offset)


@pytest.mark.parametrize("guidance", [0, 1, 7.5, -2])
@pytest.mark.parametrize("negative", [None, "", NEGATIVE])
@pytest.mark.parametrize("family", FAMILIES)
def test_guidance(family, negative, guidance, compared, checkpoints):
    compared(
        f"{family} guidance",
        checkpoints.denoising(family),
        picture(64, 48, "flower"),
        strength=0.6,
        num_inference_steps=7,
        guidance_scale=guidance,
        negative_prompt=negative,
    )


@pytest.mark.parametrize("name", SCHEDULERS)
@pytest.mark.parametrize("family", FAMILIES)
def test_scheduler_file(family, name, compared, checkpoints):
    checkpoint = checkpoints.denoising(family, **SCHEDULERS[name])
    for strength, steps in [(1, 4), (0.3, 20)]:
        compared(
            f"scheduler: {name}",
            checkpoint,
            picture(56, 40, "hopper"),
            strength=strength,
            num_inference_steps=steps,
            guidance_scale=STEADY_GUIDANCE,
        )


@pytest.mark.parametrize(
    "size",
    [(8, 8), (1, 1), (24, 8), (40, 72), (513, 24)],
    ids=lambda size: f"{size[0]}x{size[1]}",
)
@pytest.mark.parametrize("family", FAMILIES)
def test_size(family, size, compared, checkpoints):
    """One call of the UNet: with so few latents in a group, normalisation magnifies rounding.

    After three, the original with oneDNN and without it differ by up to 1e-3.
    """
    timesteps = compared(
        f"{family} sizes",
        checkpoints.denoising(family),
        picture(*size),
        strength=0.4,
        num_inference_steps=3,
        guidance_scale=STEADY_GUIDANCE,
    )
    assert timesteps == [1]


@pytest.mark.parametrize("family", FAMILIES)
def test_comparison_sees_a_timestep_off_by_one(family, original, checkpoints):
    """And a prompt that is not read, or a guidance scale that is not used."""
    checkpoint = checkpoints.denoising(family)
    image = picture(64, 48)
    options = {"strength": 0.3, "num_inference_steps": 7, "seed": 42}
    expected = original.denoised(checkpoint, image, PROMPT, **options)
    with original.unet_calls(checkpoint, later=1):
        later = original.denoised(checkpoint, image, PROMPT, **options)
    others = [
        later,
        original.denoised(checkpoint, image, "the face", **options),
        original.denoised(checkpoint, image, PROMPT, negative_prompt=NEGATIVE, **options),
        original.denoised(checkpoint, image, PROMPT, guidance_scale=7, **options),
    ]
    for other in others:
        assert (other - expected).abs().max() > 10 * LATENTS_LIMIT * expected.abs().max()


# MARK: - Prompts


@pytest.mark.parametrize("family", FAMILIES)
def test_prompt_of_each_picture(family, original, subject, checkpoints, measured):
    """Prompts that change, stay and come back in one call: one call each gives the same."""
    checkpoint = checkpoints.denoising(family)
    prompts = ["the face", "the face", PROMPT, "", "!", "the face", NEGATIVE, PROMPT]
    images = [picture(48 + 8 * (index % 3), 40) for index in range(len(prompts))]
    options = {"strength": 0.6, "num_inference_steps": 5, "negative_prompt": NEGATIVE}
    together = subject.latents(checkpoint, images, 42, prompts, **options)
    for image, prompt, ours in zip(images, prompts, together, strict=True):
        alone = subject.latents(checkpoint, image, 42, [prompt], **options)[0]
        assert torch.equal(ours, alone)
        expected = original.denoised(checkpoint, image, prompt, seed=42, **options)
        measured.latents(f"{family} prompts", ours, expected)
    assert not torch.allclose(together[0], together[3], atol=1e-2)


@pytest.mark.ours
@pytest.mark.parametrize("family", FAMILIES)
def test_long_prompt_is_cut_with_a_warning(family, original, subject, checkpoints, measured):
    checkpoint = checkpoints.denoising(family)
    image = picture(64, 48)
    prompt = "the " * 74 + "and of a zebra"
    options = {"strength": 0.6, "num_inference_steps": 5}
    expected = original.denoised(checkpoint, image, prompt, seed=42, **options)
    with pytest.warns(UserWarning, match=r"^prompt: .*77.*\bzebra") as caught:
        ours = subject.latents(checkpoint, image, 42, [prompt], **options)[0]
    assert len(caught) == 1
    measured.latents(f"{family} prompts", ours, expected)


@pytest.mark.ours
@pytest.mark.parametrize("family", FAMILIES)
def test_long_negative_prompt_is_cut_with_a_warning(
    family, original, subject, checkpoints, measured
):
    """The original fails on it."""
    checkpoint = checkpoints.denoising(family)
    image = picture(64, 48)
    fits = "the " * 74 + "and"
    options = {"strength": 0.6, "num_inference_steps": 5}
    with pytest.raises((RuntimeError, ValueError, IndexError)):
        original.denoised(checkpoint, image, PROMPT, negative_prompt=f"{fits} zebra", **options)
    expected = original.denoised(
        checkpoint, image, PROMPT, seed=42, negative_prompt=fits, **options
    )
    with pytest.warns(UserWarning, match=r"^negative_prompt: .*77.*\bzebra") as caught:
        ours = subject.latents(
            checkpoint, image, 42, [PROMPT], negative_prompt=f"{fits} zebra", **options
        )[0]
    assert len(caught) == 1
    measured.latents(f"{family} prompts", ours, expected)


# MARK: - Random numbers


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("strength", [0.01, 0.6])
def test_without_seed_the_callers_generator_goes_on(
    strength, family, original, subject, checkpoints, measured
):
    """The posterior's numbers, then the noise's, picture by picture."""
    checkpoint = checkpoints.denoising(family)
    images = [picture(*size, name="flower") for size in [(40, 24), (24, 24), (64, 48), (16, 24)]]
    prompts = [PROMPT, "", "the face", PROMPT]
    options = {
        "strength": strength,
        "num_inference_steps": 5,
        "guidance_scale": STEADY_GUIDANCE,
    }

    torch.manual_seed(1234)
    expected = [
        original.denoised(checkpoint, image, prompt, **options)
        for image, prompt in zip(images, prompts, strict=True)
    ]
    state = torch.get_rng_state()

    torch.manual_seed(1234)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ours = subject.latents(checkpoint, images, None, prompts, **options)
    assert torch.equal(torch.get_rng_state(), state), "not as many numbers drawn"
    for one, other in zip(ours, expected, strict=True):
        measured.latents(f"{family} without seed", one, other)


def test_seed_begins_anew_for_each_picture(subject, checkpoints):
    image = picture(64, 48)
    first, second = subject.latents(
        checkpoints.denoising("sd1"), [image] * 2, 7, strength=0.6, num_inference_steps=5
    )
    assert torch.equal(first, second)


# MARK: - Pictures


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize(("strength", "steps"), [(0.01, 50), (0.3, 20), (0.6, 7)])
def test_pictures(strength, steps, family, original, subject, checkpoints, measured):
    images = [picture(64, 48), picture(50, 70, "hopper")]
    decoded = {}
    for side in (original, subject):
        folder = subject.new_folder()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            side.extract_images(
                images,
                [PROMPT, "the face"],
                str(folder / "latents"),
                str(folder / "pictures"),
                model_id=str(checkpoints.denoising(family)),
                device="cpu",
                strength=strength,
                num_inference_steps=steps,
                seed=42,
            )
        decoded[side] = [
            np.array(Image.open(folder / "pictures" / f"gen_{index}.png")) for index in range(2)
        ]
    for expected, ours in zip(decoded[original], decoded[subject], strict=True):
        # Otherwise all would be black or white.
        assert 20 < expected.std() < 120
        measured.levels(f"{family} pictures", ours, expected, EQUAL_LEVELS_DENOISED)


# MARK: - Warnings and errors


def files(folder):
    return [path for path in folder.rglob("*") if path.is_file()]


#: What is warned of: changes to the scheduler file, arguments, and words of the warning.
WARNINGS = {
    "no step": ({}, {"strength": 0.01}, "reaches no step"),
    "no step, offset 0": ({"steps_offset": 0}, {"strength": 0.01}, "reaches no step"),
    "clip_sample": ({"clip_sample": ABSENT}, {"strength": 0.3}, "says nothing of clip_sample"),
    "prompt": ({}, {"strength": 0.3, "prompts": ["the " * 80]}, "cut off"),
    "negative_prompt": ({}, {"strength": 0.3, "negative_prompt": "the " * 80}, "cut off"),
}


@pytest.mark.ours
@pytest.mark.parametrize("name", WARNINGS)
@pytest.mark.parametrize("family", FAMILIES)
def test_warning(family, name, subject, checkpoints):
    scheduler, options, words = WARNINGS[name]
    with pytest.warns(UserWarning, match=words) as caught:
        subject.latents(checkpoints.denoising(family, **scheduler), picture(64, 48), 42, **options)
    assert [warning.category for warning in caught] == [UserWarning]


@pytest.mark.ours
@pytest.mark.parametrize("name", WARNINGS)
@pytest.mark.parametrize("family", FAMILIES)
def test_warning_as_error_leaves_no_file(family, name, subject, checkpoints, tmp_path):
    scheduler, options, words = WARNINGS[name]
    options = {"prompts": [PROMPT]} | options
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(UserWarning, match=words):
            subject.extract_images(
                [picture(64, 48)],
                output_hidden_dir=tmp_path,
                output_image_dir=tmp_path,
                model_id=checkpoints.denoising(family, **scheduler),
                device="cpu",
                seed=42,
                **options,
            )
    assert files(tmp_path) == []


@pytest.mark.ours
@pytest.mark.parametrize("family", FAMILIES)
def test_nothing_is_warned_of_without_reason(family, subject, checkpoints):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        subject.latents(
            checkpoints.denoising(family), picture(64, 48), 42, strength=0.6, num_inference_steps=5
        )


@pytest.mark.ours
@pytest.mark.parametrize(
    ("argument", "value", "failure"),
    [
        ("num_inference_steps", 1000, IndexError),
        ("num_inference_steps", 1001, ValueError),
        ("num_inference_steps", 0, ZeroDivisionError),
        ("num_inference_steps", -1, Exception),
        ("strength", float("nan"), ValueError),
        ("strength", -0.5, None),
        ("strength", 1.5, None),
        ("guidance_scale", float("nan"), None),
    ],
)
def test_what_the_original_fails_on(
    argument, value, failure, original, subject, checkpoints, tmp_path
):
    """Or makes silent garbage of: where `failure` is None."""
    checkpoint = checkpoints.denoising("sd1")
    options = {"strength": 1, "num_inference_steps": 2} | {argument: value}
    if failure:
        with pytest.raises(failure):
            original.denoised(checkpoint, picture(8, 8), PROMPT, **options)
    with pytest.raises(ValueError, match=rf"\b{argument}\b"):
        subject.extract_images(
            picture(8, 8), PROMPT, tmp_path, model_id=checkpoint, device="cpu", **options
        )
    assert files(tmp_path) == []


# MARK: - Full size


@pytest.mark.slow
@pytest.mark.parametrize("family", FULL_SIZE_FAMILIES)
def test_full_size(family, checkpoints, original, measured, pytestconfig, tmp_path):
    """Parity, time and peak memory at 512 by 512; three calls of the UNet."""
    model = tmp_path / "model"
    checkpoints.add(model, widened_vae(FULL_SIZE, seed=0), FULL_SIZE)
    make_family(model, FULL_SIZE_FAMILIES[family])
    picture(512, 512, "hopper").save(tmp_path / "picture.png")
    wheel_folder = pytestconfig.cache.mkdir("gpi_pack-original")

    latents = {}
    for side in ("original", "ours"):
        output = tmp_path / side
        in_own_process(
            measured,
            f"{family} in full size, {side}",
            "original" if SELF_CHECK else side,
            model,
            tmp_path / "picture.png",
            output,
            "latents",
            wheel_folder,
            "0.6",
            "5",
        )
        latents[side] = torch.load(output / "hidden_0.pt", weights_only=True)
    # Gigabytes that nobody looks at afterwards.
    shutil.rmtree(model)
    assert 0.1 < latents["original"].std() < 50
    measured.latents(f"{family} in full size", latents["ours"], latents["original"])
