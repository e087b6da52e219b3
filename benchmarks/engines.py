"""What is compared, by name. How each one computes is in `implementations.py`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Engine:
    title: str
    #: What it multiplies in, and so the rate that it is held against.
    dtype: str = "float32"


ENGINES = {
    "ours": Engine("this project"),
    "original": Engine("gpi_pack 0.2.1"),
    "diffusers": Engine("diffusers"),
    "channels-last": Engine("diffusers, channels-last"),
    "compile": Engine("torch.compile, frozen"),
    "openvino": Engine("OpenVINO f32"),
    "ours-bf16": Engine("this project, bfloat16", "bfloat16"),
    "openvino-bf16": Engine("OpenVINO bf16", "bfloat16"),
}

#: Engines that come from OpenVINO, which may not be there.
OPENVINO = ("openvino", "openvino-bf16")


def engine(name: str) -> Engine:
    """The engine of that name; one that is not known is another build of this project."""
    return ENGINES.get(name) or Engine(f"this project, build “{name}”")
