"""What cannot be done is said in a Python exception that names it, and no file is left behind.

Three kinds of trouble: a call (its pictures, numbers, names), a model folder (missing, damaged, or
made by an enemy), and the world around (no room, no libtorch). Only ours is asked: the original
gives confusing errors here, or silent garbage.
"""

from __future__ import annotations

import json
import os
import pickle
import resource
import shutil
import struct
import subprocess
import sys
import textwrap
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from hostile import CONFIGURATIONS, SAFETENSORS, HostilePickle, safetensors
from pictures import picture
from PIL import Image
from safetensors.torch import load_file, save_file

pytestmark = pytest.mark.ours

WEIGHTS = "vae/diffusion_pytorch_model.safetensors"
#: The classes for a file that is damaged, hostile or not supported.
BAD_FILE = (ValueError, OSError)


def files(folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if not path.is_dir()}


@pytest.fixture
def model(checkpoints, tmp_path) -> Path:
    """A small checkpoint to be damaged."""
    return Path(shutil.copytree(checkpoints("narrow"), tmp_path / "model"))


@pytest.fixture
def refused(subject, checkpoints, tmp_path):
    """Calls ours, which must raise `exception` with all of `words`, and must not add a file."""

    def call(exception, *words, images=None, prompts=None, **options):
        images = [picture(40, 32)] if images is None else images
        prompts = [""] * len(images) if prompts is None else prompts
        options.setdefault("output_hidden_dir", tmp_path / "hidden")
        options.setdefault("model_id", checkpoints("narrow"))
        for name in ("output_hidden_dir", "output_image_dir", "model_id"):
            if name in options:
                options[name] = str(options[name])
        options.setdefault("device", "cpu")
        before = files(tmp_path)
        with pytest.raises(exception) as caught:
            subject.extract_images(images, prompts, **options)
        text = str(caught.value)
        print(f"{caught.type.__name__}: {text}")
        for word in words:
            assert str(word) in text
        assert files(tmp_path) == before
        return text

    return call


def test_the_same_call_succeeds_with_good_arguments(subject, model, tmp_path):
    """Otherwise every refusal below could have another cause."""
    subject.extract_images(
        [picture(40, 32)], [""], str(tmp_path / "h"), model_id=str(model), device="cpu"
    )
    assert [path.name for path in files(tmp_path / "h")] == ["hidden_0.pt"]


# MARK: - Pictures


