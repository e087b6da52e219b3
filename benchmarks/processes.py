"""Whole processes: how soon they have written something, and how much memory they take."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.environment import say
from benchmarks.figures import Row
from benchmarks.folders import PARITY, Folders
from benchmarks.machine import settle, surroundings
from benchmarks.models import picture_file, picture_folder

#: One call of `extract_images` in a process; the tests in full size use it too.
PROGRAM = PARITY / "full_size_run.py"


class ProcessFailed(Exception):
    """A process did not write what it should."""


@dataclass(frozen=True)
class Processes:
    python: Path
    folders: Folders
    model: str
    threads: int
    builds: dict[str, Path]

    def start(self, row: Row, size: int) -> None:
        """From the start of a process to the first latents on disk, at strength 0; peak memory."""
        first, figures = self.run(row.engine, picture_file(self.folders, size), strength=0)
        row.seconds.append(first)
        row.gibibytes.append(figures["gigabytes"])

    def denoise(self, row: Row, size: int, steps: int) -> None:
        """The same at strength 0.6."""
        picture = picture_file(self.folders, size)
        first, figures = self.run(row.engine, picture, strength=0.6, steps=steps)
        row.seconds.append(first)
        row.gibibytes.append(figures["gigabytes"])

    def many(self, row: Row, size: int) -> None:
        """As many pictures as the row is about, in one call; loading counts."""
        pictures = picture_folder(self.folders, size, row.pictures)
        _, figures = self.run(row.engine, pictures, strength=0)
        row.seconds.append(figures["seconds"])
        row.gibibytes.append(figures["gigabytes"])

    def run(
        self, engine: str, pictures: Path, strength: float, steps: int = 50
    ) -> tuple[float, dict[str, float]]:
        """Seconds to the first file, and what the program itself measured."""
        self.read_model()
        output = self.folders.output / f"process-{engine}"
        shutil.rmtree(output, ignore_errors=True)
        side = "original" if engine == "original" else "ours"
        model = self.folders.model(self.model)
        what = [side, model, pictures, output, "latents", self.folders.wheel, strength, steps]
        log = self.folders.logs / f"process-{engine}.log"
        with log.open("w") as errors:
            began = time.monotonic()
            process = subprocess.Popen(
                [self.python, PROGRAM, *map(str, what)],
                env=surroundings(self.threads, *self.build(engine)),
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                preexec_fn=settle(self.threads),
            )
            try:
                latents = output / "hidden_0.pt"
                while not latents.exists() and process.poll() is None:
                    time.sleep(0.002)
                first = time.monotonic() - began
                printed, _ = process.communicate()
            finally:
                process.kill()
                process.wait()
        if process.returncode != 0 or not latents.exists():
            raise ProcessFailed(f"status {process.returncode}; see {log}")
        say(f"    {engine}: {first:.3g} s")
        return first, json.loads(printed.splitlines()[-1])

    def build(self, engine: str) -> Sequence[Path]:
        return [self.builds[engine]] if engine in self.builds else []

    def read_model(self) -> None:
        """Brings the model's files into the page cache."""
        block = bytearray(1 << 24)
        for file in sorted(self.folders.model(self.model).rglob("*")):
            if file.is_file():
                with file.open("rb", buffering=0) as content:
                    while content.readinto(block):
                        pass
