"""A hub on this machine for models of tests, and Pythons that fetch from it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

SERVER = Path(__file__).parents[1] / "HubTests" / "hub_server.py"


def model_files(folder: Path) -> dict:
    """The files of a model's folder as the server takes them: small ones as texts."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return {
        str(path.relative_to(folder)): (
            {"file": str(path)} if path.suffix == ".safetensors" else path.read_text()
        )
        for path in paths
    }


class Hub:
    """`hub_server.py` with these models: {"owner/name": {"files": {PATH: CONTENT}, ...}}."""

    def __init__(self, folder: Path, models: dict):
        self.folder = folder
        folder.mkdir()
        (folder / "models.json").write_text(json.dumps(models))
        self._process = subprocess.Popen(
            [sys.executable, "-IS", SERVER, folder],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        ports = json.loads(self._process.stdout.readline())
        self.commits = {name: model["commit"] for name, model in ports["models"].items()}
        self.endpoint = f"http://127.0.0.1:{ports['hub']}"

    def close(self) -> None:
        self._process.communicate()

    def fail(self, **faults) -> None:
        (self.folder / "faults.json").write_text(json.dumps(faults))

    def requests(self) -> list[dict]:
        """What was asked since the last time."""
        path = self.folder / "requests.jsonl"
        if not path.exists():
            return []
        lines = path.read_text().splitlines()
        path.unlink()
        return [json.loads(line) for line in lines]

    def run(self, home: Path, code: str, *arguments, path=(), **environment) -> str:
        """Runs Python code whose huggingface_hub fetches from here; what it prints.

        What it raises is printed as its classes and its text. Its errors are in `self.errors`.
        """
        variables = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("HF_", "HUGGING", "TRANSFORMERS_"))
            and "proxy" not in name.lower()
        }
        variables |= {
            "HF_ENDPOINT": self.endpoint,
            "HF_HOME": str(home),
            "HF_HUB_DISABLE_TELEMETRY": "1",
            "PYTHONPATH": os.pathsep.join([*map(str, path), *filter(None, sys.path)]),
        } | environment
        done = subprocess.run(
            [sys.executable, "-c", PRELUDE + textwrap.dedent(code), *map(str, arguments)],
            env=variables,
            capture_output=True,
            text=True,
            check=False,
        )
        self.errors = done.stderr
        if done.returncode == 0:
            return done.stdout.strip()
        classes, _, text = done.stdout.strip().rpartition("\n")
        assert classes.startswith("raised "), done.stdout + done.stderr
        raise Raised(classes.split()[1:], text)


class Raised(Exception):
    """Another Python's exception."""

    def __init__(self, classes: list[str], text: str):
        super().__init__(text)
        self.name = classes[0]
        self.classes = classes


PRELUDE = """
import sys

def report(type, value, traceback):
    print("raised", *(cls.__name__ for cls in type.__mro__))
    print(" ".join(str(value).split("\\n")))
    sys.__excepthook__(type, value, traceback)

sys.excepthook = report
"""


def kept(home: Path, model: str) -> set[str]:
    """The names of the files that a model has in the cache."""
    folder = home / "hub" / f"models--{model.replace('/', '--')}" / "snapshots"
    return {
        str(Path(*path.relative_to(folder).parts[1:]))
        for path in folder.rglob("*")
        if path.is_file()
    }
