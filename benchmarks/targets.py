"""What this project means to reach, and whether a run shows it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.figures import Row, of, paired_ratio


@dataclass(frozen=True)
class Target:
    title: str
    path: str
    #: Whose time or memory is divided by ours.
    other: str
    at_least: float
    ours: str = "ours"
    quantity: str = "seconds"

    def measured(self, rows: Sequence[Row]) -> float | None:
        """How many times ours the other one takes; None where it was not measured."""
        other, ours = of(rows, self.path, self.other), of(rows, self.path, self.ours)
        if other is None or ours is None:
            return None
        return paired_ratio(getattr(other, self.quantity), getattr(ours, self.quantity))


@dataclass(frozen=True)
class Many:
    """As many pictures in one call as times one picture."""

    title: str
    at_least: float
    quantity: str = "seconds"

    def measured(self, rows: Sequence[Row]) -> float | None:
        one, many = of(rows, "many", "ours"), of(rows, "many", "ours", many=True)
        if one is None or many is None:
            return None
        times = many.pictures if self.quantity == "seconds" else 1
        ratio = paired_ratio(getattr(one, self.quantity), getattr(many, self.quantity))
        return times * ratio


TARGETS = (
    Target("strength 0, latents only, warm, against gpi_pack 0.2.1", "latents", "original", 10),
    Target("strength 0 with pictures, warm, against gpi_pack 0.2.1", "pictures", "original", 3.5),
    Target("VAE encode, against OpenVINO f32", "encode", "openvino", 2),
    Target("VAE decode, against OpenVINO f32", "decode", "openvino", 2.5),
    Target("UNet step with guidance, against diffusers", "unet", "diffusers", 1.8),
    Target("UNet step with guidance, against OpenVINO f32", "unet", "openvino", 1.35),
    Target(
        "process start to the first latents on disk, against gpi_pack 0.2.1", "start", "original", 8
    ),
    Target(
        "peak memory, strength 0, against gpi_pack 0.2.1",
        "start",
        "original",
        8,
        quantity="gibibytes",
    ),
    Target(
        "peak memory, strength 0.6, against gpi_pack 0.2.1",
        "memory",
        "original",
        1 / 0.6,
        quantity="gibibytes",
    ),
    Many("time of one picture times their number, against that of many in one call", 1),
    # What the allocator makes of different pictures varies by a few pages.
    Many("peak memory of one picture, against that of many", 0.95, "gibibytes"),
    Target(
        "VAE decode in bfloat16, against OpenVINO bf16",
        "decode",
        "openvino-bf16",
        1.2,
        ours="ours-bf16",
    ),
)
