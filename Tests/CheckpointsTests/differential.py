"""Files changed and made up at random, and what the reference makes of each.

    differential.py KIND FOLDER COUNT

writes the files behind each other into FOLDER/files and prints the verdicts: KIND is `safetensors` or
`torch`. The same files in every run.
"""

from __future__ import annotations

import io
import json
import random
import re
import struct
import sys
import traceback
import warnings
from collections import OrderedDict
from pathlib import Path

import safetensors.torch
import torch
from reference import hostile_pickles, integer, raw, short_text, storage, tensor, write_archive

warnings.simplefilter("ignore")

NUMBERS = [0, 1, 2, 3, 4, 5, 7, 8, 12, 16, 64, 255, 2**31, 2**32, 2**62, 2**63 - 1, 2**63, 2**64]
DTYPES = "BOOL U8 I8 I16 I32 I64 F16 BF16 F32 F64 U16 U32 U64 F8_E4M3 F8_E5M2 F4 F33".split()
SIZES = dict(zip(DTYPES, [1, 1, 1, 2, 4, 8, 2, 2, 4, 8, 2, 4, 8, 1, 1, 1, 4], strict=True))
# A tensor may be a view of any size of one element; nothing that large is copied to be compared.
MOST_ELEMENTS = 10_000


# Changes that fit any file


