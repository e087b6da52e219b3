"""The C interface without Python: a small program, compiled and run."""

from __future__ import annotations

import ctypes
import json
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

ROOT = Path(__file__).parents[2]
HEADERS = ROOT / "Sources" / "GPIDiffusionC" / "include"
DEMO = ROOT / "python" / "demo_checkpoint"
STRICT = ["-Wall", "-Wextra", "-Wpedantic", "-Werror"]

#: gpi_status
INVALID_ARGUMENT, NOT_FOUND = 1, 2


@pytest.fixture(scope="module")
def library() -> Path:
    """The folder of the dynamic library; a build of a second if nothing has changed."""
    # The flags of setup.py, so that one build serves both.
    build = ["swift", "build", "--package-path", str(ROOT), "-c", "release"]
    subprocess.run([*build, "--product", "gpi_diffusion"], check=True, stdout=subprocess.DEVNULL)
    shown = subprocess.run([*build, "--show-bin-path"], check=True, capture_output=True, text=True)
    return Path(shown.stdout.strip())


def compiled(name, library, folder) -> Path:
    program = folder / name
    source = Path(__file__).with_name(f"{name}.c")
    command = ["cc", "-std=c11", *STRICT, "-I", HEADERS, source, "-o", program]
    command += ["-L", library, f"-Wl,-rpath,{library}", "-lgpi_diffusion"]
    subprocess.run(command, check=True)
    return program


@pytest.fixture(scope="module")
def program(library, tmp_path_factory) -> Path:
    return compiled("extract", library, tmp_path_factory.mktemp("c"))


@pytest.fixture(scope="module")
def generate(library, tmp_path_factory) -> Path:
    return compiled("generate", library, tmp_path_factory.mktemp("c"))


@pytest.fixture
def image(tmp_path) -> Path:
    """A picture that is shrunk and padded on its way: a gradient with edges in it."""
    across, down = np.meshgrid(np.arange(601), np.arange(333))
    pixels = np.stack([across % 256, down % 256, (across * down) % 251], axis=-1)
    path = tmp_path / "picture.ppm"
    Image.fromarray(pixels.astype(np.uint8)).save(path)
    return path


def run(program, *arguments, **environment) -> subprocess.CompletedProcess:
    libtorch = str(Path(torch.__file__).parent / "lib")
    return subprocess.run(
        [program, *arguments],
        env=os.environ | {"LIBTORCH": libtorch} | environment,
        capture_output=True,
        text=True,
        check=False,
    )


HEADER_FILES = sorted(HEADERS.glob("*.h"))


@pytest.mark.parametrize("header", HEADER_FILES, ids=lambda header: header.name)
@pytest.mark.parametrize("standard", ["c99", "c11", "c17"])
def test_header_is_c(standard, header):
    command = ["cc", f"-std={standard}", *STRICT, "-fsyntax-only", "-x", "c", header]
    subprocess.run(command, check=True)


@pytest.mark.parametrize("header", HEADER_FILES, ids=lambda header: header.name)
@pytest.mark.parametrize("standard", ["c++11", "c++20"])
def test_header_is_cpp(standard, header):
    command = ["g++", f"-std={standard}", *STRICT, "-fsyntax-only", "-x", "c++", header]
    subprocess.run(command, check=True)


def test_as_from_python(program, image, tmp_path):
    """Same latents and same picture as by the Python module, bit for bit."""
    import gpi_pack.diffusion

    done = run(program, DEMO, image, tmp_path / "c.pt", "42", tmp_path / "c.ppm")
    assert done.returncode == 0, done.stderr
    gpi_pack.diffusion.extract_images(
        [str(image)],
        ["x"],
        str(tmp_path),
        str(tmp_path),
        model_id=str(DEMO),
        device="cpu",
        seed=42,
    )
    ours = torch.load(tmp_path / "c.pt", weights_only=True)
    python = torch.load(tmp_path / "hidden_0.pt", weights_only=True)
    assert ours.dtype == python.dtype and ours.stride() == python.stride()
    assert torch.equal(ours, python)
    with (
        Image.open(tmp_path / "c.ppm") as decoded,
        Image.open(tmp_path / "gen_0.png") as expected,
    ):
        assert np.array_equal(np.asarray(decoded), np.asarray(expected))

    shape, ends = done.stdout.splitlines()
    assert [int(size) for size in shape.split()] == list(ours.shape)
    assert [np.float32(end) for end in ends.split()] == [
        ours.ravel()[0],
        ours.ravel()[-1],
    ]


