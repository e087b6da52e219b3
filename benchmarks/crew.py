"""The workers: each engine in a process of its own, of which one works while the others stand still."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
from collections.abc import Iterable
from pathlib import Path

from benchmarks.folders import ROOT, Folders
from benchmarks.machine import settle, surroundings


class WorkerFailed(Exception):
    """An engine could not do what it was asked for; the worker is gone."""


class Worker:
    """One engine's process, stopped but for the time that it is asked something.

    Stopped by signal and not only idle: threads of OpenMP go on spinning for a while after their
    work, each engine's in another way, and settings against that change what is measured.
    """

    def __init__(self, command: list, threads: int, path: Iterable[Path], log: Path):
        self.log = log
        with log.open("w") as errors:
            self._process = subprocess.Popen(
                command,
                cwd=ROOT,
                env=surroundings(threads, *path),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                preexec_fn=settle(threads),
            )
        self._answer()

    def ask(self, do: str, **what):
        """The answer to a request of `worker.py`; `WorkerFailed` where there is none."""
        os.kill(self._process.pid, signal.SIGCONT)
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(json.dumps({"do": do} | what) + "\n")
            self._process.stdin.flush()
        return self._answer()

    def _answer(self):
        line = self._process.stdout.readline()
        if not line:
            self._process.wait()
            code = self._process.returncode
            raise WorkerFailed(f"its process ended with status {code}; see {self.log}")
        answer = json.loads(line)
        if "error" in answer:
            self._process.wait()
            raise WorkerFailed(f"{answer['error']}; see {self.log}")
        os.kill(self._process.pid, signal.SIGSTOP)
        return answer["result"]

    def end(self) -> None:
        # Stopped or not. There is nothing in it to be kept.
        self._process.kill()
        self._process.wait()
        self._process.stdin.close()
        self._process.stdout.close()


class Crew:
    """All workers of a run, each started when it is first needed."""

    def __init__(
        self, python: Path, folders: Folders, model: str, builds: dict[str, Path] | None = None
    ):
        self._python, self._folders, self._model = python, folders, model
        self._builds = builds or {}
        self._workers: dict[tuple[str, int], Worker] = {}

    def worker(self, engine: str, threads: int) -> Worker:
        key = engine, threads
        if key not in self._workers:
            module = [self._python, "-m", "benchmarks.worker"]
            path = [self._builds[engine]] if engine in self._builds else []
            self._workers[key] = Worker(
                [*module, engine, self._folders.base, self._model, str(threads)],
                threads,
                [*path, ROOT],
                self._folders.logs / f"{engine}-{threads}.log",
            )
        return self._workers[key]

    def dismiss(self, engine: str, threads: int) -> None:
        worker = self._workers.pop((engine, threads), None)
        if worker:
            worker.end()

    def only(self, wanted: Iterable[tuple[str, int]]) -> None:
        """Ends the workers that are not among these engines and threads, for their memory's sake."""
        for engine, threads in set(self._workers) - set(wanted):
            self.dismiss(engine, threads)

    def __enter__(self) -> Crew:
        return self

    def __exit__(self, *_) -> None:
        self.only([])
