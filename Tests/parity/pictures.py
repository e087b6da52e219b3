"""Pictures to be extracted: crops of real photographs, in every mode that Pillow has a name for."""

from __future__ import annotations

import functools
from pathlib import Path

import numpy as np
from PIL import Image

#: From smaller than one latent to so long that the other side nearly vanishes.
SIZES = [(1, 1), (7, 300), (511, 513), (561, 561), (1600, 900), (10000, 400)]

MODES = ["RGB", "L", "RGBA", "LA", "P", "1", "I;16", "I", "F", "CMYK"]

#: Formats that hold the mode unchanged.
SUFFIX = {"CMYK": ".tiff", "F": ".tiff", "I": ".tiff"}


@functools.cache
def photograph(name: str = "china") -> Image.Image:
    """A photograph that comes with a package of the test environment: china, flower or hopper."""
    if name == "hopper":
        import matplotlib

        folder = Path(matplotlib.get_data_path()) / "sample_data"
        path = folder / "grace_hopper.jpg"
    else:
        import sklearn

        path = Path(sklearn.__file__).parent / "datasets" / "images" / f"{name}.jpg"
    return Image.open(path).convert("RGB")


def picture(width: int, height: int, name: str = "china") -> Image.Image:
    """The middle of a photograph, cut to the proportions and resized to the size."""
    whole = photograph(name)
    scale = min(whole.width / width, whole.height / height)
    cut_width = max(1, min(whole.width, round(width * scale)))
    cut_height = max(1, min(whole.height, round(height * scale)))
    left, top = (whole.width - cut_width) // 2, (whole.height - cut_height) // 2
    cut = whole.crop((left, top, left + cut_width, top + cut_height))
    return cut.resize((width, height), Image.BICUBIC)


def in_mode(image: Image.Image, mode: str) -> Image.Image:
    """The picture in another mode, with alpha, depth and palette in real use."""
    grey = np.asarray(image.convert("L"))
    ramp = np.linspace(0, 255, image.width).astype(np.uint8)[None, :].repeat(image.height, 0)
    if mode in ("RGBA", "LA"):
        # Both ends of alpha occur: a resize that multiplies by alpha first shows itself.
        image = image.convert("RGB" if mode == "RGBA" else "L")
        image.putalpha(Image.fromarray(ramp))
        return image
    if mode == "P":
        return image.quantize(32)
    if mode == "I;16":
        return Image.fromarray((grey.astype(np.uint16) << 8) + ramp)
    if mode == "I":
        # Above 255 the conversion to RGB has to clip.
        return Image.fromarray(grey.astype(np.int32) * 2 - 100)
    if mode == "F":
        return Image.fromarray(grey.astype(np.float32) * 1.5 - 40.25)
    return image.convert(mode)


def written(image: Image.Image, folder: Path) -> str:
    """The picture as a file that keeps its mode; the file's path."""
    path = folder / f"picture{SUFFIX.get(image.mode, '.png')}"
    image.save(path)
    return str(path)
