"""Warm engines, asked in turn."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from statistics import median

from benchmarks.crew import Crew, WorkerFailed
from benchmarks.engines import engine
from benchmarks.environment import say
from benchmarks.figures import Row
from benchmarks.folders import Folders
from benchmarks.paths import PARTS, Case

#: Against whose output the others' are held, if it is there.
REFERENCES = ("original", "diffusers")


@dataclass
class Clock:
    """How much time a run has left."""

    #: From when the run began; None for as long as it takes.
    minutes: float | None = None
    began: float = field(default_factory=time.monotonic)

    @property
    def over(self) -> bool:
        return self.minutes is not None and time.monotonic() - self.began > 60 * self.minutes


@dataclass(frozen=True)
class Rounds:
    """How a case is measured."""

    crew: Crew
    folders: Folders
    clock: Clock
    rounds: int
    warm_ups: int
    #: Told what failed and why.
    failed: Callable[[str, str], None]

    def measure(
        self, case: Case, path: str, engines: Sequence[str], threads: Sequence[int]
    ) -> list[Row]:
        """One row for each engine and number of threads that got through.

        Each round asks all of them, one after the other, so that what slows the machine down for a
        while meets all alike; before each, the rate of a matrix product is measured.
        """
        say(f"{case.title}: loading")
        gauges = [("gauge", count) for count in threads]
        self.crew.only([*gauges, *((name, count) for count in threads for name in engines)])
        rows = [
            Row(path, case.title, name, count, pictures=case.batch)
            for count in threads
            for name in engines
        ]
        rows = [row for row in rows if self.attempt(row, self.make_ready, case)]
        self.compare(rows)
        for number in range(self.rounds):
            if number > 0 and self.clock.over:
                say("The time is over: fewer rounds.")
                break
            say(f"  round {number + 1} of {self.rounds}")
            for row in list(rows):
                if not self.attempt(row, self.one_call):
                    # Its rounds would no longer be those of the others.
                    rows.remove(row)
        if rows and case.call in PARTS:
            gflop = self.crew.worker(*gauges[0]).ask("gflop", case=asdict(case))
            for row in rows:
                row.gflop = gflop
        return [row for row in rows if row.seconds]

    def attempt(self, row: Row, step: Callable, *arguments) -> bool:
        try:
            step(row, *arguments)
            return True
        except WorkerFailed as error:
            self.crew.dismiss(row.engine, row.threads)
            self.failed(f"{row.case}: {engine(row.engine).title}", str(error))
            return False

    def make_ready(self, row: Row, case: Case) -> None:
        worker = self.crew.worker(row.engine, row.threads)
        worker.ask("load", case=asdict(case))
        for _ in range(self.warm_ups):
            worker.ask("call")

    def compare(self, rows: list[Row]) -> None:
        """Holds the outputs against each other: a wrong one would make any speed worthless."""
        named = [row for name in REFERENCES for row in rows if row.engine == name]
        if len(rows) < 2:
            return
        reference = (named or rows)[0]
        file = str(self.folders.output / "reference.pt")
        self.crew.worker(reference.engine, reference.threads).ask("save", file=file)
        for row in list(rows):
            if row is reference:
                continue
            if not self.attempt(row, self.difference, file):
                rows.remove(row)

    def difference(self, row: Row, file: str) -> None:
        row.difference = self.crew.worker(row.engine, row.threads).ask("compare", file=file)

    def one_call(self, row: Row) -> None:
        rate = self.crew.worker("gauge", row.threads).ask("rate", dtype=engine(row.engine).dtype)
        seconds = self.crew.worker(row.engine, row.threads).ask("call")
        row.rates.append(rate)
        row.seconds.append(seconds)
        say(f"    {engine(row.engine).title}: {seconds:.3g} s ({rate:.0f} GFLOP/s)")


def middle_rate(rows: Sequence[Row], dtype: str) -> float | None:
    """The median rate of all rows in that dtype."""
    rates = [rate for row in rows if engine(row.engine).dtype == dtype for rate in row.rates]
    return median(rates) if rates else None
