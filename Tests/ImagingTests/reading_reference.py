"""What Pillow makes of a picture's orientation and transparency. Run as
`reading_reference.py COMMAND FOLDER`; a command writes picture files and their pixels as PPM into
FOLDER, and prints its answer as JSON.
"""

import io
import json
import struct
import sys
import warnings
from pathlib import Path

import numpy
from PIL import Image, ImageOps
from reference import chunk, noise, png

# Pillow's advice on damaged EXIF data and transparent palettes.
warnings.simplefilter("ignore")

RNG = numpy.random.default_rng(11)

BACKGROUNDS = {
    "white": (255, 255, 255),
    "black": (0, 0, 0),
    "grey": (127, 128, 129),
    "odd": (3, 200, 77),
}


# Orientation

FORMATS = {3: "H", 4: "L", 6: "b", 8: "h", 9: "l", 11: "f", 12: "d", 13: "L", 16: "Q"}


def value_bytes(kind, value, endian):
    """A value of a TIFF type."""
    if kind in (5, 10):
        return struct.pack(endian + ("LL" if kind == 5 else "ll"), 2 * value, 2)
    if kind in FORMATS:
        return struct.pack(endian + FORMATS[kind], value)
    return str(value).encode()


def tiff(entries, endian="<", offset=8, magic=None, tail=True):
    """A TIFF file of a directory of entries (tag, type, count, value in bytes)."""
    magic = magic or {"<": b"II\x2a\x00", ">": b"MM\x00\x2a"}[endian]
    data = magic + struct.pack(endian + "L", offset) + b"\0" * (offset - 8)
    directory = struct.pack(endian + "H", len(entries))
    behind = offset + 2 + 12 * len(entries) + 4
    values = b""
    for tag, kind, count, value in entries:
        directory += struct.pack(endian + "HHL", tag, kind, count)
        if len(value) > 4:
            directory += struct.pack(endian + "L", behind + len(values))
            values += value
        else:
            directory += value.ljust(4, b"\0")
    return data + directory + (b"\0\0\0\0" + values if tail else b"")


def exif_samples():
    """EXIF data of many kinds, sound and damaged, by name."""
    samples = {}
    make = (0x010F, 2, 12, b"Camera Inc.\0")
    for name, endian in (("little", "<"), ("big", ">")):

        def orientation(value, kind=3, count=1, endian=endian):
            return (0x0112, kind, count, value_bytes(kind, value, endian) * count)

        for value in (*range(10), 255, 65535):
            samples[f"{name}-{value}"] = tiff([make, orientation(value)], endian)
        for kind in (1, 2, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 16):
            samples[f"{name}-type-{kind}"] = tiff([orientation(6, kind), make], endian)
        samples[f"{name}-half"] = tiff([(0x0112, 11, 1, struct.pack(endian + "f", 6.5))], endian)
        odd = struct.pack(endian + "LL", 13, 2)
        samples[f"{name}-fraction"] = tiff([(0x0112, 5, 1, odd)], endian)
        samples[f"{name}-by-zero"] = tiff([(0x0112, 5, 1, b"\0" * 8)], endian)
        samples[f"{name}-two-values"] = tiff([orientation(8, 3, 2)], endian)
        samples[f"{name}-many-values"] = tiff([orientation(8, 3, 9), make], endian)
        samples[f"{name}-no-value"] = tiff([orientation(8, 3, 0), orientation(6)], endian)
        samples[f"{name}-twice"] = tiff([orientation(3), orientation(6)], endian)
        samples[f"{name}-unknown-type"] = tiff([(0x0112, 99, 1, b"\6"), orientation(6)], endian)
        samples[f"{name}-none"] = tiff([make], endian)
        samples[f"{name}-far"] = tiff([make, orientation(5)], endian, offset=200)
        samples[f"{name}-cut"] = tiff([make, orientation(7)], endian)[:-14]
        samples[f"{name}-no-tail"] = tiff([orientation(7)], endian, tail=False)
        samples[f"{name}-too-large"] = tiff(
            [(0x010F, 2, 2**32 - 1, b"\0\0\0\x08"), orientation(7)], endian
        )
        samples[f"{name}-cut-value"] = tiff(
            [(0x010F, 2, 20, struct.pack(endian + "L", 2**31)), orientation(7)], endian
        )
        samples[f"{name}-beyond"] = tiff([orientation(6)], endian)[:4] + b"\xff" * 4
    little = tiff([(0x0112, 3, 1, b"\6\0")])
    for prefix in (b"MM\x2a\x00", b"MM\x00\x2b"):
        samples[f"magic-{prefix.hex()}"] = tiff([(0x0112, 3, 1, b"\0\6")], ">", magic=prefix)
    for prefix in (b"II\x00\x2a", b"II\x2b\x00", b"XX\x2a\x00"):
        samples[f"magic-{prefix.hex()}"] = tiff([(0x0112, 3, 1, b"\6\0")], magic=prefix)
    samples["prefixed"] = b"Exif\0\0" + little
    samples["prefixed-twice"] = b"Exif\0\0" * 2 + little
    samples["empty"] = b""
    samples["short"] = b"II\x2a\0\x08"
    return samples


