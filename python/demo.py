#!/usr/bin/env python3
"""What the small checkpoint of this repository can do: pictures to latents and back, and prompts.

    make demo                                    or
    python python/demo.py [--model FOLDER_OR_ID] [--output FOLDER]

Writes latents and decoded pictures of three photographs and of drawings that it was not trained on,
pictures that show what went in beside what came out, and a sheet of pictures made from prompts.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import matplotlib
import numpy as np
import sklearn
import torch
from draw_shapes import write_pictures
from judge_shapes import judge, random_captions
from PIL import Image, ImageDraw

from gpi_pack.diffusion import StableDiffusionPipeline, extract_images

ROOT = Path(__file__).resolve().parents[1]
#: Photographs that come with two well-known packages. It was not trained on any photograph.
PHOTOGRAPHS = [
    Path(matplotlib.get_data_path(), "sample_data", "grace_hopper.jpg"),
    Path(sklearn.__file__).with_name("datasets") / "images" / "china.jpg",
    Path(sklearn.__file__).with_name("datasets") / "images" / "flower.jpg",
]
#: Another seed than that of the drawings that were learnt from.
HELD_OUT = 1


def side_by_side(before: Image.Image, after: Image.Image, gap: int = 16) -> Image.Image:
    """Two pictures of one size."""
    sheet = Image.new("RGB", (2 * after.width + gap, after.height), "white")
    sheet.paste(before, (0, 0))
    sheet.paste(after, (after.width + gap, 0))
    return sheet


def psnr(before: Image.Image, after: Image.Image) -> float:
    """The peak signal-to-noise ratio in decibels."""
    difference = np.asarray(before, dtype=np.float64) - np.asarray(after, dtype=np.float64)
    return float(10 * np.log10(255**2 / max((difference**2).mean(), 1e-10)))


def reconstruct(pictures: list[Path], model, output: Path) -> list[tuple[Image.Image, Image.Image]]:
    """Each picture, and what comes out of its latents."""
    hidden, decoded = output / "hidden", output / "images"
    extract_images(pictures, "", hidden, decoded, model_id=model, seed=42)
    pairs = []
    for index, path in enumerate(pictures):
        with Image.open(path) as before, Image.open(decoded / f"gen_{index}.png") as after:
            pairs.append(aligned(before.convert("RGB"), after))
    return pairs


def aligned(before: Image.Image, after: Image.Image) -> tuple[Image.Image, Image.Image]:
    """The picture as it was encoded, and what came back of it, without the padding around."""
    shrunk = min(1, 512 / max(before.size))
    width, height = (int(side * shrunk) for side in before.size)
    left, top = (after.width - width) // 2, (after.height - height) // 2
    return (
        before.resize((width, height), Image.LANCZOS),
        after.crop((left, top, left + width, top + height)),
    )


def grid(pictures: list[Image.Image], columns: int, captions: list[str] | None = None):
    """Pictures of one size in rows, each above its caption."""
    width, height = pictures[0].size
    row = height + (14 if captions else 0)
    rows = -(-len(pictures) // columns)
    sheet = Image.new("RGB", (columns * (width + 4), rows * (row + 4)), "white")
    for index, picture in enumerate(pictures):
        place = (index % columns * (width + 4), index // columns * (row + 4))
        sheet.paste(picture, place)
        if captions:
            text = (place[0] + 2, place[1] + height + 1)
            ImageDraw.Draw(sheet).text(text, captions[index], fill="black")
    return sheet


def enlarged(picture: Image.Image, factor: int) -> Image.Image:
    return picture.resize((picture.width * factor, picture.height * factor), Image.NEAREST)


def show_photographs(options) -> None:
    output = options.output
    for index, (before, after) in enumerate(reconstruct(PHOTOGRAPHS, options.model, output)):
        latents = torch.load(output / "hidden" / f"hidden_{index}.pt", weights_only=True)
        sheet = output / f"{PHOTOGRAPHS[index].stem}.png"
        side_by_side(before, after).save(sheet)
        print(PHOTOGRAPHS[index].name)
        print(f"  latents    {output / 'hidden' / f'hidden_{index}.pt'}  {list(latents.shape)}")
        print(f"  picture    {output / 'images' / f'gen_{index}.png'}")
        print(f"  comparison {sheet}  PSNR {psnr(before, after):.1f} dB")


def show_drawings(options, count: int = 24) -> None:
    output = options.output / "drawings"
    write_pictures(output, "shapes", count, HELD_OUT, 64)
    drawings = [output / f"{index:05}.png" for index in range(count)]
    pairs = reconstruct(drawings, options.model, output)
    sheet = options.output / "drawings.png"
    grid([side_by_side(*(enlarged(each, 2) for each in pair), gap=4) for pair in pairs], 4).save(
        sheet
    )
    mean = float(np.mean([psnr(*pair) for pair in pairs]))
    print(f"{count} drawings that it was not trained on")
    print(f"  comparison {sheet}  PSNR {mean:.1f} dB on average")


def show_prompts(options) -> None:
    pipe = StableDiffusionPipeline.from_pretrained(options.model)
    captions = random_captions(options.prompts, seed=0)
    pictures: list[Image.Image] = []
    for start in range(0, len(captions), 20):
        some = captions[start : start + 20]
        generator = torch.Generator().manual_seed(start)
        pictures += pipe(
            some, num_inference_steps=20, guidance_scale=4.0, generator=generator
        ).images
    right = sum(
        judge(picture).is_right(text) for picture, text in zip(pictures, captions, strict=True)
    )
    sheet = options.output / "prompts.png"
    short = [
        text.removeprefix("a ").removesuffix(" background").replace(" on a ", " on ")
        for text in captions
    ]
    grid([enlarged(picture, 2) for picture in pictures], 8, short).save(sheet)
    print(f"{len(captions)} prompts")
    print(f"  sheet      {sheet}")
    print(f"  {right} pictures have the named shape and colors")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--model", default=ROOT / "python" / "demo_checkpoint")
    parser.add_argument("--output", type=Path, default=ROOT / "demo-output")
    parser.add_argument("--prompts", type=int, default=40, help="how many are made pictures of")
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    show_photographs(options)
    show_drawings(options)
    show_prompts(options)


if __name__ == "__main__":
    main()
