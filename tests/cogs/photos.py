"""Photos and broken files that people of the playground send."""

import functools
import io
import struct
import zlib

from PIL import Image

from playground.sample_photos import sample_photos
from playground.seen import Upload


@functools.cache
def foxes(count: int = 4) -> tuple[Upload, ...]:
    """Draw fox photos once for all tests."""
    return tuple(Upload(photo.name, photo.data) for photo in sample_photos(count, size=512))


@functools.cache
def swatches(count: int) -> tuple[Upload, ...]:
    """Draw that many small, different pictures, much faster than foxes."""
    return tuple(Upload(f"swatch-{n:02}.png", _swatch(n)) for n in range(1, count + 1))


def _swatch(number: int) -> bytes:
    picture = Image.new("RGB", (64, 64), (7 * number % 256, 90, 200))
    for bit in range(6):
        if number >> bit & 1:
            picture.paste((255, 230, 120), (bit * 10, 0, bit * 10 + 9, 64))
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


def png_bomb(side: int = 30_000) -> bytes:
    """Make a tiny PNG whose header promises a huge picture."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    body = zlib.compress(bytes(1000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def broken() -> tuple[Upload, ...]:
    """Make one file of each kind that cannot be used."""
    fox = foxes(1)[0].data
    return (
        Upload("empty.jpg", b""),
        Upload("half.jpg", fox[: len(fox) // 2]),
        Upload("bomb.png", png_bomb()),
        Upload("notes.jpg", b"Dear diary, today I saw a fox.\n" * 20),
        Upload("paper.pdf", b"%PDF-1.7\n" + bytes(100)),
    )
