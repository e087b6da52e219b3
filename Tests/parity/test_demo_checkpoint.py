"""The checkpoint that comes with this repository, and the script that made it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from checkpoints import DEMO
from pictures import picture
from PIL import Image


def contents(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != "README.md"
    }


def test_made_by_its_script(tmp_path):
    script = DEMO.parent / "make_demo_checkpoint.py"
    subprocess.run([sys.executable, str(script), str(tmp_path)], check=True)
    made, shipped = contents(tmp_path), contents(DEMO)
    assert made.keys() == shipped.keys()
    assert [name for name in made if made[name] != shipped[name]] == []


def test_small():
    assert sum(map(len, contents(DEMO).values())) < 4 << 20


def test_loads_in_diffusers():
    from diffusers import StableDiffusionPipeline

    pipeline = StableDiffusionPipeline.from_pretrained(DEMO, safety_checker=None).to(torch.float32)
    pipeline.set_progress_bar_config(disable=True)
    image = pipeline("a photo", num_inference_steps=2, height=64, width=64).images[0]
    assert np.asarray(image).std() > 1


@pytest.mark.parametrize("name", ["china", "flower", "hopper"])
def test_parity(name, original, subject, measured, tmp_path):
    image = picture(256, 192, name)
    for side in (subject, original):
        folder = tmp_path / type(side).__name__
        side.extract_images(
            [image],
            ["a photo"],
            str(folder),
            str(folder),
            model_id=str(DEMO),
            device="cpu",
            seed=1,
        )
    ours, expected = tmp_path / "Subject", tmp_path / "Original"
    pair = [torch.load(folder / "hidden_0.pt", weights_only=True) for folder in (ours, expected)]
    measured.latents("demo checkpoint", *pair)
    pair = [np.array(Image.open(folder / "gen_0.png")) for folder in (ours, expected)]
    measured.levels("demo checkpoint", *pair)

    # It decodes to the picture, blurred: of the right colours in the right places.
    small = [
        np.asarray(Image.fromarray(array).resize((16, 12)))
        for array in (pair[0], np.asarray(image))
    ]
    assert np.corrcoef(small[0].ravel(), small[1].ravel())[0, 1] > 0.9
