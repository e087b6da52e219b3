#!/usr/bin/env python3
"""Says what shape of which color on which ground a picture shows, and whether its caption is right.

    python python/judge_shapes.py FOLDER

FOLDER is as draw_shapes.py writes them: pictures, and metadata.jsonl with their captions. Prints the
share of pictures that show what their caption names, and those that do not.

A picture is right if it has one shape of one color on a ground of one color and all three are
named in its caption. It is looked at without the caption: the border's color is the ground; what
differs from it is the shape, whose outline is compared with each that draw_shapes.py draws.
"""

from __future__ import annotations

import json
import random
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from draw_shapes import COLORS, SHAPES, TILT, coverage, outline
from PIL import Image

#: What make_demo_checkpoint.sh has the demo model learn to draw.
LEARNT = ("circle", "square", "triangle", "star")
#: Of a color to the nearest name's, in levels of 0 to 255.
FARTHEST = 60
#: Of the area that either outline covers, what both must cover at least.
LEAST_OVERLAP = 0.75
#: Pixels a side of the frame in which outlines are compared; their radius is a quarter of it.
FRAME = 48


@dataclass(frozen=True)
class Verdict:
    """What a picture shows; an empty name where it is nothing that has one."""

    shape: str
    color: str
    ground: str
    #: Of the shape's outline with the best of those that are known.
    overlap: float

    def is_right(self, caption: str) -> bool:
        """Whether the caption says just this."""
        return (self.shape, self.color, self.ground) == named(caption)


def named(caption: str) -> tuple[str, str, str]:
    """Shape, color and ground in a caption of draw_shapes.py."""
    words = caption.replace(",", " ").split()
    color, ground = [word for word in words if word in COLORS]
    (shape,) = [word for word in words if word in SHAPES]
    return shape, color, ground


def random_captions(count: int, seed: int) -> list[str]:
    """Prompts for the shapes that python/demo_checkpoint learnt, as most of its captions were."""
    generator = random.Random(f"captions {seed}")
    captions = []
    for _ in range(count):
        color, ground = generator.sample(sorted(COLORS), 2)
        captions.append(f"a {color} {generator.choice(LEARNT)} on a {ground} background")
    return captions


def judge(picture: Image.Image) -> Verdict:
    pixels = np.asarray(picture.convert("RGB"), dtype=np.float64)
    border = np.concatenate([pixels[:2].reshape(-1, 3), pixels[-2:].reshape(-1, 3)])
    border = np.concatenate([border, pixels[:, :2].reshape(-1, 3), pixels[:, -2:].reshape(-1, 3)])
    ground = np.median(border, axis=0)

    # What differs most from the ground is of the shape's color for certain; from there, the middle
    # between both is the outline.
    distance = np.linalg.norm(pixels - ground, axis=2)
    certain = distance > 0.7 * np.quantile(distance, 0.97)
    if not certain.any():
        return Verdict("", "", name_of(ground), 0)
    color = np.median(pixels[certain], axis=0)
    mask = np.linalg.norm(pixels - color, axis=2) < distance
    # Too little to be a shape, too much to have a ground, or of no clear color.
    if not 0.02 < mask.mean() < 0.6 or np.linalg.norm(color - ground) < 30:
        return Verdict("", "", name_of(ground), 0)
    overlaps = {shape: overlap_with(shape, framed(mask)) for shape in SHAPES}
    shape = max(overlaps, key=overlaps.get)
    overlap = overlaps[shape]
    return Verdict(
        shape if overlap >= LEAST_OVERLAP else "", name_of(color), name_of(ground), overlap
    )


def name_of(color: np.ndarray) -> str:
    distances = {name: np.linalg.norm(color - value) for name, value in COLORS.items()}
    nearest = min(distances, key=distances.get)
    return nearest if distances[nearest] <= FARTHEST else ""


def framed(mask: np.ndarray) -> np.ndarray:
    """The mask with its centre of mass in the frame's middle, enlarged to the area in `known`."""
    middle = np.argwhere(mask).mean(axis=0) + 0.5
    step = np.sqrt(mask.sum() / np.pi) / (FRAME / 4)
    places = (np.arange(FRAME) + 0.5 - FRAME / 2) * step
    rows, columns = (np.floor(middle[axis] + places).astype(int) for axis in (0, 1))
    inside = [
        (index >= 0) & (index < side)
        for index, side in zip((rows, columns), mask.shape, strict=True)
    ]
    frame = mask[np.clip(rows, 0, mask.shape[0] - 1)][:, np.clip(columns, 0, mask.shape[1] - 1)]
    return frame & inside[0][:, None] & inside[1]


@cache
def known(shape: str) -> np.ndarray:
    """The shape in the frame at all tilts that it is drawn with, `[n, FRAME, FRAME]`."""
    tilts = np.linspace(-TILT[shape], TILT[shape], 2 * (TILT[shape] // 4) + 1)
    frames = [coverage(outline(shape, tilt) / 4 + 0.5, FRAME) for tilt in tilts]
    return np.stack([np.asarray(frame) > 127 for frame in frames])


def overlap_with(shape: str, frame: np.ndarray) -> float:
    """The area that both cover by the area that either covers, at the best tilt."""
    both = (known(shape) & frame).sum(axis=(1, 2))
    return float((both / (known(shape) | frame).sum(axis=(1, 2))).max())


def main() -> None:
    folder = Path(sys.argv[1])
    lines = (folder / "metadata.jsonl").read_text().splitlines()
    wrong = 0
    for line in map(json.loads, lines):
        with Image.open(folder / line["file_name"]) as picture:
            verdict = judge(picture)
        if not verdict.is_right(line["text"]):
            wrong += 1
            print(f"{line['file_name']}: {line['text']!r}, but {verdict}")
    print(f"{len(lines) - wrong} of {len(lines)} show what their caption names")


if __name__ == "__main__":
    main()