def flip_bits(data: bytes, rng: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(rng.randint(1, 3)):
        changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def set_bytes(data: bytes, rng: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(rng.randint(1, 3)):
        changed[rng.randrange(len(changed))] = rng.choice([0, 0x28, 0x2C, 0x7F, 0x80, 0xFF])
    return bytes(changed)


def cut(data: bytes, rng: random.Random) -> bytes:
    return data[: rng.randrange(len(data))]


def splice(data: bytes, rng: random.Random, other: bytes | None = None) -> bytes:
    """Bytes of one place over, or between, those of another."""
    other = data if other is None else other
    start = rng.randrange(len(other))
    piece = other[start : start + rng.randint(1, 40)]
    place = rng.randrange(len(data))
    return data[:place] + piece + data[place + rng.choice([0, len(piece)]) :]


def drop(data: bytes, rng: random.Random) -> bytes:
    place = rng.randrange(len(data))
    return data[:place] + data[place + rng.randint(1, 8) :]


CHANGES = [flip_bits, set_bytes, cut, splice, drop]


# safetensors


def safetensors_file(header: bytes, data: bytes) -> bytes:
    return struct.pack("<Q", len(header)) + header + data


def sound_safetensors() -> list[bytes]:
    torch.manual_seed(0)
    return [
        safetensors.torch.save({"a": torch.randn(2, 3), "b": torch.randn(3).half()}),
        safetensors.torch.save(
            {
                "a.weight": torch.randn(2).bfloat16(),
                "b": torch.zeros(0, 4),
                "c": torch.tensor([True, False]),
                "d": torch.arange(3),
                "e": torch.randn((), dtype=torch.float64),
            },
            metadata={"format": "pt"},
        ),
    ]


def made_up_header(rng: random.Random) -> bytes:
    """A header that is sound, or wrong in a place or two."""
    entries, position = [], 0
    for index in range(rng.randint(0, 4)):
        dtype = rng.choice(DTYPES[:10] if rng.random() < 0.9 else DTYPES)
        shape = [rng.randint(0, 3) for _ in range(rng.randint(0, 3))]
        size = SIZES[dtype]
        for length in shape:
            size *= length
        offsets = [position, position + size]
        position += size
        if rng.random() < 0.1:
            spoiled = rng.choice([shape, offsets])
            if spoiled:
                spoiled[rng.randrange(len(spoiled))] = rng.choice(
                    [*NUMBERS, -1, 1.5, None, "1", []]
                )
        fields = [("dtype", dtype), ("shape", shape), ("data_offsets", offsets)]
        if rng.random() < 0.1:
            fields[rng.randrange(3)] = rng.choice(
                [("dtype", 3), ("x", {"y": [1e3]}), ("shape", "3")]
            )
        rng.shuffle(fields)
        members = ",".join(f"{json.dumps(key)}:{json.dumps(value)}" for key, value in fields)
        name = rng.choice(["a", "b", "é", "e\u0301", "\u212b", "", "a\u0000"]) + str(index)
        if rng.random() < 0.05:
            name = "a0"
        entries.append(json.dumps(name, ensure_ascii=rng.random() < 0.5) + ":{" + members + "}")
    if rng.random() < 0.3:
        entries.append('"__metadata__":' + rng.choice(['{"a":"b"}', "{}", '{"a":1}', "[]", "null"]))
    rng.shuffle(entries)
    text = "{" + ",".join(entries) + "}" + " " * rng.choice([0, 0, 1, 5])
    if rng.random() < 0.05:
        text = rng.choice([text + "x", " " + text, text[:-1], text + "\0", "[" + text + "]"])
    extra = 0 if rng.random() < 0.9 else rng.choice([-1, 1, 7])
    data = rng.randbytes(max(0, position + extra))
    return safetensors_file(text.encode(), data)


def changed_header(data: bytes, rng: random.Random) -> bytes:
    """Another number, or a change of the text, with the right length before it."""
    length = struct.unpack("<Q", data[:8])[0]
    header, rest = data[8 : 8 + length], data[8 + length :]
    numbers = list(re.finditer(rb"\d+", header))
    if rng.random() < 0.5:
        number = rng.choice(numbers)
        value = str(rng.choice(NUMBERS)).encode()
        header = header[: number.start()] + value + header[number.end() :]
    else:
        header = rng.choice(CHANGES)(header, rng)
    return safetensors_file(header, rest)


def safetensors_case(rng: random.Random, sound: list[bytes]) -> bytes:
    kind = rng.random()
    if kind < 0.4:
        return made_up_header(rng)
    data = rng.choice(sound)
    return changed_header(data, rng) if kind < 0.7 else rng.choice(CHANGES)(data, rng)


def loaded_safetensors(data: bytes) -> dict:
    return safetensors.torch.load(data)


# torch


def torch_file(value) -> bytes:
    file = io.BytesIO()
    torch.save(value, file)
    return file.getvalue()


def sound_torch() -> list[bytes]:
    torch.manual_seed(0)
    shared = torch.arange(6.0).reshape(2, 3)
    return [
        torch_file({"a": torch.randn(2, 3), "b": torch.randn(3).half()}),
        torch_file({"a": shared.t(), "b": shared[1], "c": torch.zeros(0, 2)}),
        torch_file({"state_dict": OrderedDict(a=torch.ones(2)), "epoch": 3, "rate": 0.5}),
        torch_file(OrderedDict(a=torch.nn.Parameter(torch.ones(2)), b=torch.tensor([True]))),
        torch_file(torch.arange(4)),
    ]


def made_up_pickle(rng: random.Random) -> bytes:
    """Tensors with any geometry over one storage of 16 bytes."""
    values = [-1, 0, 0, 1, 1, 2, 3, 4, 5, 2**31, 2**62]
    body = b"\x80\x02}("
    for name in "abc"[: rng.randint(1, 3)]:
        rank = rng.randint(0, 3)
        kinds = {"FloatStorage": 4, "HalfStorage": 8, "LongStorage": 2, "ByteStorage": 16}
        kind, count = rng.choice(list(kinds.items()))
        if rng.random() < 0.1:
            count = rng.choice(values)
        key = "0" if rng.random() < 0.9 else rng.choice(["1", "0\0", "/0", ""])
        body += short_text(name) + tensor(
            of=storage(count, key=key, kind=f"torch\n{kind}"),
            offset=rng.choice(values[:8]) if rng.random() < 0.5 else 0,
            shape=[rng.choice(values[1:] if rng.random() < 0.9 else values) for _ in range(rank)],
            strides=[rng.choice(values[1:9]) for _ in range(rank + (rng.random() < 0.03))],
        )
    return body + b"u" + (integer(1) if rng.random() < 0.02 else b"") + b"."


def archive(pickle: bytes) -> bytes:
    file = io.BytesIO()
    write_archive(file, pickle)
    return file.getvalue()


def torch_case(rng: random.Random, sound: list[bytes], pickles: list[bytes]) -> bytes:
    kind = rng.random()
    if kind < 0.3:
        return archive(made_up_pickle(rng))
    if kind < 0.7:
        return archive(rng.choice([flip_bits, set_bytes, splice, drop])(rng.choice(pickles), rng))
    data = rng.choice(sound)
    if kind < 0.8:
        return splice(data, rng, rng.choice(sound))
    return rng.choice(CHANGES)(data, rng)


def loaded_torch(data: bytes) -> dict:
    """The tensors of the outermost dictionary, or of its state dictionary, as they are here."""
    value = torch.load(io.BytesIO(data), weights_only=True)
    if isinstance(value, torch.Tensor):
        return {"": value}
    if not isinstance(value, dict):
        return {}
    inner = value.get("state_dict")
    value = inner if isinstance(inner, dict) else value
    return {
        name: tensor
        for name, tensor in value.items()
        if isinstance(name, str) and isinstance(tensor, torch.Tensor)
    }


# Verdicts


def is_read(value: torch.Tensor, data: bytes) -> bool:
    """Whether a tensor's memory came from the file. torch does not look whether a damaged record filled it."""
    storage = value.untyped_storage()
    return bytes(storage.tolist()) in data if storage.nbytes() <= MOST_ELEMENTS else True


def facts(value: torch.Tensor) -> dict | None:
    if value.numel() > MOST_ELEMENTS:
        return None
    dtype = str(value.dtype).removeprefix("torch.")
    return {"shape": list(value.shape), "dtype": dtype, "bytes": raw(value)}


def verdict(load, data: bytes) -> dict:
    try:
        tensors = load(data)
    except Exception as error:
        line = traceback.extract_tb(error.__traceback__)[-1].line
        return {"refusal": f"{type(error).__name__}: {str(error)[:200]} ({line})"}
    if not all(is_read(value, data) for value in tensors.values()):
        return {}
    return {"tensors": {name: facts(value) for name, value in tensors.items()}}


def main(kind: str, folder: str, count: str) -> None:
    rng = random.Random(kind)
    if kind == "safetensors":
        sound, load = sound_safetensors(), loaded_safetensors
        cases = [safetensors_case(rng, sound) for _ in range(int(count))]
    else:
        sound, load = sound_torch(), loaded_torch
        pickles = [pickle for pickle in hostile_pickles().values() if 4 < len(pickle) < 1000]
        cases = [torch_case(rng, sound, pickles) for _ in range(int(count))]
    with Path(folder, "files").open("wb") as file:
        verdicts = []
        for data in cases:
            file.write(data)
            verdicts.append({"length": len(data)} | verdict(load, data))
    json.dump(verdicts, sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
