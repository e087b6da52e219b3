"""Times become medians and ratios."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median


def paired_ratio(other: Sequence[float], ours: Sequence[float]) -> float:
    """The median of `other / ours`, round by round.

    What slows the machine down for a while slows both sides of a round, and leaves its ratio as it
    is; the ratio of two medians may come from different rounds.

    - other, ours: of the same rounds in the same order, at least one.
    """
    if len(other) != len(ours) or not ours:
        raise ValueError(f"Not the same rounds: {len(other)} times and {len(ours)}.")
    return median(a / b for a, b in zip(other, ours, strict=True))


@dataclass
class Row:
    """What was measured of one engine in one case."""

    #: The path that asked for it.
    path: str
    #: The case's title, the same for all engines that are compared.
    case: str
    engine: str
    threads: int
    #: One for each round.
    seconds: list[float] = field(default_factory=list)
    #: What a matrix product reached just before each, in GFLOP/s.
    rates: list[float] = field(default_factory=list)
    #: The arithmetic of one call, counted as a direct convolution does it; None where unknown.
    gflop: float | None = None
    #: From the reference's output, divided by its largest magnitude.
    difference: float | None = None
    #: Peak resident memory of the process, where it did nothing else.
    gibibytes: list[float] = field(default_factory=list)
    pictures: int = 1

    @property
    def achieved(self) -> list[float]:
        """GFLOP/s, round by round."""
        return [] if self.gflop is None else [self.gflop / seconds for seconds in self.seconds]

    @property
    def roofline(self) -> float | None:
        """The share of the matrix product's rate that is reached; None where unknown.

        Fast convolutions do less arithmetic than they are counted for, and may be above 1.
        """
        if not self.achieved or not self.rates:
            return None
        return paired_ratio(self.achieved, self.rates)


def of(rows: Sequence[Row], path: str, engine: str, many: bool = False) -> Row | None:
    """The first row of that path and engine that has times.

    - many: of several pictures, instead of one.
    """
    for row in rows:
        same = row.path == path and row.engine == engine and (row.pictures > 1) == many
        if same and row.seconds:
            return row
    return None


def against_ours(rows: Sequence[Row], row: Row) -> float | None:
    """How many times as long as ours this row took; None where ours was not measured beside it."""
    for ours in rows:
        beside = (ours.path, ours.case, ours.threads) == (row.path, row.case, row.threads)
        if beside and ours.engine == "ours" and len(ours.seconds) == len(row.seconds) > 0:
            return paired_ratio(row.seconds, ours.seconds)
    return None
