#!/usr/bin/env python3
"""Three photographs to latents and back, with the small checkpoint of this repository.

    make demo                                    or
    python python/demo.py [--model FOLDER_OR_ID] [--output FOLDER]

Writes latents and decoded pictures, and one picture for each photograph that shows what went in
beside what came out.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import matplotlib
import sklearn
import torch
from PIL import Image, ImageOps

from gpi_pack.diffusion import extract_images

ROOT = Path(__file__).resolve().parents[1]
#: Photographs that come with two well-known packages.
PHOTOGRAPHS = [
    Path(matplotlib.get_data_path(), "sample_data", "grace_hopper.jpg"),
    Path(sklearn.__file__).with_name("datasets") / "images" / "china.jpg",
    Path(sklearn.__file__).with_name("datasets") / "images" / "flower.jpg",
]


def side_by_side(before: Path, after: Path, gap: int = 16) -> Image.Image:
    """The photograph at the size of what came out of it, and that."""
    with Image.open(before) as photograph, Image.open(after) as decoded:
        sheet = Image.new("RGB", (2 * decoded.width + gap, decoded.height), "white")
        sheet.paste(ImageOps.fit(photograph.convert("RGB"), decoded.size), (0, 0))
        sheet.paste(decoded, (decoded.width + gap, 0))
    return sheet


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--model", default=ROOT / "python" / "demo_checkpoint")
    parser.add_argument("--output", type=Path, default=ROOT / "demo-output")
    options = parser.parse_args()
    hidden, pictures = options.output / "hidden", options.output / "images"

    extract_images(PHOTOGRAPHS, "", hidden, pictures, model_id=options.model, seed=42)

    for index, photograph in enumerate(PHOTOGRAPHS):
        latents = torch.load(hidden / f"hidden_{index}.pt", weights_only=True)
        sheet = options.output / f"{photograph.stem}.png"
        side_by_side(photograph, pictures / f"gen_{index}.png").save(sheet)
        print(photograph.name)
        print(f"  latents    {hidden / f'hidden_{index}.pt'}  {list(latents.shape)}")
        print(f"  picture    {pictures / f'gen_{index}.png'}")
        print(f"  comparison {sheet}")


if __name__ == "__main__":
    main()
