"""What the calls are given: equal for all engines of a run."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from benchmarks.folders import Folders
from benchmarks.models import picture_file
from benchmarks.paths import Case

PROMPT = "a portrait"
SEED = 42


@dataclass(frozen=True)
class Settings:
    """What all engines of a run share."""

    folders: Folders
    model: str
    threads: int

    @property
    def model_folder(self) -> Path:
        return self.folders.model(self.model)


def inputs(case: Case, settings: Settings) -> tuple:
    """What the case's call takes, float32: equal for all engines."""
    import torch
    from PIL import Image

    generator = torch.Generator().manual_seed(SEED)
    side = case.size // downscale(settings)
    if case.call == "encode":
        image = Image.open(picture_file(settings.folders, case.size)).convert("RGB")
        pixels = torch.frombuffer(bytearray(image.tobytes()), dtype=torch.uint8)
        pixels = pixels.view(1, case.size, case.size, 3).permute(0, 3, 1, 2) / 127.5 - 1
        return (pixels.repeat(case.batch, 1, 1, 1).contiguous(),)
    if case.call == "decode":
        # As large as latents are before their scale of 0.18215.
        return (5 * torch.randn(case.batch, 4, side, side, generator=generator),)
    config = json.loads((settings.model_folder / "unet" / "config.json").read_text())
    latents = torch.randn(2 * case.batch, 4, side, side, generator=generator)
    width = config["cross_attention_dim"]
    context = torch.randn(2 * case.batch, 77, width, generator=generator)
    return latents, torch.tensor(500), context


def downscale(settings: Settings) -> int:
    """How many pixels of a side one latent stands for."""
    config = json.loads((settings.model_folder / "vae" / "config.json").read_text())
    return 2 ** (len(config["block_out_channels"]) - 1)
