"""Owns the way of one uploaded file to one clean photo; never stores it, and never tells one person from another.

A developed photo is upright, sRGB, at most 2048 px long, and carries nothing but pixels: no place, no time, no camera.
It is a JPEG of quality 95, or a PNG where the upload was lossless and a PNG is no larger than that JPEG: drawings and
screenshots keep each pixel, photos saved as PNG do not become ten times as large.
"""

import hashlib
import io
import re
import struct
import zlib
from dataclasses import dataclass
from typing import NoReturn

import numpy as np
from PIL import ExifTags, Image, ImageCms, ImageOps, UnidentifiedImageError

from bot import photo_checks, photo_files
from bot.errors import BadInput
from bot.photo_checks import Finding
from bot.photo_files import PhotoFormat
from bot.photo_workers import MAX_PIXELS, PhotoWorkers, WorkOverran
from bot.texts import N_, _

MAX_BYTES = 25_000_000
#: Trainers work at 512 to 1536 px; more would only be carried around.
LONGEST_SIDE = 2048
#: JPEG decodes at a fraction of its size (`MAX_PIXELS` holds for it); the other decoders need 4 bytes for each pixel.
MAX_PIXELS_DECODED_WHOLE = 60_000_000
#: Cameras and web sites write up to about ten.
MAX_JPEG_SCANS = 100

_JPEG_QUALITY = 95
#: Photos have more; asking first spares them the slow PNG encoder.
_MOST_PNG_COLOURS = 65_536
_DNG_VERSION, _NEW_SUBFILE_TYPE, _GPS_LATITUDE = 50706, 254, 2
_SAVE_ORIGINAL = N_("Open it in a photo app and save it as JPEG first.")
_SEND_AGAIN = N_("Send it again, or use another photo.")
_SEND_SMALLER = N_("Send a smaller copy of it.")

#: What decoders raise on broken or hostile files; found by reading Pillow and by feeding it damaged files.
_DECODER_ERRORS = (
    OSError,
    SyntaxError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    RuntimeError,
    ArithmeticError,
    EOFError,
    MemoryError,
    struct.error,
    zlib.error,
)


class PhotoRefused(BadInput):
    """One file that is not a usable photo.

    Args:
        file_name: As its sender called it; shortened for the message. May hold markup, as any text from outside.
        sentence: What is wrong, with `{file}` where the name goes.
        advice: What to do about it, a full sentence.
    """

    def __init__(self, file_name: str, sentence: str, *, advice: str = "") -> None:
        shown = "".join(sign for sign in file_name if sign.isprintable()).strip() or _("The file")
        super().__init__(sentence.format(file=shown if len(shown) <= 60 else f"{shown[:59]}…"), advice=advice)


@dataclass(frozen=True, kw_only=True)
class DevelopedPhoto:
    """One photo as it is stored, shown and trained with."""

    data: bytes
    content_type: str
    #: With its dot: ".jpg" or ".png".
    extension: str
    width: int
    height: int
    #: Hex digest of `data`; the same upload always gives the same.
    sha256: str
    #: 16 hex digits, for `photo_checks.near_duplicate_of`.
    dhash: str
    findings: tuple[Finding, ...]
    #: Size of the upload, upright.
    original_width: int
    original_height: int
    #: The upload said where it was taken; `data` no longer does.
    had_location: bool


async def develop(data: bytes, *, file_name: str, workers: PhotoWorkers, max_bytes: int = MAX_BYTES) -> DevelopedPhoto:
    """Return the photo that an uploaded file holds.

    Raises:
        PhotoRefused: It is empty, too large, no picture, a bomb, cut off, damaged or too slow to decode.
    """
    if not data:
        raise PhotoRefused(file_name, _("{file} is empty."), advice=_(_SEND_AGAIN))
    if len(data) > max_bytes:
        size, most = f"{len(data) / 1e6:.1f}", f"{max_bytes / 1e6:g}"
        sentence = _("{file} has {size} MB; {most} MB are the most.").format(file="{file}", size=size, most=most)
        raise PhotoRefused(file_name, sentence, advice=_(_SEND_SMALLER))
    try:
        return await workers.run(develop_now, data, file_name)
    except WorkOverran as error:
        raise PhotoRefused(file_name, _("{file} takes too long to decode."), advice=_(_SAVE_ORIGINAL)) from error


