"""Makes the files that fuzzing starts from, in `seeds/`, and its words, in `dictionaries/`.

    .venv/bin/python Tests/Fuzz/make_seeds.py

Small files of every kind, from the libraries that write them and from the demo checkpoint. They are
checked in, so that fuzzing needs no Python; run this again where a reader learns something new.
"""

from __future__ import annotations

import importlib.util
import io
import json
import re
import shutil
from pathlib import Path

import torch
from PIL import Image, PngImagePlugin
from safetensors.torch import save

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
DEMO = ROOT / "python" / "demo_checkpoint"
# What the targets read at most.
LARGEST = {"png": 1024, "jpeg": 1024}

SCHEDULERS = [
    "DDIMScheduler", "DDPMScheduler", "DPMSolverMultistepScheduler", "EulerAncestralDiscreteScheduler",
    "EulerDiscreteScheduler", "HeunDiscreteScheduler", "LMSDiscreteScheduler", "PNDMScheduler",
    "UniPCMultistepScheduler",
]  # fmt: skip


def reference():
    """The script of the checkpoints' tests, for its hostile pickles."""
    path = ROOT / "Tests" / "CheckpointsTests" / "reference.py"
    spec = importlib.util.spec_from_file_location("reference", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def keep(target: str, name: str, data: bytes | str) -> None:
    data = data.encode() if isinstance(data, str) else data
    if len(data) > LARGEST.get(target, 4096):
        return
    folder = HERE / "seeds" / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / re.sub(r"\W+", "-", name)).write_bytes(data)


def torch_file(value) -> bytes:
    file = io.BytesIO()
    torch.save(value, file)
    return file.getvalue()


def checkpoints() -> None:
    keep("safetensors", "none", save({}))
    keep("safetensors", "metadata", save({"a": torch.ones(2)}, metadata={"format": "pt"}))
    state = {
        "a.weight": torch.ones(2, 3), "a.bias": torch.ones(3).half(), "b": torch.zeros(0, 4),
        "c": torch.tensor(1.5, dtype=torch.bfloat16), "d": torch.tensor([1, 2], dtype=torch.int64),
        "e": torch.tensor([True]),
    }  # fmt: skip
    keep("safetensors", "state", save(state))
    keep("torch-file", "state", torch_file({name: state[name] for name in "bde"}))
    keep("torch-file", "bare", torch_file(torch.ones(2, 2)))
    keep("torch-file", "nested", torch_file({"state_dict": {"w": torch.ones(2)}, "epoch": 3}))
    index = {"metadata": {"total_size": 8}, "weight_map": {"a": "x-1.bin", "b": "x-2.safetensors"}}
    keep("shard-index", "index", json.dumps(index, indent=2))
    keep("shard-index", "escapes", '{"weight_map":{"\\u0061\\ud83d\\ude00":"b\\n"}}')

    script = reference()
    for name, pickle in script.hostile_pickles().items():
        keep("pickle", name, pickle)
    scratch = HERE / "scratch.bin"
    for name in ["sound", "stride 0 bomb", "SETITEM on a tensor"]:
        script.write_archive(scratch, script.hostile_pickles()[name])
        keep("torch-file", name, scratch.read_bytes())
    scratch.unlink()


