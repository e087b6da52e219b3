"""The safety checker in the pipeline: the same pictures are black as in diffusers."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
import transformers
from pipelines import compare_pictures, generator, ours_from, theirs_from

sys.path.insert(0, str(Path(__file__).parents[1] / "TestSupport"))
from safety_checkers import random_checker, set_thresholds

pytestmark = [pytest.mark.ours, pytest.mark.filterwarnings("ignore")]

PROMPTS = ["a photo of a red house by the sea", "two dogs!", "", "a castle", "grey", "x y z"]
CALL = {"num_inference_steps": 3, "guidance_scale": 3}


@pytest.fixture(scope="module")
def module():
    import gpi_pack.diffusion

    return gpi_pack.diffusion


@pytest.fixture(scope="module")
def checked(module, checkpoints, tmp_path_factory):
    """A checkpoint with a checker that refuses some of these prompts' pictures, and diffusers' own
    pipeline of it."""
    plain = checkpoints.denoising("sd1")
    folder = tmp_path_factory.mktemp("checked") / "model"
    shutil.copytree(plain, folder)
    pictures = ours_from(module, plain)(PROMPTS, seed=1, **CALL).images
    processor = transformers.CLIPImageProcessor()
    checker = random_checker()
    set_thresholds(checker, processor(pictures, return_tensors="pt").pixel_values)
    checker.save_pretrained(folder / "safety_checker")
    processor.save_pretrained(folder / "feature_extractor")
    index = json.loads((folder / "model_index.json").read_text())
    index["safety_checker"] = ["stable_diffusion", "StableDiffusionSafetyChecker"]
    index["feature_extractor"] = ["transformers", "CLIPImageProcessor"]
    (folder / "model_index.json").write_text(json.dumps(index))
    theirs = theirs_from(folder)
    theirs.register_modules(safety_checker=checker, feature_extractor=processor)
    return folder, theirs


@pytest.mark.parametrize("output_type", ["pil", "np", "pt"])
def test_black_pictures(output_type, checked, module, measured):
    folder, theirs = checked
    ours = module.StableDiffusionPipeline.from_pretrained(folder)
    ours.set_progress_bar_config(disable=True)
    assert ours.safety_checker is True
    mine, other = (
        pipe(PROMPTS, generator=generator(1), output_type=output_type, **CALL)
        for pipe in (ours, theirs)
    )
    assert mine.nsfw_content_detected == other.nsfw_content_detected
    assert 0 < sum(mine.nsfw_content_detected) < len(PROMPTS)
    compare_pictures(measured, "pipeline with a safety checker", mine.images, other.images)
    for flag, image in zip(mine.nsfw_content_detected, mine.images, strict=True):
        assert flag == (np.asarray(image).max() == 0)


def test_without(checked, module):
    folder, _ = checked
    pipe = module.StableDiffusionPipeline.from_pretrained(folder, safety_checker=None)
    pipe.set_progress_bar_config(disable=True)
    assert pipe.safety_checker is None
    latents = pipe(PROMPTS, seed=1, output_type="latent", **CALL)
    assert latents.nsfw_content_detected is None
    output = pipe(PROMPTS, seed=1, **CALL)
    assert output.nsfw_content_detected is None
    assert all(np.asarray(image).max() > 0 for image in output.images)
    pipe.safety_checker = True
    assert any(pipe(PROMPTS, seed=1, **CALL).nsfw_content_detected)
    assert any(pipe.to(torch.bfloat16)(PROMPTS, seed=1, **CALL).nsfw_content_detected)


def test_a_damaged_checker(checked, module, tmp_path):
    folder, _ = checked
    broken = tmp_path / "model"
    shutil.copytree(folder, broken)
    (broken / "safety_checker" / "model.safetensors").write_bytes(b"x" * 100)
    with pytest.raises(ValueError, match=r"model_id.*safety_checker"):
        module.StableDiffusionPipeline.from_pretrained(broken)
    assert module.StableDiffusionPipeline.from_pretrained(broken, safety_checker=None)
