"""Files of tensors, whole and hostile, and what PyTorch and safetensors make of them.

For the tests beside this file. Every command prints one JSON value.
"""

import base64
import io
import json
import pickle
import struct
import sys
import tarfile
import warnings
import zipfile
from collections import OrderedDict
from pathlib import Path

import safetensors
import torch
from safetensors.torch import save_file

warnings.simplefilter("ignore")

STORED_DTYPES = [
    torch.float64, torch.float32, torch.float16, torch.bfloat16,
    torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8, torch.bool,
]  # fmt: skip


def raw(tensor):
    tensor = tensor.detach().contiguous().reshape(-1)
    data = bytes(tensor.untyped_storage()) if tensor.numel() else b""
    start = tensor.storage_offset() * tensor.element_size()
    data = data[start : start + tensor.numel() * tensor.element_size()]
    return base64.b64encode(data).decode()


def facts(tensor):
    return {
        "shape": list(tensor.shape),
        "strides": list(tensor.stride()),
        "dtype": str(tensor.dtype).removeprefix("torch."),
        "bytes": raw(tensor),
        "float32": raw(tensor.float()),
        "isPlain": type(tensor) is torch.Tensor
        and tensor.is_contiguous()
        and not tensor.requires_grad
        and tensor.device.type == "cpu",
    }


def tensors_of_every_dtype():
    torch.manual_seed(0)
    tensors = {}
    for dtype in STORED_DTYPES:
        values = 100 * torch.randn(3, 4)
        tensors[str(dtype)] = (values > 0) if dtype is torch.bool else values.to(dtype)
    for dtype in [torch.float16, torch.bfloat16]:
        # Every pattern of 16 bits: subnormal numbers, infinities and every NaN.
        patterns = torch.arange(-(2**15), 2**15, dtype=torch.int32).to(torch.int16)
        tensors[f"every {dtype}"] = patterns.view(dtype)
    tensors["empty"] = torch.zeros(0)
    tensors["empty.matrix"] = torch.zeros(3, 0)
    tensors["scalar"] = torch.tensor(2.5)
    return tensors


def safetensors_file(header, data=b""):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def fixtures(folder):
    """Writes sound files into a folder; prints what the reference reads from each."""
    folder = Path(folder)
    tensors = tensors_of_every_dtype()
    answers = {}

    save_file(tensors, folder / "every-dtype.safetensors", metadata={"format": "pt"})
    unaligned = {"a": {"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 16]}}
    text = json.dumps(unaligned).encode()
    text += b" " * ((3 - len(text)) % 8)
    (folder / "unaligned.safetensors").write_bytes(
        safetensors_file(text, struct.pack("<4f", 1.5, -2, 3, 4))
    )
    for name in ["every-dtype", "unaligned"]:
        path = folder / f"{name}.safetensors"
        loaded = safetensors.torch.load_file(path)
        answers[path.name] = {key: facts(value) for key, value in loaded.items()}

    shared = torch.arange(24.0).reshape(4, 6)
    state = OrderedDict(tensors)
    state["shared.transposed"] = shared.t()
    state["shared.row"] = shared[2]
    state["shared.column"] = shared[:, 3]
    state["parameter"] = torch.nn.Parameter(torch.randn(2, 3))
    torch.save(state, folder / "state.bin")
    layers = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4))
    torch.save(layers.state_dict(), folder / "module.bin")
    checkpoint = {
        "state_dict": {"weight": torch.randn(5)}, "epoch": 3, "step": -(2**40), "rate": 1e-4,
        "text": "é", "nothing": None, "list": [1, [2, (3,)], True], "nested": {"loss": torch.ones(2)},
    }  # fmt: skip
    torch.save(checkpoint, folder / "training.ckpt")
    for name in ["state.bin", "module.bin", "training.ckpt"]:
        loaded = torch.load(folder / name, weights_only=True)
        loaded = loaded.get("state_dict", loaded)
        answers[name] = {key: facts(value) for key, value in loaded.items()}
    torch.save(torch.randn(1, 4, 8, 8), folder / "bare.pt")
    answers["bare.pt"] = {"": facts(torch.load(folder / "bare.pt", weights_only=True))}

    legacy = {"_use_new_zipfile_serialization": False}
    torch.save({"a": torch.ones(2)}, folder / "legacy.bin", **legacy)
    torch.save({"a": torch.ones(2)}, folder / "small.bin")
    save_file({"a": torch.ones(2), "b": torch.ones(3).half()}, folder / "small.safetensors")
    return answers


