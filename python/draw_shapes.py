#!/usr/bin/env python3
"""Draws pictures to train on: coloured shapes on coloured grounds, each with its caption.

    python python/draw_shapes.py FOLDER [--count 4000] [--seed 0] [--size 64] [--kind shapes]
                                 [--scatter 1] [--shapes circle,square,triangle,star,heart,cross]

FOLDER gets 00000.png, 00001.png and so on, and metadata.jsonl with a line such as
{"file_name": "00000.png", "text": "a red circle on a blue background"} for each.

With `--scatter 0` each shape is large and upright in the middle, with 1 of any size, anywhere, tilted.

`--kind leaves` draws pictures without captions for an autoencoder that shall manage more than
shapes: opaque leaves of all sizes, one upon the other, with a grain on each. Their edges, sizes and
shades are spread about as in photographs ("dead leaves": Lee, Mumford and Huang, 2001).

Picture `i` is a function of seed, kind and `i` alone. Another seed draws other pictures.
"""

from __future__ import annotations

import argparse
import json
import math
import random
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

#: Each drawing varies its colours a little around these.
COLORS = {
    "red": (216, 44, 40),
    "orange": (244, 136, 28),
    "yellow": (248, 216, 56),
    "green": (48, 156, 72),
    "blue": (40, 92, 208),
    "purple": (132, 60, 168),
    "black": (28, 28, 28),
    "white": (244, 244, 244),
}
COLOR_SPREAD = 10

#: In degrees to both sides: a square on its corner would be called a diamond.
TILT = {"circle": 0, "square": 12, "triangle": 12, "star": 12, "heart": 12, "cross": 12}
SHAPES = tuple(TILT)

#: The outline is drawn so many times as large, and averaged.
OVERSAMPLING = 8

WORDINGS = (
    "a {size}{color} {shape} on a {ground} background",
    "a {size}{color} {shape} on a {ground} background",
    "a {size}{color} {shape} on {ground}",
    "a picture of a {size}{color} {shape} on a {ground} background",
    "{size}{color} {shape}, {ground} background",
)


# MARK: - Shapes


@dataclass(frozen=True)
class Drawing:
    """One shape on its ground. Lengths are fractions of the picture's side."""

    shape: str
    color: str
    ground: str
    #: Of a circle of the shape's area.
    radius: float
    center: tuple[float, float]
    #: In degrees.
    tilt: float
    shape_rgb: tuple[int, int, int]
    ground_rgb: tuple[int, int, int]
    caption: str


def outline(shape: str, tilt: float = 0) -> np.ndarray:
    """The corners of the shape of area pi around its centre of mass, `[n, 2]`; y points down."""
    if shape in ("circle", "heart"):
        angle = np.linspace(0, 2 * math.pi, 120, endpoint=False)
    if shape == "circle":
        points = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    elif shape == "square":
        points = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)], dtype=float)
    elif shape == "triangle":
        points = around([1, 1, 1])
    elif shape == "star":
        points = around([1, 0.45] * 5)
    elif shape == "heart":
        across = 16 * np.sin(angle) ** 3
        down = -(13 * np.cos(angle) - 5 * np.cos(2 * angle) - 2 * np.cos(3 * angle))
        points = np.stack([across, down + np.cos(4 * angle)], axis=1)
    elif shape == "cross":
        arm = [(1, -3), (1, -1), (3, -1)]
        points = np.array([(x * a - y * b, x * b + y * a) for a, b in QUARTERS for x, y in arm])
    else:
        raise ValueError(f"shape: {shape!r} is none of {', '.join(SHAPES)}")
    area, middle = area_and_middle(points)
    turn = math.radians(tilt)
    rotation = [[math.cos(turn), math.sin(turn)], [-math.sin(turn), math.cos(turn)]]
    return (points - middle) * math.sqrt(math.pi / area) @ rotation


QUARTERS = ((1, 0), (0, 1), (-1, 0), (0, -1))


def around(radii: list[float]) -> np.ndarray:
    """Corners at equal angles with those distances from the middle; the first is at the top."""
    angle = np.arange(len(radii)) * 2 * math.pi / len(radii)
    return np.stack([np.sin(angle), -np.cos(angle)], axis=1) * np.array(radii)[:, None]


def area_and_middle(points: np.ndarray) -> tuple[float, np.ndarray]:
    """The area and the centre of mass of a polygon."""
    after = np.roll(points, -1, axis=0)
    cross = points[:, 0] * after[:, 1] - after[:, 0] * points[:, 1]
    area = cross.sum() / 2
    return abs(area), ((points + after) * cross[:, None]).sum(axis=0) / (6 * area)


def coverage(points: np.ndarray, size: int) -> Image.Image:
    """How much of each pixel the polygon covers, 0 to 255; `points` are fractions of the side."""
    large = Image.new("L", (size * OVERSAMPLING,) * 2)
    corners = [tuple(point) for point in points * large.width - 0.5]
    ImageDraw.Draw(large).polygon(corners, fill=255)
    return large.reduce(OVERSAMPLING)