def huge_png(width: int, height: int) -> bytes:
    """A few bytes that claim to be a picture of that size."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        checksum = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + checksum

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = chunk(b"IDAT", zlib.compress(bytes(1000)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + data + chunk(b"IEND", b"")


class TestPictures:
    def test_missing(self, refused, tmp_path):
        path = str(tmp_path / "absent.png")
        refused(FileNotFoundError, path, images=[path])

    def test_folder(self, refused, tmp_path):
        refused(OSError, tmp_path, images=[str(tmp_path)])

    def test_text(self, refused, tmp_path):
        path = tmp_path / "notes.png"
        path.write_text("not a picture")
        refused(OSError, path, images=[str(path)])

    def test_empty(self, refused, tmp_path):
        path = tmp_path / "empty.jpg"
        path.touch()
        refused(OSError, path, images=[str(path)])

    @pytest.mark.parametrize("suffix", [".png", ".jpg"])
    def test_truncated(self, suffix, refused, tmp_path):
        path = tmp_path / f"p{suffix}"
        picture(300, 200).save(path)
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
        refused(OSError, path, images=[str(path)])

    def test_decompression_bomb(self, refused, tmp_path):
        path = tmp_path / "bomb.png"
        path.write_bytes(huge_png(20_000, 20_000))
        refused(Image.DecompressionBombError, path, images=[str(path)])

    @pytest.mark.parametrize("size", [(0, 5), (5, 0), (0, 0)])
    def test_without_pixels(self, size, refused):
        refused(ValueError, "images[0]", images=[Image.new("RGB", size)])

    def test_second_of_two(self, subject, checkpoints, tmp_path):
        broken = tmp_path / "broken.png"
        broken.write_text("not a picture")
        with pytest.raises(OSError, match=str(broken)):
            subject.extract_images(
                [picture(40, 32), str(broken)],
                ["", ""],
                str(tmp_path / "hidden"),
                model_id=str(checkpoints("narrow")),
                device="cpu",
            )
        # The first may be kept, as the original does; nothing half-made may.
        names = {path.name for path in files(tmp_path / "hidden")}
        assert names <= {"hidden_0.pt"}
        if names:
            torch.load(tmp_path / "hidden" / "hidden_0.pt", weights_only=True)

    @pytest.mark.parametrize(
        "array",
        [
            np.zeros((8, 8, 3), np.float32),
            np.zeros((8, 8, 3), np.int64),
            np.zeros((8, 8, 7), np.uint8),
            np.zeros(8, np.uint8),
            np.zeros((2, 8, 8, 3), np.uint8),
            np.zeros((0, 8, 3), np.uint8),
            np.full((8, 8, 3), None),
        ],
        ids=lambda array: f"{array.dtype}{array.shape}",
    )
    def test_array(self, array, refused):
        refused((TypeError, ValueError), "images[0]", images=[array])

    @pytest.mark.parametrize(
        "value",
        [None, 3, b"p.png", object(), ["p.png"]],
        ids=lambda value: type(value).__name__,
    )
    def test_no_picture_at_all(self, value, refused):
        refused(TypeError, "images[0]", images=[value])

    def test_file_name_with_zero_byte(self, refused):
        refused(ValueError, "null", images=["a\0b.png"])


# MARK: - Arguments


class TestArguments:
    def test_counts(self, refused):
        text = refused(ValueError, images=[picture(8, 8)] * 2, prompts=["x"])
        assert text == "Number of images (2) and prompts (1) must match."

    def test_nothing_to_do(self, refused):
        refused(ValueError, "images", images=[], prompts=[])

    @pytest.mark.parametrize("prompt", [None, 3, b"x"])
    def test_prompt(self, prompt, refused):
        refused(TypeError, "prompts", prompts=[prompt])

    @pytest.mark.parametrize("strength", [float("nan"), -0.1, 1.1, float("inf"), -1e-300])
    def test_strength_out_of_range(self, strength, refused):
        refused(ValueError, "strength", strength=strength)

    def test_strength_of_another_type(self, refused):
        refused(TypeError, strength="0")

    @pytest.mark.parametrize("steps", [0, -1, -(2**70)])
    def test_steps_out_of_range(self, steps, refused):
        refused(
            (ValueError, OverflowError),
            "num_inference_steps",
            num_inference_steps=steps,
        )

    @pytest.mark.parametrize("scale", [float("nan"), float("inf")])
    def test_guidance_scale(self, scale, refused):
        refused(ValueError, "guidance_scale", guidance_scale=scale)

    @pytest.mark.parametrize("seed", [2**64, -(2**63) - 1, 2**200])
    def test_seed_out_of_range(self, seed, refused):
        refused((ValueError, OverflowError), "seed", seed=seed)

    @pytest.mark.parametrize("seed", ["7", 1.5])
    def test_seed_of_another_type(self, seed, refused):
        refused(TypeError, seed=seed)

    @pytest.mark.parametrize("device", ["tpu", "", "cuda:", "cuda:x", "cpu:1x", "CPU\n"])
    def test_unknown_device(self, device, refused):
        refused((ValueError, RuntimeError), device.strip(), device=device)

    @pytest.mark.parametrize("device", ["cuda", "cuda:7"])
    def test_absent_device(self, device, refused):
        if torch.cuda.device_count() > 7 or (device == "cuda" and torch.cuda.is_available()):
            pytest.skip("this machine has that device")
        refused((ValueError, RuntimeError), device, device=device)

    def test_unknown_argument(self, refused):
        refused(TypeError, "colour", colour="red")

    @pytest.mark.parametrize("name", ["prefix_hidden", "save_name"])
    def test_zero_byte_in_name(self, name, refused, tmp_path):
        options = {name: "a\0b", "output_image_dir": tmp_path / "pictures"}
        refused(ValueError, name, **options)


# MARK: - Model folders


def tensors_of(model: Path) -> dict[str, torch.Tensor]:
    """The VAE's tensors, in memory: the file under `load_file`'s own is about to be replaced."""
    return {name: tensor.clone() for name, tensor in load_file(model / WEIGHTS).items()}


class TestModelFolder:
    def test_unknown_model(self, refused):
        refused(OSError, "nobody/no-such-model", model_id="nobody/no-such-model")

    def test_without_vae(self, refused, model):
        shutil.rmtree(model / "vae")
        refused(OSError, "vae", model_id=model)

    def test_without_configuration(self, refused, model):
        (model / "vae" / "config.json").unlink()
        refused(OSError, "vae/config.json", model_id=model)

    def test_without_weights(self, refused, model):
        (model / WEIGHTS).unlink()
        refused(OSError, "vae", model_id=model)

    def test_a_file(self, refused, model):
        path = model / "model_index.json"
        refused((OSError, ValueError), path, model_id=path)

    @pytest.mark.parametrize("name", CONFIGURATIONS)
    def test_configuration(self, name, refused, model):
        path = model / "vae" / "config.json"
        words = CONFIGURATIONS[name](path)
        refused(BAD_FILE, "vae/config.json", *words, model_id=model)


class TestWeights:
    """Files of tensors that contradict the configuration."""

    def edit(self, model, change):
        tensors = tensors_of(model)
        change(tensors)
        save_file(tensors, model / WEIGHTS)

    def test_other_shape(self, refused, model):
        def change(tensors):
            tensors["encoder.conv_in.weight"] = torch.zeros(8, 3, 5, 5)

        self.edit(model, change)
        text = refused(BAD_FILE, "encoder.conv_in.weight", model_id=model)
        assert "8, 3, 5, 5" in text and "8, 3, 3, 3" in text

    def test_missing(self, refused, model):
        self.edit(model, lambda tensors: tensors.pop("encoder.mid_block.resnets.1.conv2.bias"))
        refused(BAD_FILE, "encoder.mid_block.resnets.1.conv2.bias", model_id=model)

    @pytest.mark.parametrize("name", ["encoder.conv_in.scale", "unet.conv_in.weight"])
    def test_unknown(self, name, refused, model):
        self.edit(model, lambda tensors: tensors.update({name: torch.zeros(3)}))
        refused(BAD_FILE, name, model_id=model)

    def test_integers(self, refused, model):
        def change(tensors):
            tensors["encoder.conv_in.weight"] = tensors["encoder.conv_in.weight"].long()

        self.edit(model, change)
        refused(BAD_FILE, "encoder.conv_in.weight", model_id=model)

    @pytest.mark.parametrize("value", [float("nan"), float("inf")])
    def test_latents_that_are_no_numbers(self, value, refused, model):
        self.edit(model, lambda tensors: tensors["encoder.conv_out.bias"].fill_(value))
        refused((ValueError, RuntimeError, ArithmeticError), "finite", model_id=model)

    def test_pictures_that_are_no_numbers(self, subject, model, tmp_path):
        self.edit(model, lambda tensors: tensors["decoder.conv_out.bias"].fill_(float("nan")))
        with pytest.raises((ValueError, RuntimeError, ArithmeticError), match="finite"):
            subject.extract_images(
                [picture(40, 32)],
                [""],
                str(tmp_path / "hidden"),
                str(tmp_path / "pictures"),
                model_id=str(model),
                device="cpu",
            )
        assert not files(tmp_path / "pictures")
        assert {path.name for path in files(tmp_path / "hidden")} <= {"hidden_0.pt"}


class TestSafetensors:
    @pytest.mark.parametrize("keep", [0, 4, 8, 9, 500, "header", "all but one"])
    def test_truncated(self, keep, refused, model):
        data = (model / WEIGHTS).read_bytes()
        (header,) = struct.unpack("<Q", data[:8])
        keep = {"header": 8 + header, "all but one": len(data) - 1}.get(keep, keep)
        (model / WEIGHTS).write_bytes(data[:keep])
        refused(BAD_FILE, WEIGHTS, model_id=model)

    @pytest.mark.parametrize("name", SAFETENSORS)
    def test_hostile(self, name, refused, model):
        (model / WEIGHTS).write_bytes(safetensors(*SAFETENSORS[name]))
        refused(BAD_FILE, WEIGHTS, model_id=model)

    def test_pickle_of_that_name(self, refused, model):
        tensors = tensors_of(model)
        torch.save(tensors, model / WEIGHTS)
        refused(BAD_FILE, WEIGHTS, model_id=model)


class TestIndex:
    INDEX = WEIGHTS + ".index.json"

    @pytest.mark.parametrize(
        "shard",
        ["../model_index.json", "/etc/passwd", "a/b", "..\\x", "", ".", "..", 3, None],
    )
    def test_shard_outside_of_the_folder(self, shard, refused, model):
        self.write(model, {name: shard for name in tensors_of(model)})
        refused(BAD_FILE, self.INDEX, model_id=model)

    def test_absent_shard(self, refused, model):
        self.write(model, {name: "absent.safetensors" for name in tensors_of(model)})
        refused(BAD_FILE, "absent.safetensors", model_id=model)

    def test_without_map(self, refused, model):
        self.write(model, None)
        refused(BAD_FILE, self.INDEX, model_id=model)

    def write(self, model, weight_map):
        (model / WEIGHTS).rename(model / "vae" / "weights.safetensors")
        (model / self.INDEX).write_text(json.dumps({"metadata": {}, "weight_map": weight_map}))


class TestPickle:
    BIN = "vae/diffusion_pytorch_model.bin"

    @pytest.fixture
    def tensors(self, model):
        tensors = tensors_of(model)
        (model / WEIGHTS).unlink()
        return tensors

    @pytest.mark.parametrize("call", [os.system, os.mkdir, eval, exec, getattr])
    def test_call_of_a_function(self, call, refused, model, tensors, tmp_path):
        mark = tmp_path / "pwned"
        argument = {os.system: f"touch {mark}", os.mkdir: str(mark)}.get(
            call, f"open({str(mark)!r}, 'w')"
        )
        tensors["encoder.conv_in.weight"] = HostilePickle(call, argument)
        torch.save(tensors, model / self.BIN)
        refused(BAD_FILE, self.BIN, call.__name__, model_id=model)
        assert not mark.exists()

    def test_object_of_any_class(self, refused, model, tensors):
        tensors["encoder.conv_in.weight"] = Path("x")
        torch.save(tensors, model / self.BIN)
        refused(BAD_FILE, self.BIN, "athlib", model_id=model)

    def test_bare_pickle(self, refused, model, tensors):
        (model / self.BIN).write_bytes(pickle.dumps({"a": 1}))
        refused(BAD_FILE, self.BIN, model_id=model)

    @pytest.mark.parametrize("share", [0, 0.1, 0.5, 0.9, 0.999])
    def test_truncated(self, share, refused, model, tensors):
        torch.save(tensors, model / self.BIN)
        data = (model / self.BIN).read_bytes()
        (model / self.BIN).write_bytes(data[: int(len(data) * share)])
        refused(BAD_FILE, self.BIN, model_id=model)

    def test_no_dictionary(self, refused, model, tensors):
        torch.save(list(tensors.values()), model / self.BIN)
        refused(BAD_FILE, self.BIN, model_id=model)


# MARK: - Where the files go


class TestOutput:
    @pytest.mark.parametrize("argument", ["output_hidden_dir", "output_image_dir"])
    def test_a_file_in_the_folders_place(self, argument, refused, tmp_path):
        (tmp_path / "taken").write_text("mine")
        refused(OSError, tmp_path / "taken", **{argument: tmp_path / "taken"})
        refused(OSError, tmp_path / "taken", **{argument: tmp_path / "taken" / "below"})
        assert (tmp_path / "taken").read_text() == "mine"

    @pytest.mark.parametrize("argument", ["output_hidden_dir", "output_image_dir"])
    def test_no_folder_can_be_made_there(self, argument, refused):
        refused(OSError, "/proc/gpi", **{argument: "/proc/gpi"})

    def test_a_folder_in_the_files_place(self, refused, tmp_path):
        (tmp_path / "hidden" / "hidden_0.pt").mkdir(parents=True)
        refused(OSError, "hidden_0.pt")

    def test_a_folder_in_the_pictures_place(self, subject, checkpoints, tmp_path):
        (tmp_path / "pictures" / "gen_0.png").mkdir(parents=True)
        with pytest.raises(OSError, match=r"gen_0\.png"):
            subject.extract_images(
                [picture(40, 32)],
                [""],
                str(tmp_path / "hidden"),
                str(tmp_path / "pictures"),
                model_id=str(checkpoints("narrow")),
                device="cpu",
            )
        assert not files(tmp_path / "pictures")

    @pytest.mark.parametrize("argument", ["output_hidden_dir", "output_image_dir"])
    def test_largest_file_size(self, argument, checkpoints, tmp_path):
        """A limit below the file's size acts like a disk that fills up midway."""

        def limit():
            resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))

        folders = {"output_hidden_dir": str(tmp_path / "hidden")}
        folders[argument] = str(tmp_path / "limited")
        text = run_apart(checkpoints("narrow"), tmp_path, preexec_fn=limit, **folders)
        assert "OSError" in text
        assert not files(tmp_path / "limited")

    def test_full_disk(self, refused, tmp_path):
        disk = tmp_path / "disk"
        disk.mkdir()
        mount = ["mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", str(disk)]
        if subprocess.run(mount, capture_output=True, check=False).returncode != 0:
            pytest.skip("no permission to mount a small disk")
        try:
            refused(
                OSError,
                "No space left",
                output_hidden_dir=disk,
                images=[picture(512, 512)],
            )
        finally:
            subprocess.run(["umount", str(disk)], check=True)


