"""The pixels that reach the encoder are the original's, bit for bit."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from checkpoints import pixels_of
from pictures import MODES, SIZES, in_mode, picture, written
from PIL import Image

#: Where rounding, one-pixel sides, several bounces of the padding and equal sides come into play.
MORE_SIZES = [(1, 8), (8, 1), (2, 3), (5, 4), (9, 16), (17, 15), (512, 512), (512, 1)]
MORE_SIZES += [
    (513, 512),
    (512, 513),
    (640, 480),
    (481, 641),
    (1023, 1025),
    (1000, 3),
    (3, 1025),
]


def seen_by_encoder(latents: torch.Tensor) -> np.ndarray:
    levels = pixels_of(latents)
    whole = levels.round()
    # Were the reading itself inexact, a difference of one level could be rounded away.
    assert (levels - whole).abs().max() < 0.05
    return whole.to(torch.uint8).numpy()


def compare(image, original, subject, checkpoints, measured, check):
    try:
        expected = original.pixels(image)
    except (ValueError, OSError, TypeError) as refusal:
        # What the original's Pillow cannot do, ours must not make up.
        with pytest.raises((ValueError, OSError, TypeError)):
            subject.latents(checkpoints("pixel-reader"), image, seed=0)
        pytest.skip(f"the original refuses too: {refusal}")
    latents = subject.latents(checkpoints("pixel-reader"), image, seed=0)[0]
    measured.identical(check, seen_by_encoder(latents), expected)


@pytest.mark.parametrize("size", MORE_SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_size(size, original, subject, checkpoints, measured):
    image = picture(*size, name="flower")
    compare(image, original, subject, checkpoints, measured, "more sizes, RGB")


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("mode", MODES)
class TestModes:
    def test_file(self, mode, size, original, subject, checkpoints, measured, tmp_path):
        path = written(in_mode(picture(*size), mode), tmp_path)
        with Image.open(path) as image:
            assert image.mode == mode
        compare(path, original, subject, checkpoints, measured, "modes, from files")

    def test_image(self, mode, size, original, subject, checkpoints, measured):
        image = in_mode(picture(*size), mode)
        compare(image, original, subject, checkpoints, measured, "modes, as images")


class TestFiles:
    """Kinds of files in which there is more than one way to read the pixels."""

    size = (600, 411)

    def compare(self, path, original, subject, checkpoints, measured):
        compare(str(path), original, subject, checkpoints, measured, "other files")

    def test_jpeg(self, original, subject, checkpoints, measured, tmp_path):
        picture(*self.size).save(tmp_path / "p.jpg", quality=70)
        self.compare(tmp_path / "p.jpg", original, subject, checkpoints, measured)

    def test_cmyk_jpeg(self, original, subject, checkpoints, measured, tmp_path):
        picture(*self.size).convert("CMYK").save(tmp_path / "p.jpg")
        self.compare(tmp_path / "p.jpg", original, subject, checkpoints, measured)

    def test_exif_rotation_is_ignored(self, original, subject, checkpoints, measured, tmp_path):
        exif = Image.Exif()
        exif[0x0112] = 6
        picture(*self.size).save(tmp_path / "p.jpg", exif=exif)
        self.compare(tmp_path / "p.jpg", original, subject, checkpoints, measured)

    def test_first_frame_of_gif(self, original, subject, checkpoints, measured, tmp_path):
        frames = [picture(*self.size, name=name).quantize(64) for name in ("china", "flower")]
        frames[0].save(tmp_path / "p.gif", save_all=True, append_images=frames[1:])
        self.compare(tmp_path / "p.gif", original, subject, checkpoints, measured)

    def test_palette_with_transparency(self, original, subject, checkpoints, measured, tmp_path):
        picture(*self.size).quantize(16).save(tmp_path / "p.png", transparency=3)
        self.compare(tmp_path / "p.png", original, subject, checkpoints, measured)

    def test_file_name_with_other_letters(self, original, subject, checkpoints, measured, tmp_path):
        picture(40, 30).save(tmp_path / "píctüre 绘.png")
        self.compare(tmp_path / "píctüre 绘.png", original, subject, checkpoints, measured)


@pytest.mark.ours
class TestMoreThanTheOriginalTakes:
    """A path object and an array stand plainly for the same picture."""

    def test_path_object(self, original, subject, checkpoints, measured, tmp_path):
        image = picture(70, 50)
        image.save(tmp_path / "p.png")
        latents = subject.latents(checkpoints("pixel-reader"), tmp_path / "p.png", seed=0)[0]
        measured.identical("path object", seen_by_encoder(latents), original.pixels(image))

    def test_array(self, original, subject, checkpoints, measured):
        image = picture(70, 50)
        latents = subject.latents(checkpoints("pixel-reader"), [np.asarray(image)], seed=0)[0]
        measured.identical("array", seen_by_encoder(latents), original.pixels(image))


def test_reader_sees_one_level(original, subject, checkpoints):
    """The pixel reader is sharp enough for one level in one channel of one pixel."""
    image = picture(64, 48)
    changed = np.array(image)
    changed[20, 30, 1] ^= 1
    latents = subject.latents(checkpoints("pixel-reader"), Image.fromarray(changed), seed=0)[0]
    difference = seen_by_encoder(latents) != original.pixels(image)
    assert np.argwhere(difference).tolist() == [[20, 30, 1]]
