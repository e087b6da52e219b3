"""Where a run keeps what it makes."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

#: The clone that this file is in.
ROOT = Path(__file__).resolve().parents[1]
#: The tests' checkpoints, pictures and the original: there they are at home.
PARITY = ROOT / "Tests" / "parity"


def default_folder() -> Path:
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "gpi-pack-diffusion" / "benchmarks"


@dataclass(frozen=True)
class Folders:
    """What is kept from run to run, 10 GB of it in full size; may be deleted at any time."""

    base: Path

    @property
    def environment(self) -> Path:
        return self.base / "venv"

    @property
    def wheel(self) -> Path:
        return self.base / "wheel"

    def model(self, name: str) -> Path:
        return self.base / "models" / name

    def openvino(self, name: str) -> Path:
        return self.base / "openvino" / name

    @property
    def pictures(self) -> Path:
        return self.base / "pictures"

    @property
    def logs(self) -> Path:
        return self.base / "logs"

    @property
    def output(self) -> Path:
        """Where the engines write to; emptied by each run."""
        return self.base / "output"

    def make(self) -> None:
        for folder in (self.base, self.wheel, self.pictures, self.logs, self.output):
            folder.mkdir(parents=True, exist_ok=True)
