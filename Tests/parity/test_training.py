"""train_unconditional: what a run leaves, that breaks leave no trace, and that diffusers reads the model."""

from __future__ import annotations

import csv
import inspect
import json
import os
import re
import signal
import threading
from pathlib import Path

import diffusers
import numpy as np
import pytest
import torch
from PIL import Image
from pipelines import compare_pictures, generator

pytestmark = [pytest.mark.ours]

SMALL = dict(
    widths=(8, 16),
    layers=1,
    steps=6,
    batch_size=3,
    warmup_steps=2,
    learning_rate=1e-3,
    save_every=2,
    sample_every=4,
    sample_count=4,
    sample_steps=3,
    device="cpu",
)


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """These models are so small that threads would only wait for each other."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def module():
    import gpi_pack.diffusion

    return gpi_pack.diffusion


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """Pictures of several sizes and modes."""
    folder = tmp_path_factory.mktemp("pictures")
    random = np.random.default_rng(0)
    for number, (width, height) in enumerate([(16, 16), (24, 16), (40, 50), (16, 30), (9, 9)]):
        levels = random.integers(0, 256, (height, width, 3), dtype=np.uint8)
        Image.fromarray(levels).save(folder / f"{number}.png")
    Image.fromarray(levels[..., 0]).save(folder / "grey.jpg")
    return folder


def files(folder):
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def whole(module, pictures, tmp_path_factory):
    """A run without a break, and what its callback was told."""
    folder = tmp_path_factory.mktemp("whole") / "run"
    told = []
    model = module.train_unconditional(pictures, folder, 16, callback=told.append, **SMALL)
    return folder, model, told


def test_a_run_leaves_what_it_says(whole):
    folder, model, told = whole
    assert model == os.path.join(folder, "model")
    left = files(folder)
    for name in ("settings.json", "loss.csv", "loss.png", "samples/000004.png"):
        assert name in left
    assert {"model/unet/config.json", "model/scheduler/scheduler_config.json"} <= set(left)
    # Two of the three are kept.
    checkpoints = {path.split("/")[0] for path in left if path.startswith("checkpoint")}
    assert checkpoints == {"checkpoint-000004", "checkpoint-000006"}
    rows = list(csv.DictReader((folder / "loss.csv").read_text().splitlines()))
    assert [int(row["step"]) for row in rows] == list(range(1, 7))
    assert [step.step for step in told] == list(range(1, 7)) and told[0].steps == 6
    assert [float(row["loss"]) for row in rows] == [step.loss for step in told]
    assert all(0.1 < step.loss < 10 for step in told)
    assert told[-1].seconds_left == 0 and told[0].pictures_per_second > 0
    assert told[0].learning_rate == 0 and told[2].learning_rate == pytest.approx(1e-3)
    settings = json.loads((folder / "settings.json").read_text())
    assert settings["pictures"]["count"] == 6 and settings["settings"]["size"] == [16, 16]
    with Image.open(folder / "samples" / "000004.png") as sheet:
        assert sheet.width >= 32


def test_diffusers_makes_the_same_pictures(whole, module, measured):
    _, model, _ = whole
    ours = module.DDPMPipeline.from_pretrained(model)
    theirs = diffusers.DDPMPipeline.from_pretrained(model)
    for pipe in (ours, theirs):
        pipe.set_progress_bar_config(disable=True)
    options = dict(batch_size=2, num_inference_steps=10, output_type="np")
    mine = ours(generator=generator(1), **options).images
    other = theirs(generator=generator(1), **options).images
    compare_pictures(measured, "train_unconditional", mine, other)


def test_a_model_of_diffusers_is_gone_on_with(module, pictures, tmp_path):
    torch.manual_seed(0)
    unet = diffusers.UNet2DModel(
        sample_size=16,
        block_out_channels=(8, 16),
        down_block_types=("DownBlock2D",) * 2,
        up_block_types=("UpBlock2D",) * 2,
        norm_num_groups=4,
        add_attention=False,
    )
    scheduler = diffusers.DDPMScheduler(prediction_type="v_prediction")
    diffusers.DDPMPipeline(unet, scheduler).save_pretrained(tmp_path / "start")
    model = module.train_unconditional(
        pictures, tmp_path / "run", 16, model_id=tmp_path / "start", **(SMALL | {"steps": 2})
    )
    trained = diffusers.DDPMPipeline.from_pretrained(model)
    assert trained.scheduler.config.prediction_type == "v_prediction"
    assert trained.unet.config.add_attention is False
    before, after = unet.state_dict(), trained.unet.state_dict()
    assert before.keys() == after.keys()
    changes = [(after[name] - before[name]).abs().max().item() for name in before]
    # The first step is one of length 0; the average moves by a tenth of the second at the most.
    assert 0 < max(changes) < 1e-2


def test_every_argument_is_explained(module):
    arguments = inspect.signature(module.train_unconditional).parameters
    text = inspect.getdoc(module.train_unconditional)
    assert all(f"\n{name}" in text or f", {name}" in text for name in arguments)
    stubs = (Path(__file__).parents[2] / "python/gpi_pack/diffusion.pyi").read_text()
    stub = stubs[stubs.index("def train_unconditional(") :]
    names = re.findall(r"^    (\w+):", stub[: stub.index("-> str")], re.MULTILINE)
    assert names == list(arguments)


class Stop(Exception):
    pass


@pytest.mark.parametrize("last", [1, 3, 5])
def test_a_broken_run_ends_as_a_whole_one(last, module, pictures, whole, tmp_path):
    folder = tmp_path / "run"

    def stop(step):
        if step.step == last:
            raise Stop

    with pytest.raises(Stop):
        module.train_unconditional(pictures, folder, 16, callback=stop, **SMALL)
    assert not (folder / "model").exists()
    module.train_unconditional(pictures, folder, 16, **SMALL)
    assert files(folder) == files(whole[0])


def test_control_c_ends_a_run(module, pictures, tmp_path):
    started = threading.Event()
    thread = threading.Thread(
        target=lambda: started.wait() and os.kill(os.getpid(), signal.SIGINT), daemon=True
    )
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        module.train_unconditional(
            pictures,
            tmp_path / "run",
            16,
            callback=lambda step: started.set(),
            **(SMALL | {"steps": 100_000, "save_every": 1000, "sample_every": 0}),
        )
    thread.join()


def test_other_settings_are_refused_unless_anew(module, pictures, tmp_path):
    folder = tmp_path / "run"
    module.train_unconditional(pictures, folder, 16, **(SMALL | {"steps": 2}))
    with pytest.raises(ValueError, match="seed"):
        module.train_unconditional(pictures, folder, 16, seed=5, **(SMALL | {"steps": 2}))
    module.train_unconditional(pictures, folder, 16, seed=5, resume=False, **(SMALL | {"steps": 2}))


def test_divergence_is_told_with_its_step(module, pictures, tmp_path):
    options = SMALL | {
        "learning_rate": 1e30,
        "warmup_steps": 0,
        "max_gradient_norm": None,
        "average_decay": None,
        "save_every": 1,
        "sample_every": 0,
        "schedule": "constant",
    }
    with pytest.raises(RuntimeError, match=r"step 2 .*checkpoint-000001"):
        module.train_unconditional(pictures, tmp_path / "run", 16, **options)
    assert (tmp_path / "run" / "checkpoint-000001").is_dir()


def test_bad_pictures_are_named(module, tmp_path):
    with pytest.raises(ValueError, match="pictures"):
        module.train_unconditional(tmp_path, tmp_path / "first", 16, **SMALL)
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"no picture")
    with pytest.raises(ValueError, match=r"broken\.png"):
        module.train_unconditional([broken], tmp_path / "second", 16, **SMALL)
    with pytest.raises((FileNotFoundError, ValueError), match="missing"):
        module.train_unconditional([tmp_path / "missing.png"], tmp_path / "third", 16, **SMALL)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"resolution": 15}, ValueError, "resolution"),
        ({"resolution": (16,)}, ValueError, "resolution"),
        ({"resolution": "16"}, TypeError, "resolution"),
        ({"widths": ()}, ValueError, "widths"),
        ({"widths": (7,)}, ValueError, "widths"),
        ({"widths": 8}, TypeError, "widths"),
        ({"layers": 0}, ValueError, "layers"),
        ({"steps": 0}, ValueError, "steps"),
        ({"steps": 1.5}, TypeError, "steps"),
        ({"steps": 2**70}, ValueError, "steps"),
        ({"batch_size": -1}, ValueError, "batch_size"),
        ({"learning_rate": 0}, ValueError, "learning_rate"),
        ({"learning_rate": "fast"}, TypeError, "learning_rate"),
        ({"schedule": "steep"}, ValueError, "schedule"),
        ({"beta_schedule": "steep"}, ValueError, "beta_schedule"),
        ({"prediction_type": "future"}, ValueError, "prediction_type"),
        ({"fit": "shrink"}, ValueError, "fit"),
        ({"average_decay": 1.0}, ValueError, "average_decay"),
        ({"max_gradient_norm": -1}, ValueError, "max_gradient_norm"),
        ({"snr_gamma": -5}, ValueError, "snr_gamma"),
        ({"sample_steps": 0}, ValueError, "sample_steps"),
        ({"callback": 1}, TypeError, "callback"),
        ({"flips": "no"}, TypeError, "flips"),
        ({"device": "tpu"}, ValueError, "device"),
        ({"dtype": "int8"}, ValueError, "dtype"),
        ({"saved_dtype": "int8"}, ValueError, "dtype"),
        ({"surprise": 1}, TypeError, "surprise"),
    ],
)
def test_bad_arguments_are_named(options, error, message, module, pictures, tmp_path):
    given = {"resolution": 16} | SMALL | options
    with pytest.raises(error, match=message):
        module.train_unconditional(pictures, tmp_path / "run", **given)
