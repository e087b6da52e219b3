"""One side's extraction in a process of its own, for the tests in full size.

    python full_size_run.py original|ours MODEL PICTURE OUTPUT latents|pictures WHEEL_FOLDER \\
        [STRENGTH STEPS]

PICTURE may be a folder, all of whose pictures are extracted in one call. Prints the seconds that the
call took, model loading included, and the process's peak memory. `in_own_process` runs it so and
keeps what it printed; `benchmarks` runs it too.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path


def peak_memory() -> float:
    """In GiB, mapped files included. Not `ru_maxrss`, which a process inherits from its parent."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 2**20


def in_own_process(measured, check: str, side: str, *arguments) -> None:
    """Neither side inherits the other's memory, nor the tests'."""
    done = subprocess.run(
        [sys.executable, __file__, side, *arguments],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout.splitlines()[-1])
    measured.note(check, "seconds in extract_images", figures["seconds"], "")
    measured.note(check, "seconds to import", figures["import"], "")
    measured.note(check, "peak memory in GiB", figures["gigabytes"], "")


def main(side, model, picture, output, wanted, wheel_folder, strength="0", steps="50"):
    start = time.perf_counter()
    if side == "original":
        from reference import Original

        extract_images = Original(Path(wheel_folder)).extract_images
    else:
        from gpi_pack.diffusion import extract_images
    imported = time.perf_counter()
    pictures = [output] if wanted == "pictures" else []
    whole = Path(picture)
    images = sorted(map(str, whole.iterdir())) if whole.is_dir() else [picture]
    extract_images(
        images,
        ["x"] * len(images),
        output,
        *pictures,
        model_id=model,
        device="cpu",
        strength=float(strength),
        num_inference_steps=int(steps),
        seed=42,
    )
    done = time.perf_counter()
    print(
        json.dumps(
            {"import": imported - start, "seconds": done - imported, "gigabytes": peak_memory()}
        )
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