def develop_now(data: bytes, file_name: str) -> DevelopedPhoto:
    """Do what `develop` does in the calling thread, which it blocks; sizes of files are not its matter."""
    photo_format = photo_files.recognise(data)
    if photo_format is None:
        sentence = _("{file} is {what}, not a picture I can use.").format(
            file="{file}", what=photo_files.describe(data)
        )
        raise PhotoRefused(file_name, sentence, advice=_("Send a {kinds} file.").format(kinds=_(photo_files.ACCEPTED)))
    try:
        with Image.open(io.BytesIO(data), formats=[photo_format.value]) as opened:
            _refuse_bombs(opened, data, photo_format, file_name)
            return _finish(opened, photo_format)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        counted = re.search(r"\((\d+) pixels\)", str(error))
        _refuse_pixels(file_name, int(counted[1]) if counted else MAX_PIXELS, _most_pixels(photo_format), error)
    except _DECODER_ERRORS as error:
        _refuse_broken(file_name, data, photo_format, error)


def _refuse_bombs(opened: Image.Image, data: bytes, photo_format: PhotoFormat, file_name: str) -> None:
    if opened.width * opened.height > _most_pixels(photo_format):
        _refuse_pixels(file_name, opened.width * opened.height, _most_pixels(photo_format), None)
    if photo_format is PhotoFormat.JPEG and (scans := photo_files.jpeg_scan_count(data)) > MAX_JPEG_SCANS:
        sentence = _("{file} is drawn in {count} passes; {most} are the most.")
        sentence = sentence.format(file="{file}", count=scans, most=MAX_JPEG_SCANS)
        raise PhotoRefused(file_name, sentence, advice=_(_SAVE_ORIGINAL))
    if photo_format is PhotoFormat.TIFF and _is_raw(opened):
        raise PhotoRefused(
            file_name, _("{file} is a raw camera file, not a picture I can use."), advice=_(_SAVE_ORIGINAL)
        )


def _most_pixels(photo_format: PhotoFormat) -> int:
    return MAX_PIXELS if photo_format is PhotoFormat.JPEG else MAX_PIXELS_DECODED_WHOLE


def _refuse_pixels(file_name: str, pixels: int, limit: int, cause: BaseException | None) -> NoReturn:
    sentence = _("{file} has {count} million pixels; {most} million are the most.")
    sentence = sentence.format(file="{file}", count=f"{pixels / 1e6:.0f}", most=f"{limit / 1e6:.0f}")
    raise PhotoRefused(file_name, sentence, advice=_(_SEND_SMALLER)) from cause


def _refuse_broken(file_name: str, data: bytes, photo_format: PhotoFormat, error: Exception) -> NoReturn:
    if photo_files.is_cut_off(data, photo_format):
        sentence = _("{file} is cut off: the end of the file is missing.")
    elif isinstance(error, UnidentifiedImageError):
        sentence = _("{file} begins like a picture ({kind}) but is none.").format(
            file="{file}", kind=photo_format.value
        )
    else:
        sentence = _("{file} is damaged and cannot be decoded.")
    raise PhotoRefused(file_name, sentence, advice=_(_SEND_AGAIN)) from error


def _is_raw(opened: Image.Image) -> bool:
    # Raw files of many makers are TIFFs whose first image is a preview of a few hundred pixels.
    tags = getattr(opened, "tag_v2", {})
    return _DNG_VERSION in tags or bool(tags.get(_NEW_SUBFILE_TYPE, 0) & 1)


def _finish(opened: Image.Image, photo_format: PhotoFormat) -> DevelopedPhoto:
    original = opened.size
    target = _within_longest_side(original)
    picture = _to_srgb(_shrink(opened, target, photo_format))
    if picture.size != target:  # it lay on its side
        original = original[::-1]
    encoded, extension = _encode(picture, photo_format)
    return DevelopedPhoto(
        data=encoded,
        content_type="image/png" if extension == ".png" else "image/jpeg",
        extension=extension,
        width=picture.width,
        height=picture.height,
        sha256=hashlib.sha256(encoded).hexdigest(),
        dhash=photo_checks.hash_picture(picture),
        findings=photo_checks.examine(picture),
        original_width=original[0],
        original_height=original[1],
        had_location=_has_location(opened),
    )


