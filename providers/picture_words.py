"""Owns the removal of words from a finished picture's file: prompts, workflows, comments; never touches a pixel.

Some image makers write all that they were asked for into the file (ComfyUI its whole workflow), and who is sent a
picture would be sent that too. What tells how the pixels look, such as a colour profile, stays.
"""

import struct
from collections.abc import Iterator

from providers.errors import ArtifactBroken

_PNG = b"\x89PNG\r\n\x1a\n"
_PNG_WORDS = frozenset({b"tEXt", b"zTXt", b"iTXt", b"eXIf", b"tIME"})
#: APP1 holds Exif and XMP, APP13 IPTC, COM comments.
_JPEG_WORDS = frozenset({0xE1, 0xED, 0xFE})
_JPEG_SCAN = 0xDA
_WEBP_WORDS = frozenset({b"EXIF", b"XMP "})
#: In the first byte of VP8X: there is Exif, there is XMP.
_WEBP_FLAGS = 0x08 | 0x04


def without_words(data: bytes) -> bytes:
    """Return a PNG, JPEG or WebP with the same pixels and no words.

    Raises:
        ArtifactBroken: it is none of them, or cut off.
    """
    try:
        if data.startswith(_PNG):
            return _PNG + b"".join(chunk for kind, chunk in _png_chunks(data) if kind not in _PNG_WORDS)
        if data.startswith(b"\xff\xd8"):
            return _jpeg(data)
        if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
            return _webp(data)
    except (struct.error, IndexError, ValueError) as error:
        raise ArtifactBroken("A picture of the provider is damaged.") from error
    raise ArtifactBroken("A picture of the provider is of a kind that is not taken.")


def _png_chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = len(_PNG)
    while at < len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        end = at + 12 + length
        if end > len(data):
            raise ValueError("cut off")
        yield kind, data[at:end]
        if kind == b"IEND":
            return
        at = end


def _jpeg(data: bytes) -> bytes:
    kept, at = [data[:2]], 2
    while data[at + 1] != _JPEG_SCAN:
        if data[at] != 0xFF:
            raise ValueError("no marker where one belongs")
        length = 2 + struct.unpack_from(">H", data, at + 2)[0]
        if data[at + 1] not in _JPEG_WORDS:
            kept.append(data[at : at + length])
        at += length
    return b"".join([*kept, data[at:]])


def _webp(data: bytes) -> bytes:
    kept, at = [], 12
    while at < len(data):
        kind, length = struct.unpack_from("<4sI", data, at)
        end = at + 8 + length + length % 2
        chunk = bytearray(data[at:end])
        if kind == b"VP8X":
            chunk[8] &= ~_WEBP_FLAGS & 0xFF
        if kind not in _WEBP_WORDS:
            kept.append(bytes(chunk))
        at = end
    body = b"WEBP" + b"".join(kept)
    return b"RIFF" + struct.pack("<I", len(body)) + body
