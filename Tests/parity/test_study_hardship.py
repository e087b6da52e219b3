"""Studies under what happens to them: broken pictures, full disks, kills, many processes, many pictures.

However a run was disturbed, the study's folder is in the end what an undisturbed run leaves, to the
bit; what could not be done is in the manifest.
"""

from __future__ import annotations

import csv
import os
import random
import shutil
import signal
import subprocess
import threading
import time
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
import torch
from broken_pictures import broken_pictures
from studies import (
    assert_equal,
    contents,
    extract,
    lines,
    photographs,
    result,
    rows,
    start,
    wait_for_rows,
)

pytestmark = pytest.mark.ours


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """As the processes that the tests start."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def collection(tmp_path_factory) -> list[Path]:
    return photographs(tmp_path_factory.mktemp("collection"), 60)


@pytest.fixture(scope="module")
def undisturbed(collection, tmp_path_factory) -> Path:
    """The folder of a run in one go."""
    folder = tmp_path_factory.mktemp("undisturbed") / "study"
    summary = extract(collection, folder)
    assert (summary.extracted, summary.failed) == (60, 0)
    return folder


@pytest.fixture
def small_disk(tmp_path):
    """Mounts a file system of that size."""
    disk = tmp_path / "disk"
    disk.mkdir()

    def mount(options: str) -> Path:
        words = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(disk)]
        if subprocess.run(words, capture_output=True, check=False).returncode != 0:
            pytest.skip("no permission to mount a small disk")
        return disk

    yield mount
    if disk.is_mount():
        subprocess.run(["umount", str(disk)], check=True)


def latents(study: Path, picture: Path) -> torch.Tensor:
    return torch.load(study / "latents" / f"{picture.stem}.pt", weights_only=True)


def temporary_files(folder: Path) -> list[str]:
    return [path.name for path in folder.rglob(".gpi-*")]


# MARK: - Pictures that are none


@pytest.fixture(scope="module")
def good(tmp_path_factory) -> list[Path]:
    return photographs(tmp_path_factory.mktemp("good"), 160)


@pytest.fixture(scope="module")
def broken(tmp_path_factory) -> list[Path]:
    return broken_pictures(tmp_path_factory.mktemp("bad") / "pictures")


# Pillow tells of some of them in its own way too.
@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
class TestBrokenPictures:
    def test_each_is_recorded_and_the_others_are_right(self, good, broken, tmp_path):
        mixed = good + broken
        random.Random(1).shuffle(mixed)
        study = tmp_path / "study"
        summary = extract(mixed, study, names=[path.name for path in mixed])
        assert (summary.extracted, summary.failed) == (len(good), len(broken))

        found = rows(study)
        assert [row["name"] for row in found] == [path.name for path in mixed]
        failed = {row["name"]: row for row in found if row["status"] == "failed"}
        assert sorted(failed) == sorted(path.name for path in broken)
        for path in broken:
            row = failed[path.name]
            start, reason = row["error"].split(": ", 1)
            assert start == str(path) and len(reason) > 10, row
            # How an object of ours is printed is no reason.
            assert "0x" not in reason and "BytesIO" not in reason, row
            assert "shape" not in row and not (study / "latents" / f"{path.name}.pt").exists()
        assert [failure.name for failure in summary.failures] == [
            row["name"] for row in found if row["status"] == "failed"
        ]

        alone = tmp_path / "alone"
        extract(good, alone, names=[path.name for path in good])
        for kind in ("latents", "pictures"):
            ours, theirs = contents(study / kind, False), contents(alone / kind, False)
            assert ours == theirs and len(ours) == len(good)

        # In the array their rows are NaN, and the table says so.
        stacked = np.load(study / "latents.npy")
        with open(study / "latents.csv", newline="") as file:
            table = list(csv.DictReader(file))
        assert [row["name"] for row in table] == [path.name for path in mixed]
        is_failed = np.array([row["status"] == "failed" for row in table])
        assert is_failed.tolist() == [row["status"] == "failed" for row in found]
        assert np.isnan(stacked).all((1, 2, 3)).tolist() == is_failed.tolist()
        wanted = {
            path.name: latents
            for path, latents in zip(good, np.load(alone / "latents.npy"), strict=True)
        }
        for row, latents in zip(found, stacked, strict=True):
            if row["status"] == "done":
                assert np.array_equal(latents, wanted[row["name"]])

    def test_the_first_ends_the_run_if_asked(self, good, broken, tmp_path):
        first = broken[2]
        images = [*good[:5], first, *good[5:9], *broken]
        with pytest.raises(ValueError) as caught:
            extract(
                images,
                tmp_path / "study",
                names=[f"{index}" for index in range(len(images))],
                on_error="raise",
            )
        assert str(first) in str(caught.value)
        found = rows(tmp_path / "study")
        assert [row["status"] for row in found] == ["done"] * 5 + ["failed"]
        assert not temporary_files(tmp_path / "study")

    def test_in_a_folder(self, broken, tmp_path):
        """Where what is no file is found rather than named."""
        folder = tmp_path / "pictures"
        photographs(folder, 3)
        for name in ("folder", "broken_link", "circle", "pipe"):
            place = broken[0].parent / f"{name}.png"
            copy = folder / place.name
            if place.is_symlink():
                copy.symlink_to(os.readlink(place))
            elif place.is_dir():
                copy.mkdir()
            else:
                os.mkfifo(copy)
        summary = extract(folder, tmp_path / "study")
        # A folder may be called anything; it has no pictures.
        assert {failure.name for failure in summary.failures} == {"broken_link", "circle", "pipe"}
        assert summary.extracted == 3


class TestPicturesThatGoAway:
    def test_deleted_while_the_run_is_on(self, collection, undisturbed, tmp_path):
        pictures = tmp_path / "pictures"
        pictures.mkdir()
        images = [Path(shutil.copy(path, pictures)) for path in collection]
        study = tmp_path / "study"
        process = start(images, study)
        wait_for_rows(study / "manifest.jsonl", 1, process)
        process.send_signal(signal.SIGSTOP)
        for path in images[-10:]:
            path.unlink()
        process.send_signal(signal.SIGCONT)
        assert result(process) == {"total": 60, "extracted": 50, "reused": 0, "failed": 10}
        found = rows(study)
        for row, path in zip(found[-10:], images[-10:], strict=True):
            assert row["status"] == "failed" and "No such file" in row["error"]
            assert str(path) in row["error"]

        # When they are back, they alone are missing.
        for path in collection[-10:]:
            shutil.copy(path, pictures)
        summary = extract(images, study)
        assert (summary.extracted, summary.reused, summary.failed) == (10, 50, 0)
        assert contents(study)["latents.npy"] == contents(undisturbed)["latents.npy"]


# MARK: - Disks


class TestOutput:
    @pytest.mark.parametrize("below", ["", "/below"])
    def test_a_file_where_the_folder_should_be(self, below, collection, tmp_path):
        (tmp_path / "file").write_text("mine")
        with pytest.raises(OSError, match=str(tmp_path / "file")):
            extract(collection[:2], Path(f"{tmp_path}/file{below}"))
        assert (tmp_path / "file").read_text() == "mine"

    @pytest.mark.parametrize("name", ["latents", "manifest.jsonl", "settings.json", "latents.npy"])
    def test_something_else_where_a_result_should_be(self, name, collection, tmp_path):
        study = tmp_path / "study"
        study.mkdir()
        if name == "latents":
            (study / name).write_text("mine")
        else:
            (study / name).mkdir()
        with pytest.raises(OSError, match=str(study / name)):
            extract(collection[:2], study)
        assert not temporary_files(study)

    def test_read_only(self, collection, small_disk):
        disk = small_disk("size=1m,ro")
        with pytest.raises(OSError, match="Read-only"):
            extract(collection[:2], disk / "study")
        assert not any(disk.iterdir())

    @pytest.mark.parametrize("stacked", [True, False])
    def test_full(self, stacked, collection, small_disk, tmp_path):
        disk = small_disk("size=128k")
        study = disk / "study"
        options = {"stacked": stacked, "size": 64, "save_images": False}
        with pytest.raises(OSError, match="No space left") as caught:
            extract(collection, study, **options)
        assert str(study) in str(caught.value)
        assert not temporary_files(study)
        done = [torch.load(path, weights_only=True) for path in (study / "latents").iterdir()]
        assert len(done) < 60 and all(latents.isfinite().all() for latents in done)

        # With room it goes on where it was.
        subprocess.run(["mount", "-o", "remount,size=8m", str(disk)], check=True)
        summary = extract(collection, study, **options)
        assert (summary.reused, summary.extracted) == (len(done), 60 - len(done))
        if not stacked:
            assert len(done) > 0
        extract(collection, tmp_path / "reference", **options)
        assert_equal(study, tmp_path / "reference")


# MARK: - Ends of processes


class TestKills:
    def test_killed_again_and_again(self, collection, undisturbed, tmp_path):
        study = tmp_path / "study"
        for end, count in [(signal.SIGKILL, 5), (signal.SIGTERM, 14), (signal.SIGKILL, 25)]:
            before = len(list((study / "latents").glob("*.pt"))) if study.exists() else 0
            process = start(collection, study)
            while len(list((study / "latents").glob("*.pt"))) < count:
                assert process.poll() is None, process.communicate()[1]
                time.sleep(0.001)
            process.send_signal(end)
            process.communicate()
            assert process.returncode == -end
            assert before < len(list((study / "latents").glob("*.pt"))) < 60
            assert not (study / "latents.npy").exists()
        # Half a row and half a file, as a kill at the worst moment leaves them.
        with open(study / "manifest.jsonl", "ab") as manifest:
            manifest.write(b'{"name":"photogr')
        (study / "latents" / ".gpi-abc.tmp").write_bytes(b"PK")

        process = start(collection, study)
        counts = result(process)
        assert counts["extracted"] + counts["reused"] == 60 and counts["reused"] >= 25
        assert_equal(study, undisturbed)

    def test_interrupted(self, collection, tmp_path):
        """Ctrl-C, in a run of seconds."""
        study = tmp_path / "study"
        images = 20 * collection
        names = [str(number) for number in range(len(images))]
        process = start(images, study, names=names)
        wait_for_rows(study / "manifest.jsonl", 5, process)
        process.send_signal(signal.SIGINT)
        errors = process.communicate()[1]
        assert "KeyboardInterrupt" in errors and process.returncode != 0
        assert not temporary_files(study)
        # What is written is in the manifest, whole.
        assert {row["name"] for row in rows(study)} == {
            path.stem for path in (study / "latents").iterdir()
        }
        summary = extract(images, study, names=names)
        assert summary.reused + summary.extracted == len(images)
        assert 5 <= summary.reused < len(images)
        extract(images, tmp_path / "undisturbed", names=names)
        assert_equal(study, tmp_path / "undisturbed")


# MARK: - Several processes


class TestShards:
    @pytest.mark.parametrize("count", [2, 3])
    def test_at_once_then_joined(self, count, collection, undisturbed, tmp_path):
        study = tmp_path / "study"
        processes = [
            start(collection, study, shard=[number, count]) for number in range(1, count + 1)
        ]
        for process in processes:
            assert result(process)["extracted"] == 60 // count
        assert not (study / "manifest.jsonl").exists() and not (study / "latents.npy").exists()
        summary = extract(collection, study)
        assert (summary.reused, summary.extracted) == (60, 0)
        assert_equal(study, undisturbed)
        # The times of the parts are not lost.
        assert all(row["seconds"]["model"] > 0 for row in rows(study))

    def test_a_part_that_was_killed(self, collection, undisturbed, tmp_path):
        study = tmp_path / "study"
        first, second = (start(collection, study, shard=f"{i}/2") for i in (1, 2))
        wait_for_rows(study / "shards" / "manifest-2-of-2.jsonl", 4, second)
        second.kill()
        second.communicate()
        assert result(first)["extracted"] == 30
        # Joining does what is missing.
        summary = extract(collection, study)
        assert 34 <= summary.reused < 60 and summary.extracted == 60 - summary.reused
        assert_equal(study, undisturbed)

    def test_parts_refuse_the_whole_and_other_settings(self, collection, tmp_path):
        study = tmp_path / "study"
        part = start(collection, study, shard="1/2")
        wait_for_rows(study / "shards" / "manifest-1-of-2.jsonl", 1, part)
        part.send_signal(signal.SIGSTOP)
        try:
            with pytest.raises(OSError, match="Another process is at work"):
                extract(collection, study)
            with pytest.raises(ValueError, match="seed: 7 there, 8 now"):
                extract(collection, study, shard="2/2", seed=8)
        finally:
            part.send_signal(signal.SIGCONT)
        assert result(part)["extracted"] == 30

    def test_the_same_part_twice_at_once(self, collection, undisturbed, tmp_path):
        """As when a scheduler starts a job again that is still running."""
        study = tmp_path / "study"
        processes = [start(collection, study, shard="1/1") for _ in range(2)]
        counts = [result(process) for process in processes]
        assert all(count["extracted"] + count["reused"] == 60 for count in counts)
        assert extract(collection, study).reused == 60
        assert_equal(study, undisturbed)


# MARK: - Order and seeds


class TestOrderAndSeeds:
    def test_order_and_company_are_without_influence(self, collection, undisturbed, tmp_path):
        chosen = collection[10:40:3]
        random.Random(2).shuffle(chosen)
        extract(chosen, tmp_path / "study")
        assert [row["name"] for row in rows(tmp_path / "study")] == [path.stem for path in chosen]
        theirs = contents(undisturbed)
        ours = contents(tmp_path / "study" / "latents", False)
        assert len(ours) == 10
        for name, content in ours.items():
            assert content == theirs[f"latents/{name}"]

    def test_a_seed_for_each(self, collection, undisturbed, tmp_path):
        images = collection[:4]
        extract(images, tmp_path / "study", seed=[7, 8, 2**64 - 1, 7])
        same = [
            torch.equal(latents(tmp_path / "study", path), latents(undisturbed, path))
            for path in images
        ]
        assert same == [True, False, False, True]
        assert [row["seed"] for row in rows(tmp_path / "study")] == [7, 8, 2**64 - 1, 7]


# MARK: - Many pictures


class Watch:
    """Memory and open files of a process, looked at from outside, over the rows that it has written."""

    def __init__(self, process: subprocess.Popen, manifest: Path):
        self.samples: list[tuple[int, int, int]] = []
        self._folder = Path(f"/proc/{process.pid}")
        self._process, self._manifest = process, manifest
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()

    def _watch(self):
        while not self._manifest.exists() and self._process.poll() is None:
            time.sleep(0.02)
        with open(self._manifest, "rb") as manifest:
            count = 0
            while self._process.poll() is None:
                time.sleep(0.02)
                # Gone when the process is.
                with suppress(FileNotFoundError, ProcessLookupError):
                    count += manifest.read().count(b"\n")
                    status = (self._folder / "status").read_text()
                    descriptors = len(os.listdir(self._folder / "fd"))
                    # It has no memory any more when it is about to be.
                    if "VmRSS:" in status:
                        memory = int(status.split("VmRSS:")[1].split()[0])
                        self.samples.append((count, memory, descriptors))

    def between(self, first: int, last: int) -> tuple[float, int]:
        """The mean memory in MiB, and how many files are open whenever none is being read or
        written."""
        self._thread.join()
        chosen = [sample for sample in self.samples if first <= sample[0] < last]
        assert len(chosen) >= 5, (first, last, len(self.samples))
        memory = sum(sample[1] for sample in chosen) / len(chosen) / 1024
        return memory, min(sample[2] for sample in chosen)


@pytest.mark.parametrize("count", [3000, pytest.param(20_000, marks=pytest.mark.slow)])
def test_memory_and_open_files_stay(count, measured, tmp_path):
    pictures = photographs(tmp_path / "pictures", count, side=16)
    study = tmp_path / "study"
    begin = time.monotonic()
    # A folder, since so many paths are more than a command line takes.
    process = start(tmp_path / "pictures", study, size=16, save_images=False)
    watch = Watch(process, study / "manifest.jsonl")
    assert result(process)["extracted"] == count
    seconds = time.monotonic() - begin
    assert lines(study / "manifest.jsonl") == len(pictures)

    early, open_early = watch.between(500, 1000)
    late, open_late = watch.between(count - 500, count)
    check = f"a study of {count} pictures"
    measured.note(check, "memory in MiB at 500 pictures", early, "")
    measured.note(check, "memory in MiB at the end", late, "")
    measured.note(check, "memory: end / at 500 pictures", late / early, "1.1")
    measured.note(check, "open files at 500 pictures", open_early, "")
    measured.note(check, "open files at the end", open_late, "")
    measured.note(check, "pictures per second", count / seconds, "")
    assert late < 1.1 * early
    assert open_early == open_late
