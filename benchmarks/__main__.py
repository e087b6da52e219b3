"""`python -m benchmarks`: makes what is missing, measures, and prints the results."""

from __future__ import annotations

import datetime
import json
import shutil
import subprocess
import sys
from argparse import Namespace
from dataclasses import asdict

from benchmarks import environment
from benchmarks.command_line import parse
from benchmarks.crew import Crew, WorkerFailed
from benchmarks.engines import OPENVINO, engine
from benchmarks.environment import say
from benchmarks.figures import Row
from benchmarks.folders import PARITY, ROOT, Folders
from benchmarks.machine import describe
from benchmarks.paths import PARTS, PATHS, WARM, Case, cases
from benchmarks.processes import Processes, ProcessFailed
from benchmarks.report import Report
from benchmarks.rounds import Clock, Rounds


class Run:
    def __init__(self, arguments: Namespace):
        self.arguments = arguments
        # Absolute: the processes have a working folder of their own.
        self.folders = Folders(arguments.folder.resolve())
        self.builds = dict(arguments.build)
        self.failures: list[tuple[str, str]] = []

    def failed(self, what: str, why: str) -> None:
        say(f"  {what} left out: {why}")
        self.failures.append((what, why))

    def engines(self, path: str) -> list[str]:
        """The engines that are asked on that path; ours first."""
        own = PATHS[path].engines
        if self.arguments.engines is None:
            chosen = list(own)
        else:
            # The parts can be had of any engine but the original, which has no such calls.
            whole = path not in (*PARTS, "threads", "sizes", "batch")
            chosen = [
                name
                for name in self.arguments.engines
                if (name in own if whole else name != "original")
            ]
        return chosen + list(self.builds)

    def cases(self, path: str) -> list[Case]:
        given = self.arguments
        return cases(path, given.size, given.sizes, given.batches)

    def prepare(self) -> None:
        given = self.arguments
        self.folders.make()
        shutil.rmtree(self.folders.output)
        self.folders.make()
        openvino = any(set(OPENVINO) & set(self.engines(path)) for path in given.paths)
        # As it was given: the link in a virtual environment says where its packages are.
        self.python = (
            given.python.absolute() if given.python else environment.ready(self.folders, openvino)
        )
        say("Models and pictures …")
        sizes = {given.size} | {
            case.size for path in given.paths if path in WARM for case in self.cases(path)
        }
        many = [f"{count}x{given.many_size}" for count in (1, given.many_count)]
        program = [self.python, "-m", "benchmarks.models", self.folders.base, given.model]
        subprocess.run(
            [*program, ",".join(map(str, sorted(sizes))), *(many if "many" in given.paths else [])],
            cwd=ROOT,
            check=True,
        )
        if any("original" in self.engines(path) for path in given.paths):
            fetch = "import sys; from pathlib import Path; from reference import fetch_wheel; "
            fetch += "fetch_wheel(Path(sys.argv[1]))"
            subprocess.run([self.python, "-c", fetch, self.folders.wheel], cwd=PARITY, check=True)
        self.convert()

    def convert(self) -> None:
        """OpenVINO's models, each in a process that ends: this takes much memory."""
        done = set()
        for path in self.arguments.paths:
            if path not in WARM or not set(OPENVINO) & set(self.engines(path)):
                continue
            for case in self.cases(path):
                if case in done or case.call not in PARTS:
                    continue
                done.add(case)
                if (self.folders.openvino(self.arguments.model) / case.openvino_file).exists():
                    continue
                say(f"Converting {case.title} for OpenVINO …")
                try:
                    with self.crew() as crew:
                        worker = crew.worker("openvino", self.arguments.threads)
                        worker.ask("prepare", case=asdict(case))
                except WorkerFailed as error:
                    self.failed(f"{case.title}, conversion for OpenVINO", str(error))

    def crew(self) -> Crew:
        return Crew(self.python, self.folders, self.arguments.model, self.builds)

    def measure(self) -> Report:
        given = self.arguments
        plain = {name: value for name, value in vars(given).items() if name != "build"}
        for name in ("folder", "python", "json", "write"):
            del plain[name]
        report = Report(
            date=datetime.datetime.now().astimezone().isoformat(timespec="minutes"),
            machine=describe(),
            versions=environment.versions(self.python),
            arguments=plain | {"builds": list(self.builds)},
            failures=self.failures,
        )
        clock = Clock(given.minutes)
        with self.crew() as crew:
            for path in given.paths:
                if clock.over:
                    self.failed(path, "the time was over")
                elif path in WARM:
                    self.warm(crew, path, clock, report.rows)
                else:
                    # These processes need the memory, and are measured alone.
                    crew.only([])
                    self.cold(path, clock, report.rows)
                self.keep(report)
        return report

    def keep(self, report: Report) -> None:
        """Writes what there is so far: a run that is broken off has not been for nothing."""
        if file := self.arguments.json:
            text = json.dumps(report.json(), indent=1, ensure_ascii=False)
            file.write_text(text + "\n", encoding="utf-8")
        if file := self.arguments.write:
            file.write_text(report.markdown(), encoding="utf-8")

    def warm(self, crew: Crew, path: str, clock: Clock, rows: list[Row]) -> None:
        given = self.arguments
        threads = [1, given.threads] if path == "threads" and given.threads > 1 else [given.threads]
        rounds = Rounds(crew, self.folders, clock, given.rounds, given.warm_ups, self.failed)
        for case in self.cases(path):
            if clock.over:
                self.failed(case.title, "the time was over")
                continue
            rows += rounds.measure(case, path, self.engines(path), threads)

    def cold(self, path: str, clock: Clock, rows: list[Row]) -> None:
        """Paths that are made of whole processes."""
        given = self.arguments
        processes = Processes(self.python, self.folders, given.model, given.threads, self.builds)
        rounds, counts = given.process_rounds, [1]
        if path == "start":
            titles = [f"strength 0, {given.size} × {given.size}"]
            measure = (processes.start, given.size)
        elif path == "memory":
            titles = [f"strength 0.6 of {given.steps} steps, {given.size} × {given.size}"]
            measure = (processes.denoise, given.size, given.steps)
            rounds = 1
        else:
            counts = [1, given.many_count]
            titles = [f"{count} of {given.many_size} × {given.many_size}" for count in counts]
            measure = (processes.many, given.many_size)
            rounds = 1
        found = [
            Row(path, title, name, given.threads, pictures=count)
            for name in self.engines(path)
            for title, count in zip(titles, counts, strict=True)
        ]
        say(PATHS[path].title)
        step, *what = measure
        for number in range(rounds):
            if number > 0 and clock.over:
                break
            for row in list(found):
                try:
                    step(row, *what)
                except ProcessFailed as error:
                    found.remove(row)
                    self.failed(f"{row.case}: {engine(row.engine).title}", str(error))
        rows += found


def main(arguments: list[str] | None = None) -> int:
    given = parse(arguments)
    run = Run(given)
    run.prepare()
    if given.prepare:
        return 1 if run.failures else 0
    report = run.measure()
    print(report.markdown(), end="")
    # What was left out is in the results; nothing at all is a failure.
    return 0 if report.rows else 1


if __name__ == "__main__":
    sys.exit(main())
