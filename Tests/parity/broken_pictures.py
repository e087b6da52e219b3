"""Files that stand where a picture is expected and are none: what collections of pictures have in them
after interrupted downloads, full disks, wrong copies and bad luck."""

from __future__ import annotations

import gzip
import io
import os
import socket
import struct
import zipfile
import zlib
from pathlib import Path

import numpy as np
from pictures import picture

# MARK: - PNG


def chunk(kind: bytes, data: bytes, damage: int = 0) -> bytes:
    """A chunk of a PNG file; its checksum is wrong if it is damaged."""
    checksum = zlib.crc32(kind + data) ^ damage
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", checksum)


def png(width: int, height: int, *chunks: bytes, damage: int = 0) -> bytes:
    """A PNG file that says it has that size, whatever it holds."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"".join(
        [b"\x89PNG\r\n\x1a\n", chunk(b"IHDR", header, damage), *chunks, chunk(b"IEND", b"")]
    )


PIXELS = chunk(b"IDAT", zlib.compress(bytes(1000)))


def text_bomb() -> bytes:
    """A few kilobytes of compressed text that are 100 megabytes."""
    text = chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(100_000_000)))
    return png(8, 8, text, chunk(b"IDAT", zlib.compress(bytes(8 * 25))))


# MARK: - Others


def encoded(format: str, **options) -> bytes:
    file = io.BytesIO()
    picture(96, 64).save(file, format, **options)
    return file.getvalue()


def half(format: str, **options) -> bytes:
    content = encoded(format, **options)
    return content[: len(content) // 2]


def bmp(width: int, height: int) -> bytes:
    header = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 24, 0, 0, 2835, 2835, 0, 0)
    return b"BM" + struct.pack("<IHHI", 54 + 1000, 0, 0, 54) + header + bytes(1000)


def tiff(width: int, height: int) -> bytes:
    """A TIFF file of one strip."""
    tags = [(256, width), (257, height), (258, 8), (259, 1), (262, 1), (273, 8), (277, 1)]
    tags += [(278, height), (279, width * height % 2**32)]
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
    return b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries + bytes(4)


def zipped() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("photograph.png", encoded("PNG"))
    return file.getvalue()


def flipped(content: bytes) -> bytes:
    """With bytes in the middle that are others."""
    middle = len(content) // 2
    return (
        content[:middle]
        + bytes(byte ^ 0xFF for byte in content[middle : middle + 40])
        + content[middle + 40 :]
    )


RANDOM = np.random.default_rng(3).bytes(5000)

#: Contents by the file's name, which says what is wrong with it.
CONTENTS = {
    "empty.jpg": b"",
    "one_byte.jpg": b"\xff",
    "half.jpg": half("JPEG"),
    "half.png": half("PNG"),
    "half.webp": half("WEBP"),
    "half.tiff": half("TIFF"),
    "half_lzw.tiff": half("TIFF", compression="tiff_lzw"),
    "half.gif": half("GIF"),
    "half.bmp": half("BMP"),
    "half.jp2": half("JPEG2000"),
    "header_only.jpg": encoded("JPEG")[:20],
    "header_only.png": png(96, 64),
    "header_only.gif": b"GIF89a" + struct.pack("<HHBBB", 96, 64, 0, 0, 0) + b";",
    "text.jpg": b"This is not a photograph.\n",
    "page_not_found.jpg": b"<!DOCTYPE html><html><title>404 Not Found</title></html>",
    "message.png": b'{"error": "quota exceeded"}',
    "vector.png": b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>',
    "archive.jpg": zipped(),
    "compressed.png": gzip.compress(encoded("PNG")),
    "random.bmp": RANDOM,
    "random_after_magic.jpg": b"\xff\xd8\xff\xe0" + RANDOM,
    "zeros.jpg": bytes(40_000),
    "wrong_checksum.png": png(8, 8, PIXELS, damage=1),
    "flipped.png": flipped(encoded("PNG")),
    "bomb.png": png(20_000, 20_000, PIXELS),
    "bomb_of_2_31.png": png(2**31 - 1, 2**31 - 1, PIXELS),
    "text_bomb.png": text_bomb(),
    "bomb.bmp": bmp(2**31 - 1, 2**31 - 1),
    "bomb.tiff": tiff(2**20, 2**20),
    "bomb.ppm": b"P6 100000 100000 255\n" + bytes(100),
    "no_pixels.png": png(0, 0, PIXELS),
    "no_height.png": png(8, 0, PIXELS),
    "no_pixels.gif": b"GIF89a" + struct.pack("<HHBBB", 0, 0, 0, 0, 0) + b";",
    "no_pixels.bmp": bmp(0, 0),
}


def hostile_places(folder: Path) -> list[Path]:
    """What is no file of bytes at all."""
    named = {
        name: folder / f"{name}.png"
        for name in ("folder", "broken_link", "circle", "pipe", "socket", "endless", "missing")
    }
    named["folder"].mkdir()
    named["broken_link"].symlink_to("nowhere.png")
    named["circle"].symlink_to("circle.png")
    os.mkfifo(named["pipe"])
    # A name of at most 108 bytes, wherever the folder is.
    before = os.getcwd()
    os.chdir(folder)
    try:
        with socket.socket(socket.AF_UNIX) as server:
            server.bind("socket.png")
    finally:
        os.chdir(before)
    named["endless"].symlink_to("/dev/zero")
    paths = list(named.values())
    locked = folder / "locked.png"
    locked.write_bytes(encoded("PNG"))
    locked.chmod(0)
    # The superuser reads it all the same.
    if os.access(locked, os.R_OK):
        locked.unlink()
    else:
        paths.append(locked)
    return paths


def broken_pictures(folder: Path) -> list[Path]:
    """One of every kind."""
    folder.mkdir()
    for name, content in CONTENTS.items():
        (folder / name).write_bytes(content)
    return [folder / name for name in CONTENTS] + hostile_places(folder)