def configurations() -> None:
    folders = ["vae", "unet", "text_encoder"]
    for digit, folder in enumerate(folders):
        text = (DEMO / folder / "config.json").read_text()
        keep("configurations", folder, f"{digit}{text}")
    vision = {
        "hidden_size": 64, "intermediate_size": 64, "num_hidden_layers": 2, "image_size": 224,
        "num_attention_heads": 4, "patch_size": 32, "hidden_act": "gelu", "layer_norm_eps": 1e-5,
    }  # fmt: skip
    checker = {"projection_dim": 8, "vision_config": vision}
    keep("configurations", "safety-checker", "3" + json.dumps(checker))
    checker = {"projection_dim": 8, "vision_config_dict": vision, "vision_config": None}
    keep("configurations", "safety-checker-old", "3" + json.dumps(checker))
    processor = {
        "crop_size": {"height": 224, "width": 224}, "do_center_crop": True, "do_normalize": True,
        "do_rescale": True, "do_resize": True, "image_mean": [0.5, 0.5, 0.5], "resample": 3,
        "image_std": [0.2, 0.2, 0.2], "rescale_factor": 0.1, "size": {"shortest_edge": 224},
    }  # fmt: skip
    keep("configurations", "processor", "4" + json.dumps(processor))
    keep("configurations", "processor-old", '4{"size":224,"crop_size":224}')
    unet = {
        "down_block_types": ["DownBlock2D", "CrossAttnDownBlock2D"], "sample_size": [8, 8],
        "up_block_types": ["CrossAttnUpBlock2D", "UpBlock2D"], "block_out_channels": [32, 64],
        "attention_head_dim": [4, 8], "cross_attention_dim": [32, 32], "layers_per_block": [1, 2],
        "only_cross_attention": [False, True], "transformer_layers_per_block": [1, 2],
    }  # fmt: skip
    keep("configurations", "unet-lists", "1" + json.dumps(unet))
    keep("configurations", "model-index", "5" + (DEMO / "model_index.json").read_text())

    demo = json.loads((DEMO / "scheduler" / "scheduler_config.json").read_text())
    for digit, name in enumerate(SCHEDULERS):
        keep("schedulers", name, f"{digit}" + json.dumps(demo | {"_class_name": name}))
    for digit, options in [
        (2, '{"use_karras_sigmas":true,"algorithm_type":"sde-dpmsolver++","solver_order":3,'
            '"lambda_min_clipped":-Infinity,"variance_type":"learned_range"}'),
        (4, '{"use_beta_sigmas":true,"timestep_type":"continuous","timestep_spacing":"trailing"}'),
        (0, '{"thresholding":true,"rescale_betas_zero_snr":true,"prediction_type":"sample"}'),
        (1, '{"num_train_timesteps":3,"trained_betas":[0.1,0.2,0.3],"variance_type":"fixed_large"}'),
        (8, '{"use_flow_sigmas":true,"flow_shift":3.0,"prediction_type":"flow_prediction",'
            '"disable_corrector":[0],"solver_type":"bh1","predict_x0":true}'),
        (6, '{"use_exponential_sigmas":true,"_use_default_values":["beta_end"]}'),
    ]:  # fmt: skip
        keep("schedulers", f"options-{digit}", f"{digit}{options}")

    token = {"content": "!", "lstrip": True, "rstrip": False, "single_word": True, "id": 6}
    names = {"bos_token": "<|startoftext|>", "eos_token": "<|endoftext|>", "unk_token": token}
    vocabulary = {"a": 0, "b": 1, "a</w>": 2, "b</w>": 3, "ab": 4, "ab</w>": 5, "!": 6}
    vocabulary |= {"<|startoftext|>": 7, "<|endoftext|>": 8}
    for digit, name, value in [
        (0, "vocab", vocabulary),
        (2, "config", names | {"model_max_length": 77, "truncation_side": "left"}),
        (2, "decoder", names | {"added_tokens_decoder": {"6": token}, "padding_side": "left"}),
        (3, "map", names | {"additional_special_tokens": ["ab", token], "pad_token": token}),
        (4, "added", {"ab": 4, "new": 9}),
        (5, "serialized", {
            "model": {"type": "BPE", "vocab": vocabulary, "merges": ["a b", ["a", "b</w>"]]},
            "added_tokens": [token], "padding": {"direction": "Left"}, "truncation": None,
        }),
    ]:  # fmt: skip
        keep("tokenizer", name, f"{digit}{json.dumps(value)}")
    keep("tokenizer", "merges", "1#version: 0.2\r\na b\na b</w>\n")
    keep("tokenizer", "text", "6A photo of <|endoftext|>!ab B\u0301 \U0001f600 123's\u00a0\x1c")


def pictures() -> None:
    gradient = Image.linear_gradient("L").resize((9, 7))
    rgb = Image.merge("RGB", [gradient, gradient.rotate(180), gradient])

    def add(target: str, name: str, picture: Image.Image, **options) -> None:
        file = io.BytesIO()
        picture.save(file, target, **options)
        keep(target, name, file.getvalue())

    for mode in ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"]:
        picture = gradient.convert("I").convert("I;16") if mode == "I;16" else rgb.convert(mode)
        add("png", mode, picture)
    add("png", "transparent", rgb, transparency=(1, 2, 3))
    add("png", "profile", rgb, icc_profile=b"x" * 9, dpi=(72, 72))
    from_reference = importlib.util.spec_from_file_location(
        "pictures", ROOT / "Tests" / "ImagingTests" / "reference.py"
    )
    script = importlib.util.module_from_spec(from_reference)
    from_reference.loader.exec_module(script)
    samples = script.noise(9, 7)
    keep("png", "adam7", script.png(samples, 8, 2, interlaced=True))
    for mode in ["L", "RGB", "CMYK"]:
        add("jpeg", mode, rgb.convert(mode), quality=50)
    add("jpeg", "progressive", rgb, progressive=True, quality=50)
    add("jpeg", "restarts", rgb, restart_marker_blocks=1, subsampling=0)
    add("jpeg", "comment", rgb, comment=b"x", quality=20, subsampling=2, optimize=True)

    turned = Image.Exif()
    turned[0x0112], turned[0x010F] = 6, "maker"
    packet = b'<x tiff:Orientation="8"/>'
    text = PngImagePlugin.PngInfo()
    text.add_itxt("XML:com.adobe.xmp", packet.decode())
    add("png", "exif", rgb, exif=turned)
    add("png", "xmp", rgb, pnginfo=text)
    add("png", "palette-alphas", rgb.quantize(4), transparency=b"\x00\x80\xff")
    add("png", "grey-transparent", gradient, transparency=7)
    add("jpeg", "exif", rgb, exif=turned, quality=20)
    add("jpeg", "xmp", rgb, xmp=packet, quality=20)