def xmp(body):
    """An XMP packet."""
    return b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF>' + body + b"</rdf:RDF></x:xmpmeta>"


XMP_SAMPLES = {
    "attribute": xmp(b'<rdf:Description tiff:Orientation="6"/>'),
    "element": xmp(b"<tiff:Orientation>8</tiff:Orientation>"),
    "second": xmp(b'tiff:Orientation="x" ttiff:Orientation>5<'),
    "nine": xmp(b"<tiff:Orientation>9</tiff:Orientation>"),
    "none": xmp(b"<rdf:Description/>"),
}


def segment(marker, data):
    """A JPEG segment."""
    return bytes([0xFF, marker]) + struct.pack(">H", len(data) + 2) + data


def jpeg(*segments, dpi=None):
    """A small JPEG file with these segments behind its start."""
    buffer = io.BytesIO()
    Image.fromarray(noise(21, 13)).save(buffer, "JPEG", dpi=dpi or (0, 0))
    data = buffer.getvalue()
    return data[:2] + b"".join(segments) + data[2:]


def app1(exif):
    """The segment of EXIF data."""
    return segment(0xE1, b"Exif\0\0" + exif)


def xmp_segment(packet):
    """The segment of an XMP packet."""
    return segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + packet)


def small_png(before=b"", behind=b""):
    """A small PNG file with chunks before and behind the picture."""
    data = png(noise(10, 7), 8, 2, chunks=before)
    return data[:-12] + behind + data[-12:]


def international_text(packet):
    """The chunk of an XMP packet."""
    return chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + packet)


def orientations(folder):
    """Writes pictures with orientations in all places, with their pixels; lists the names."""
    files = {}
    sound = {value: tiff([(0x0112, 3, 1, bytes([value, 0]))]) for value in range(1, 9)}
    for name, exif in exif_samples().items():
        files[f"{name}.jpg"] = jpeg(app1(exif))
        files[f"{name}-dpi.jpg"] = jpeg(app1(exif), dpi=(72, 72))
        files[f"{name}.png"] = small_png(chunk(b"eXIf", exif))
        files[f"{name}-behind.png"] = small_png(behind=chunk(b"eXIf", exif))
    for name, packet in XMP_SAMPLES.items():
        files[f"xmp-{name}.jpg"] = jpeg(xmp_segment(packet))
        files[f"xmp-{name}-exif.jpg"] = jpeg(xmp_segment(packet), app1(sound[3]))
        files[f"xmp-{name}-empty-exif.jpg"] = jpeg(app1(b""), xmp_segment(packet))
        files[f"xmp-{name}-damaged-exif.jpg"] = jpeg(app1(b"XXXXXXXXXX"), xmp_segment(packet))
        files[f"xmp-{name}-no-orientation.jpg"] = jpeg(app1(tiff([])), xmp_segment(packet))
        files[f"xmp-{name}.png"] = small_png(international_text(packet))
        files[f"xmp-{name}-behind.png"] = small_png(behind=international_text(packet))
        text = chunk(b"tEXt", b"XML:com.adobe.xmp\0" + packet)
        files[f"xmp-{name}-text.png"] = small_png(text)
        files[f"xmp-{name}-exif.png"] = small_png(
            chunk(b"eXIf", sound[3]) + international_text(packet)
        )
    long = tiff([(0x010F, 2, 70000, b"x" * 70000), (0x0112, 3, 1, b"\6\0")])
    files["two-segments.jpg"] = jpeg(app1(long[:60000]), app1(long[60000:]))
    files["behind-others.jpg"] = jpeg(
        segment(0xE2, b"other"), segment(0xFE, b"a comment"), b"\xff\xff\xff", app1(sound[6])
    )
    files["two.png"] = small_png(chunk(b"eXIf", sound[6]), chunk(b"eXIf", sound[8]))
    files["text-exif.png"] = small_png(chunk(b"tEXt", b"exif\0" + sound[6]))
    return write(folder, files)