def is_accepted(kind, data):
    try:
        if kind == "safetensors":
            safetensors.torch.load(data)
        else:
            torch.load(io.BytesIO(data), weights_only=True)
        return True
    except Exception:
        return False


def verdicts(kind, path):
    """Whether the reference takes a file cut at each byte, and with each byte flipped."""
    data = Path(path).read_bytes()
    flipped = []
    for position in range(len(data)):
        changed = bytearray(data)
        changed[position] ^= 0x11
        flipped.append(is_accepted(kind, bytes(changed)))
    return {
        "cut": [is_accepted(kind, data[:length]) for length in range(len(data) + 1)],
        "flipped": flipped,
    }


def accepted(kind, *paths):
    return [is_accepted(kind, Path(path).read_bytes()) for path in paths]


def read_tensors(*paths):
    return [facts(torch.load(path, weights_only=True)) for path in paths]


def resaved(path, copy):
    """What safetensors reads from a file; writes the same tensors under another name."""
    with safetensors.safe_open(path, "pt") as file:
        metadata = file.metadata()
        tensors = {name: file.get_tensor(name) for name in list(file.keys())}
    save_file(tensors, copy, metadata=metadata)
    return {"metadata": metadata, "facts": {name: facts(value) for name, value in tensors.items()}}


# Hostile pickles


def short_text(text):
    return b"X" + struct.pack("<I", len(text)) + text.encode()


def integer(value):
    return b"\x8a\x08" + struct.pack("<q", value)


def integers(*values):
    return b"(" + b"".join(integer(value) for value in values) + b"t"


def storage(count=4, key="0", kind="torch\nFloatStorage"):
    return (
        b"(" + short_text("storage") + b"c" + kind.encode() + b"\n" + short_text(key)
        + short_text("cpu") + integer(count) + b"tQ"
    )  # fmt: skip


def tensor(of=None, offset=0, shape=(4,), strides=(1,), rest=b""):
    return (
        b"ctorch._utils\n_rebuild_tensor_v2\n(" + (storage() if of is None else of)
        + integer(offset) + integers(*shape) + integers(*strides)
        + b"\x89ccollections\nOrderedDict\n)R" + rest + b"tR"
    )  # fmt: skip


class Command:
    def __reduce__(self):
        import os

        return os.system, ("touch /tmp/checkpoint-was-here",)


