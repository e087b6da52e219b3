"""Everything about one NVIDIA GPU in one go: that results are right, and how fast they come.

    python -m benchmarks.cuda [--model small] [--write FILE]

Wants a Python that has what `benchmarks/requirements.txt` lists and this project, with torch's CUDA
build. Each section stands for itself: one that fails is reported, and the others go on.
"""

from __future__ import annotations

import argparse
import platform
import shutil
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks.environment import commit, say
from benchmarks.figures import paired_ratio
from benchmarks.folders import PARITY, Folders, default_folder
from benchmarks.inputs import PROMPT, SEED, Settings, inputs
from benchmarks.models import (
    MODELS,
    make_model,
    make_picture,
    make_pictures,
    picture_file,
    picture_folder,
)
from benchmarks.paths import PARTS, Case
from benchmarks.report import table

DTYPES = ("float32", "float16", "bfloat16")


@dataclass(frozen=True)
class Bench:
    """What all sections share."""

    settings: Settings
    size: int
    rounds: int
    pictures: int
    device: str = "cuda"

    @property
    def folders(self) -> Folders:
        return self.settings.folders

    def part(self, library, name: str, dtype: str, device: str | None = None):
        """A model by `diffusers`' class or by ours."""
        import torch

        kind = {"unet": "UNet2DConditionModel", "vae": "AutoencoderKL"}[name]
        model = getattr(library, kind).from_pretrained(
            self.settings.model_folder, subfolder=name, torch_dtype=getattr(torch, dtype)
        )
        return model.eval().to(device or self.device)

    def given(self, case: Case, dtype: str, device: str | None = None) -> list:
        import torch

        return [
            tensor.to(
                device or self.device,
                getattr(torch, dtype) if tensor.is_floating_point() else tensor.dtype,
            )
            for tensor in inputs(case, self.settings)
        ]


def call(part: str, model, given: list):
    """The part's output."""
    if part == "encode":
        return model.encode(*given).latent_dist.mean
    if part == "decode":
        return model.decode(*given).sample
    latents, timestep, context = given
    return model(latents, timestep, encoder_hidden_states=context).sample


def difference(tensor, other) -> str:
    """In the largest magnitude of the other one."""
    tensor, other = tensor.float().cpu(), other.float().cpu()
    return f"{float((tensor - other).abs().max() / other.abs().max()):.1e}"


def take_turns(functions: dict[str, Callable], rounds: int) -> dict[str, list[float]]:
    """Seconds of each function's calls, round by round, until the GPU is through with them."""
    import torch

    times = {name: [] for name in functions}
    for number in range(-2, rounds):
        for name, function in functions.items():
            torch.cuda.synchronize()
            start = time.perf_counter()
            function()
            torch.cuda.synchronize()
            # The first two are for warming up.
            if number >= 0:
                times[name].append(time.perf_counter() - start)
    return times


def rates(what: list[str], times: dict[str, list[float]], count: int) -> list[list[str]]:
    """One line for each engine: how often per second, and how many times as long as ours."""
    return [
        [
            *what,
            name,
            f"{count / median(seconds):.2f}",
            f"{paired_ratio(seconds, times['this project']):.2f} ×",
        ]
        for name, seconds in times.items()
    ]


def exact() -> None:
    """float32 in full: TF32 has only ten bits behind the point."""
    import torch

    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cuda.matmul.allow_tf32 = False


def parity(bench: Bench) -> list[list[str]]:
    """Our parts on the GPU against the same on the CPU in float32."""
    import gpi_pack.diffusion as ours

    exact()
    lines = [["part", "dtype on the GPU", "difference from the CPU / largest"]]
    for part in PARTS:
        name = "unet" if part == "unet" else "vae"
        case = Case(part, bench.size)
        model = bench.part(ours, name, "float32", "cpu")
        expected = call(part, model, bench.given(case, "float32", "cpu"))
        del model
        for dtype in DTYPES:
            output = call(part, bench.part(ours, name, dtype), bench.given(case, dtype))
            lines.append([part, dtype, difference(output, expected)])
    return lines


def seeds(bench: Bench) -> list[list[str]]:
    """`extract_images` on the GPU against the original's, where one seed must mean one noise."""
    import torch
    from reference import Original

    from gpi_pack.diffusion import extract_images

    exact()
    sides = {"ours": extract_images}
    sides["original"] = Original(bench.folders.wheel).extract_images
    lines = [["seed", "strength", "steps", "difference / largest"]]
    for seed in (0, SEED, 2**32 + 1):
        for strength, steps in ((0, 50), (0.6, 5)):
            latents = {}
            for side, extract in sides.items():
                output = bench.folders.output / side
                extract(
                    [str(picture_file(bench.folders, bench.size))],
                    [PROMPT],
                    str(output),
                    model_id=str(bench.settings.model_folder),
                    device=bench.device,
                    strength=strength,
                    num_inference_steps=steps,
                    seed=seed,
                )
                latents[side] = torch.load(
                    output / "hidden_0.pt", weights_only=True, map_location="cpu"
                )
            distance = difference(latents["ours"], latents["original"])
            lines.append([str(seed), str(strength), str(steps), distance])
    return lines


def extraction(bench: Bench) -> list[list[str]]:
    """`extract_images` of many pictures at strength 0. Ours loads its model in each call; gpi_pack's
    is kept between them, and decodes every picture."""
    from reference import Original

    from gpi_pack.diffusion import extract_images

    images = sorted(map(str, picture_folder(bench.folders, bench.size, bench.pictures).iterdir()))

    def run(extract):
        return lambda: extract(
            images,
            [PROMPT] * len(images),
            str(bench.folders.output / "many"),
            model_id=str(bench.settings.model_folder),
            device=bench.device,
            seed=SEED,
        )

    sides = {
        "this project": run(extract_images),
        "gpi_pack 0.2.1": run(Original(bench.folders.wheel).extract_images),
    }
    return [
        ["pictures", "engine", "pictures per second", "times ours"],
        *rates([str(len(images))], take_turns(sides, bench.rounds), len(images)),
    ]