def damaged_orientations(folder):
    """Writes pictures whose EXIF data are random or have random bytes, with their pixels."""
    files = {}
    samples = list(exif_samples().values())
    for number in range(600):
        exif = bytearray(samples[int(RNG.integers(len(samples)))])
        if number % 6 == 0:
            exif = bytearray(exif[:8] + RNG.bytes(int(RNG.integers(1, 200))))
        elif exif:
            for _ in range(int(RNG.integers(1, 5))):
                exif[int(RNG.integers(len(exif)))] = int(RNG.choice([0, 1, 3, 6, 8, 18, 255]))
        files[f"{number}.jpg"] = jpeg(app1(bytes(exif)))
        files[f"{number}.png"] = small_png(chunk(b"eXIf", bytes(exif)))
    return write(folder, files)


def turned(data):
    """What `exif_transpose` makes of a picture.

    Having turned it, that may fail to write the other EXIF data anew, which do not matter here: the
    orientation that it had found then goes through it alone.
    """
    try:
        return ImageOps.exif_transpose(Image.open(io.BytesIO(data)))
    except Exception:
        image = Image.open(io.BytesIO(data))
        orientation = image.getexif().get(0x0112, 1)
        image.info.clear()
        image.getexif().clear()
        image.getexif()[0x0112] = orientation
        return ImageOps.exif_transpose(image)


def write(folder, files):
    """Writes each file and what Pillow turns it to, or the picture as it is stored where Pillow
    raises; maps the names to what Pillow did."""
    answers = {}
    for name, data in files.items():
        (folder / name).write_bytes(data)
        image = Image.open(io.BytesIO(data))
        try:
            shown = turned(data)
            answers[name] = "same" if shown.tobytes() == image.tobytes() else "turned"
        except Exception as error:
            shown = image
            answers[name] = type(error).__name__
        shown.convert("RGB").save(folder / f"{name}.ppm")
    return answers


# Transparency


def composed(data, background):
    """The picture over a background."""
    image = Image.open(io.BytesIO(data))
    if not image.has_transparency_data:
        return image.convert("RGB")
    below = Image.new("RGBA", image.size, background)
    return Image.alpha_composite(below, image.convert("RGBA")).convert("RGB")