def hostile_pickles():
    """Bodies of `data.pkl`, in an archive with one storage of 16 bytes."""
    whole = tensor()
    state = b"}" + short_text("a")
    return {
        "sound": b"\x80\x02" + state + whole + b"s.",
        "system call by REDUCE": pickle.dumps(Command(), protocol=2),
        "STACK_GLOBAL": pickle.dumps(Command(), protocol=4),
        "STACK_GLOBAL in protocol 2": b"\x80\x02\x8c\x02os\x8c\x06system\x93.",
        "INST": b"\x80\x02(S'true'\nios\nsystem\n.",
        "INST without arguments": b"\x80\x02(ios\nsystem\n.",
        "OBJ": b"\x80\x02(cos\nsystem\n)o.",
        "NEWOBJ": b"\x80\x02ccollections\nOrderedDict\n)\x81.",
        "EXT1": b"\x80\x02\x82\x01.",
        "EXT2": b"\x80\x02\x83\x01\x00.",
        "EXT4": b"\x80\x02\x84\x01\x00\x00\x00.",
        "PERSID": b"\x80\x02P0\n.",
        "eval": b"\x80\x02c__builtin__\neval\n" + short_text("1") + b"\x85R.",
        "getattr by dotted name": b"\x80\x02ctorch\nFloatStorage.__init__\n.",
        "torch.load itself": b"\x80\x02ctorch.serialization\nload\n.",
        "calling a storage": b"\x80\x02ctorch\nFloatStorage\n" + integer(9) + b"\x85R.",
        "calling a string": b"\x80\x02" + short_text("a") + b")R.",
        "SETITEM on a tensor": b"\x80\x02" + whole + short_text("a") + b"Ns.",
        "SETITEMS on a tensor": b"\x80\x02" + whole + b"(" + short_text("a") + b"Nu.",
        "SETITEMS of odd number": b"\x80\x02}(Nu.",
        "APPEND on a tensor": b"\x80\x02" + whole + b"Na.",
        "BUILD on a tensor": b"\x80\x02" + whole + b")b.",
        "stack underflow": b"\x80\x020.",
        "underflow of TUPLE3": b"\x80\x02NN\x87.",
        "underflow below a mark": b"\x80\x02NN(\x86.",
        "no mark": b"\x80\x02NNt.",
        "empty result": b"\x80\x02.",
        "dangling memo": b"\x80\x02h\x07.",
        "dangling long memo": b"\x80\x02j\xff\xff\xff\xff.",
        "LONG1 bomb": b"\x80\x02\x8a\xff" + b"\x7f" * 255 + b".",
        "LONG1 beyond the end": b"\x80\x02\x8a\xff\x01",
        "LONG4 bomb": b"\x80\x02\x8b\xff\xff\xff\x7f.",
        "BINUNICODE beyond the end": b"\x80\x02X\xff\xff\xff\x7fabc.",
        "BINUNICODE not UTF-8": b"\x80\x02X\x01\x00\x00\x00\xff.",
        "BINBYTES8 bomb": b"\x80\x02\x8e" + b"\xff" * 8 + b".",
        "GLOBAL without end": b"\x80\x02ctorch",
        "nothing": b"",
        "protocol 5": b"\x80\x05N.",
        "a list on top": b"\x80\x02].",
        "deep tuples": b"\x80\x02N" + b"\x85" * 1_000_000 + b".",
        "deep lists": b"\x80\x02" + b"]" * 500_000 + b"a" * 499_999 + b".",
        "a list in itself": b"\x80\x02]q\x00h\x00a.",
        "a million marks": b"\x80\x02" + b"(" * 1_000_000 + b".",
        "a name twice": b"\x80\x02}(" + 2 * (short_text("a") + whole) + b"u.",
        "huge storage": b"\x80\x02" + state + tensor(of=storage(2**40)) + b"s.",
        "overflowing storage": b"\x80\x02" + state + tensor(of=storage(2**62 + 4)) + b"s.",
        "negative storage": b"\x80\x02" + state + tensor(of=storage(-4)) + b"s.",
        "short storage": b"\x80\x02" + state + tensor(of=storage(3)) + b"s.",
        "missing storage": b"\x80\x02" + state + tensor(of=storage(4, key="7")) + b"s.",
        "storage outside": b"\x80\x02" + state + tensor(of=storage(4, key="../data.pkl")) + b"s.",
        "storage of a wider type": b"\x80\x02"
        + state
        + tensor(of=storage(4, kind="torch\nDoubleStorage"))
        + b"s.",
        "storage of two types": b"\x80\x02}("
        + short_text("a")
        + whole
        + short_text("b")
        + tensor(of=storage(2, kind="torch\nLongStorage"), shape=(2,))
        + b"u.",
        "storage of no type": b"\x80\x02" + state + tensor(of=storage(4, kind="collections\nOrderedDict")) + b"s.",
        "persistent id of a module": b"\x80\x02(" + short_text("module") + b"NNNNtQ.",
        "tensor of a string": b"\x80\x02" + state + tensor(of=short_text("x")) + b"s.",
        "too many arguments": b"\x80\x02" + state + tensor(rest=b"NNN") + b"s.",
        "conjugate flag": b"\x80\x02" + state + tensor(rest=b"}" + short_text("conj") + b"\x88s") + b"s.",
        "negative offset": b"\x80\x02" + state + tensor(offset=-1, shape=(1,)) + b"s.",
        "offset beyond the end": b"\x80\x02" + state + tensor(offset=5, shape=(0,)) + b"s.",
        "offset to the end": b"\x80\x02" + state + tensor(offset=4, shape=(1,)) + b"s.",
        "negative size": b"\x80\x02" + state + tensor(shape=(-4,)) + b"s.",
        "negative stride": b"\x80\x02" + state + tensor(offset=3, strides=(-1,)) + b"s.",
        "stride beyond the end": b"\x80\x02" + state + tensor(shape=(2,), strides=(4,)) + b"s.",
        "overflowing stride": b"\x80\x02" + state + tensor(shape=(3,), strides=(2**62,)) + b"s.",
        "overflowing shape": b"\x80\x02"
        + state
        + tensor(shape=(2**33, 2**33), strides=(0, 0))
        + b"s.",
        "overflowing empty shape": b"\x80\x02"
        + state
        + tensor(shape=(0, 2**40, 2**40), strides=(1, 1, 1))
        + b"s.",
        "stride 0 bomb": b"\x80\x02" + state + tensor(shape=(2**40,), strides=(0,)) + b"s.",
        "strides of another rank": b"\x80\x02" + state + tensor(strides=(1, 1)) + b"s.",
        "too many dimensions": b"\x80\x02" + state + tensor(shape=[1] * 99, strides=[1] * 99) + b"s.",
        "float as size": b"\x80\x02" + state + tensor().replace(integers(4), b"(G" + bytes(8) + b"t") + b"s.",
    }  # fmt: skip


