"""The models and the pictures that are measured with, made once and kept.

    python -m benchmarks.models FOLDER sd1.5|small SIZE,SIZE,… [COUNTxSIZE]

Makes the model of that name in `FOLDER/models`, and in `FOLDER/pictures` a picture of each size, and
a folder of COUNT different ones. Speed does not depend on what the weights are, as long as they
keep numbers in their usual range; the tests' random ones do.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from benchmarks.folders import PARITY, Folders

MODELS = {
    "sd1.5": "Stable Diffusion 1.5 in full size: 4.3 GB of random weights",
    "small": "a few small layers, to try this program itself",
}


def picture_file(folders: Folders, size: int) -> Path:
    """One photograph of that size."""
    return folders.pictures / f"{size}.png"


def picture_folder(folders: Folders, size: int, count: int) -> Path:
    """That many pictures of that size, no two of them equal."""
    return folders.pictures / f"{count}-of-{size}"


def make_model(folders: Folders, name: str) -> None:
    target = folders.model(name)
    if target.exists():
        return
    from checkpoints import (
        FULL_SIZE,
        FULL_SIZE_FAMILIES,
        Checkpoints,
        make_family,
        widened_vae,
    )

    # Under another name until it is whole.
    partial = target.with_name(f"{name}-{os.getpid()}")
    if name == "small":
        made = Checkpoints(partial).denoising("sd1")
        shutil.move(made, target)
        shutil.rmtree(partial)
        return
    Checkpoints(partial).add(partial, widened_vae(FULL_SIZE, seed=0), FULL_SIZE)
    make_family(partial, FULL_SIZE_FAMILIES[name])
    partial.rename(target)


def make_picture(folders: Folders, size: int) -> None:
    file = picture_file(folders, size)
    if not file.exists():
        from pictures import picture

        picture(size, size, "hopper").save(file)


def make_pictures(folders: Folders, size: int, count: int) -> None:
    folder = picture_folder(folders, size, count)
    if folder.exists() and len(list(folder.iterdir())) == count:
        return
    from pictures import photograph

    folder.mkdir(exist_ok=True)
    whole = photograph("china")
    side = min(whole.size) // 2
    for index in range(count):
        # One pixel further right and down each time.
        left, top = index % (whole.width - side), index % (whole.height - side)
        cut = whole.crop((left, top, left + side, top + side))
        cut.resize((size, size)).save(folder / f"{index:04}.png")


def main(folder: str, model: str, sizes: str, *many: str) -> None:
    folders = Folders(Path(folder))
    folders.make()
    make_model(folders, model)
    for size in sizes.split(","):
        make_picture(folders, int(size))
    for one in many:
        count, size = one.split("x")
        make_pictures(folders, int(size), int(count))


if __name__ == "__main__":
    sys.path.insert(0, str(PARITY))
    main(*sys.argv[1:])