def encoding(bench: Bench) -> list[list[str]]:
    """What strength 0 is made of, several pictures at once."""
    import diffusers

    import gpi_pack.diffusion as ours

    lines = [["dtype", "batch", "engine", "pictures per second", "times ours"]]
    for dtype in DTYPES:
        models = {
            "this project": bench.part(ours, "vae", dtype),
            "diffusers": bench.part(diffusers, "vae", dtype),
        }
        for batch in (1, 4, 16):
            given = bench.given(Case("encode", bench.size, batch), dtype)
            times = take_turns(
                {
                    name: lambda model=model, given=given: call("encode", model, given)
                    for name, model in models.items()
                },
                bench.rounds,
            )
            lines += rates([dtype, str(batch)], times, batch)
    return lines


def denoising(bench: Bench) -> list[list[str]]:
    """Steps of the UNet with guidance: twice as many latents as pictures."""
    import diffusers
    import torch

    import gpi_pack.diffusion as ours

    lines = [["dtype", "batch", "engine", "steps per second", "times ours"]]
    for dtype in DTYPES:
        plain = bench.part(diffusers, "unet", dtype)
        models = {
            "this project": bench.part(ours, "unet", dtype),
            "diffusers": plain,
            "torch.compile": torch.compile(plain),
        }
        for batch in (1, 16):
            given = bench.given(Case("unet", bench.size, batch), dtype)
            functions = {
                name: lambda model=model, given=given: call("unet", model, given)
                for name, model in models.items()
            }
            try:
                times = take_turns(functions, bench.rounds)
            except Exception as error:
                # The compiler wants more of a machine than the others do.
                if models.pop("torch.compile", None) is None:
                    raise
                del functions["torch.compile"]
                say(f"  without torch.compile: {first_line(error)}")
                times = take_turns(functions, bench.rounds)
            lines += rates([dtype, str(batch)], times, 1)
    return lines


SECTIONS = {
    "Parts on the GPU against the CPU": parity,
    "Equal seeds, against gpi_pack 0.2.1": seeds,
    "Strength 0, whole calls": extraction,
    "Strength 0, encoding alone": encoding,
    "UNet steps with guidance": denoising,
}


def first_line(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}".splitlines()[0]


def measure(bench: Bench, chosen: dict[str, Callable]) -> tuple[str, bool]:
    """The sections' tables as Markdown, and whether all of them got through."""
    import torch

    parts, whole = [], True
    for title, section in chosen.items():
        say(title)
        parts.append(f"## {title}")
        # What a section before had set counts for that one alone.
        torch.backends.cudnn.allow_tf32 = True
        try:
            with torch.no_grad():
                names, *lines = section(bench)
            parts.append(table(names, lines))
        except Exception as error:
            traceback.print_exc()
            parts.append(f"Failed: {first_line(error)}")
            whole = False
        torch.cuda.empty_cache()
    return "\n\n".join(parts), whole


def obstacle() -> str | None:
    """Why this machine cannot be measured."""
    try:
        import torch
    except ImportError:
        return "torch is not installed in this Python; this needs its CUDA build and an NVIDIA GPU."
    if torch.version.cuda is None:
        return f"torch {torch.__version__} is not a CUDA build; this needs one, and an NVIDIA GPU."
    if not torch.cuda.is_available():
        return f"torch {torch.__version__} finds no NVIDIA GPU on this machine; this needs one."
    return None


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cuda", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    add = parser.add_argument
    add("--model", choices=MODELS, default="sd1.5")
    add("--size", type=int, default=512, help="side of the pictures in pixels (512)")
    add("--rounds", type=int, default=5)
    add("--pictures", type=int, default=64, help="of the whole calls (64)")
    add("--folder", type=Path, default=default_folder(), help="for models (%(default)s)")
    add("--only", type=int, action="append", metavar="NUMBER", help="that section, from 1")
    add("--write", type=Path, metavar="FILE", help="the Markdown also into this file")
    given = parser.parse_args(arguments)
    if reason := obstacle():
        print(reason, file=sys.stderr)
        return 1

    import torch

    sys.path.append(str(PARITY))
    folders = Folders(given.folder.resolve())
    folders.make()
    shutil.rmtree(folders.output)
    folders.make()
    make_model(folders, given.model)
    make_picture(folders, given.size)
    make_pictures(folders, given.size, given.pictures)
    bench = Bench(Settings(folders, given.model, 0), given.size, given.rounds, given.pictures)
    numbers = given.only or range(1, len(SECTIONS) + 1)
    chosen = {
        title: section
        for number, (title, section) in enumerate(SECTIONS.items(), 1)
        if number in numbers
    }
    text, whole = measure(bench, chosen)
    facts = {
        "GPU": torch.cuda.get_device_name(),
        "torch": f"{torch.__version__}, CUDA {torch.version.cuda}",
        "Python": platform.python_version(),
        "commit": commit(),
        "model": f"{given.model}, random weights, {given.size} × {given.size}",
    }
    heading = "\n".join(f"- {name}: {value}" for name, value in facts.items())
    text = f"# Results on a GPU\n\n{heading}\n\n{text}\n"
    print(text, end="")
    if given.write:
        given.write.write_text(text, encoding="utf-8")
    return 0 if whole else 1


if __name__ == "__main__":
    sys.exit(main())