def _has_location(opened: Image.Image) -> bool:
    try:
        if _GPS_LATITUDE in opened.getexif().get_ifd(ExifTags.IFD.GPSInfo):
            return True
    except _DECODER_ERRORS:  # broken EXIF is no reason to refuse a good picture, and goes away with all the rest
        return False
    xmp = opened.info.get("xmp", b"")
    return b"GPSLatitude" in (xmp.encode() if isinstance(xmp, str) else xmp)


def _within_longest_side(size: tuple[int, int]) -> tuple[int, int]:
    scale = min(1.0, LONGEST_SIDE / max(size))
    # Phones make 4000 and 4032 px; their half is what the JPEG decoder gives at once, and hardly less than the limit.
    for divisor in (2, 4, 8):
        if LONGEST_SIDE * 15 / 16 <= max(size) / divisor <= LONGEST_SIDE:
            return max(1, size[0] // divisor), max(1, size[1] // divisor)
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def _shrink(opened: Image.Image, target: tuple[int, int], photo_format: PhotoFormat) -> Image.Image:
    """Return the first frame at the target size and then upright, in a mode that can be resampled."""
    if photo_format is PhotoFormat.JPEG:
        # The target in the photo's own proportions: a square one makes a 4:3 photo decode at full size.
        opened.draft(None, target)
    picture = _resamplable(opened)
    if picture.size != target:
        picture = picture.resize(target, Image.Resampling.LANCZOS, reducing_gap=2.0)
    return _upright(picture, opened)


def _resamplable(opened: Image.Image) -> Image.Image:
    opened.load()
    if opened.mode.startswith("I") or opened.mode == "F":
        return _to_eight_bits(opened)
    if opened.mode in {"P", "PA", "LA", "La", "RGBa"} or "transparency" in opened.info:
        return opened.convert("RGBA")
    return opened if opened.mode in {"L", "RGB", "RGBA", "RGBX", "CMYK"} else opened.convert("RGB")


def _to_eight_bits(opened: Image.Image) -> Image.Image:
    values = np.asarray(opened)
    if opened.mode == "F":  # floats have no agreed white, so their own brightest value is taken
        values = np.nan_to_num(values, posinf=0).clip(0)
        grey = values * (255 / max(float(values.max()), 1e-9))
    else:  # 16-bit values, unless none is larger than eight bits hold
        grey = values.clip(0, 65535) >> (8 if values.max() > 255 else 0)
    return Image.fromarray(grey.astype(np.uint8))


def _upright(picture: Image.Image, opened: Image.Image) -> Image.Image:
    if opened.format == "TIFF":  # Pillow has turned it on loading, as it does for no other format
        return picture
    picture.info = dict(opened.info)
    try:
        return ImageOps.exif_transpose(picture)
    except _DECODER_ERRORS:
        return picture


def _to_srgb(picture: Image.Image) -> Image.Image:
    """Return the pixels alone, in sRGB, on white where they were transparent."""
    profile = picture.info.get("icc_profile")
    if picture.mode == "RGBA":
        white = Image.new("RGBA", picture.size, "white")
        picture = Image.alpha_composite(white, picture).convert("RGB")
    if profile:
        picture = _from_profile(picture, profile)
    plain = picture.convert("RGB")
    plain.info = {}
    return plain


def _from_profile(picture: Image.Image, profile: bytes) -> Image.Image:
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if ImageCms.getProfileDescription(source).startswith("sRGB"):
            return picture
        converted = ImageCms.profileToProfile(picture, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
    except (
        ImageCms.PyCMSError,
        *_DECODER_ERRORS,
    ):  # a profile that is broken or for other channels: colours as they are
        return picture
    return picture if converted is None else converted


def _encode(picture: Image.Image, photo_format: PhotoFormat) -> tuple[bytes, str]:
    jpeg = io.BytesIO()
    picture.save(jpeg, "JPEG", quality=_JPEG_QUALITY)
    if photo_format.keeps_every_pixel and picture.getcolors(_MOST_PNG_COLOURS) is not None:
        png = io.BytesIO()
        picture.save(png, "PNG")
        if len(png.getbuffer()) <= len(jpeg.getbuffer()):
            return png.getvalue(), ".png"
    return jpeg.getvalue(), ".jpg"
