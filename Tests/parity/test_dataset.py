"""extract_dataset: what extract_images makes of each picture, for whole studies."""

from __future__ import annotations

import csv
import fcntl
import inspect
import io
import json
import os
import pickle
import pty
import shutil
import signal
import struct
import subprocess
import sys
import termios
import textwrap
import threading
import time
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from pictures import MODES, in_mode, picture, written
from PIL import Image, ImageOps

pytestmark = pytest.mark.ours

LANCZOS = Image.LANCZOS
PROMPT = "a photo of a red house by the sea"


@pytest.fixture(scope="module")
def module(subject):
    import gpi_pack.diffusion

    return gpi_pack.diffusion


@pytest.fixture(scope="module")
def model(checkpoints) -> str:
    return str(checkpoints("narrow"))


@pytest.fixture
def extract(module, model):
    """extract_dataset with a small model on the CPU."""

    def call(images, output_dir, *positional, **options):
        options = {"model_id": model, "device": "cpu"} | options
        return module.extract_dataset(images, output_dir, *positional, **options)

    return call


@pytest.fixture
def photographs(tmp_path) -> Path:
    """A folder with four pictures of three shapes."""
    folder = tmp_path / "photographs"
    for name, image in {
        "2.png": picture(64, 48, "china"),
        "10.png": picture(40, 72, "flower"),
        "north/1.jpg": picture(64, 48, "hopper"),
        "north/far/1.PNG": picture(120, 88, "flower"),
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        image.save(folder / name)
    return folder


#: Of `photographs`, in the order of the study.
NAMES = ["2", "10", "north/1", "north/far/1"]
FILES = ["2.png", "10.png", "north/1.jpg", "north/far/1.PNG"]


def latents(folder: Path, name: str) -> torch.Tensor:
    return torch.load(Path(folder) / "latents" / f"{name}.pt", weights_only=True)


def rows(folder: Path) -> list[dict]:
    return [json.loads(line) for line in (Path(folder) / "manifest.jsonl").read_text().splitlines()]


def settings(folder: Path) -> dict:
    return json.loads((Path(folder) / "settings.json").read_text())


def files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.suffix in (".pt", ".png", ".npy", ".csv")
    }


