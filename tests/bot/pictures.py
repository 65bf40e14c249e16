"""Owns the pictures and files that the tests of photos are made with; everything is drawn or packed here."""

import io
import struct
import zlib

import numpy as np
from PIL import ExifTags, Image

RED, GREEN, BLUE, GREY = (220, 40, 40), (40, 180, 60), (40, 60, 200), (128, 128, 128)
XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:Description exif:GPSLatitude="48,52N"/></x:xmpmeta>'


def draw_scene(width=800, height=600, *, seed=1, detail=0.5):
    """A sharp, photo-like picture: coarse colour fields and fine texture."""
    rng = np.random.default_rng(seed)

    def field(across):
        cells = rng.integers(30, 226, (max(2, across * height // width), across, 3), dtype=np.uint8)
        return Image.fromarray(cells).resize((width, height), Image.Resampling.BICUBIC)

    return Image.blend(field(6), field(160), detail)


def draw_quarters(width=640, height=640):
    """Red, green, blue and grey quarters, so that any turn shows."""
    picture = Image.new("RGB", (width, height))
    for index, colour in enumerate((RED, GREEN, BLUE, GREY)):
        picture.paste(colour, (index % 2 * width // 2, index // 2 * height // 2, width, height))
    return picture


def encode(picture, photo_format="JPEG", **options):
    buffer = io.BytesIO()
    picture.save(buffer, photo_format, **options)
    return buffer.getvalue()


def decode(data):
    picture = Image.open(io.BytesIO(data))
    picture.load()
    return picture


def make_exif(*, orientation=1, located=True):
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    exif[ExifTags.Base.Make] = "Camera of Ada"
    if located:
        exif[ExifTags.IFD.GPSInfo] = {1: "N", 2: (48.0, 52.0, 36.0), 3: "W", 4: (123.0, 23.0, 36.0)}
    return exif.tobytes()


def png_header(width, height):
    """A PNG that promises a size and holds only the first bytes of its pixels."""

    def chunk(name, body):
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(bytes(64))) + chunk(b"IEND", b"")


def corners(picture):
    """The colours in the middles of the four quarters, row by row."""
    width, height = picture.size
    spots = [(x, y) for y in (height // 4, height * 3 // 4) for x in (width // 4, width * 3 // 4)]
    return [picture.convert("RGB").getpixel(spot) for spot in spots]


def assert_colours(found, expected, *, within=12):
    worst = max(abs(a - b) for one, other in zip(found, expected, strict=True) for a, b in zip(one, other, strict=True))
    assert worst <= within, (found, expected)
