"""What Pillow and numpy, the libraries the Swift code must agree with, make of the same
pictures. Run as `reference.py COMMAND FOLDER`; a command reads and writes PPM files and
`jobs.json` in FOLDER, and prints its answer as JSON.
"""

import io
import json
import struct
import sys
import warnings
import zlib
from pathlib import Path

import numpy
from PIL import Image, ImageColor, ImageOps, PngImagePlugin

# Pillow's advice on transparent palettes, which the original does not take either.
warnings.simplefilter("ignore", UserWarning)

RNG = numpy.random.default_rng(7)


def photographs():
    """The real photographs that the installed wheels carry."""
    import matplotlib
    import sklearn

    datasets = Path(sklearn.__file__).parent / "datasets" / "images"
    samples = Path(matplotlib.__file__).parent / "mpl-data" / "sample_data"
    return [samples / "grace_hopper.jpg", datasets / "china.jpg", datasets / "flower.jpg"]


def noise(width, height, channels=3):
    """Random samples, of a colour only slightly correlated with the neighbours'."""
    coarse = RNG.integers(0, 256, (height // 4 + 1, width // 4 + 1, channels))
    fine = RNG.integers(0, 256, (height, width, channels))
    smooth = coarse.repeat(4, axis=0).repeat(4, axis=1)[:height, :width]
    return ((smooth * 3 + fine) // 4).astype(numpy.uint8)


# Resampling and padding


def list_photographs(folder):
    """Writes each photograph as PPM, and lists the names."""
    names = []
    for path in photographs():
        Image.open(path).convert("RGB").save(folder / f"{path.stem}.ppm")
        names.append(f"{path.stem}.ppm")
    return names


def resize(folder):
    """Resizes each job's source to its width and height with its filter."""
    for job in json.loads((folder / "jobs.json").read_text()):
        size = (job["width"], job["height"])
        source = Image.open(folder / job["source"])
        resized = source.resize(size, Image.Resampling[job["filter"]])
        resized.save(folder / job["result"], "PPM")


def shape(folder):
    """Brings each job's source to its width and height by cropping, padding or stretching."""
    for job in json.loads((folder / "jobs.json").read_text()):
        size = (job["width"], job["height"])
        source = Image.open(folder / job["source"])
        if job["fit"] == "crop":
            shaped = ImageOps.fit(source, size, Image.Resampling.LANCZOS)
        elif job["fit"] == "pad":
            color = tuple(job["background"])
            shaped = ImageOps.pad(source, size, Image.Resampling.LANCZOS, color=color)
        else:
            shaped = source.resize(size, Image.Resampling.LANCZOS)
        shaped.save(folder / job["result"], "PPM")


def colors(folder):
    """The samples of each text in `jobs.json`, or None where it is no colour."""
    answers = []
    for text in json.loads((folder / "jobs.json").read_text()):
        try:
            answers.append(ImageColor.getrgb(text))
        except ValueError:
            answers.append(None)
    return answers


def crop(folder):
    """Crops or pads each job's source to its width and height around the middle."""
    from transformers.image_transforms import center_crop

    for job in json.loads((folder / "jobs.json").read_text()):
        pixels = numpy.asarray(Image.open(folder / job["source"]))
        size = (job["height"], job["width"])
        cropped = center_crop(pixels, size, input_data_format="channels_last")
        Image.fromarray(cropped).save(folder / job["result"], "PPM")


def fit(folder):
    """The size that each job's width and height come to, as the original computes it."""
    sizes = []
    for job in json.loads((folder / "jobs.json").read_text()):
        width, height = job["width"], job["height"]
        if max(width, height) > 512:
            if width > height:
                width, height = 512, int(height * (512 / width))
            else:
                width, height = int(width * (512 / height)), 512
        sizes.append([width, height])
    return sizes


def pad(folder):
    """Pads each job's source to multiples of 8."""
    for job in json.loads((folder / "jobs.json").read_text()):
        pixels = numpy.asarray(Image.open(folder / job["source"]))
        height, width = pixels.shape[:2]
        rows, columns = (8 - height % 8) % 8, (8 - width % 8) % 8
        widths = (
            (rows // 2, rows - rows // 2),
            (columns // 2, columns - columns // 2),
            (0, 0),
        )
        padded = numpy.pad(pixels, widths, mode="reflect")
        Image.fromarray(padded).save(folder / job["result"], "PPM")


# PNG


def chunk(kind, data):
    """A PNG chunk."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def scanlines(samples, depth):
    """Rows of samples (height, width, channels), packed and each led by filter 0."""
    height, width, channels = samples.shape
    rows = samples.reshape(height, width * channels)
    if depth == 16:
        packed = rows.astype(">u2").view(numpy.uint8).reshape(height, -1)
    elif depth == 8:
        packed = rows.astype(numpy.uint8)
    else:
        bits = (rows[:, :, None] >> numpy.arange(depth - 1, -1, -1)) & 1
        packed = numpy.packbits(bits.astype(numpy.uint8).reshape(height, -1), axis=1)
    return b"".join(b"\0" + row.tobytes() for row in packed)


# First row and column of each pass, and how far apart its rows and columns are.
ADAM7 = [
    (0, 0, 8, 8),
    (0, 4, 8, 8),
    (4, 0, 8, 4),
    (0, 2, 4, 4),
    (2, 0, 4, 2),
    (0, 1, 2, 2),
    (1, 0, 2, 1),
]


def png(samples, depth, color_type, interlaced=False, chunks=b""):
    """A PNG file of these samples, byte by byte, in modes that Pillow cannot write."""
    height, width = samples.shape[:2]
    header = struct.pack(">IIBBBBB", width, height, depth, color_type, 0, 0, int(interlaced))
    if interlaced:
        passes = [samples[row::rows, column::columns] for row, column, rows, columns in ADAM7]
        data = b"".join(scanlines(part, depth) for part in passes if part.size)
    else:
        data = scanlines(samples, depth)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunks
        + chunk(b"IDAT", zlib.compress(data))
        + chunk(b"IEND", b"")
    )


def png_files(folder):
    """Writes PNG files of every mode, each with its pixels as PPM, and lists the names."""
    files = {}
    kinds = {0: ("grey", 1), 2: ("rgb", 3), 3: ("palette", 1), 4: ("greyalpha", 2), 6: ("rgba", 4)}
    depths = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
    transparency = {
        0: struct.pack(">H", 1),
        2: struct.pack(">HHH", 1, 2, 3),
        3: bytes([0, 128]),
    }
    gamma = chunk(b"gAMA", struct.pack(">I", 100000))
    for color_type, (kind, channels) in kinds.items():
        for depth in depths[color_type]:
            for interlaced in (False, True):
                for width, height in ((37, 29), (1, 1), (3, 9)):
                    samples = RNG.integers(0, 2**depth, (height, width, channels))
                    if kind == "grey" and depth == 16:
                        samples[::2] >>= 8
                    # A palette that does not cover every index.
                    palette = RNG.bytes(3 * max(2, 2**depth - 3)) if color_type == 3 else b""
                    before = chunk(b"PLTE", palette) if palette else b""
                    name = f"{kind}-{depth}-{'adam7' if interlaced else 'plain'}-{width}x{height}"
                    files[name] = png(samples, depth, color_type, interlaced, gamma + before)
                    if color_type in transparency:
                        extra = gamma + before + chunk(b"tRNS", transparency[color_type])
                        files[name + "-trns"] = png(samples, depth, color_type, interlaced, extra)
    # Beyond the limits that libpng sets unless told otherwise.
    text = chunk(b"tEXt", b"Comment\0" + b"x" * 9_000_000)
    files["long-text"] = png(RNG.integers(0, 256, (5, 7, 3)), 8, 2, chunks=text)
    files["wide"] = png(RNG.integers(0, 2, (1, 1_000_001, 1)), 1, 0)
    for mode in ("1", "L", "LA", "P", "RGB", "RGBA"):
        picture = Image.fromarray(noise(61, 43)).convert(mode)
        buffer = io.BytesIO()
        picture.save(buffer, "PNG", optimize=mode == "RGB")
        files[f"pillow-{mode}"] = buffer.getvalue()
    return write_with_pixels(folder, files, "png")


# JPEG


def jpeg_files(folder):
    """Writes JPEG files of many kinds, each with its pixels as PPM, and lists the names."""
    files = {path.stem: path.read_bytes() for path in photographs()}

    def add(name, picture, **options):
        buffer = io.BytesIO()
        picture.save(buffer, "JPEG", **options)
        files[name] = buffer.getvalue()

    photograph = Image.open(photographs()[2]).convert("RGB").crop((100, 60, 387, 249))
    for subsampling in ("4:4:4", "4:2:2", "4:2:0"):
        for quality in (5, 50, 75, 95):
            name = f"photograph-{subsampling.replace(':', '')}-{quality}"
            add(name, photograph, subsampling=subsampling, quality=quality)
        name = f"noise-{subsampling.replace(':', '')}"
        add(name, Image.fromarray(noise(77, 51)), subsampling=subsampling)
        for width, height in ((1, 1), (2, 3), (9, 17), (16, 16), (33, 7)):
            picture = Image.fromarray(noise(width, height))
            add(f"{name}-{width}x{height}", picture, subsampling=subsampling)
        add(f"{name}-progressive", photograph, subsampling=subsampling, progressive=True)
    add("optimized", photograph, optimize=True)
    add("restarts", photograph, restart_marker_blocks=3)
    add("rgb", photograph, keep_rgb=True)
    add("grey", photograph.convert("L"))
    add("grey-progressive", photograph.convert("L"), progressive=True)
    add("cmyk", photograph.convert("CMYK"))
    add("cmyk-noise", Image.fromarray(noise(45, 31, 4), "CMYK"), quality=100)
    add("cmyk-progressive", photograph.convert("CMYK"), progressive=True)
    # The same samples, declared by the Adobe marker to be YCCK rather than CMYK.
    adobe = files["cmyk-noise"].index(b"Adobe") + 11
    files["ycck"] = files["cmyk-noise"][:adobe] + b"\2" + files["cmyk-noise"][adobe + 1 :]
    for name in ("photograph-422-75", "noise-422", "photograph-422-95"):
        files[f"{name}-as-440"] = resampled(files[name], 0x21, 0x12)
    for name in ("photograph-420-75", "noise-420", "photograph-420-95"):
        files[f"{name}-as-411"] = resampled(files[name], 0x22, 0x41)
        files[f"{name}-as-441"] = resampled(files[name], 0x22, 0x14)
    exif = Image.Exif()
    exif[0x0112] = 6
    add("rotated", photograph, exif=exif)
    return write_with_pixels(folder, files, "jpg")


def resampled(data, sampling, new_sampling):
    """The JPEG with its luma sampling declared to be another, to get subsamplings that
    Pillow cannot write: 0x12 is 4:4:0, 0x41 is 4:1:1, 0x14 four rows to a chroma row.

    The number of luma blocks to a chroma block must not change. The size is adapted so
    that the number of blocks in a row does not either; the picture comes out scrambled.
    """
    data = bytearray(data)
    frame = data.index(b"\xff\xc0")
    height, width = struct.unpack(">HH", data[frame + 5 : frame + 9])
    assert data[frame + 11] == sampling
    columns = -(-width // (8 * (sampling >> 4)))
    rows = -(-height // (8 * (sampling & 15)))
    width = columns * 8 * (new_sampling >> 4) - 3
    height = rows * 8 * (new_sampling & 15) - 5
    data[frame + 5 : frame + 9] = struct.pack(">HH", height, width)
    data[frame + 11] = new_sampling
    return bytes(data)


def write_with_pixels(folder, files, extension):
    """Writes each file and the pixels Pillow reads from it, and lists the names."""
    for name, data in files.items():
        (folder / f"{name}.{extension}").write_bytes(data)
        Image.open(io.BytesIO(data)).convert("RGB").save(folder / f"{name}.ppm")
    return sorted(files)


# Damage


def damage(folder):
    """Small pictures, and for each way to cut one short what Pillow makes of it.

    The answer maps a file's name to a list by length: the pixels in hexadecimal, or None
    where Pillow raises.
    """

    def save(name, picture, **options):
        picture.save(folder / name, **options)

    tiny = Image.fromarray(noise(13, 11))
    save("small.png", tiny)
    (folder / "adam7.png").write_bytes(png(noise(9, 9), 8, 2, True))
    save("baseline.jpg", tiny)
    save("progressive.jpg", tiny, progressive=True)
    save("cmyk.jpg", tiny.convert("CMYK"))

    def pixels(data):
        try:
            return Image.open(io.BytesIO(data)).convert("RGB").tobytes().hex()
        except Exception:
            return None

    names = ("small.png", "adam7.png", "baseline.jpg", "progressive.jpg", "cmyk.jpg")
    contents = {name: (folder / name).read_bytes() for name in names}
    return {
        name: [pixels(data[:length]) for length in range(len(data) + 1)]
        for name, data in contents.items()
    }


def impostors(folder):
    """Files that no picture should come of, listed by name."""
    ihdr = struct.pack(">IIBBBBB", 2**31 - 1, 2**31 - 1, 8, 2, 0, 0, 0)
    start = b"\x89PNG\r\n\x1a\n"
    body = chunk(b"IDAT", zlib.compress(b"\0")) + chunk(b"IEND", b"")
    (folder / "enormous.png").write_bytes(start + chunk(b"IHDR", ihdr) + body)
    ihdr = struct.pack(">IIBBBBB", 178_956_971, 1, 1, 0, 0, 0, 0)
    (folder / "over.png").write_bytes(start + chunk(b"IHDR", ihdr) + body)

    buffer = io.BytesIO()
    Image.new("RGB", (8, 8)).save(buffer, "JPEG")
    data = bytearray(buffer.getvalue())
    frame = data.index(b"\xff\xc0")
    data[frame + 5 : frame + 9] = struct.pack(">HH", 65000, 65000)
    (folder / "enormous.jpg").write_bytes(data)
    data[frame + 5 : frame + 9] = struct.pack(">HH", 13000, 13000)
    (folder / "hollow.jpg").write_bytes(data)
    ihdr = struct.pack(">IIBBBBB", 13000, 13000, 8, 2, 0, 0, 0)
    (folder / "hollow.png").write_bytes(start + chunk(b"IHDR", ihdr) + body)

    Image.new("RGB", (8, 8)).save(folder / "picture.gif")
    for name in ("crc-header", "crc-data", "crc-text"):
        info = PngImagePlugin.PngInfo()
        info.add_text("Comment", "some text")
        buffer = io.BytesIO()
        Image.fromarray(noise(8, 8)).save(buffer, "PNG", pnginfo=info)
        data = bytearray(buffer.getvalue())
        kind = {"crc-header": b"IHDR", "crc-data": b"IDAT", "crc-text": b"tEXt"}[name]
        position = data.index(kind)
        length = struct.unpack(">I", data[position - 4 : position])[0]
        data[position + 4 + length] ^= 1
        (folder / f"{name}.png").write_bytes(data)


def plain(folder):
    """Pictures of one colour, which take as few bytes as pictures can."""
    for mode in ["1", "L", "RGB"]:
        picture = Image.new(mode, (3000, 3000), "white")
        picture.save(folder / f"{mode}.png", compress_level=9)
        if mode != "1":
            picture.save(folder / f"{mode}.jpg", optimize=True, quality=1)
            picture.save(folder / f"{mode}-progressive.jpg", progressive=True, quality=1)


# Writing


def read_png(folder):
    """The pixels, mode and texts of `written.png`."""
    picture = Image.open(folder / "written.png")
    picture.load()
    picture.save(folder / "written.ppm")
    return {"mode": picture.mode, "text": {key: str(value) for key, value in picture.text.items()}}


COMMANDS = {
    "photographs": list_photographs,
    "resize": resize,
    "shape": shape,
    "colors": colors,
    "crop": crop,
    "fit": fit,
    "pad": pad,
    "png-files": png_files,
    "jpeg-files": jpeg_files,
    "damage": damage,
    "impostors": impostors,
    "plain": plain,
    "read-png": read_png,
}

if __name__ == "__main__":
    command, folder = sys.argv[1:]
    print(json.dumps(COMMANDS[command](Path(folder))))