def transparent_files():
    """PNG files of every colour type, bit depth and kind of transparency, by name."""
    files = {}
    channels = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
    depths = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
    for color_type, count in channels.items():
        for depth in depths[color_type]:
            for interlaced in (False, True):
                samples = RNG.integers(0, 2**depth, (29, 37, count))
                if color_type in (0, 2) and depth == 16:
                    samples[::2] >>= 8
                palette = RNG.bytes(3 * max(2, 2**depth - 3)) if color_type == 3 else b""
                before = chunk(b"PLTE", palette) if palette else b""
                name = f"{color_type}-{depth}-{'adam7' if interlaced else 'plain'}"
                for kind, trns in transparencies(color_type, depth, samples).items():
                    extra = before + (b"" if trns is None else chunk(b"tRNS", trns))
                    files[f"{name}-{kind}"] = png(samples, depth, color_type, interlaced, extra)
    # Every alpha over every sample.
    levels = numpy.stack(numpy.meshgrid(numpy.arange(256), numpy.arange(256)), axis=-1)
    files["every-grey"] = png(levels, 8, 4)
    files["every-rgb"] = png(levels[:, :, [0, 0, 0, 1]], 8, 6)
    for mode in ("1", "L", "LA", "P", "RGB", "RGBA"):
        buffer = io.BytesIO()
        Image.fromarray(noise(61, 43, 4), "RGBA").convert(mode).save(buffer, "PNG")
        files[f"pillow-{mode}"] = buffer.getvalue()
    before = chunk(b"tRNS", b"\0\x80") + chunk(b"PLTE", RNG.bytes(12))
    files["before-the-palette"] = png(RNG.integers(0, 4, (5, 5, 1)), 2, 3, chunks=before)
    return files


def transparencies(color_type, depth, samples):
    """Contents of `tRNS` chunks by name, None for no chunk."""
    result = {"none": None}
    if color_type == 3:
        result["bytes"] = RNG.bytes(2**depth - 1)
        result["few"] = bytes([0, 128])
        result["single"] = b"\xff\x00\xff"
        result["opaque"] = b"\xff\xff"
        result["line-feed"] = b"\xff\x00\x0a"
        result["only-line-feed"] = b"\x0a"
        result["more"] = RNG.bytes(256)
        result["long-single"] = b"\x00" + b"\xff" * 300
    elif color_type in (0, 2):
        count = 1 if color_type == 0 else 3
        pixel = samples[len(samples) // 2, 3]
        result["there"] = struct.pack(f">{count}H", *(int(sample) for sample in pixel))
        result["not-there"] = b"\x00\x02" * count
        result["zero"] = bytes(2 * count)
        result["high"] = struct.pack(f">{count}H", *(0x1200 | int(p) & 255 for p in pixel))
        result["scaled"] = struct.pack(
            f">{count}H", *(int(p) * 255 // (2**depth - 1) for p in pixel)
        )
        result["longer"] = result["there"] + b"abc"
    return result


def transparency(folder):
    """Writes PNG files with what they are over each background; lists names and backgrounds."""
    files = transparent_files()
    for name, data in files.items():
        (folder / f"{name}.png").write_bytes(data)
        for background, color in BACKGROUNDS.items():
            composed(data, color).save(folder / f"{name}-{background}.ppm")
    return {"names": sorted(files), "backgrounds": BACKGROUNDS}


def refused_transparency(folder):
    """Writes PNG files whose transparency Pillow raises on; lists the names."""
    files = {
        "short-grey": png(RNG.integers(0, 9, (3, 3, 1)), 8, 0, chunks=chunk(b"tRNS", b"\0")),
        "short-rgb": png(RNG.integers(0, 9, (3, 3, 3)), 8, 2, chunks=chunk(b"tRNS", b"\0" * 5)),
        "long-palette": png(
            RNG.integers(0, 2, (3, 3, 1)),
            8,
            3,
            chunks=chunk(b"PLTE", RNG.bytes(6)) + chunk(b"tRNS", b"\x80" * 257),
        ),
        "far-index": png(
            RNG.integers(0, 2, (3, 3, 1)),
            8,
            3,
            chunks=chunk(b"PLTE", RNG.bytes(6)) + chunk(b"tRNS", b"\xff" * 256 + b"\0"),
        ),
    }
    for name, data in files.items():
        (folder / f"{name}.png").write_bytes(data)
        try:
            composed(data, (0, 0, 0))
        except ValueError:
            continue
        raise AssertionError(f"Pillow takes {name}")
    return sorted(files)


COMMANDS = {
    "orientations": orientations,
    "damaged-orientations": damaged_orientations,
    "transparency": transparency,
    "refused-transparency": refused_transparency,
}

if __name__ == "__main__":
    command, folder = sys.argv[1:]
    print(json.dumps(COMMANDS[command](Path(folder))))