def dictionaries() -> None:
    """The words of each format: opcodes, names, and the keys and words that the sources have."""

    def words(*folders: str) -> set[str]:
        text = "".join(
            path.read_text()
            for folder in folders
            for path in (ROOT / "Sources" / folder).rglob("*.swift")
        )
        quoted = set(re.findall(r'"([A-Za-z_][A-Za-z0-9_+./|<>-]{2,40})"', text))
        properties = re.findall(r"(?:var|case) ([a-z][A-Za-z0-9, ]{2,60})", text)
        names = {name.strip() for line in properties for name in line.split(",")}
        snake = {re.sub(r"([A-Z]+)", lambda part: "_" + part[0].lower(), name) for name in names}
        return {f'"{word}"' for word in quoted | {name for name in snake if "_" in name}}

    json_marks = {"{", "}", "[", "]", ":", ",", "null", "true", "false", "\\u0000"}
    json_marks |= {
        "\\ud83d\\ude00",
        "-1",
        "1e999",
        "9223372036854775807",
        "18446744073709551616",
        "0.5",
        "Infinity",
    }
    script = reference()
    orientations = {
        "Exif\x00\x00", "II*\x00\x08\x00\x00\x00", "MM\x00*\x00\x00\x00\x08",
        "\x12\x01\x03\x00\x01\x00\x00\x00\x06\x00", "\x01\x12\x00\x03\x00\x00\x00\x01\x00\x06",
        "XML:com.adobe.xmp\x00", 'tiff:Orientation="6', "tiff:Orientation>8",
    }  # fmt: skip
    tables = {
        "safetensors": json_marks
        | {f'"{word}"' for word in ["__metadata__", "dtype", "shape", "data_offsets"]}
        | {f'"{word}"' for word in "BOOL U8 I8 I16 I32 I64 F16 BF16 F32 F64 U16 F4 F8_E4M3".split()},
        "shard-index": json_marks | {'"weight_map"', "..", "/", "\\\\"},
        "configurations": json_marks | words("Diffusion/Models"),
        "schedulers": json_marks | words("Diffusion/Schedulers"),
        "tokenizer": json_marks | words("Diffusion/Tokenizer") | {"</w>", "#version"},
        "pickle": {
            "ctorch._utils\n_rebuild_tensor_v2\n", "ctorch._utils\n_rebuild_parameter\n",
            "ccollections\nOrderedDict\n", "ctorch\nFloatStorage\n", "ctorch\nBoolStorage\n",
            script.storage().decode("latin-1"), script.tensor().decode("latin-1"),
            script.short_text("state_dict").decode("latin-1"), "\x80\x02", "tR", "(", "h\x00", "q\x00",
        },
        "torch-file": {
            "PK\x03\x04", "PK\x01\x02", "PK\x05\x06", "PK\x06\x06", "PK\x06\x07", "\xff\xff\xff\xff",
            "\x01\x00\x08\x00", "archive/data.pkl", "archive/data/0", "byteorder", "little",
        },
        "png": {"IHDR", "PLTE", "IDAT", "IEND", "tRNS", "gAMA", "iCCP", "zTXt", "sBIT", "eXIf", "acTL"}
        | {"tEXt", "iTXt"} | orientations,
        "jpeg": {f"\xff{chr(mark)}" for mark in (*range(0xC0, 0xE0), 0xE1, 0xEE, 0xFE)}
        | {"Adobe", "http://ns.adobe.com/xap/1.0/\x00"} | orientations,
    }  # fmt: skip
    folder = HERE / "dictionaries"
    folder.mkdir(exist_ok=True)
    for name, table in tables.items():
        lines = []
        for word in sorted(table):
            escaped = "".join(
                chr(byte) if 0x20 <= byte < 0x7F and byte not in b'"\\' else f"\\x{byte:02x}"
                for byte in word.encode("latin-1")
            )
            lines.append(f'"{escaped}"\n')
        (folder / name).write_text("".join(lines))


if __name__ == "__main__":
    shutil.rmtree(HERE / "seeds", ignore_errors=True)
    checkpoints()
    configurations()
    pictures()
    dictionaries()
