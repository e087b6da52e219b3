"""What all parity tests share: the original, ours, checkpoints, and a table of what was measured.

    pytest Tests/parity              all but the slow ones
    pytest Tests/parity -m slow      those alone: models in full size

With GPI_PARITY_SELF_CHECK=1 the original stands on both sides of each comparison, which tries the
tests themselves; what only ours promises is then left out.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path

# Models are folders here. Neither side may go looking for one in the network.
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TRANSFORMERS_OFFLINE", "1")
os.environ.setdefault("DIFFUSERS_VERBOSITY", "error")

import pytest
import torch
from checkpoints import Checkpoints
from measure import Measurements
from reference import Original

# A shell starts what it runs in the background with interruptions ignored, and children inherit that;
# tests that send them would wait for ever.
signal.signal(signal.SIGINT, signal.default_int_handler)

SELF_CHECK = os.environ.get("GPI_PARITY_SELF_CHECK") == "1"
MEASUREMENTS = pytest.StashKey[Measurements]()


def pytest_configure(config):
    config.addinivalue_line("markers", "slow: minutes rather than seconds; run by `-m slow`")
    config.addinivalue_line("markers", "ours: about what the original does not promise")
    config.stash[MEASUREMENTS] = Measurements()


def pytest_collection_modifyitems(config, items):
    left_out = []
    for item in items:
        slow = item.get_closest_marker("slow") and not config.option.markexpr
        ours = item.get_closest_marker("ours") and SELF_CHECK
        if slow or ours:
            left_out.append(item)
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


def pytest_terminal_summary(terminalreporter, config):
    measurements = config.stash[MEASUREMENTS]
    if measurements.worst:
        terminalreporter.section("measured against gpi_pack 0.2.1")
        for line in measurements.table():
            terminalreporter.line(line)


class Subject:
    """The implementation under test, by its one public function."""

    def __init__(self, extract_images, folder: Path):
        self.extract_images = extract_images
        self._folder = folder
        self._calls = 0

    def new_folder(self) -> Path:
        self._calls += 1
        return self._folder / str(self._calls)

    def latents(
        self, checkpoint: Path, images, seed, prompts=None, **options
    ) -> list[torch.Tensor]:
        """The latents of each picture, as they are read back from the files."""
        images = images if isinstance(images, list) else [images]
        folder = self.new_folder()
        self.extract_images(
            images,
            [""] * len(images) if prompts is None else prompts,
            str(folder),
            model_id=str(checkpoint),
            device="cpu",
            seed=seed,
            **options,
        )
        return [
            torch.load(folder / f"hidden_{index}.pt", weights_only=True)
            for index in range(len(images))
        ]


@pytest.fixture(scope="session")
def original(pytestconfig) -> Original:
    """gpi_pack 0.2.1, from its wheel."""
    return Original(Path(pytestconfig.cache.mkdir("gpi_pack-original")))


@pytest.fixture(scope="session")
def subject(original, tmp_path_factory) -> Subject:
    """Ours, as installed in this Python (or found by PYTHONPATH)."""
    folder = tmp_path_factory.mktemp("subject")
    if SELF_CHECK:
        return Subject(original.extract_images, folder)
    import gpi_pack.diffusion

    assert not gpi_pack.diffusion.__file__.endswith(".py"), (
        f"{gpi_pack.diffusion.__file__} is the original itself; install this repository over it"
    )
    return Subject(gpi_pack.diffusion.extract_images, folder)


@pytest.fixture(scope="session")
def checkpoints(tmp_path_factory) -> Checkpoints:
    return Checkpoints(tmp_path_factory.mktemp("checkpoints"))


@pytest.fixture(scope="session")
def measured(pytestconfig) -> Measurements:
    return pytestconfig.stash[MEASUREMENTS]
