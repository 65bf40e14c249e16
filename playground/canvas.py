"""Drawing with soft light: rounded outlines filled like cushions, shadows as haze; it knows no fox and no photo."""

import math
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops, ImageDraw, ImageFilter

Points: TypeAlias = NDArray[np.float64]
Colour: TypeAlias = tuple[int, int, int]

#: Where the light falls, and where it does not.
LIT = np.array((255.0, 236.0, 190.0))
UNLIT = np.array((70.0, 20.0, 60.0))

_SUPERSAMPLE = 3
_GLOSS = 0.42
_HAZE = 150


@dataclass(frozen=True, kw_only=True)
class Mask:
    """An anti-aliased part of the picture: its top left corner in pixels and its coverage."""

    left: int
    top: int
    cover: Image.Image

    def crop(self, left: int, top: int, size: tuple[int, int]) -> Image.Image:
        """Give the coverage under another rectangle, empty where this mask ends."""
        x, y = left - self.left, top - self.top
        return self.cover.crop((x, y, x + size[0], y + size[1]))


@dataclass(frozen=True, kw_only=True)
class Frame:
    """A place to draw in: maps its own units, y down, to pixels."""

    matrix: Points

    def child(self, x: float, y: float, *, turn: float = 0.0, scale: float = 1.0) -> "Frame":
        """Make the frame at (x, y), turned clockwise by degrees."""
        c, s = scale * math.cos(math.radians(turn)), scale * math.sin(math.radians(turn))
        return Frame(matrix=self.matrix @ np.array(((c, -s, x), (s, c, y), (0.0, 0.0, 1.0))))

    def pixels(self, points: Points) -> Points:
        """Map points of this frame to pixels."""
        return points @ self.matrix[:2, :2].T + self.matrix[:2, 2]

    def sides(self) -> tuple["Frame", "Frame"]:
        """Give this frame and its mirror image, for the parts that come in pairs."""
        return self, Frame(matrix=self.matrix @ np.diag((-1.0, 1.0, 1.0)))

    @property
    def unit(self) -> float:
        """Pixels to one unit."""
        return math.sqrt(abs(float(np.linalg.det(self.matrix[:2, :2]))))


class Canvas:
    """A picture in work: fills parts with soft light from the top left."""

    def __init__(self, image: Image.Image) -> None:
        self.image = image

    def fill(
        self, frame: Frame, points: Points, colour: Colour, *, within: Mask | None = None, gloss: float = _GLOSS
    ) -> Mask:
        """Fill an outline, rounded by light and shade, and give what was covered."""
        mask = _rasterise(frame.pixels(points))
        if within is not None:
            size = mask.cover.size
            cover = ImageChops.multiply(mask.cover, within.crop(mask.left, mask.top, size))
            mask = Mask(left=mask.left, top=mask.top, cover=cover)
        self.image.paste(_lit(mask.cover, colour, gloss), (mask.left, mask.top), mask.cover)
        return mask

    def haze(self, frame: Frame, points: Points, colour: Colour, blur: float, *, within: Mask | None = None) -> None:
        """Lay a blurred patch over the picture; `blur` is in the frame's units. It ends where `within` ends."""
        pixels, radius = frame.pixels(points), blur * frame.unit
        pad = math.ceil(3 * radius)
        left, top = (int(v) for v in np.floor(pixels.min(0)) - pad)
        right, bottom = (int(v) for v in np.ceil(pixels.max(0)) + pad)
        shrink = max(1.0, radius / 4)
        small = Image.new("L", (math.ceil((right - left) / shrink), math.ceil((bottom - top) / shrink)))
        ImageDraw.Draw(small).polygon(_flat((pixels - (left, top)) / shrink), fill=_HAZE)
        cover = small.filter(ImageFilter.GaussianBlur(radius / shrink)).resize((right - left, bottom - top))
        if within is not None:
            cover = ImageChops.multiply(cover, within.crop(left, top, cover.size))
        self.image.paste(colour, (left, top, right, bottom), cover)


