"""Results as Markdown and as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from statistics import median

from benchmarks.engines import engine
from benchmarks.figures import Row, against_ours
from benchmarks.paths import PATHS
from benchmarks.rounds import middle_rate
from benchmarks.targets import TARGETS


@dataclass
class Report:
    """All that a run found out."""

    date: str
    machine: dict[str, str]
    versions: dict[str, str]
    #: What the run was asked for.
    arguments: dict
    rows: list[Row] = field(default_factory=list)
    #: What was asked for and did not work, and why.
    failures: list[tuple[str, str]] = field(default_factory=list)

    def json(self) -> dict:
        return asdict(self) | {
            "targets": [
                {
                    "title": target.title,
                    "at least": target.at_least,
                    "measured": target.measured(self.rows),
                }
                for target in TARGETS
            ]
        }

    def markdown(self) -> str:
        parts = [self.heading(), *self.targets(), *self.paths(), *self.failed()]
        return "\n\n".join(parts) + "\n"

    def heading(self) -> str:
        # A log file's place in somebody's home says nothing to others.
        facts = {"date": self.date} | self.machine | self.versions
        facts["model"] = f"{self.arguments['model']}, random weights"
        facts["rounds"] = (
            f"{self.arguments['rounds']} after {self.arguments['warm_ups']} to warm up"
        )
        for dtype in ("float32", "bfloat16"):
            if rate := middle_rate(self.rows, dtype):
                facts[f"matrix product, {dtype}"] = f"{rate:.0f} GFLOP/s"
        return "# Results\n\n" + "\n".join(f"- {name}: {value}" for name, value in facts.items())

    def targets(self) -> Iterable[str]:
        rows = []
        for target in TARGETS:
            measured = target.measured(self.rows)
            if measured is not None:
                met = "yes" if measured >= target.at_least else "**no**"
                rows.append([target.title, times(target.at_least), times(measured), met])
        if rows:
            yield "## Targets"
            yield table(["ratio", "at least", "measured", "met"], rows)

    def paths(self) -> Iterable[str]:
        for path in dict.fromkeys(row.path for row in self.rows):
            yield f"## {PATHS[path].title}"
            yield table(*columns([row for row in self.rows if row.path == path]))

    def failed(self) -> Iterable[str]:
        if self.failures:
            yield "## Left out"
            yield "\n".join(f"- {what}: {why.split('; see ')[0]}" for what, why in self.failures)


def columns(rows: Sequence[Row]) -> tuple[list[str], list[list[str]]]:
    """Heading and lines of one path's table; columns that would be empty are left out."""
    names = [
        "what",
        "engine",
        "threads",
        "median",
        "fastest to slowest",
        "times ours",
        "per picture",
        "achieved",
        "matrix product",
        "share",
        "peak memory",
        "difference",
    ]
    lines = [
        [
            row.case,
            engine(row.engine).title,
            str(row.threads),
            f"{median(row.seconds):.3g} s",
            f"{min(row.seconds):.3g} to {max(row.seconds):.3g} s",
            optional(against_ours(rows, row), times),
            f"{median(row.seconds) / row.pictures:.3g} s" if row.pictures > 1 else "",
            f"{median(row.achieved):.0f} GFLOP/s" if row.achieved else "",
            f"{median(row.rates):.0f} GFLOP/s" if row.rates else "",
            optional(row.roofline, "{:.0%}".format),
            f"{median(row.gibibytes):.2f} GiB" if row.gibibytes else "",
            optional(row.difference, "{:.1e}".format),
        ]
        for row in rows
    ]
    kept = [index for index in range(len(names)) if any(line[index] for line in lines)]
    return [names[index] for index in kept], [[line[index] for index in kept] for line in lines]


def optional(value: float | None, form) -> str:
    return "" if value is None else form(value)


def times(value: float) -> str:
    return f"{value:.3g} ×"


def table(names: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    rows = [names, ["---"] * len(names), *lines]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)
