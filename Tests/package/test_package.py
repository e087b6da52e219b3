"""The Swift face as another package's dependency: built by path, run on a JPEG file."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
import torch

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
DEMO = ROOT / "python" / "demo_checkpoint"


@pytest.fixture(scope="module")
def program() -> Path:
    # A scratch folder of its own: the outer package's is built with other settings.
    build = ["swift", "build", "--package-path", str(HERE), "-c", "release"]
    build += ["--scratch-path", str(ROOT / ".build" / "package-test")]
    subprocess.run(build, check=True, stdout=subprocess.DEVNULL)
    shown = subprocess.run([*build, "--show-bin-path"], check=True, capture_output=True, text=True)
    return Path(shown.stdout.strip()) / "PictureLatents"


@pytest.fixture
def photograph() -> Path:
    sklearn = pytest.importorskip("sklearn")
    return Path(sklearn.__file__).parent / "datasets" / "images" / "china.jpg"


def test_latents_of_a_jpeg(program, photograph, tmp_path):
    """Same latents as by the Python module, where Pillow reads the file, bit for bit."""
    import gpi_pack.diffusion

    done = subprocess.run(
        [program, DEMO, photograph, tmp_path / "swift.pt"],
        env=os.environ | {"LIBTORCH": str(Path(torch.__file__).parent / "lib")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    gpi_pack.diffusion.extract_images(
        str(photograph), "x", str(tmp_path), model_id=str(DEMO), device="cpu", seed=42
    )
    ours = torch.load(tmp_path / "swift.pt", weights_only=True)
    python = torch.load(tmp_path / "hidden_0.pt", weights_only=True)
    assert done.stdout.strip() == str(list(ours.shape))
    assert torch.equal(ours, python)
