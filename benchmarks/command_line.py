"""What a run is asked for."""

from __future__ import annotations

import argparse
from pathlib import Path

from benchmarks.engines import ENGINES
from benchmarks.folders import default_folder
from benchmarks.models import MODELS
from benchmarks.paths import DEFAULT, PATHS

DESCRIPTION = """\
Measures this project beside others on the CPU, and prints medians and ratios as Markdown.

paths:
"""


def parser() -> argparse.ArgumentParser:
    described = DESCRIPTION + "".join(f"  {name:10} {path.title}\n" for name, path in PATHS.items())
    described += "\nengines:\n"
    described += "".join(f"  {name:14} {engine.title}\n" for name, engine in ENGINES.items())
    result = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=described,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = result.add_argument
    add("--paths", type=names(PATHS), default=DEFAULT, metavar="NAME,…", help="or “all”")
    add(
        "--engines",
        type=names(ENGINES),
        metavar="NAME,…",
        help="instead of each path's own; those that a path is not for are left out there",
    )
    add(
        "--build",
        type=build,
        action="append",
        default=[],
        metavar="NAME=FOLDER",
        help="another build of this project as one more engine: the folder that holds gpi_pack",
    )
    add("--rounds", type=positive, default=3, help="of warm engines (3)")
    add("--warm-ups", type=positive, default=1, help="calls before the first round (1)")
    add("--process-rounds", type=positive, default=2, help="of whole processes (2)")
    add("--minutes", type=float, help="start no further round after that time")
    add("--threads", type=positive, default=2, help="for each engine (2)")
    add("--size", type=size, default=512, help="side of the picture in pixels (512)")
    add("--sizes", type=listed(size), default=[256, 512, 768, 1024], help="of the path sizes")
    add("--batches", type=listed(positive), default=[1, 2, 4], help="of the path batch")
    add("--many-count", type=positive, default=100, help="pictures of the path many (100)")
    add("--many-size", type=size, default=256, help="their side in pixels (256)")
    add("--steps", type=positive, default=4, help="of the path memory, 0.6 of which are run (4)")
    add("--model", choices=MODELS, default="sd1.5", help="sd1.5 in full size, or a small one")
    add(
        "--folder",
        type=Path,
        default=default_folder(),
        help="for models, environment and logs (%(default)s)",
    )
    add(
        "--python",
        type=Path,
        help="a Python that has everything already, instead of an environment made for this",
    )
    add("--prepare", action="store_true", help="make all that is needed, and measure nothing")
    add("--json", type=Path, metavar="FILE", help="all figures, also of single rounds")
    add("--write", type=Path, metavar="FILE", help="the Markdown also into this file")
    return result


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    result = parser().parse_args(arguments)
    if result.size > 512 and {"latents", "pictures", "start", "memory"} & set(result.paths):
        parser().error("extract_images shrinks pictures to 512 pixels: choose at most that --size")
    return result


def names(known):
    """A list of names with commas between them; “all” for all of them."""

    def parsed(text: str) -> tuple[str, ...]:
        if text == "all":
            return tuple(known)
        given = tuple(dict.fromkeys(text.split(",")))
        for name in given:
            if name not in known:
                raise argparse.ArgumentTypeError(f"“{name}” is not among {', '.join(known)}")
        return given

    return parsed


def build(text: str) -> tuple[str, Path]:
    name, _, folder = text.partition("=")
    if not name.isidentifier() or name in ENGINES or not Path(folder, "gpi_pack").is_dir():
        raise argparse.ArgumentTypeError(
            f"“{text}” is not a new name and a folder that holds gpi_pack"
        )
    return name, Path(folder).resolve()


def listed(kind):
    return lambda text: [kind(part) for part in text.split(",")]


def positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{value} is less than 1")
    return value


def size(text: str) -> int:
    value = int(text)
    if value < 8 or value % 8:
        raise argparse.ArgumentTypeError(f"{value} is not a multiple of 8")
    return value
