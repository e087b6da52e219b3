"""The same pipeline twice: diffusers' and ours, from one folder."""

from __future__ import annotations

import json
from pathlib import Path

import diffusers
import numpy as np
import torch
import transformers
from checkpoints import SCHEDULER
from measure import Measurements
from PIL import Image

#: Of the largest magnitude in diffusers' latents.
LATENTS_LIMIT = 1e-3
#: In levels of 0 to 255, and the share of values that must not differ at all.
LEVELS_LIMIT = 2
EQUAL_LEVELS = 0.99


def theirs_from(folder: Path, scheduler=None) -> diffusers.StableDiffusionPipeline:
    """diffusers' pipeline of a checkpoint, without a safety checker."""
    if scheduler is None:
        name = json.loads((folder / SCHEDULER).read_text())["_class_name"]
        scheduler = getattr(diffusers, name).from_pretrained(folder / "scheduler")
    pipe = diffusers.StableDiffusionPipeline(
        vae=diffusers.AutoencoderKL.from_pretrained(folder / "vae"),
        text_encoder=transformers.CLIPTextModel.from_pretrained(folder / "text_encoder"),
        tokenizer=transformers.CLIPTokenizer.from_pretrained(folder / "tokenizer"),
        unet=diffusers.UNet2DConditionModel.from_pretrained(folder / "unet"),
        scheduler=scheduler,
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    pipe.set_progress_bar_config(disable=True)
    return pipe


def ours_from(module, folder: Path, **options):
    pipe = module.StableDiffusionPipeline.from_pretrained(folder, safety_checker=None, **options)
    pipe.set_progress_bar_config(disable=True)
    return pipe


def compare_latents(
    measured: Measurements, check: str, ours: torch.Tensor, theirs: torch.Tensor
) -> None:
    assert ours.dtype == theirs.dtype
    # Otherwise the comparison would show little.
    assert 0.1 < theirs.std() < 50
    measured.latents(check, ours, theirs, LATENTS_LIMIT)


def levels(pictures) -> np.ndarray:
    """Pictures of any kind as levels of 0 to 255, `[N, H, W, 3]`."""
    if isinstance(pictures, list):
        assert all(isinstance(picture, Image.Image) for picture in pictures)
        return np.stack([np.asarray(picture) for picture in pictures])
    if isinstance(pictures, torch.Tensor):
        pictures = pictures.permute(0, 2, 3, 1).numpy()
    return (pictures * 255).round().astype(np.uint8)


def compare_pictures(measured: Measurements, check: str, ours, theirs) -> None:
    assert type(ours) is type(theirs)
    mine, other = levels(ours).astype(int), levels(theirs).astype(int)
    assert mine.shape == other.shape
    difference = np.abs(mine - other)
    differing = float((difference != 0).mean())
    largest = int(difference.max())
    measured.note(check, "picture: largest difference", largest, f"{LEVELS_LIMIT}")
    measured.note(check, "picture: share differing", differing, f"{1 - EQUAL_LEVELS:.1g}")
    assert largest <= LEVELS_LIMIT
    assert differing <= 1 - EQUAL_LEVELS


def generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)