@pytest.mark.parametrize(
    "size", [(1, 1), (7, 300), (511, 513), (513, 511), (561, 561), (1600, 900), (5, 2000)]
)
def test_prepared_picture(size, library):
    """The pixels that are encoded are those of Pillow and numpy, bit for bit."""
    rng = np.random.default_rng(0)
    image = Image.fromarray(rng.integers(0, 256, (size[1], size[0], 3), np.uint8))
    interface = ctypes.CDLL(str(library / "libgpi_diffusion.so"))
    for side in (interface.gpi_picture_width, interface.gpi_picture_height):
        side.restype = ctypes.c_int64
    interface.gpi_picture_rgb.restype = ctypes.c_void_p
    interface.gpi_last_error.restype = ctypes.c_char_p
    handle = ctypes.c_void_p()
    width, height = map(ctypes.c_int64, size)
    status = interface.gpi_prepare_picture(image.tobytes(), width, height, ctypes.byref(handle))
    assert status == 0, interface.gpi_last_error()
    width, height = interface.gpi_picture_width(handle), interface.gpi_picture_height(handle)
    data = ctypes.string_at(interface.gpi_picture_rgb(handle), width * height * 3)
    interface.gpi_picture_free(handle)

    if max(size) > 512:
        # One side is 512. The other is rounded down, also where it was equal: 561 gives 511.
        scale = 512 / max(size)
        across = size[0] > size[1]
        image = image.resize(
            (512, int(size[1] * scale)) if across else (int(size[0] * scale), 512), Image.LANCZOS
        )
    padding = [((-side % 8) // 2, -side % 8 - (-side % 8) // 2) for side in image.size]
    expected = np.pad(np.array(image), (padding[1], padding[0], (0, 0)), mode="reflect")
    ours = np.frombuffer(data, np.uint8).reshape(height, width, 3)
    assert np.array_equal(ours, expected)


def test_generates_as_python(generate, tmp_path):
    """The same latents as by the Python module, bit for bit, and a word on each step."""
    import gpi_pack.diffusion

    done = run(generate, DEMO, "a red circle", "EulerDiscreteScheduler", "3", tmp_path / "c.pt")
    assert done.returncode == 0, done.stderr
    assert [line.split()[0] for line in done.stdout.splitlines()] == ["1/3", "2/3", "3/3"]

    places = np.arange(4 * 16 * 12)
    noise = (places * 7919 + 13) % 3001
    noise = noise.astype(np.float32) / np.float32(1000) - np.float32(1.5)
    pipe = gpi_pack.diffusion.StableDiffusionPipeline.from_pretrained(DEMO).to("cpu")
    pipe.scheduler = gpi_pack.diffusion.EulerDiscreteScheduler.from_config(pipe.scheduler.config)
    latents = torch.from_numpy(noise.reshape(1, 4, 16, 12))
    python = pipe("a red circle", 64, 48, 3, latents=latents, output_type="latent").images
    assert torch.equal(torch.load(tmp_path / "c.pt", weights_only=True), python)


def test_unknown_scheduler(generate, tmp_path):
    done = run(generate, DEMO, "x", "Foo", "3", tmp_path / "c.pt")
    assert done.returncode == INVALID_ARGUMENT
    assert "Foo" in done.stderr and "EulerDiscreteScheduler" in done.stderr


def test_absent_model(program, image, tmp_path):
    done = run(program, tmp_path / "absent", image, tmp_path / "c.pt")
    assert done.returncode == NOT_FOUND
    assert str(tmp_path / "absent") in done.stderr
    assert not (tmp_path / "c.pt").exists()


def test_picture_without_pixels(program, tmp_path):
    (tmp_path / "empty.ppm").write_bytes(b"P6 0 5 255\n")
    done = run(program, DEMO, tmp_path / "empty.ppm", tmp_path / "c.pt")
    assert done.returncode == INVALID_ARGUMENT
    assert "width" in done.stderr


def test_libtorch_that_is_nowhere(program, image, tmp_path):
    done = run(program, DEMO, image, tmp_path / "c.pt", LIBTORCH="/nowhere")
    assert done.returncode != 0
    assert "LIBTORCH=/nowhere" in done.stderr


# MARK: - Studies


@pytest.fixture(scope="module")
def study(library, tmp_path_factory) -> Path:
    return compiled("study", library, tmp_path_factory.mktemp("c"))


def test_study(study, tmp_path):
    """Three pictures and one that is none, then once more."""
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    for number in range(3):
        pixels = np.full((16, 24, 3), 40 * number, np.uint8)
        Image.fromarray(pixels).save(pictures / f"{number}.ppm")
    (pictures / "none.ppm").write_text("P6 none")
    folder = tmp_path / "study"
    command = [study, DEMO, pictures, folder, "24", "16"]

    first = run(*command)
    assert first.returncode == 0, first.stderr
    lines = first.stdout.splitlines()
    assert lines[0] == "4 3 0 1"
    assert lines[1] == f"none: {pictures}/none.ppm: this is no PPM file."
    rows = [json.loads(line) for line in lines[2:6]]
    assert [row["name"] for row in rows] == ["0", "1", "2", "none"]
    assert [row["status"] for row in rows] == ["done"] * 3 + ["failed"]
    assert all(row["seed"] == 42 for row in rows)
    assert "4 of 4 pictures" in first.stderr
    assert lines[6] == f"{folder}/latents.npy"
    stacked = np.load(folder / "latents.npy")
    assert stacked.shape == (4, 4, 4, 6)
    assert np.isnan(stacked[3]).all()
    for number in range(3):
        latents = torch.load(folder / "latents" / f"{number}.pt", weights_only=True)
        assert np.array_equal(latents.numpy(), stacked[[number]])

    assert run(*command).stdout.splitlines()[0] == "4 0 3 1"
    refused = run(*command[:4], "20", "16")
    assert refused.returncode == 1
    assert "size: 20 by 16" in refused.stderr
