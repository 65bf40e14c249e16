"""Owns photos on their way in and pictures on their way out: archives, shapes, PNG; never compares two pictures."""

import io
import warnings
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter, ImageOps

from providers.base import Aspect
from providers.sketch.denoiser import Array
from providers.sketch.errors import PhotosUnusable

#: A stored photo: (height, width, 3), one byte a colour.
Photo = NDArray[np.uint8]

#: A picture is made this many times larger, by interpolation alone, so that it can be looked at.
ENLARGE = 4

_PHOTO_SUFFIXES = {".jpg", ".jpeg", ".png", ".webp"}
_MAX_PHOTO_BYTES = 64 * 1024 * 1024
#: At most this part of a photo's side is cut away to meet a picture's shape; what is then missing is continued.
_MOST_CUT = 0.2


def shape_of(aspect: Aspect, longest: int) -> tuple[int, int]:
    """Return (height, width) of a picture."""
    wide, tall = (int(part) for part in aspect.value.split(":"))
    scale = longest / max(wide, tall)
    return round(tall * scale), round(wide * scale)


def read_archive(archive: Path, *, shortest: int, least: int, most: int) -> Sequence[Photo]:
    """Return the photos of a training archive in the order of their names, made small.

    Args:
        archive: Zip with the photos at its root; other files in it are left alone.
        shortest: The shortest side of what is returned, in pixels; the longest is at most twice that.
        least: Fewer photos than this are refused.
        most: More photos than this are refused.

    Raises:
        PhotosUnusable: too few or too many photos, or one that can't be read.
    """
    try:
        with zipfile.ZipFile(archive) as opened:
            entries = sorted(_photo_entries(opened), key=lambda entry: entry.filename)
            if len(entries) < least:
                raise PhotosUnusable(
                    "{provider} needs at least {low} photos.", values={"provider": "Sketch", "low": least}
                )
            if len(entries) > most:
                raise PhotosUnusable(
                    "{provider} takes at most {high} photos.", values={"provider": "Sketch", "high": most}
                )
            return [_read_photo(opened, entry, shortest) for entry in entries]
    except (zipfile.BadZipFile, EOFError) as error:
        raise PhotosUnusable("The archive with the photos is damaged; start the training again.") from error


@dataclass(frozen=True, kw_only=True)
class Framing:
    """How a photo is held against a picture: a zoom, and a shift in parts of the picture's sides."""

    zoom: float = 1.0
    right: float = 0.0
    down: float = 0.0


def fit_photo(photo: Photo, height: int, width: int, framing: Framing = Framing()) -> Array:
    """Return a photo in a picture's shape: cut a little, never stretched, continued with a blur where it ends."""
    image = _cut(Image.fromarray(photo), width / height)
    scale = min(width / image.width, height / image.height)
    inner = (min(width, round(image.width * scale)), min(height, round(image.height * scale)))
    if inner != (width, height):
        image = _continued(image.resize(inner, Image.Resampling.LANCZOS), width, height)
    image = _framed(image, width, height, framing)
    return np.asarray(image, np.float32).transpose(2, 0, 1) / np.float32(127.5) - 1


def enlarge(picture: Array, factor: int) -> Array:
    """Return a picture with more pixels, by interpolation."""
    _, height, width = picture.shape
    return resize(picture, height * factor, width * factor)


def resize(picture: Array, height: int, width: int) -> Array:
    """Return a picture in another size, by interpolation."""
    planes = [Image.fromarray(p).resize((width, height), Image.Resampling.BICUBIC) for p in picture]
    return np.stack([np.asarray(plane, np.float32) for plane in planes])


def save_png(picture: Array, path: Path) -> tuple[int, int]:
    """Write an enlarged picture as PNG and return its (width, height)."""
    large = enlarge(picture, ENLARGE).transpose(1, 2, 0)
    image = Image.fromarray(((large + 1) * 127.5).round().clip(0, 255).astype(np.uint8))
    part = path.with_suffix(".part")
    image.save(part, format="PNG")
    part.replace(path)
    return image.size


def _photo_entries(opened: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    return [
        entry
        for entry in opened.infolist()
        if "/" not in entry.filename and Path(entry.filename).suffix.lower() in _PHOTO_SUFFIXES
    ]


def _read_photo(opened: zipfile.ZipFile, entry: zipfile.ZipInfo, shortest: int) -> Photo:
    unreadable = PhotosUnusable(
        "{file} can't be read as a photo; take it out or send it again.", values={"file": entry.filename[:40]}
    )
    if entry.file_size > _MAX_PHOTO_BYTES:
        raise unreadable
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(opened.read(entry))) as image:
                image.draft("RGB", (shortest * 2, shortest * 2))
                return _small(ImageOps.exif_transpose(image).convert("RGB"), shortest)
    except (OSError, ValueError, SyntaxError, zipfile.BadZipFile, Image.DecompressionBombError, Warning) as error:
        raise unreadable from error


def _small(image: Image.Image, shortest: int) -> Photo:
    wide, tall = image.size
    middle = ImageOps.fit(image, (min(wide, tall * 2), min(tall, wide * 2)))
    scale = shortest / min(middle.size)
    size = (max(round(middle.width * scale), shortest), max(round(middle.height * scale), shortest))
    return np.asarray(middle.resize(size, Image.Resampling.LANCZOS), np.uint8)


def _cut(image: Image.Image, ratio: float) -> Image.Image:
    """Cut the sides, or a little from the top and more from the bottom, toward a ratio of width to height."""
    width, height = image.size
    if width / height > ratio:
        kept = max(round(height * ratio), round(width * (1 - _MOST_CUT)))
        left = (width - kept) // 2
        return image.crop((left, 0, left + kept, height))
    kept = min(height, max(round(width / ratio), round(height * (1 - _MOST_CUT))))
    top = (height - kept) // 5
    return image.crop((0, top, width, top + kept))


def _framed(image: Image.Image, width: int, height: int, framing: Framing) -> Image.Image:
    """Return the part of an image that a framing shows; it stays inside the image where the zoom leaves room."""
    part = 1 / framing.zoom
    left = min(max((1 - part) / 2 - framing.right, 0.0), 1 - part) * image.width
    top = min(max((1 - part) / 2 - framing.down, 0.0), 1 - part) * image.height
    box = (left, top, left + part * image.width, top + part * image.height)
    return image.resize((width, height), Image.Resampling.LANCZOS, box=box)


def _continued(image: Image.Image, width: int, height: int) -> Image.Image:
    """Continue a photo beyond its borders with the colours of its border, more blurred the farther out."""
    left, top = (width - image.width) // 2, (height - image.height) // 2
    sides = ((top, height - image.height - top), (left, width - image.width - left), (0, 0))
    continued = Image.fromarray(np.pad(np.asarray(image), sides, mode="edge"))
    margin = max(width - image.width, height - image.height) / 2
    mask = Image.new("L", (width, height), 255)
    mask.paste(0, (left, top, left + image.width, top + image.height))
    soft = mask.filter(ImageFilter.GaussianBlur(margin / 4))
    soft.paste(0, (left, top, left + image.width, top + image.height))
    return Image.composite(continued.filter(ImageFilter.GaussianBlur(margin / 2)), continued, soft)
