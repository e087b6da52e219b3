"""The checkpoint that comes with this repository: what it is made of, and what it has learnt."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from checkpoints import DEMO
from pictures import picture
from PIL import Image
from safetensors.torch import load_file

sys.path.append(str(DEMO.parent))

import draw_shapes
import judge_shapes

#: Another seed than that of the drawings that were learnt from.
HELD_OUT = 1
#: What a small checkpoint may weigh.
MOST_BYTES = 8_000_000


def contents(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != "README.md"
    }


def drawings(count: int, seed: int = HELD_OUT) -> list[tuple[Image.Image, str]]:
    made = []
    for index in range(count):
        drawing = draw_shapes.random_drawing(draw_shapes.generator_of("shapes", seed, index))
        made.append((draw_shapes.draw(drawing, 64), drawing.caption))
    return made


# MARK: - Files


def test_small():
    assert sum(map(len, contents(DEMO).values())) < MOST_BYTES


def test_made_from_the_untrained_one(tmp_path):
    script = DEMO.parent / "untrained_checkpoint.py"
    subprocess.run([sys.executable, str(script), str(tmp_path)], check=True)
    made, shipped = contents(tmp_path), contents(DEMO)
    assert made.keys() == shipped.keys()
    for name in made:
        if not name.endswith(".safetensors"):
            assert made[name] == shipped[name], name
            continue
        before, after = load_file(tmp_path / name), load_file(DEMO / name)
        assert {key: value.shape for key, value in before.items()} == {
            key: value.shape for key, value in after.items()
        }
        assert all(value.dtype == torch.float16 for value in after.values())
        # Every part was trained.
        assert any(not torch.equal(before[key].half(), after[key]) for key in before)


def test_loads_in_diffusers():
    from diffusers import StableDiffusionPipeline

    pipeline = StableDiffusionPipeline.from_pretrained(DEMO, safety_checker=None).to(torch.float32)
    pipeline.set_progress_bar_config(disable=True)
    prompt = "a white star on a black background"
    generator = torch.Generator().manual_seed(0)
    image = pipeline(prompt, num_inference_steps=20, generator=generator).images[0]
    assert image.size == (64, 64)
    assert judge_shapes.judge(image).is_right(prompt)


@pytest.mark.parametrize("name", ["china", "flower", "hopper"])
def test_parity(name, original, subject, measured, tmp_path):
    image = picture(256, 192, name)
    for side in (subject, original):
        folder = tmp_path / type(side).__name__
        side.extract_images(
            [image],
            ["a photo"],
            str(folder),
            str(folder),
            model_id=str(DEMO),
            device="cpu",
            seed=1,
        )
    ours, expected = tmp_path / "Subject", tmp_path / "Original"
    pair = [torch.load(folder / "hidden_0.pt", weights_only=True) for folder in (ours, expected)]
    measured.latents("demo checkpoint", *pair)
    pair = [np.array(Image.open(folder / "gen_0.png")) for folder in (ours, expected)]
    measured.levels("demo checkpoint", *pair)

    # It decodes to the picture: of the right colours in the right places.
    small = [
        np.asarray(Image.fromarray(array).resize((16, 12)))
        for array in (pair[0], np.asarray(image))
    ]
    assert np.corrcoef(small[0].ravel(), small[1].ravel())[0, 1] > 0.9


# MARK: - Drawings, and who judges them


def test_drawings_depend_on_the_seed_alone(tmp_path):
    for name, seed in [("one", 5), ("same", 5), ("other", 6)]:
        for kind in ("shapes", "leaves"):
            draw_shapes.write_pictures(tmp_path / name / kind, kind, 3, seed, 64)
    one, same, other = (contents(tmp_path / name) for name in ("one", "same", "other"))
    assert len(one) == 7
    assert one == same
    assert all(one[name] != other[name] for name in one)
    lines = (tmp_path / "one" / "shapes" / "metadata.jsonl").read_text().splitlines()
    assert [json.loads(line)["file_name"] for line in lines] == [f"{n:05}.png" for n in range(3)]


def test_the_judge_knows_drawings():
    made = drawings(300)
    right = [judge_shapes.judge(image).is_right(caption) for image, caption in made]
    assert np.mean(right) >= 0.99
    captions = [caption for _, caption in made]
    for (image, caption), other in zip(made, captions[1:] + captions[:1], strict=True):
        if judge_shapes.named(caption) != judge_shapes.named(other):
            assert not judge_shapes.judge(image).is_right(other)


@pytest.mark.parametrize(
    "pixels",
    [
        np.zeros((64, 64, 3)),
        np.random.default_rng(0).integers(0, 256, (64, 64, 3)),
        np.linspace(0, 255, 64)[:, None, None] * np.ones((64, 64, 3)),
        # Half and half: neither is a shape.
        np.repeat([[216, 44, 40], [40, 92, 208]], 32, axis=0)[:, None] * np.ones((1, 64, 1)),
    ],
    ids=["black", "noise", "ramp", "halves"],
)
def test_the_judge_refuses_what_is_no_drawing(pixels):
    verdict = judge_shapes.judge(Image.fromarray(pixels.astype(np.uint8)))
    assert verdict.shape == ""


# MARK: - What it has learnt


def test_drawings_come_back(subject, tmp_path):
    """Drawings that it was not trained on, through latents, on average within 25 dB."""
    images = [image for image, _ in drawings(50)]
    subject.extract_images(
        images, "", str(tmp_path), str(tmp_path), model_id=str(DEMO), device="cpu", seed=1
    )
    ratios = []
    for index, image in enumerate(images):
        with Image.open(tmp_path / f"gen_{index}.png") as decoded:
            difference = np.asarray(decoded, np.float64) - np.asarray(image, np.float64)
        ratios.append(10 * np.log10(255**2 / (difference**2).mean()))
    assert np.mean(ratios) >= 25


def test_prompts_give_what_they_name():
    """Of 100 prompts at least 90 give the named shape in the named colors."""
    from gpi_pack.diffusion import StableDiffusionPipeline

    pipe = StableDiffusionPipeline.from_pretrained(DEMO).to("cpu")
    prompts = judge_shapes.random_captions(100, seed=0)
    right = 0
    for start in range(0, 100, 20):
        some = prompts[start : start + 20]
        images = pipe(
            some,
            num_inference_steps=20,
            guidance_scale=4.0,
            generator=torch.Generator().manual_seed(start),
        ).images
        right += sum(
            judge_shapes.judge(image).is_right(prompt)
            for image, prompt in zip(images, some, strict=True)
        )
    assert right >= 90
