"""Studies for the tests: folders of small pictures, runs in processes of their own, and what they left.

    python studies.py '{"images": ["a.png"], "output_dir": "study", …}'

extracts a study with these arguments of `extract_dataset` and prints what it came to.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

DEMO = Path(__file__).parents[2] / "python" / "demo_checkpoint"

#: On one thread: results are compared to the bit, and threads of several processes are in each
#: other's way.
ONE_THREAD = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}

#: Arguments of all runs, unless a test says otherwise.
SMALL = {
    "size": 32,
    "model_id": str(DEMO),
    "device": "cpu",
    "seed": 7,
    "save_images": True,
}


def photographs(folder: Path, count: int, side: int = 48) -> list[Path]:
    """Crops of two photographs, no two alike, as PNG files."""
    from pictures import photograph

    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for index in range(count):
        whole = photograph("china" if index % 2 else "flower")
        columns = (whole.width - side) // 7
        left, top = 7 * (index % columns), 31 * (index // columns) % (whole.height - side)
        path = folder / f"photograph_{index:05}.png"
        whole.crop((left, top, left + side, top + side)).save(path, compress_level=1)
        paths.append(path)
    return paths


# MARK: - Runs


def arguments(images, output_dir: Path, **options) -> dict:
    """Those of `extract_dataset`, as JSON can hold them."""
    images = [str(path) for path in images] if isinstance(images, list) else str(images)
    return SMALL | {"images": images, "output_dir": str(output_dir)} | options


def extract(images, output_dir: Path, **options):
    """The summary of a run in this process."""
    from gpi_pack.diffusion import extract_dataset

    return extract_dataset(**arguments(images, output_dir, **options))


def start(images, output_dir: Path, **options) -> subprocess.Popen:
    """A run in a process of its own, which finds the module as this one does."""
    return subprocess.Popen(
        [sys.executable, __file__, json.dumps(arguments(images, output_dir, **options))],
        env=os.environ | ONE_THREAD | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def result(process: subprocess.Popen) -> dict:
    """What a run came to, when it is through."""
    output, errors = process.communicate()
    assert process.returncode == 0, errors
    return json.loads(output.splitlines()[-1])


def lines(manifest: Path) -> int:
    """How many rows there are already."""
    try:
        return manifest.read_bytes().count(b"\n")
    except FileNotFoundError:
        return 0


def wait_for_rows(manifest: Path, count: int, process: subprocess.Popen) -> None:
    """Returns while the run is still at work."""
    while lines(manifest) < count:
        assert process.poll() is None, process.communicate()[1]
        time.sleep(0.002)


# MARK: - What they left


def rows(folder: Path) -> list[dict]:
    return [json.loads(line) for line in (folder / "manifest.jsonl").read_text().splitlines()]


def contents(folder: Path, is_study: bool = True) -> dict[str, object]:
    """Everything in a study's folder, byte for byte; of the manifest all but the seconds."""
    found: dict[str, object] = {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name not in (".lock", "manifest.jsonl")
    }
    if is_study:
        found["manifest.jsonl"] = [
            {key: value for key, value in row.items() if key != "seconds"} for row in rows(folder)
        ]
    return found


def assert_equal(folder: Path, reference: Path) -> None:
    """Two studies are the same; else the names of the files that differ."""
    ours, theirs = contents(folder), contents(reference)
    assert sorted(ours) == sorted(theirs)
    assert [name for name in ours if ours[name] != theirs[name]] == []


if __name__ == "__main__":
    from gpi_pack.diffusion import extract_dataset

    summary = extract_dataset(**json.loads(sys.argv[1]))
    print(
        json.dumps(
            {name: getattr(summary, name) for name in ("total", "extracted", "reused", "failed")}
        )
    )