def random_drawing(
    generator: random.Random, scatter: float = 1, shapes: tuple[str, ...] = SHAPES
) -> Drawing:
    """A drawing of one of the shapes, which differ in place, size and tilt by at most `scatter`."""
    shape = generator.choice(shapes)
    color, ground = generator.sample(sorted(COLORS), 2)
    radius = 0.29 - scatter * (0.29 - generator.uniform(0.17, 0.29))
    tilt = scatter * generator.uniform(-TILT[shape], TILT[shape])
    # All of it inside, with a little room.
    reach = np.abs(outline(shape, tilt)).max() * radius + 0.04
    nearest = 0.5 - scatter * (0.5 - reach)
    center = tuple(generator.uniform(nearest, 1 - nearest) for _ in range(2))
    # In between, the size goes without saying.
    size = "small " if radius < 0.2 else "large " if radius > 0.26 else ""
    if generator.random() < 0.3:
        size = ""
    wording = generator.choice(WORDINGS)
    caption = wording.format(size=size, color=color, shape=shape, ground=ground)

    def vary(name: str) -> tuple[int, int, int]:
        return tuple(
            min(255, max(0, value + generator.randint(-COLOR_SPREAD, COLOR_SPREAD)))
            for value in COLORS[name]
        )

    return Drawing(shape, color, ground, radius, center, tilt, vary(color), vary(ground), caption)


def draw(drawing: Drawing, size: int) -> Image.Image:
    """The drawing as a square picture of `size` pixels a side."""
    picture = Image.new("RGB", (size, size), drawing.ground_rgb)
    points = outline(drawing.shape, drawing.tilt) * drawing.radius + drawing.center
    picture.paste(drawing.shape_rgb, mask=coverage(points, size))
    return picture


# MARK: - Leaves


def draw_leaves(generator: random.Random, size: int) -> Image.Image:
    """Opaque leaves over each other, the latest on top, until all is covered."""
    scale = 4
    # Neighbours in a photograph have related colors, more or less.
    middle = [generator.uniform(0, 255) for _ in range(3)]
    spread = generator.choice((15, 40, 70))
    large = Image.new("RGB", (size * scale,) * 2, leaf_color(generator, middle, spread))
    brush = ImageDraw.Draw(large)
    smallest, largest = generator.choice(((0.02, 0.8), (0.05, 1.0), (0.15, 1.2)))
    for _ in range(generator.choice((4, 10, 30, 120))):
        # Sizes by the law of the inverse cube, which looks alike at all distances.
        share = generator.random()
        radius = (smallest**-2 + share * (largest**-2 - smallest**-2)) ** -0.5
        points = outline(generator.choice(SHAPES), generator.uniform(0, 360))
        points = points * [1, generator.uniform(0.3, 1)] @ turned(generator.uniform(0, 360))
        points = points * radius / 2 + [generator.uniform(-0.1, 1.1) for _ in range(2)]
        color = leaf_color(generator, middle, spread)
        brush.polygon([tuple(point) for point in points * large.width], fill=color)
    pixels = np.asarray(large.reduce(scale), dtype=np.float64)
    strength = generator.choice((0, 4, 10, 25))
    pixels = pixels + strength * grain(np.random.default_rng(generator.getrandbits(64)), size)
    pixels = pixels * light(generator, size)
    return Image.fromarray(np.clip(pixels + 0.5, 0, 255).astype(np.uint8))


def turned(degrees: float) -> np.ndarray:
    turn = math.radians(degrees)
    return np.array([[math.cos(turn), math.sin(turn)], [-math.sin(turn), math.cos(turn)]])


def leaf_color(generator: random.Random, middle, spread: float) -> tuple[int, int, int]:
    """Lighter or darker than `middle`, and a little off its hue."""
    shade = generator.gauss(0, spread)
    return tuple(
        int(min(255, max(0, value + shade + generator.gauss(0, spread / 2)))) for value in middle
    )


def grain(generator: np.random.Generator, size: int) -> np.ndarray:
    """Noise whose amplitude falls with the frequency, `[size, size, 3]`, deviation 1."""
    frequency = np.hypot(np.fft.fftfreq(size)[:, None], np.fft.fftfreq(size)[None])
    frequency[0, 0] = 1
    gray, colored = generator.standard_normal((2, size, size, 3))
    noise = gray[:, :, :1] + 0.4 * colored
    spectrum = np.fft.fft2(noise, axes=(0, 1)) / frequency[:, :, None] ** 1.2
    spectrum[0, 0] = 0
    noise = np.fft.ifft2(spectrum, axes=(0, 1)).real
    return noise / noise.std()


def light(generator: random.Random, size: int) -> np.ndarray:
    """From one side more than from the other, `[size, size, 1]`."""
    turn, slope = generator.uniform(0, 2 * math.pi), generator.uniform(0, 0.4)
    axis = np.linspace(-1, 1, size)
    ramp = math.cos(turn) * axis[None] + math.sin(turn) * axis[:, None]
    return (1 + slope * ramp)[:, :, None]


# MARK: - Files


def generator_of(kind: str, seed: int, index: int) -> random.Random:
    """What decides on one picture."""
    return random.Random(f"{kind} {seed} {index}")


def write_pictures(
    folder: Path,
    kind: str,
    count: int,
    seed: int,
    size: int,
    scatter: float = 1,
    shapes: tuple[str, ...] = SHAPES,
) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    lines = []
    for index in range(count):
        generator, name = generator_of(kind, seed, index), f"{index:05}.png"
        if kind == "leaves":
            draw_leaves(generator, size).save(folder / name)
        else:
            drawing = random_drawing(generator, scatter, shapes)
            draw(drawing, size).save(folder / name)
            lines.append(json.dumps({"file_name": name, "text": drawing.caption}))
    if lines:
        (folder / "metadata.jsonl").write_text("\n".join(lines) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--count", type=int, default=4000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--size", type=int, default=64, help="pixels a side")
    parser.add_argument("--kind", choices=("shapes", "leaves"), default="shapes")
    parser.add_argument("--scatter", type=float, default=1, help="0 to 1")
    parser.add_argument("--shapes", default=",".join(SHAPES))
    o = parser.parse_args()
    shapes = tuple(o.shapes.split(","))
    write_pictures(o.folder, o.kind, o.count, o.seed, o.size, o.scatter, shapes)


if __name__ == "__main__":
    main()
