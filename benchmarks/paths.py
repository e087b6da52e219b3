"""What is measured, by name: parts of the model, ways through the whole of it, whole processes."""

from __future__ import annotations

from dataclasses import dataclass

#: The parts of a model that can be called by themselves.
PARTS = ("encode", "decode", "unet")


@dataclass(frozen=True)
class Case:
    """One call that engines are asked for in turn."""

    #: `encode`, `decode`, `unet`; or `latents`, `pictures`: from a picture's file to files.
    call: str
    #: The picture's sides in pixels.
    size: int
    #: Pictures at once. The UNet sees twice as many latents, because of guidance.
    batch: int = 1

    @property
    def title(self) -> str:
        what = {
            "encode": "VAE encode",
            "decode": "VAE decode",
            "unet": "UNet step",
            "latents": "strength 0, latents only",
            "pictures": "strength 0 with pictures",
        }[self.call]
        pictures = "" if self.batch == 1 else f", {self.batch} pictures"
        return f"{what}, {self.size} × {self.size}{pictures}"

    @property
    def openvino_file(self) -> str:
        """What the case's converted model is called."""
        return f"{self.call}-{self.size}-{self.batch}.xml"


@dataclass(frozen=True)
class Path:
    """A path that can be asked for by its name."""

    title: str
    #: The engines that it is for, unless others are asked for.
    engines: tuple[str, ...]


VAE = ("ours", "diffusers", "channels-last", "openvino", "ours-bf16", "openvino-bf16")

PATHS = {
    "encode": Path("The VAE's encoder", VAE),
    "decode": Path("The VAE's decoder", VAE),
    # All engines hold their weights at once: 3.4 GB each. Hence not all of them.
    "unet": Path("The UNet, with guidance", ("ours", "diffusers", "openvino", "openvino-bf16")),
    "latents": Path("A picture's file to its latents' file, warm", ("ours", "original")),
    "pictures": Path("The same, with the decoded picture's file", ("ours", "original")),
    "start": Path("Process start to the first latents on disk", ("ours", "original")),
    "memory": Path("The same above strength 0, for its memory", ("ours", "original")),
    "many": Path("Many pictures in one call, with loading", ("ours",)),
    "threads": Path("One thread and several", ("ours",)),
    "sizes": Path("Other sizes", ("ours", "diffusers")),
    "batch": Path("Several pictures at once", ("ours", "diffusers")),
}

#: What a run measures unless told otherwise: all that the targets speak of.
DEFAULT = ("encode", "decode", "unet", "latents", "pictures", "start", "memory", "many")

#: Of these, engines are asked in turn, warm.
WARM = ("encode", "decode", "unet", "latents", "pictures", "threads", "sizes", "batch")


def cases(path: str, size: int, sizes: list[int], batches: list[int]) -> list[Case]:
    """The calls that a warm path consists of."""
    if path == "sizes":
        return [Case(part, side) for side in sizes for part in ("encode", "decode")]
    if path == "batch":
        return [Case(part, size, batch) for part in ("encode", "unet") for batch in batches]
    if path == "threads":
        return [Case(part, size) for part in PARTS]
    return [Case(path, size)]
