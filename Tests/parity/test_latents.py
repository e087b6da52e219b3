"""The latents in the files are the original's, for every checkpoint, size and seed."""

from __future__ import annotations

import pytest
import torch
from checkpoints import RECIPES
from pictures import SIZES, in_mode, picture, written

#: The random generator takes other ways below 16 values, and when 16 does not divide their count.
COUNTS = {
    "4 values": (8, 8),
    "12 values": (8, 24),
    "20 values": (40, 8),
    "112 values": (56, 32),
}


@pytest.mark.parametrize("name", RECIPES)
def test_checkpoint(name, original, subject, checkpoints, measured):
    checkpoint = checkpoints(name)
    images = [picture(96, 72), picture(75, 100, "hopper"), picture(33, 64, "flower")]
    for ours, image in zip(subject.latents(checkpoint, images, seed=42), images, strict=True):
        expected = original.latents(checkpoint, image, seed=42)
        # Otherwise the comparison would show little.
        assert 0.1 < expected.std() < 10
        measured.latents(f"checkpoint {name}", ours, expected)


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("kind", ["file", "image"])
def test_size(kind, size, original, subject, checkpoints, measured, tmp_path):
    image = picture(*size)
    if kind == "file":
        image = written(image, tmp_path)
    ours = subject.latents(checkpoints("narrow"), image, seed=0)[0]
    expected = original.latents(checkpoints("narrow"), image, seed=0)
    measured.latents(f"size {size[0]}x{size[1]}", ours, expected)


@pytest.mark.parametrize("mode", ["L", "RGBA", "P", "CMYK"])
def test_mode(mode, original, subject, checkpoints, measured):
    image = in_mode(picture(561, 561, "hopper"), mode)
    ours = subject.latents(checkpoints("narrow"), image, seed=0)[0]
    expected = original.latents(checkpoints("narrow"), image, seed=0)
    measured.latents("modes at 561x561", ours, expected)


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("seed", [0, 42, 2**32 - 1, 2**32 + 1, 2**63, 2**64 - 1, -1, -(2**63)])
def test_seed(seed, count, original, subject, checkpoints, measured):
    checkpoint = checkpoints("narrow")
    image = picture(*COUNTS[count], name="hopper")
    ours = subject.latents(checkpoint, image, seed=seed)[0]
    measured.latents("seeds", ours, original.latents(checkpoint, image, seed=seed))


def test_seed_begins_anew_for_each_picture(subject, checkpoints):
    image = picture(64, 64)
    first, second = subject.latents(checkpoints("narrow"), [image, image], seed=7)
    assert torch.equal(first, second)


def test_seeds_differ(subject, checkpoints):
    image = picture(64, 64)
    first = subject.latents(checkpoints("narrow"), image, seed=7)[0]
    second = subject.latents(checkpoints("narrow"), image, seed=8)[0]
    assert (first - second).abs().max() > 0.01


def test_without_seed_the_callers_generator_goes_on(original, subject, checkpoints, measured):
    checkpoint = checkpoints("narrow")
    images = [picture(*size, name="flower") for size in [(40, 8), (8, 24), (96, 72), (8, 8)]]

    torch.manual_seed(1234)
    expected = [original.latents(checkpoint, image, seed=None) for image in images]
    expected_next = torch.randn(3)

    torch.manual_seed(1234)
    ours = subject.latents(checkpoint, images, seed=None)
    assert torch.equal(torch.randn(3), expected_next), "not as many numbers drawn"

    assert not torch.equal(expected[0][..., :1, :1], expected[3][..., :1, :1])
    for one, other in zip(ours, expected, strict=True):
        measured.latents("without seed", one, other)