# MARK: - libtorch


def run_apart(checkpoint: Path, folder: Path, *, path=(), environment=None, **options) -> str:
    """Extracts in a Python of its own, which must raise; the traceback's last line."""
    preexec_fn = options.pop("preexec_fn", None)
    options = {"output_hidden_dir": str(folder / "hidden"), "device": "cpu"} | options
    script = folder / "script.py"
    script.write_text(
        textwrap.dedent(
            f"""
            import gpi_pack.diffusion
            from PIL import Image
            image = Image.linear_gradient("L").resize((40, 32)).convert("RGB")
            try:
                gpi_pack.diffusion.extract_images(
                    [image], [""], model_id={str(checkpoint)!r}, **{options!r}
                )
            except BaseException as error:
                print(*[cls.__name__ for cls in type(error).__mro__], str(error), sep="\\n")
            else:
                raise SystemExit("nothing was raised")
            """
        )
    )
    # The installed module is found as it is here, whether by installation or by PYTHONPATH.
    variables = dict(os.environ, PYTHONPATH=os.pathsep.join([*map(str, path), *sys.path]))
    variables.pop("LIBTORCH", None)
    variables |= environment or {}
    done = subprocess.run(
        [sys.executable, str(script)],
        env=variables,
        preexec_fn=preexec_fn,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


class TestLibtorch:
    @pytest.fixture
    def without_torch(self, tmp_path) -> Path:
        """A folder for the search path, in which `torch` is a package without libraries."""
        package = tmp_path / "path" / "torch"
        (package / "lib").mkdir(parents=True)
        (package / "__init__.py").touch()
        return package.parent

    def test_absent(self, without_torch, checkpoints, tmp_path):
        text = run_apart(checkpoints("narrow"), tmp_path, path=[without_torch])
        assert "ImportError" in text or "RuntimeError" in text
        assert "libtorch" in text and "pip install" in text
        assert str(without_torch / "torch" / "lib") in text

    def test_too_old(self, without_torch, checkpoints, tmp_path):
        source = tmp_path / "old.c"
        source.write_text("int aoti_torch_device_type_cpu(void) { return 0; }\n")
        library = without_torch / "torch" / "lib" / "libtorch_cpu.so"
        subprocess.run(["cc", "-shared", "-fPIC", "-o", library, source], check=True)
        text = run_apart(checkpoints("narrow"), tmp_path, path=[without_torch])
        assert "ImportError" in text or "RuntimeError" in text
        assert "too old" in text and "2.10" in text and str(library.parent) in text

    def test_no_library(self, without_torch, checkpoints, tmp_path):
        library = without_torch / "torch" / "lib" / "libtorch_cpu.so"
        library.write_text("not a library")
        text = run_apart(checkpoints("narrow"), tmp_path, path=[without_torch])
        assert "ImportError" in text or "RuntimeError" in text
        assert str(library.parent) in text

    def test_variable_that_leads_nowhere(self, without_torch, checkpoints, tmp_path):
        text = run_apart(
            checkpoints("narrow"),
            tmp_path,
            path=[without_torch],
            environment={"LIBTORCH": "/nowhere/libtorch"},
        )
        assert "ImportError" in text or "RuntimeError" in text
        assert "LIBTORCH=/nowhere/libtorch" in text
