"""Files that an enemy, or a bug, might put where a checkpoint is expected."""

from __future__ import annotations

import json
import struct


class HostilePickle:
    """Unpickling it would call the function."""

    def __init__(self, function, argument):
        self._call = (function, (argument,))

    def __reduce__(self):
        return self._call


def safetensors(header, data: bytes = b"", length: int | None = None) -> bytes:
    """A safetensors file of that header: bytes as they are, anything else as JSON."""
    if not isinstance(header, bytes):
        header = json.dumps(header).encode()
    return struct.pack("<Q", len(header) if length is None else length) + header + data


def entry(dtype="F32", shape=(2,), offsets=(0, 8)) -> dict:
    return {"dtype": dtype, "shape": list(shape), "data_offsets": list(offsets)}


#: Arguments of `safetensors`, by what is wrong with them.
SAFETENSORS = {
    "length of 2^63": ({}, b"", 2**63),
    "length of 2^64 - 1": ({}, b"", 2**64 - 1),
    "length past the end": ({}, b"", 1000),
    "no JSON": (b"hello world",),
    "not UTF-8": (b'{"\xff\xfe": {}}',),
    "an array": ([],),
    "a number": (b"7",),
    "null": (b"null",),
    "deep nesting": (b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}",),
    "unknown dtype": ({"a": entry("F7")}, bytes(8)),
    "dtype that is no string": ({"a": entry(7)}, bytes(8)),
    "negative shape": ({"a": entry(shape=(-2,))}, bytes(8)),
    "twice negative shape": ({"a": entry(shape=(-1, -2))}, bytes(8)),
    "fractional shape": ({"a": entry(shape=(2.5,))}, bytes(8)),
    "overflowing shape": ({"a": entry(shape=(2**32, 2**32, 2))}, bytes(8)),
    "shape that overflows to its size": ({"a": entry(shape=(2**62 + 2,))}, bytes(8)),
    "shape above 64 bits": (
        b'{"a":{"dtype":"F32","shape":[99999999999999999999],"data_offsets":[0,8]}}',
        bytes(8),
    ),
    "reversed offsets": ({"a": entry(offsets=(8, 0))}, bytes(8)),
    "negative offsets": ({"a": entry(offsets=(-8, 0))}, bytes(8)),
    "three offsets": ({"a": entry(offsets=(0, 8, 8))}, bytes(8)),
    "offsets past the end": ({"a": entry(offsets=(0, 16), shape=(4,))}, bytes(8)),
    "size other than shape": ({"a": entry(shape=(3,))}, bytes(8)),
    "overlap": ({"a": entry(), "b": entry(offsets=(4, 12))}, bytes(12)),
    "same bytes twice": ({"a": entry(), "b": entry()}, bytes(8)),
    "hole": ({"a": entry(), "b": entry(offsets=(12, 20))}, bytes(20)),
    "hole at the start": ({"a": entry(offsets=(8, 16))}, bytes(16)),
    "bytes left over": ({"a": entry()}, bytes(9)),
    "no dtype": ({"a": {"shape": [2], "data_offsets": [0, 8]}}, bytes(8)),
    "no shape": ({"a": {"dtype": "F32", "data_offsets": [0, 8]}}, bytes(8)),
    "entry that is no object": ({"a": 3},),
    "duplicate names": (
        b'{"a":%s,"a":%s}' % ((json.dumps(entry()).encode(),) * 2),
        bytes(8),
    ),
    "metadata that is no string": ({"__metadata__": {"a": 1}, "a": entry()}, bytes(8)),
    "metadata that is no object": ({"__metadata__": "a", "a": entry()}, bytes(8)),
}


def replaced(key, value, *words):
    """Writes a configuration in which `key` has another value.

    The error must have the words, or the key if there are none.
    """

    def write(path):
        configuration = json.loads(path.read_text())
        configuration[key] = value
        path.write_text(json.dumps(configuration))
        return words or [key]

    return write


def content(data: bytes):
    def write(path):
        path.write_bytes(data)
        return []

    return write


#: Functions that write a configuration and say which words the error must have.
CONFIGURATIONS = {
    "unknown down block": replaced(
        "down_block_types",
        ["DownEncoderBlock2D"] * 3 + ["SpiralBlock2D"],
        "SpiralBlock2D",
    ),
    "unknown up block": replaced(
        "up_block_types", ["SpiralBlock2D"] + ["UpDecoderBlock2D"] * 3, "SpiralBlock2D"
    ),
    "unknown activation": replaced("act_fn", "frobnicate", "frobnicate"),
    "fewer blocks than channels": replaced(
        "down_block_types", ["DownEncoderBlock2D"] * 3, "block_out_channels", "block type"
    ),
    "no blocks": replaced("block_out_channels", []),
    "negative channels": replaced("block_out_channels", [8, 16, 16, -16]),
    "zero channels": replaced("block_out_channels", [0, 16, 16, 16]),
    "enormous channels": replaced("block_out_channels", [8, 16, 16, 2**62]),
    # The decoder of JSON does not say which number it was.
    "fractional channels": replaced("block_out_channels", [8, 16, 16, 16.5], "not a whole one"),
    "channels above 64 bits": replaced(
        "block_out_channels", [8, 16, 16, 2**70], "not a whole one of 64 bits"
    ),
    "channels that groups do not divide": replaced("norm_num_groups", 3),
    "no groups": replaced("norm_num_groups", 0),
    "negative groups": replaced("norm_num_groups", -4),
    "no layers": replaced("layers_per_block", -1),
    "enormous layers": replaced("layers_per_block", 2**62),
    "no latent channels": replaced("latent_channels", 0),
    "enormous latent channels": replaced("latent_channels", 2**63 - 1),
    "text for a number": replaced("latent_channels", "four"),
    "number for text": replaced("act_fn", 3),
    "empty": content(b""),
    "cut off": content(b'{"act_fn": "si'),
    "not UTF-8": content(b'{"act_fn": "\xff\xfe"}'),
    "an array": content(b"[]"),
    "null": content(b"null"),
    "deep nesting": content(b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}"),
}