def seen(image: Image.Image) -> Image.Image:
    """What the model sees of an opaque image without a size."""
    image = image.convert("RGB")
    longest = max(image.size)
    if longest <= 512:
        return image
    return image.resize([side * 512 // longest for side in image.size], LANCZOS)


# MARK: - The same latents


@pytest.mark.parametrize("strength", [0, 0.6])
def test_the_latents_of_extract_images(strength, extract, subject, checkpoints, photographs):
    model = checkpoints.denoising("sd1")
    options = {"strength": strength, "num_inference_steps": 5, "negative_prompt": "blurry"}
    prompts = [PROMPT, "a dog", "", "a cat"]
    paths = [str(photographs / file) for file in FILES]
    summary = extract(
        photographs,
        photographs.parent / "out",
        prompts,
        seed=[3, 5, 3, 7],
        model_id=model,
        **options,
    )
    assert (summary.total, summary.extracted, summary.failed) == (4, 4, 0)
    for name, path, prompt, seed in zip(NAMES, paths, prompts, [3, 5, 3, 7], strict=True):
        [expected] = subject.latents(model, path, seed, [prompt], **options)
        assert torch.equal(latents(summary.output_dir, name), expected)


def test_order_and_names(extract, photographs, tmp_path):
    extract(photographs, tmp_path / "out")
    assert [row["name"] for row in rows(tmp_path / "out")] == NAMES
    assert [row["source"] for row in rows(tmp_path / "out")] == [
        str(photographs / file) for file in FILES
    ]


class Column:
    """What a pandas column is to whoever iterates over it; without len or numbers in brackets."""

    def __init__(self, values):
        self.values = values

    def __iter__(self):
        return iter(self.values)


@pytest.mark.parametrize("kind", [list, tuple, np.array, Column])
@pytest.mark.parametrize("path", [str, Path])
def test_kinds_of_lists(path, kind, extract, photographs, tmp_path):
    images = kind([path(photographs / file) for file in FILES[:3]])
    extract(
        images,
        tmp_path / "out",
        kind(["a", "b", "c"]),
        names=kind(["x", "y/z", "w"]),
        seed=kind([1, 2, 3]),
    )
    found = [(row["name"], row["prompt"], row["seed"]) for row in rows(tmp_path / "out")]
    assert found == [("x", "a", 1), ("y/z", "b", 2), ("w", "c", 3)]


def test_names_of_a_list(extract, photographs, tmp_path):
    extract([photographs / file for file in FILES[:3]], tmp_path / "files")
    assert [row["name"] for row in rows(tmp_path / "files")] == ["2", "10", "1"]
    extract([photographs / file for file in FILES], tmp_path / "ids", names=np.arange(4) + 100)
    assert [row["name"] for row in rows(tmp_path / "ids")] == ["100", "101", "102", "103"]
    assert torch.equal(latents(tmp_path / "files", "1"), latents(tmp_path / "ids", "102"))


def test_names_for_a_folder(extract, photographs, tmp_path):
    extract(photographs, tmp_path / "out", names=["a", "b", "c", "d"])
    found = [(row["name"], row["source"]) for row in rows(tmp_path / "out")]
    assert found == [(n, str(photographs / f)) for n, f in zip("abcd", FILES, strict=True)]


def test_one_name_for_two_pictures(extract, photographs, tmp_path):
    with pytest.raises(ValueError, match=r"^names: .*2\.png.*both be called \"2\""):
        extract([photographs / "2.png"] * 2, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_negative_seeds_are_those_of_torch(extract, subject, model, photographs, tmp_path):
    extract([photographs / "2.png"], tmp_path / "out", seed=-1)
    [expected] = subject.latents(model, str(photographs / "2.png"), -1)
    assert torch.equal(latents(tmp_path / "out", "2"), expected)
    assert settings(tmp_path / "out")["settings"]["seed"] == 2**64 - 1


def test_equal_seeds_give_equal_noise(extract, photographs, tmp_path):
    """The posterior's mean and spread alone differ between pictures of one size."""
    for name, options in {"mode": {"posterior": "mode"}, "a": {}, "b": {"seed": 1}}.items():
        extract([photographs / "2.png"], tmp_path / name, **options)
    mean, a, b = (latents(tmp_path / name, "2") for name in ("mode", "a", "b"))
    assert not torch.equal(a, b) and not torch.equal(a, mean)


def test_mode_is_without_noise(extract, photographs, tmp_path):
    for seed in (0, 1):
        extract([photographs / "2.png"], tmp_path / str(seed), seed=seed, posterior="mode")
    assert torch.equal(latents(tmp_path / "0", "2"), latents(tmp_path / "1", "2"))


def test_dtype(extract, module, model, photographs, tmp_path):
    extract([photographs / "2.png"], tmp_path / "out", dtype=torch.bfloat16)
    extractor = module.StableDiffusionImg2ImgExtractor(model, "cpu", dtype="bfloat16")
    expected = extractor.get_hidden_states(str(photographs / "2.png"), "", strength=0, seed=0)
    found = latents(tmp_path / "out", "2")
    assert found.dtype == torch.float32 and torch.equal(found, expected.float())


# MARK: - What the model sees


@pytest.fixture
def expected(subject, model):
    """The latents of an image that the test has prepared itself."""

    def call(image: Image.Image) -> torch.Tensor:
        assert image.mode == "RGB" and max(image.size) <= 512
        return subject.latents(model, image, 0)[0]

    return call


@pytest.mark.parametrize("mode", MODES)
def test_modes(mode, extract, expected, tmp_path):
    """Transparent ones on the background, all others as Pillow converts them."""
    path = written(in_mode(picture(561, 530, "hopper"), mode), tmp_path)
    extract([path], tmp_path / "out", background="teal")
    image = Image.open(path)
    if mode in ("RGBA", "LA"):
        base = Image.new("RGBA", image.size, "teal")
        image = Image.alpha_composite(base, image.convert("RGBA"))
    assert torch.equal(latents(tmp_path / "out", "picture"), expected(seen(image)))


@pytest.mark.parametrize("mode", ["P", "RGB", "L"])
def test_a_transparent_colour(mode, extract, expected, tmp_path):
    image = in_mode(picture(64, 48), mode)
    color = image.getpixel((5, 5))
    image.save(tmp_path / "p.png", transparency=color)
    extract([tmp_path / "p.png"], tmp_path / "out", background="#102030")
    image = Image.open(tmp_path / "p.png").convert("RGBA")
    assert image.getextrema()[3][0] == 0
    image = Image.alpha_composite(Image.new("RGBA", image.size, (16, 32, 48)), image)
    assert torch.equal(latents(tmp_path / "out", "p"), expected(image.convert("RGB")))
    assert settings(tmp_path / "out")["settings"]["background"] == "#102030"


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif(orientation, extract, expected, tmp_path):
    image = picture(64, 40, "hopper")
    exif = Image.Exif()
    exif[0x0112] = orientation
    image.save(tmp_path / "p.png", exif=exif)
    extract([tmp_path / "p.png"], tmp_path / "turned")
    extract([tmp_path / "p.png"], tmp_path / "as-it-is", exif=False)
    upright = ImageOps.exif_transpose(Image.open(tmp_path / "p.png"))
    assert upright.size == ((40, 64) if orientation > 4 else (64, 40))
    assert torch.equal(latents(tmp_path / "turned", "p"), expected(upright))
    assert torch.equal(latents(tmp_path / "as-it-is", "p"), expected(image))


@pytest.mark.parametrize("size", [64, (48, 80), (304, 200)])
@pytest.mark.parametrize("fit", ["crop", "pad", "stretch"])
def test_size(fit, size, extract, expected, tmp_path):
    image = picture(301, 97, "flower")
    image.save(tmp_path / "p.png")
    extract([tmp_path / "p.png"], tmp_path / "out", size=size, fit=fit, background="navy")
    box = (size, size) if isinstance(size, int) else size
    prepared = {
        "crop": lambda: ImageOps.fit(image, box, LANCZOS),
        "pad": lambda: ImageOps.pad(image, box, LANCZOS, color="navy"),
        "stretch": lambda: image.resize(box, LANCZOS),
    }[fit]()
    assert torch.equal(latents(tmp_path / "out", "p"), expected(prepared))


def test_a_size_above_that_of_extract_images(extract, module, model, tmp_path):
    picture(301, 97, "flower").save(tmp_path / "p.png")
    extract([tmp_path / "p.png"], tmp_path / "out", size=(640, 256), posterior="mode")
    assert latents(tmp_path / "out", "p").shape == (1, 4, 32, 80)


# MARK: - Files


def test_stacked(extract, photographs, tmp_path):
    (photographs / "5.png").write_bytes(b"no picture")
    summary = extract(photographs, tmp_path / "out", size=(64, 32))
    array = np.load(summary.stacked)
    assert array.shape == (5, 4, 4, 8) and array.dtype == np.float32
    with open(tmp_path / "out" / "latents.csv", newline="") as file:
        index = list(csv.DictReader(file))
    assert [row["name"] for row in index] == ["2", "5", *NAMES[1:]]
    for row, line in zip(array, index, strict=True):
        if line["name"] == "5":
            assert np.isnan(row).all()
        else:
            assert np.array_equal(row, latents(tmp_path / "out", line["name"])[0].numpy())


@pytest.mark.parametrize("options", [{}, {"size": 64, "stacked": False}])
def test_not_stacked(options, extract, photographs, tmp_path):
    summary = extract(photographs, tmp_path / "out", **options)
    assert summary.stacked is None and not (tmp_path / "out" / "latents.npy").exists()


def test_pictures(extract, subject, model, photographs, tmp_path):
    summary = extract(photographs, tmp_path / "out", save_images=True)
    subject.extract_images(
        [str(photographs / file) for file in FILES], "", str(tmp_path / "h"), str(tmp_path / "i"),
        model_id=model, device="cpu", seed=0,
    )  # fmt: skip
    for index, name in enumerate(NAMES):
        mine = Image.open(Path(summary.pictures) / f"{name}.png")
        other = Image.open(tmp_path / "i" / f"gen_{index}.png")
        assert mine.mode == "RGB" and mine.tobytes() == other.tobytes()


def test_record(extract, module, model, photographs, tmp_path):
    import PIL

    extract(photographs, tmp_path / "out", PROMPT, seed=4, size=(64, 32), fit="pad")
    record = settings(tmp_path / "out")
    chosen = record["settings"]
    assert (chosen["prompt"], chosen["seed"], chosen["size"]) == (PROMPT, 4, [64, 32])
    assert (chosen["fit"], chosen["background"]) == ("pad", "#ffffff")
    assert record["model"]["name"] == model
    versions = record["versions"]
    assert versions["python"] == sys.version.split()[0]
    assert versions["torch"] == torch.__version__ and versions["pillow"] == PIL.__version__


def test_summary(extract, photographs, tmp_path):
    (photographs / "bad.png").write_bytes(b"no picture")
    summary = extract(str(photographs), str(tmp_path / "out"), size=64)
    assert (summary.total, summary.extracted, summary.reused, summary.failed) == (5, 4, 0, 1)
    [failure] = summary.failures
    assert (failure.name, failure.path) == ("bad", str(photographs / "bad.png"))
    assert failure.reason.startswith(f"{photographs / 'bad.png'}: ")
    assert summary.seconds > 0
    out = tmp_path / "out"
    assert summary.output_dir == str(out)
    assert summary.settings == str(out / "settings.json")
    assert summary.manifest == str(out / "manifest.jsonl")
    assert summary.latents == str(out / "latents")
    assert summary.pictures is None
    assert summary.stacked == str(out / "latents.npy")
    for text in (repr(summary), str(summary)):
        assert "5 pictures" in text and "1 failed" in text and failure.reason in text
    assert pickle.loads(pickle.dumps(summary)) == summary
    assert summary._asdict()["failures"][0]._fields == ("name", "path", "reason")


# MARK: - Failures


def test_failures_are_recorded(extract, photographs, tmp_path):
    text = photographs / "3.png"
    text.write_text("not a picture")
    half = photographs / "4.jpg"
    picture(300, 200).save(half)
    half.write_bytes(half.read_bytes()[: half.stat().st_size // 2])
    (photographs / "5.png").symlink_to("absent.png")
    summary = extract(
        [photographs / f for f in ("2.png", "3.png", "4.jpg", "5.png", "10.png")], tmp_path / "out"
    )
    assert [failure.name for failure in summary.failures] == ["3", "4", "5"]
    for failure, words in zip(
        summary.failures, ["Pillow knows no format", "truncated", "No such file"], strict=True
    ):
        assert failure.path in failure.reason and words in failure.reason
    assert "0x" not in summary.failures[0].reason
    found = rows(tmp_path / "out")
    assert [row["status"] for row in found] == ["done", "failed", "failed", "failed", "done"]
    assert [row.get("error") for row in found[1:4]] == [f.reason for f in summary.failures]
    assert latents(tmp_path / "out", "10").shape == (1, 4, 9, 5)


def test_a_failure_ends_the_run_if_asked_to(extract, photographs, tmp_path):
    (photographs / "3.png").write_text("not a picture")
    with pytest.raises(ValueError, match=r"3\.png: Pillow knows no format"):
        extract(photographs, tmp_path / "out", on_error="raise")
    assert latents(tmp_path / "out", "2").shape == (1, 4, 6, 8)
    (photographs / "3.png").unlink()
    assert extract(photographs, tmp_path / "out", on_error="raise").reused == 1


def test_warnings_that_are_errors(extract, photographs, tmp_path, monkeypatch):
    """Pillow warns of pictures that may be meant to exhaust memory, on a thread of the core's."""
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 6_000)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        summary = extract(photographs, tmp_path / "out")
    assert [failure.name for failure in summary.failures] == ["north/far/1"]
    assert "decompression bomb" in summary.failures[0].reason


# MARK: - Again


def times(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in (folder / "latents").rglob("*.pt")}


def test_what_is_done_is_kept(extract, photographs, tmp_path):
    out = tmp_path / "out"
    extract(photographs, out, size=64, save_images=True)
    before, content = times(out), files(out)
    summary = extract(photographs, out, size=64, save_images=True)
    assert (summary.extracted, summary.reused) == (0, 4)
    assert times(out) == before and files(out) == content
    (out / "latents" / "10.pt").unlink()
    (out / "pictures" / "2.png").write_bytes(b"")
    assert extract(photographs, out, size=64, save_images=True).extracted == 2
    assert files(out) == content


def test_changed_pictures_are_done_again(extract, subject, model, photographs, tmp_path):
    out = tmp_path / "out"
    extract(photographs, out)
    before = times(out)
    picture(64, 48, "flower").save(photographs / "2.png")
    summary = extract(photographs, out)
    assert (summary.extracted, summary.reused) == (1, 3)
    assert [name for name in before if times(out)[name] != before[name]] == ["2.pt"]
    [expected] = subject.latents(model, str(photographs / "2.png"), 0)
    assert torch.equal(latents(out, "2"), expected)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"size": 64}, "size: none there, 64 by 64 now"),
        ({"exif": False}, "exif: true there, false now"),
        ({"background": "black"}, "background: #ffffff there, #000000 now"),
        ({"posterior": "mode"}, "posterior: sample there, mode now"),
        ({"seed": 1}, "seed: 0 there, 1 now"),
        ({"seed": [1, 2, 3, 4]}, "seed: 0 there, one for each picture now"),
        ({"prompts": "x"}, 'prompts: "" there, "x" now'),
        ({"negative_prompt": "x"}, 'negative_prompt: none there, "x" now'),
        ({"guidance_scale": 2}, "guidance_scale: 7.5 there, 2.0 now"),
        ({"num_inference_steps": 7}, "num_inference_steps: 50 there, 7 now"),
        ({"dtype": "float16"}, "dtype: float32 there, float16 now"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_other_settings_are_refused(change, words, extract, photographs, tmp_path):
    extract(photographs, tmp_path / "out")
    before = files(tmp_path / "out")
    with pytest.raises(ValueError) as caught:
        extract(photographs, tmp_path / "out", **change)
    assert words in str(caught.value)
    assert files(tmp_path / "out") == before


def test_another_model_is_refused(extract, checkpoints, photographs, tmp_path):
    extract(photographs, tmp_path / "out")
    with pytest.raises(ValueError, match="model_id: "):
        extract(photographs, tmp_path / "out", model_id=checkpoints("two-blocks"))


def test_a_moved_model_is_the_same(extract, model, photographs, tmp_path):
    extract(photographs, tmp_path / "out")
    moved = shutil.copytree(model, tmp_path / "moved")
    assert extract(photographs, tmp_path / "out", model_id=moved).reused == 4


def test_starting_anew(extract, photographs, tmp_path):
    extract(photographs, tmp_path / "out")
    summary = extract(photographs, tmp_path / "out", seed=1, resume=False)
    assert (summary.extracted, summary.reused) == (4, 0)
    assert settings(tmp_path / "out")["settings"]["seed"] == 1


@pytest.mark.parametrize("shards", [["1/2", "2/2"], [(2, 3), [1, 3], "3/3"]])
def test_shards(shards, extract, photographs, tmp_path):
    whole = extract(photographs, tmp_path / "whole", size=64)
    extracted = 0
    for shard in shards:
        summary = extract(photographs, tmp_path / "out", size=64, shard=shard)
        assert summary.stacked is None
        extracted += summary.extracted
    assert extracted == whole.extracted == 4
    assert extract(photographs, tmp_path / "out", size=64).reused == 4
    assert files(tmp_path / "out") == files(tmp_path / "whole")


# MARK: - Errors


@pytest.mark.parametrize(
    ("exception", "words", "options"),
    [
        (TypeError, "images must be a folder or a list of paths, not int", {"images": 5}),
        (TypeError, "images must be a folder or a list of paths, not set", {"images": {"a.png"}}),
        (TypeError, "images[1] must be a str or a path, not float", {"images": ["a", 1.5]}),
        (ValueError, "images is empty", {"images": []}),
        (ValueError, "images: ", {"images": "absent"}),
        (TypeError, "output_dir must be", {"output_dir": None}),
        (ValueError, "output_dir: it is empty", {"output_dir": ""}),
        (TypeError, "prompts must be a str or a list of str, not int", {"prompts": 5}),
        (TypeError, "prompts[2] must be a str, not NoneType", {"prompts": ["a", "b", None, "d"]}),
        (ValueError, "prompts: there are 2 for 4 pictures", {"prompts": ["a", "b"]}),
        (ValueError, "prompts: there are 1 for 4 pictures", {"prompts": ["a"]}),
        (ValueError, "prompts contains a null character", {"prompts": "a\0b"}),
        (TypeError, "names must be a list", {"names": "a"}),
        (TypeError, "names[3] must be a str or an int, not float", {"names": ["a", "b", 3, 4.0]}),
        (ValueError, "names: there are 3 for 4 pictures", {"names": ["a", "b", "c"]}),
        (ValueError, "names: ", {"names": ["a", "b", "../c", "d"]}),
        (ValueError, "names: ", {"names": ["a", "b", "a", "d"]}),
        (TypeError, "size must be None, an int, or (width, height), not str", {"size": "64"}),
        (TypeError, "size must be None, an int, or (width, height), not float", {"size": 64.0}),
        (ValueError, "size must be at least 1", {"size": 0}),
        (ValueError, "size must be None, an int, or (width, height)", {"size": (64, 64, 3)}),
        (ValueError, "size: 60 by 64 is no width and height", {"size": (60, 64)}),
        (ValueError, 'fit: "cut" is none of crop, pad, stretch', {"fit": "cut"}),
        (TypeError, "fit must be a str", {"fit": None}),
        (TypeError, "exif must be True or False, not str", {"exif": "no"}),
        (ValueError, "background: unknown color specifier", {"background": "reddish"}),
        (ValueError, "background: '#ff000080' is transparent", {"background": "#ff000080"}),
        (TypeError, "background must be", {"background": 5}),
        (ValueError, 'posterior: "mean" is none of sample, mode', {"posterior": "mean"}),
        (ValueError, "stacked: ", {"stacked": True}),
        (TypeError, "stacked must be True or False", {"stacked": "yes"}),
        (ValueError, "stacked: a shard", {"stacked": True, "size": 64, "shard": "1/2"}),
        (TypeError, "resume must be True or False", {"resume": None}),
        (ValueError, "resume: ", {"resume": False, "shard": "1/2"}),
        (ValueError, 'on_error must be "record" or "raise"', {"on_error": "ignore"}),
        (TypeError, "save_images must be True or False", {"save_images": "yes"}),
        (TypeError, "model_id must be", {"model_id": 5}),
        (FileNotFoundError, "model_id: there is no folder", {"model_id": "/absent/model"}),
        (TypeError, "device must be", {"device": 0}),
        (ValueError, "device", {"device": "tpu"}),
        (TypeError, "cache_dir must be", {"cache_dir": 0}),
        (ValueError, "strength must be between 0 and 1", {"strength": 1.5}),
        (ValueError, "num_inference_steps must be at least 1", {"num_inference_steps": 0}),
        (ValueError, "guidance_scale must be a finite number", {"guidance_scale": float("nan")}),
        (TypeError, "negative_prompt must be", {"negative_prompt": ["x"]}),
        (TypeError, "seed must be an int, or a list", {"seed": None}),
        (TypeError, "seed must be an int, or a list", {"seed": 1.5}),
        (TypeError, "seed[1] must be an int, not str", {"seed": [1, "2", 3, 4]}),
        (ValueError, "seed: there are 2 for 4 pictures", {"seed": [1, 2]}),
        (ValueError, "seed must be between", {"seed": 2**64}),
        (ValueError, "seed[0] must be between", {"seed": [2**64, 1, 2, 3]}),
        (ValueError, "dtype must be", {"dtype": "int8"}),
        (ValueError, "shard: 'half' is not of the form \"i/n\"", {"shard": "half"}),
        (ValueError, "shard: 3/2 is no part", {"shard": "3/2"}),
        (TypeError, "shard must be", {"shard": 2}),
        (ValueError, "shard must be at least 1", {"shard": (0, 2)}),
        (ValueError, "batch_size must be at least 1", {"batch_size": 0}),
        (ValueError, "batch_size: 5000 is not between", {"batch_size": 5000}),
        (TypeError, "batch_size must be an int", {"batch_size": "8"}),
        (TypeError, "unexpected keyword argument|invalid keyword argument", {"sizes": 64}),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else "",
)
def test_bad_arguments(exception, words, options, extract, photographs, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    options = {"images": photographs, "output_dir": tmp_path / "out"} | options
    with pytest.raises(exception) as caught:
        extract(**options)
    assert any(word in str(caught.value) for word in words.split("|")), caught.value
    assert not (tmp_path / "out").exists()


def test_a_folder_without_pictures(extract, tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "notes.txt").write_text("x")
    with pytest.raises(ValueError, match=r"^images: no picture under .*\.png"):
        extract(tmp_path / "empty", tmp_path / "out")


def test_a_folder_that_cannot_be_made(extract, photographs):
    with pytest.raises(OSError, match=r"2\.png/out"):
        extract(photographs, photographs / "2.png" / "out")


def test_a_damaged_settings_file(extract, photographs, tmp_path):
    extract(photographs, tmp_path / "out")
    (tmp_path / "out" / "settings.json").write_text("{")
    with pytest.raises(ValueError, match=r"settings\.json"):
        extract(photographs, tmp_path / "out")


def test_a_folder_in_use(extract, photographs, tmp_path):
    extract(photographs, tmp_path / "out")
    with open(tmp_path / "out" / ".lock") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(OSError, match="Another process is at work"):
            extract(photographs, tmp_path / "out")
    assert extract(photographs, tmp_path / "out").reused == 4


def test_other_versions_are_told(extract, photographs, tmp_path):
    extract(photographs, tmp_path / "out")
    path = tmp_path / "out" / "settings.json"
    record = settings(tmp_path / "out")
    record["versions"]["pillow"] = "1.0"
    path.write_text(json.dumps(record))
    with pytest.warns(UserWarning, match=r"pillow 1\.0 there"):
        assert extract(photographs, tmp_path / "out").reused == 4


# MARK: - Progress and Ctrl-C

ENVIRONMENT = {"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "HF_HUB_OFFLINE": "1"}

PROGRAM = """
    import signal, sys
    # Jobs in the background of a shell inherit that Ctrl-C is ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    from gpi_pack.diffusion import extract_dataset
    images, out, model = sys.argv[1:]
    print(extract_dataset(images, out, size=96, model_id=model, device="cpu").reused)
"""


def process(images, out, model, **options) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(PROGRAM), str(images), str(out), str(model)],
        env=os.environ | ENVIRONMENT,
        stdout=subprocess.PIPE,
        text=True,
        **options,
    )


@pytest.fixture
def many(tmp_path) -> Path:
    folder = tmp_path / "many"
    folder.mkdir()
    image = picture(96, 96)
    for i in range(60):
        image.putpixel((0, 0), (i, 0, 0))
        image.save(folder / f"{i}.png")
    return folder


def test_lines_where_there_is_no_terminal(many, model, tmp_path):
    with process(many, tmp_path / "out", model, stderr=subprocess.PIPE) as running:
        errors = running.communicate(timeout=100)[1]
    assert running.returncode == 0 and "\r" not in errors
    lines = errors.splitlines()
    assert 2 <= len(lines) <= 11
    assert all(line.startswith("Extracting: ") for line in lines)
    assert lines[-1].startswith("Extracting: 60 of 60 pictures, ")


def test_a_bar_in_a_terminal(photographs, model, tmp_path):
    (photographs / "bad.png").touch()
    for expected in ("1 failed", "1 failed, 4 were there"):
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 100, 0, 0))
        with process(photographs, tmp_path / "out", model, stderr=theirs) as running:
            os.close(theirs)
            shown = b""
            while True:
                try:
                    more = os.read(ours, 1000)
                except OSError:
                    more = b""
                if not more:
                    break
                shown += more
        os.close(ours)
        assert running.returncode == 0
        assert b"\r" in shown and b"Extracting: 100%" in shown and b"5/5" in shown
        assert expected in shown.decode()


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_what_is_kept_does_not_count_for_the_rate(extract, photographs, tmp_path, monkeypatch):
    import tqdm.auto

    bars = []

    class Recorded(tqdm.auto.tqdm):
        def close(self):
            bars.append(self)
            super().close()

    extract(photographs, tmp_path / "out")
    (tmp_path / "out" / "latents" / "10.pt").unlink()
    monkeypatch.setattr(tqdm.auto, "tqdm", Recorded)
    monkeypatch.setattr(sys, "stderr", Terminal())
    extract(photographs, tmp_path / "out")
    bar = bars[0]
    assert (bar.total, bar.n, bar.initial) == (4, 4, 3)


@pytest.mark.parametrize("stream", [None, Terminal()])
def test_a_bar_that_is_switched_off(stream, extract, photographs, tmp_path, monkeypatch):
    import functools

    import tqdm.auto

    monkeypatch.setattr(tqdm.auto, "tqdm", functools.partial(tqdm.auto.tqdm, disable=True))
    monkeypatch.setattr(sys, "stderr", stream)
    assert extract(photographs, tmp_path / "out").extracted == 4
    assert extract(photographs, tmp_path / "out").reused == 4
    assert stream is None or stream.getvalue() == ""


def test_interruption(many, model, tmp_path):
    out = tmp_path / "out"
    with process(many, out, model, stderr=subprocess.PIPE) as running:
        # It says how much is left once there are some latents.
        while "left" not in running.stderr.readline():
            assert running.poll() is None
        sent = time.monotonic()
        running.send_signal(signal.SIGINT)
        errors = running.communicate(timeout=100)[1]
    assert running.returncode == -signal.SIGINT and "KeyboardInterrupt" in errors
    assert time.monotonic() - sent < 10
    done = list((out / "latents").rglob("*.pt"))
    assert 0 < len(done) < 60
    for path in done:
        torch.load(path, weights_only=True)
    # As if it had been killed in the middle of a file.
    (out / "latents" / ".gpi-0123456789abcdef.tmp").touch()
    with process(many, out, model, stderr=subprocess.PIPE) as running:
        output = running.communicate(timeout=100)[0]
    assert running.returncode == 0 and int(output) == len(done)
    assert len(rows(out)) == 60 and {row["status"] for row in rows(out)} == {"done"}
    assert not list(out.rglob("*.tmp"))


def test_the_bar_may_raise(extract, photographs, tmp_path, monkeypatch):
    """As where a notebook's cell is stopped inside of it."""

    class Stopped(Terminal):
        def write(self, text):
            raise KeyboardInterrupt

    import tqdm.auto

    # tqdm keeps its lock where a write fails; one that nobody else waits for.
    monkeypatch.setattr(tqdm.auto.tqdm, "_lock", threading.RLock(), raising=False)
    monkeypatch.setattr(sys, "stderr", Stopped())
    with pytest.raises(KeyboardInterrupt):
        extract(photographs, tmp_path / "out")
    monkeypatch.undo()
    assert extract(photographs, tmp_path / "out").total == 4


# MARK: - Workers


@pytest.fixture
def worker(module, model, tmp_path):
    return module.DatasetExtractor(tmp_path / "worker", size=64, model_id=model, device="cpu")


def test_a_worker_writes_the_same(worker, extract, photographs, tmp_path, capsys):
    extract(photographs, tmp_path / "out", size=64, stacked=False)
    capsys.readouterr()
    paths = np.array([str(photographs / file) for file in FILES])
    (photographs / "bad.png").touch()
    batch = {
        "path": np.append(paths[2:], str(photographs / "bad.png")),
        "name": [*NAMES[2:], "bad"],
        "id": np.array([7, 8, 9]),
    }
    first = worker({"path": paths[:2]})
    second = worker(batch)
    assert capsys.readouterr() == ("", "")
    assert list(first) == ["path", "status", "error", "latents"]
    assert list(second) == ["path", "name", "id", "status", "error", "latents"]
    assert second["id"] is batch["id"]
    assert list(second["status"]) == ["done", "done", "failed"]
    assert list(second["error"])[:2] == ["", ""] and "bad.png" in second["error"][2]
    folder = tmp_path / "worker" / "latents"
    assert list(first["latents"]) == [str(folder / "2.pt"), str(folder / "10.pt")]
    assert second["latents"][2] == ""
    assert all(isinstance(second[name], np.ndarray) for name in ("status", "error", "latents"))
    assert files(tmp_path / "worker") == files(tmp_path / "out")
    before = times(tmp_path / "worker")
    assert list(worker(batch)["status"]) == ["done", "done", "failed"]
    assert times(tmp_path / "worker") == before
    # The same settings, so that it can be finished by a run.
    (photographs / "bad.png").unlink()
    assert extract(photographs, tmp_path / "worker", size=64).reused == 4


def test_columns_of_prompts_and_seeds(module, checkpoints, extract, photographs, tmp_path):
    model = checkpoints.denoising("sd1")
    options = {"strength": 0.5, "num_inference_steps": 4, "model_id": model, "device": "cpu"}
    paths = [str(photographs / file) for file in FILES[:2]]
    extract(paths, tmp_path / "out", ["a", "b"], seed=[1, 2], **options)
    worker = module.DatasetExtractor(tmp_path / "worker", prompts=None, seed=None, **options)
    worker({"path": paths, "prompt": np.array(["a", "b"], object), "seed": np.array([1, 2])})
    assert files(tmp_path / "worker") == files(tmp_path / "out")


def test_an_empty_batch(worker):
    result = worker({"path": np.array([], dtype=object)})
    assert list(result) == ["path", "status", "error", "latents"]
    assert all(len(column) == 0 for column in result.values())


@pytest.mark.parametrize(
    ("exception", "words", "batch"),
    [
        (TypeError, "batch must be a dict of columns", [1]),
        (ValueError, 'batch has no column "path"', {"name": ["x"]}),
        (ValueError, 'batch has a column "prompt"', {"path": ["x"], "prompt": ["x"]}),
        (ValueError, 'batch has a column "seed"', {"path": ["x"], "seed": [1]}),
        (TypeError, 'batch["path"][0] must be', {"path": [1]}),
        (ValueError, 'batch["name"]: there are 2 for 1', {"path": ["x"], "name": ["x", "y"]}),
    ],
)
def test_bad_batches(exception, words, batch, worker):
    with pytest.raises(exception) as caught:
        worker(batch)
    assert words in str(caught.value)


def test_columns_that_are_missing(module, model, tmp_path):
    worker = module.DatasetExtractor(tmp_path, prompts=None, model_id=model)
    with pytest.raises(ValueError, match=r'batch has no column "prompt", which prompts=None'):
        worker({"path": ["x"]})


@pytest.mark.parametrize(
    ("words", "options"),
    [
        ("size must be", {"size": 0}),
        ("prompts must be", {"prompts": ["a"]}),
        ("strength", {"strength": 2}),
    ],
)
def test_bad_workers(words, options, module, tmp_path):
    """When they are made, not when they are called on another machine."""
    with pytest.raises((TypeError, ValueError), match=words):
        module.DatasetExtractor(tmp_path / "out", **options)


def test_a_worker_loads_nothing_before_its_first_batch(module, tmp_path):
    worker = module.DatasetExtractor(tmp_path / "out", model_id=tmp_path / "absent")
    with pytest.raises(FileNotFoundError, match="model_id"):
        worker({"path": ["x.png"]})
    assert not (tmp_path / "out").exists()


def test_workers_travel_by_reference(module):
    cloudpickle = pytest.importorskip("cloudpickle")
    assert pickle.loads(pickle.dumps(module.DatasetExtractor)) is module.DatasetExtractor
    assert cloudpickle.loads(cloudpickle.dumps(module.DatasetExtractor)) is module.DatasetExtractor
    assert len(cloudpickle.dumps(module.DatasetExtractor)) < 200


def test_workers_as_ray_wraps_them(module, model, photographs, tmp_path):
    """In a subclass of Python's, whose calls come from another thread."""
    from concurrent.futures import ThreadPoolExecutor

    class Wrapper(module.DatasetExtractor):
        def __init__(self, *args, **kwargs):
            self.pool = ThreadPoolExecutor(1)
            super().__init__(*args, **kwargs)

        def __call__(self, batch):
            return self.pool.submit(super().__call__, batch).result()

    worker = Wrapper(output_dir=tmp_path / "out", model_id=model, device="cpu")
    assert list(worker({"path": [photographs / "2.png"]})["status"]) == ["done"]


# MARK: - Sheets


def test_contact_sheet(module, extract, photographs, tmp_path):
    extract(photographs, tmp_path / "out", size=(64, 96), fit="pad", background="red")
    sheet = module.contact_sheet(
        tmp_path / "out", tmp_path / "sheet.png", device="cpu", cell=96, columns=2
    )
    assert sheet.mode == "RGB"
    assert Image.open(tmp_path / "sheet.png").tobytes() == sheet.tobytes()
    # What the model saw stands on it, pixel for pixel.
    whole = np.asarray(sheet)
    for file in FILES:
        image = np.asarray(
            ImageOps.pad(Image.open(photographs / file), (64, 96), LANCZOS, color="red")
        )
        windows = np.lib.stride_tricks.sliding_window_view(whole, (96, 64, 3))[:, :, 0]
        corners = np.argwhere((windows[:, :, 0, 0] == image[0, 0]).all(-1))
        assert any(np.array_equal(windows[y, x], image) for y, x in corners)


def test_contact_sheets_are_drawn_by_seed(module, extract, photographs, tmp_path):
    extract(photographs, tmp_path / "out", size=64)

    def sheet(**options):
        return module.contact_sheet(tmp_path / "out", count=1, device="cpu", **options).tobytes()

    assert sheet() == sheet(seed=0)
    assert len({sheet(seed=seed) for seed in range(12)}) == 4


def test_a_contact_sheet_of_a_moved_model(module, extract, model, photographs, tmp_path):
    moved = shutil.copytree(model, tmp_path / "moved")
    extract(photographs, tmp_path / "out", size=64, model_id=moved)
    shutil.move(moved, tmp_path / "elsewhere")
    with pytest.raises(FileNotFoundError, match="model_id: there is no folder"):
        module.contact_sheet(tmp_path / "out")
    module.contact_sheet(tmp_path / "out", model_id=tmp_path / "elsewhere", device="cpu")


def test_contact_sheet_errors(module, extract, photographs, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"output_dir: .* has no settings\.json"):
        module.contact_sheet(tmp_path)
    extract(photographs, tmp_path / "out", size=64)
    for options, words in [
        ({"count": 0}, "count must be at least 1"),
        ({"columns": 1000}, "columns: 1000 is not between"),
        ({"cell": 0}, "cell must be at least 1"),
        ({"path": tmp_path / "sheet.txt"}, "path: '.txt' is no suffix"),
    ]:
        with pytest.raises(ValueError) as caught:
            module.contact_sheet(tmp_path / "out", device="cpu", **options)
        assert words in str(caught.value)
    (photographs / "2.png").unlink()
    with pytest.raises(FileNotFoundError, match=r"2\.png"):
        module.contact_sheet(tmp_path / "out", device="cpu")
    (photographs / "2.png").write_text("no picture")
    with pytest.raises(ValueError, match=r"2\.png: Pillow knows no format"):
        module.contact_sheet(tmp_path / "out", device="cpu")
    (tmp_path / "out" / "settings.json").write_text("[]")
    with pytest.raises(ValueError, match=r"settings\.json: it is no settings file"):
        module.contact_sheet(tmp_path / "out")


# MARK: - What it looks like


@pytest.mark.parametrize("name", ["extract_dataset", "DatasetExtractor", "contact_sheet"])
def test_documentation(name, module):
    """Every argument is explained, or is one of extract_dataset's or extract_images'."""
    value = getattr(module, name)
    arguments = inspect.signature(value).parameters
    text = inspect.getdoc(value)
    if name == "extract_dataset":
        assert all(f"\n{argument}" in text or f", {argument}" in text for argument in arguments)
    stubs = (Path(__file__).parents[2] / "python/gpi_pack/diffusion.pyi").read_text()
    for argument in arguments:
        assert f"{argument}:" in stubs
