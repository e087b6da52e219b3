"""Studies on many machines by Ray Data: here a Ray of its own with two workers, which the tests start
and end. However the work was shared and whoever died, the folder is that of one process's run."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

# Read when Ray is imported: nobody is told of these tests.
os.environ["RAY_USAGE_STATS_ENABLED"] = "0"

import pytest
import ray
from studies import ONE_THREAD, SMALL, assert_equal, extract, photographs, result, rows, start

from gpi_pack.diffusion import DatasetExtractor

pytestmark = pytest.mark.ours

# Ray's workers know no folder of tests.
ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])

COUNT = 40


def processes_with(word: str) -> list[str]:
    """The commands of all processes that have it among their arguments."""
    commands = []
    for process in Path("/proc").iterdir():
        if process.name.isdigit() and int(process.name) != os.getpid():
            try:
                command = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            except OSError:
                continue
            if word in command:
                commands.append(command)
    return commands


@pytest.fixture(scope="module", autouse=True)
def cluster():
    """Two CPUs; nothing of it is left.

    Ray gives a worker as many threads as CPUs, one unless asked, which the reference has to have too:
    sums over several threads differ in their last digits.
    """
    # Set, it would count.
    before = {name: os.environ.pop(name) for name in ONE_THREAD if name in os.environ}
    # Names of sockets have at most 107 bytes, so not in pytest's folder.
    folder = tempfile.mkdtemp(prefix="ray-")
    ray.init(
        num_cpus=2,
        include_dashboard=False,
        log_to_driver=False,
        logging_level="ERROR",
        object_store_memory=100 * 2**20,
        _temp_dir=folder,
    )
    os.environ.update(before)
    ray.data.DataContext.get_current().enable_progress_bars = False
    yield
    ray.shutdown()
    deadline = time.monotonic() + 20
    while processes_with(folder) and time.monotonic() < deadline:
        time.sleep(0.1)
    left = processes_with(folder)
    shutil.rmtree(folder)
    assert left == []


@pytest.fixture(scope="module")
def images(tmp_path_factory) -> list[Path]:
    """One of them is none."""
    images = photographs(tmp_path_factory.mktemp("photographs"), COUNT)
    images[11].write_bytes(images[11].read_bytes()[:500])
    return images


@pytest.fixture(scope="module")
def reference(images, tmp_path_factory) -> Path:
    """The folder of one process's run."""
    folder = tmp_path_factory.mktemp("reference") / "study"
    done = result(start(images, folder, seed=list(range(COUNT))))
    assert (done["extracted"], done["failed"]) == (COUNT - 1, 1)
    return folder


class DiesOnce(DatasetExtractor):
    """A worker that is killed half way through the batch with picture 20, the first time."""

    def __init__(self, marker: str, **options):
        super().__init__(**options)
        self._marker = marker

    def __call__(self, batch):
        if "photograph_00020" in batch["name"] and not os.path.exists(self._marker):
            Path(self._marker).write_text(str(os.getpid()))
            super().__call__({name: values[:2] for name, values in batch.items()})
            os.kill(os.getpid(), signal.SIGKILL)
        return super().__call__(batch) | {"worker": [os.getpid()] * len(batch["path"])}


def run_in_ray(
    worker, images: list[Path], study: Path, workers: int = 2, **options
) -> dict[str, dict]:
    """The rows that come back, by the pictures' names."""
    table = ray.data.from_items(
        [{"path": str(path), "name": path.stem, "seed": seed} for seed, path in enumerate(images)],
        override_num_blocks=10,
    )
    done = table.map_batches(
        worker,
        fn_constructor_kwargs=SMALL | {"output_dir": str(study), "seed": None} | options,
        batch_size=4,
        concurrency=workers,
    ).take_all()
    assert len(done) == len(images)
    return {row["name"]: row for row in done}


def check_and_join(done: dict[str, dict], images: list[Path], study: Path, reference: Path):
    broken = images[11]
    for path in images:
        row = done[path.stem]
        assert row["path"] == str(path)
        if path == broken:
            assert row["status"] == "failed" and row["latents"] == ""
            assert row["error"].startswith(f"{path}: ")
        else:
            assert (row["status"], row["error"]) == ("done", "")
            assert row["latents"] == str(study / "latents" / f"{path.stem}.pt")
            assert Path(row["latents"]).exists()
    assert not (study / "manifest.jsonl").exists()

    summary = extract(images, study, seed=list(range(COUNT)))
    assert (summary.extracted, summary.reused, summary.failed) == (0, COUNT - 1, 1)
    assert [row["name"] for row in rows(study)] == [path.stem for path in images]
    assert_equal(study, reference)


def test_two_workers_make_the_study_of_one_process(images, reference, tmp_path):
    done = run_in_ray(DatasetExtractor, images, tmp_path / "study")
    check_and_join(done, images, tmp_path / "study", reference)


def test_a_worker_that_is_killed(images, reference, tmp_path):
    """Ray Data starts actors again and gives their batches to others, without being asked to."""
    marker = tmp_path / "marker"
    done = run_in_ray(DiesOnce, images, tmp_path / "study", marker=str(marker))
    killed = int(marker.read_text())
    assert done["photograph_00020"]["worker"] != killed
    check_and_join(done, images, tmp_path / "study", reference)


def test_what_is_there_is_kept(images, reference, tmp_path):
    """The whole job once more, as after the loss of the machine that directed it."""
    study = Path(shutil.copytree(reference, tmp_path / "study"))
    (study / "manifest.jsonl").unlink()
    before = {path: path.stat().st_mtime_ns for path in (study / "latents").iterdir()}
    done = run_in_ray(DatasetExtractor, images, study, workers=1)
    assert {path: path.stat().st_mtime_ns for path in (study / "latents").iterdir()} == before
    check_and_join(done, images, study, reference)
