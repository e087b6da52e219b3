"""The benchmarks' own program: its command line, its arithmetic, and one small run of it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks.__main__ import Run, main
from benchmarks.command_line import parse
from benchmarks.figures import Row, against_ours, paired_ratio
from benchmarks.folders import ROOT, Folders
from benchmarks.models import picture_file
from benchmarks.paths import DEFAULT, PATHS
from benchmarks.report import Report
from benchmarks.targets import TARGETS

#: A model that need not be made.
DEMO = ROOT / "python" / "demo_checkpoint"


@pytest.fixture
def folders(tmp_path) -> Folders:
    """What a run keeps, with a picture, and a model's place."""
    folders = Folders(tmp_path / "kept")
    folders.make()
    folders.model("small").parent.mkdir()
    Image.effect_noise((64, 64), 50).convert("RGB").save(picture_file(folders, 64))
    return folders


def test_arguments():
    given = parse(["--paths", "decode,many", "--engines", "ours,openvino", "--rounds", "5"])
    assert given.paths == ("decode", "many")
    assert given.rounds == 5
    run = Run(given)
    assert run.engines("decode") == ["ours", "openvino"]
    # There is no such engine for whole calls.
    assert run.engines("many") == ["ours"]
    assert parse([]).paths == DEFAULT
    assert parse(["--paths", "all"]).paths == tuple(PATHS)


@pytest.mark.parametrize(
    "wrong",
    [
        ["--paths", "decode,nothing"],
        ["--engines", ""],
        ["--rounds", "0"],
        ["--size", "100"],
        ["--size", "1024"],
        ["--build", "ours=."],
        ["--build", "older=/nowhere"],
    ],
)
def test_wrong_arguments(wrong, capsys):
    with pytest.raises(SystemExit):
        parse(wrong)
    assert wrong[0] in capsys.readouterr().err


def test_paired_ratio():
    # The machine was twice as slow in the second round: no ratio of medians.
    assert paired_ratio([10, 40, 9], [5, 10, 3]) == 3
    assert paired_ratio([4, 8], [2, 2]) == 3
    with pytest.raises(ValueError, match="2 times and 1"):
        paired_ratio([1, 2], [1])
    with pytest.raises(ValueError, match="0 times and 0"):
        paired_ratio([], [])


def rows() -> list[Row]:
    return [
        Row("decode", "VAE decode", "ours", 2, [2, 4, 2], [200, 100, 200], gflop=400),
        Row("decode", "VAE decode", "openvino", 2, [6, 8, 4], [200, 100, 200], gflop=400),
        Row("decode", "VAE decode", "ours", 1, [9, 9, 9], [100, 100, 100], gflop=400),
        Row("start", "strength 0", "ours", 2, [1], gibibytes=[0.5]),
        Row("start", "strength 0", "original", 2, [7], gibibytes=[5]),
        Row("many", "1", "ours", 2, [2], gibibytes=[1]),
        Row("many", "100", "ours", 2, [100], gibibytes=[1.25], pictures=100),
    ]


def test_figures():
    ours, other, one_thread, *_ = rows()
    assert against_ours(rows(), other) == 2
    # Never against another number of threads.
    assert against_ours(rows(), one_thread) == 1
    assert ours.achieved == [200, 100, 200]
    assert ours.roofline == 1
    assert other.roofline == 0.5
    assert rows()[3].roofline is None


def test_targets():
    measured = {target.title: target.measured(rows()) for target in TARGETS}
    found = {title: value for title, value in measured.items() if value is not None}
    assert found == {
        "VAE decode, against OpenVINO f32": 2,
        "process start to the first latents on disk, against gpi_pack 0.2.1": 7,
        "peak memory, strength 0, against gpi_pack 0.2.1": 10,
        "time of one picture times their number, against that of many in one call": 2,
        "peak memory of one picture, against that of many": 0.8,
    }


def test_report():
    arguments = {"model": "small", "rounds": 3, "warm_ups": 1}
    report = Report("today", {"processor": "a fast one"}, {"torch": "2.13.0"}, arguments, rows())
    report.failures.append(("compile", "no compiler; see /home/somebody/log"))
    text = report.markdown()
    assert "| VAE decode, against OpenVINO f32 | 2.5 × | 2 × | **no** |" in text
    assert "| peak memory, strength 0, against gpi_pack 0.2.1 | 8 × | 10 × | yes |" in text
    assert "| VAE decode | OpenVINO f32 | 2 | 6 s | 4 to 8 s | 2 × |" in text
    assert "- compile: no compiler\n" in text
    for line in text.splitlines():
        assert not line.startswith("|") or line.endswith(" |")
    # All of it goes into JSON.
    assert json.loads(json.dumps(report.json()))["rows"][1]["seconds"] == [6, 8, 4]


def test_small_run(folders, tmp_path, capsys):
    folders.model("small").symlink_to(DEMO)
    results = tmp_path / "results.json"
    options = "--model small --size 64 --paths encode --engines ours --rounds 2 --threads 1"
    status = main(
        [
            *options.split(),
            *("--folder", str(folders.base), "--python", sys.executable, "--json", str(results)),
        ]
    )
    assert status == 0
    assert "| VAE encode, 64 × 64 | this project | 1 |" in capsys.readouterr().out
    [row] = json.loads(results.read_text())["rows"]
    assert len(row["seconds"]) == len(row["rates"]) == 2
    assert min(row["seconds"] + row["rates"]) > 0
    # A few small convolutions, but some.
    assert 0.001 < row["gflop"] < 1


def test_failing_engine(folders, capsys):
    """The results say what was left out."""
    (folders.model("small") / "vae").mkdir(parents=True)
    (folders.model("small") / "vae" / "config.json").write_text("{}")
    options = "--model small --size 64 --paths encode --engines ours --rounds 1"
    status = main([*options.split(), "--folder", str(folders.base), "--python", sys.executable])
    assert status == 1
    output = capsys.readouterr().out
    assert "## Left out" in output
    assert "this project" in output


def test_cuda_without_a_gpu():
    if Path("/dev/nvidiactl").exists():
        pytest.skip("there is a GPU")
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.cuda"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "NVIDIA" in done.stderr
    assert "Traceback" not in done.stderr