def write_archive(path, pickle_bytes, records=(("data/0", bytes(16)),), **options):
    with warnings.catch_warnings(), zipfile.ZipFile(path, "w", **options) as archive:
        archive.writestr("archive/data.pkl", pickle_bytes)
        archive.writestr("archive/version", "3\n")
        for name, data in records:
            archive.writestr("archive/" + name, data)


def hostile(folder):
    """Writes archives; prints for each pickle whether `torch.load(weights_only=True)` takes it."""
    folder = Path(folder)
    sound = hostile_pickles()["sound"]
    zeros = ("data/0", bytes(16))
    byteorder = ("byteorder", "big")
    write_archive(folder / "big-endian.bin", sound, [zeros, byteorder])
    write_archive(folder / "compressed.bin", sound, compression=zipfile.ZIP_DEFLATED)
    bomb = ("data/1", bytes(10_000_000))
    write_archive(folder / "bomb.bin", sound, [zeros, bomb], compression=zipfile.ZIP_DEFLATED)
    write_archive(folder / "twice.bin", sound, [zeros, ("data.pkl", sound)])
    write_archive(folder / "twice-data.bin", sound, [zeros, zeros])
    write_archive(folder / "torchscript.bin", sound, [zeros, ("constants.pkl", b"")])
    with tarfile.open(folder / "CVE-2025-32434.bin", "w") as tar:
        for name in ["sys_info", "pickle", "tensors", "storages"]:
            body = pickle.dumps(Command(), protocol=2)
            entry = tarfile.TarInfo(name)
            entry.size = len(body)
            tar.addfile(entry, io.BytesIO(body))
    answers = {}
    for name, body in hostile_pickles().items():
        path = folder / f"{name}.bin"
        write_archive(path, body)
        answers[name] = is_accepted("torch", path.read_bytes())
    return answers


def attention_names():
    """diffusers' renaming of every parameter of a small autoencoder, old name to new."""
    from diffusers import AutoencoderKL

    model = AutoencoderKL(block_out_channels=(32,), norm_num_groups=8)
    old = {".to_q.": ".query.", ".to_k.": ".key.", ".to_v.": ".value.", ".to_out.0.": ".proj_attn."}
    stored = {}
    for name, value in model.state_dict().items():
        for today, before in old.items():
            name = name.replace(today, before)
        stored[name] = value
    names = {id(value): name for name, value in stored.items()}
    model._fix_state_dict_keys_on_load(renamed := dict(stored))
    return {names[id(value)]: name for name, value in renamed.items()}


if __name__ == "__main__":
    command, *arguments = sys.argv[1:]
    json.dump(globals()[command](*arguments), sys.stdout)
