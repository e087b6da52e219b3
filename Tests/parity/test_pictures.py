"""The pictures that the latents decode to are the original's, but for a rounding here and there."""

from __future__ import annotations

import numpy as np
import pytest
from checkpoints import RECIPES
from pictures import SIZES, picture
from PIL import Image


def decoded(extract_images, images, folder, checkpoint) -> list[np.ndarray]:
    extract_images(
        images,
        [""] * len(images),
        str(folder / "hidden"),
        str(folder / "pictures"),
        model_id=str(checkpoint),
        device="cpu",
        seed=42,
    )
    pictures = []
    for index in range(len(images)):
        with Image.open(folder / "pictures" / f"gen_{index}.png") as image:
            assert image.format == "PNG" and image.mode == "RGB"
            pictures.append(np.array(image))
    return pictures


def compare(images, checkpoint, original, subject, measured, check, tmp_path):
    ours = decoded(subject.extract_images, images, tmp_path / "ours", checkpoint)
    expected = decoded(original.extract_images, images, tmp_path / "original", checkpoint)
    for one, other in zip(ours, expected, strict=True):
        # Otherwise the comparison would show little.
        assert other.std() > 20
        measured.levels(check, one, other)


@pytest.mark.parametrize("name", RECIPES)
def test_checkpoint(name, original, subject, checkpoints, measured, tmp_path):
    images = [picture(96, 72), picture(75, 100, "hopper"), picture(33, 64, "flower")]
    check = f"checkpoint {name}"
    compare(images, checkpoints(name), original, subject, measured, check, tmp_path)


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_size(size, original, subject, checkpoints, measured, tmp_path):
    check = f"size {size[0]}x{size[1]}"
    images = [picture(*size)]
    compare(images, checkpoints("narrow"), original, subject, measured, check, tmp_path)
