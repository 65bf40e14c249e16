"""Owns what a file is by its bytes: a picture that can be decoded, or the name of what it is instead; never decodes.

File names and content types are what the sender says, so neither is asked.
"""

import struct
from collections.abc import Callable
from enum import StrEnum

from bot.texts import N_, _


class PhotoFormat(StrEnum):
    """A kind of picture that is accepted; the value is the name of Pillow's decoder."""

    JPEG = "JPEG"
    PNG = "PNG"
    WEBP = "WEBP"
    HEIF = "HEIF"
    AVIF = "AVIF"
    GIF = "GIF"
    TIFF = "TIFF"
    BMP = "BMP"

    @property
    def keeps_every_pixel(self) -> bool:
        """Tell whether such a file is lossless; WebP, AVIF and HEIF may be, but photos in them hardly ever are."""
        return self in {PhotoFormat.PNG, PhotoFormat.GIF, PhotoFormat.TIFF, PhotoFormat.BMP}


ACCEPTED = N_("JPEG, PNG, WebP, HEIC, AVIF, GIF, TIFF or BMP")

_AVIF_BRANDS = frozenset({b"avif", b"avis"})
_HEIF_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"})
_DIB_HEADERS = frozenset({12, 40, 52, 56, 64, 108, 124})

_PICTURES = (
    (b"\xff\xd8\xff", PhotoFormat.JPEG),
    (b"\x89PNG\r\n\x1a\n", PhotoFormat.PNG),
    (b"GIF87a", PhotoFormat.GIF),
    (b"GIF89a", PhotoFormat.GIF),
    (b"II*\0", PhotoFormat.TIFF),
    (b"MM\0*", PhotoFormat.TIFF),
)

_OTHERS = (
    (b"%PDF", N_("a PDF document")),
    (b"PK\x03\x04", N_("a zip archive")),
    (b"Rar!", N_("a RAR archive")),
    (b"7z\xbc\xaf\x27\x1c", N_("a 7-Zip archive")),
    (b"\x1f\x8b", N_("a gzip archive")),
    (b"\x1aE\xdf\xa3", N_("a video")),
    (b"OggS", N_("a sound or video file")),
    (b"ID3", N_("a sound file")),
    (b"fLaC", N_("a sound file")),
    (b"8BPS", N_("a Photoshop file")),
    (b"%!PS", N_("a PostScript file")),
    (b"\0\0\x01\0", N_("an icon")),
    (b"\xff\x0a", N_("a JPEG XL picture")),
    (b"\0\0\0\x0cJXL ", N_("a JPEG XL picture")),
    (b"\0\0\0\x0cjP  ", N_("a JPEG 2000 picture")),
    (b"\xff\x4f\xff\x51", N_("a JPEG 2000 picture")),
    (b"FUJIFILMCCD-RAW", N_("a raw camera file")),
    (b"MZ", N_("a program")),
    (b"\x7fELF", N_("a program")),
)


def recognise(data: bytes) -> PhotoFormat | None:
    """Return the kind of picture that `data` begins like, None when it is not one that is accepted."""
    for signature, photo_format in _PICTURES:
        if data.startswith(signature):
            return None if data[8:10] == b"CR" and photo_format is PhotoFormat.TIFF else photo_format
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return PhotoFormat.WEBP
    if data[:2] == b"BM" and int.from_bytes(data[14:18], "little") in _DIB_HEADERS:
        return PhotoFormat.BMP
    brands = _iso_brands(data)
    if brands & _AVIF_BRANDS:
        return PhotoFormat.AVIF
    return PhotoFormat.HEIF if brands & _HEIF_BRANDS else None


def describe(data: bytes) -> str:
    """Return what a file is that is no accepted picture, with its article: "a PDF document"."""
    for signature, name in _OTHERS:
        if data.startswith(signature):
            return _(name)
    if data[4:8] == b"ftyp":
        return _("a raw camera file") if data[8:11] == b"crx" else _("a video")
    if data[:4] == b"RIFF":
        return {b"AVI ": _("a video"), b"WAVE": _("a sound file")}.get(data[8:12], _("an unknown kind of file"))
    if data[8:10] == b"CR":
        return _("a raw camera file")
    return _describe_text(data[:4096])


def is_cut_off(data: bytes, photo_format: PhotoFormat) -> bool:
    """Tell whether the file ends before the end that it promises.

    A TIFF promises no end. For the others it separates "is cut off" from "is damaged" after a decoder has given up.
    """
    check = _ENDS.get(photo_format)
    return check is not None and not check(data)


def jpeg_scan_count(data: bytes) -> int:
    """Return in how many passes a JPEG is drawn.

    Each pass of a progressive file costs a walk over all its pixels, but only a few bytes: a bomb in time, not in size.
    """
    return data.count(b"\xff\xda")  # inside of compressed data an FF byte is always followed by 00 or a restart marker


def _iso_brands(data: bytes) -> set[bytes]:
    if data[4:8] != b"ftyp":
        return set()
    end = min(int.from_bytes(data[:4], "big"), 256)
    return {data[8:12], *(data[at : at + 4] for at in range(16, end, 4))}


def _describe_text(head: bytes) -> str:
    try:
        text = head.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.start < len(head) - 3:  # else only the last sign was cut in two by taking the head
            return _("an unknown kind of file")
        text = head[: error.start].decode("utf-8")
    if any(not sign.isprintable() and sign not in "\t\r\n\f\ufeff" for sign in text):
        return _("an unknown kind of file")
    lowered = text.lower()
    if "<svg" in lowered:
        return _("an SVG drawing")
    return _("a web page") if "<html" in lowered or "<!doctype html" in lowered else _("a text file")


def _iso_is_whole(data: bytes) -> bool:
    at = 0
    while at < len(data):
        size, name = struct.unpack(">I4s", data[at : at + 8].ljust(8, b"\0"))
        if size == 1:  # the size is a 64-bit number after the name
            size = int.from_bytes(data[at + 8 : at + 16], "big")
        elif size == 0 and name != b"\0\0\0\0":  # this box reaches to the end of the file, wherever that is
            return True
        if size < 8:
            return False
        at += size
    return at == len(data)


_ENDS: dict[PhotoFormat, Callable[[bytes], bool]] = {
    PhotoFormat.JPEG: lambda data: b"\xff\xd9" in data[-4096:],  # cameras append previews and padding
    PhotoFormat.PNG: lambda data: b"IEND" in data[-4096:],
    PhotoFormat.GIF: lambda data: data.rstrip(b"\0").endswith(b";"),
    PhotoFormat.WEBP: lambda data: len(data) >= int.from_bytes(data[4:8], "little") + 8,
    PhotoFormat.BMP: lambda data: len(data) >= int.from_bytes(data[2:6], "little"),
    PhotoFormat.HEIF: _iso_is_whole,
    PhotoFormat.AVIF: _iso_is_whole,
}