def _flat(points: Points) -> list[float]:
    return [float(v) for v in points.ravel()]


def _rasterise(pixels: Points) -> Mask:
    left, top = (int(v) for v in np.floor(pixels.min(0)))
    right, bottom = (int(v) for v in np.ceil(pixels.max(0)) + 1)
    big = Image.new("L", ((right - left) * _SUPERSAMPLE, (bottom - top) * _SUPERSAMPLE))
    ImageDraw.Draw(big).polygon(_flat((pixels - (left, top)) * _SUPERSAMPLE), fill=255)
    return Mask(left=left, top=top, cover=big.reduce(_SUPERSAMPLE))


def _lit(cover: Image.Image, colour: Colour, gloss: float) -> Image.Image:
    """Paint a cushion: the edge towards the top left glows, the other one falls into dusk."""
    grain, pad, shift = 40, 14, 5
    scale = grain / max(cover.size)
    w, h = (max(2, round(side * scale)) for side in cover.size)
    small = Image.new("L", (w + 2 * pad, h + 2 * pad))
    small.paste(cover.resize((w, h), Image.Resampling.BOX), (pad, pad))
    soft = np.asarray(small.filter(ImageFilter.GaussianBlur(5)), np.float64) / 255
    lee = soft[pad + shift : pad + shift + h, pad + shift // 2 : pad + shift // 2 + w]
    luff = soft[pad - shift : pad - shift + h, pad - shift // 2 : pad - shift // 2 + w]
    slope = (lee - luff)[..., None]
    base = np.array(colour, np.float64)
    paint = base + gloss * (np.clip(slope, 0, 1) * (LIT - base) + np.clip(-slope, 0, 1) * (UNLIT - base))
    return Image.fromarray(paint.clip(0, 255).astype(np.uint8)).resize(cover.size, Image.Resampling.BICUBIC)


def _knots(outline: str) -> Points:
    return np.array(outline.split(), np.float64).reshape(-1, 2)


def _spline(here: Points) -> Points:
    """Round a closed polygon as a quadratic B-spline; a knot given twice stays a corner."""
    before, after = (np.roll(here, 1, 0) + here) / 2, (np.roll(here, -1, 0) + here) / 2
    t = np.linspace(0, 1, 12, endpoint=False)[:, None, None]
    points: Points = before * (1 - t) ** 2 + 2 * here * t * (1 - t) + after * t**2
    return points.transpose(1, 0, 2).reshape(-1, 2)


def curve(outline: str) -> Points:
    """Round a closed polygon written as in SVG's `points`: x y after x y, y down."""
    return _spline(_knots(outline))


def both(right: str) -> Points:
    """Round a shape given by its right half, top to bottom, and mirrored to the left."""
    half = _knots(right)
    return _spline(np.concatenate((half, half[::-1] * (-1.0, 1.0))))


def oval(x: float, y: float, rx: float, ry: float) -> Points:
    """Outline an oval around (x, y)."""
    t = np.linspace(0, 2 * np.pi, 64, endpoint=False)
    return np.stack((x + rx * np.cos(t), y + ry * np.sin(t)), -1)


def bow(x: float, y: float, rx: float, ry: float, thick: float) -> Points:
    """Outline half an oval drawn with a brush, thin at both ends: a hill, or a bowl where `ry` is negative."""
    t = np.linspace(np.pi, 2 * np.pi, 32)[:, None]
    line = np.hstack((x + rx * np.cos(t), y + ry * np.sin(t)))
    along = np.gradient(line, axis=0)
    across = along[:, ::-1] * (-1.0, 1.0) / np.linalg.norm(along, axis=1, keepdims=True)
    half = thick * np.clip(np.sin(t - np.pi), 0, 1) ** 0.3
    return np.concatenate((line + across * half, (line - across * half)[::-1]))
