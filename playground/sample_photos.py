"""The sample photos: pictures of one small red fox, drawn by code; never reads a file and never touches the network.

They stand in for a person's own photos, so they carry what such photos carry: JPEG, several sizes, a camera's EXIF. One
of them lies on its side with an orientation tag and says where it was taken. The place is Point Nemo, the spot of the
ocean farthest from any land, where no fox has been: it is there to be removed.

The drawing is made for a patch model that learns from eight pictures: bold parts, few details, one face, calm
backgrounds of kindred colours.
"""

import enum
import io
import math
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageChops, ImageDraw, ImageFilter

Points: TypeAlias = NDArray[np.float64]
Colour: TypeAlias = tuple[int, int, int]

FUR = (226, 98, 38)
CREAM = (255, 240, 218)
SOCK = (74, 42, 44)
INK = (43, 26, 32)
BLUSH = (245, 142, 116)
SCARF = (22, 128, 138)
STRIPE = (250, 204, 92)
SHADE = (36, 60, 60)
SUNLIGHT = (255, 226, 156)
WHITE = (255, 255, 255)
LIT = np.array((255.0, 236.0, 190.0))
UNLIT = np.array((70.0, 20.0, 60.0))

_SUPERSAMPLE = 3
_JPEG_QUALITY = 92
_GLOSS = 0.42
_HAZE = 150


class Stance(enum.StrEnum):
    """What the fox does with its body."""

    SITTING = enum.auto()
    WAVING = enum.auto()
    LYING = enum.auto()


class Eyes(enum.StrEnum):
    """What the fox does with its eyes."""

    OPEN = enum.auto()
    SMILING = enum.auto()
    WINKING = enum.auto()


@dataclass(frozen=True, kw_only=True)
class SamplePhoto:
    """One photo as a person would send it: a file name and JPEG bytes."""

    name: str
    data: bytes


@dataclass(frozen=True, kw_only=True)
class _Scene:
    """One picture's pose and place; lengths are parts of the picture's shorter side, angles are degrees."""

    stance: Stance = Stance.SITTING
    eyes: Eyes = Eyes.OPEN
    x: float = 0.5
    y: float = 0.54
    scale: float = 0.42
    tilt: float = 0.0
    look: float = 0.0
    tail: float = 0.0
    mirrored: bool = False
    sky: int = 0
    sun: tuple[float, float] = (0.2, 0.2)
    horizon: float = 0.7


# Top of the sky, bottom of the sky, far hill, meadow: neighbours in hue and lightness, so that patches of one picture
# can meet patches of another without a scar.
_SKIES: tuple[tuple[Colour, Colour, Colour, Colour], ...] = (
    ((104, 170, 194), (196, 214, 204), (132, 180, 158), (114, 166, 126)),
    ((128, 162, 206), (208, 208, 214), (136, 176, 168), (116, 164, 134)),
    ((186, 156, 182), (232, 202, 186), (150, 178, 152), (124, 168, 124)),
    ((104, 180, 182), (198, 218, 194), (130, 182, 150), (110, 166, 120)),
)

_SCENES = (
    _Scene(x=0.48, y=0.56, tilt=-5, sun=(0.16, 0.2)),
    _Scene(stance=Stance.WAVING, eyes=Eyes.SMILING, x=0.53, y=0.57, tilt=8, mirrored=True, sky=1, sun=(0.84, 0.16)),
    _Scene(x=0.42, y=0.6, scale=0.37, tilt=4, look=0.5, tail=-10, sky=3, sun=(0.8, 0.28), horizon=0.64),
    _Scene(
        stance=Stance.LYING, eyes=Eyes.SMILING, x=0.45, y=0.65, scale=0.5, tilt=-7, sky=2, sun=(0.84, 0.2), horizon=0.6
    ),
    _Scene(x=0.52, y=0.6, scale=0.465, tilt=9, look=-0.4, sun=(0.87, 0.12), mirrored=True, horizon=0.78),
    _Scene(eyes=Eyes.WINKING, x=0.6, tilt=-11, look=-0.6, scale=0.4, mirrored=True, tail=8, sky=2, sun=(0.15, 0.3)),
    _Scene(stance=Stance.LYING, x=0.46, y=0.66, tilt=5, look=0.6, sky=1, mirrored=True, sun=(0.18, 0.16), horizon=0.52),
    _Scene(stance=Stance.WAVING, x=0.46, y=0.56, scale=0.43, tilt=-4, look=0.3, sky=3, sun=(0.12, 0.3), horizon=0.74),
)


def sample_photos(count: int = 8, *, seed: int = 7, size: int = 1024) -> list[SamplePhoto]:
    """Draw photos of the fox; the same arguments give the same bytes.

    The first eight are eight different poses, the next eight their mirror images, moved and under another sky. From the
    seventeenth on some are near-duplicates of earlier ones.
    Every fourth photo is an eighth less high than wide. The second one carries EXIF orientation 6 and a GPS place.
    Blocks for about a tenth of a second a photo.

    Args:
        count: How many photos.
        seed: Moves the fox, the sun and the horizon a little.
        size: The longer side in pixels.
    """
    rng = np.random.default_rng(seed)
    photos = []
    for index in range(count):
        height = size * 7 // 8 if index % 4 == 3 else size
        picture = _draw_scene(_vary(_SCENES[index % len(_SCENES)], rng, index // len(_SCENES)), size, height)
        photos.append(SamplePhoto(name=f"fox-{index + 1:02}.jpg", data=_encode(picture, turned=index == 1)))
    return photos


def _vary(scene: _Scene, rng: np.random.Generator, lap: int) -> _Scene:
    """Move a scene a little on the first lap, more on later ones; every second lap is mirrored."""
    reach = 1 if lap == 0 else 3
    dx, dy, zoom, tilt, ground, sun = (reach * float(v) for v in rng.uniform(-1, 1, 6))
    return replace(
        scene,
        x=scene.x + 0.012 * dx,
        y=scene.y + 0.008 * dy,
        scale=scene.scale * (1 + 0.015 * zoom),
        tilt=scene.tilt + 1.5 * tilt,
        horizon=scene.horizon + 0.015 * ground,
        sun=(scene.sun[0], scene.sun[1] + 0.015 * sun),
        mirrored=scene.mirrored ^ bool(lap % 2),
        sky=(scene.sky + lap) % len(_SKIES),
    )


def _encode(picture: Image.Image, *, turned: bool) -> bytes:
    """Encode as a camera would; `turned` stores it on its side, upright only by its tag, with the place."""
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = "Darkroom"
    exif[ExifTags.Base.Model] = "Drawn by code"
    if turned:
        exif[ExifTags.Base.Orientation] = 6
        exif.get_ifd(ExifTags.IFD.GPSInfo).update(
            {
                ExifTags.GPS.GPSLatitudeRef: "S",
                ExifTags.GPS.GPSLatitude: (48.0, 52.0, 36.0),
                ExifTags.GPS.GPSLongitudeRef: "W",
                ExifTags.GPS.GPSLongitude: (123.0, 23.0, 36.0),
            }
        )
        picture = picture.transpose(Image.Transpose.ROTATE_90)
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=_JPEG_QUALITY, exif=exif)
    return out.getvalue()


@dataclass(frozen=True, kw_only=True)
class _Mask:
    """An anti-aliased part of the picture: its top left corner in pixels and its coverage."""

    left: int
    top: int
    cover: Image.Image

    def crop(self, left: int, top: int, size: tuple[int, int]) -> Image.Image:
        """Give the coverage under another rectangle, empty where this mask ends."""
        x, y = left - self.left, top - self.top
        return self.cover.crop((x, y, x + size[0], y + size[1]))


@dataclass(frozen=True, kw_only=True)
class _Frame:
    """A place to draw in: maps its own units, y down, to pixels."""

    matrix: Points

    def child(self, x: float, y: float, *, turn: float = 0.0, scale: float = 1.0) -> "_Frame":
        """Make the frame at (x, y), turned clockwise by degrees."""
        c, s = scale * math.cos(math.radians(turn)), scale * math.sin(math.radians(turn))
        return _Frame(matrix=self.matrix @ np.array(((c, -s, x), (s, c, y), (0.0, 0.0, 1.0))))

    def pixels(self, points: Points) -> Points:
        """Map points of this frame to pixels."""
        return points @ self.matrix[:2, :2].T + self.matrix[:2, 2]

    def sides(self) -> tuple["_Frame", "_Frame"]:
        """Give this frame and its mirror image, for the parts that come in pairs."""
        return self, _Frame(matrix=self.matrix @ np.diag((-1.0, 1.0, 1.0)))

    @property
    def unit(self) -> float:
        """Pixels to one unit."""
        return math.sqrt(abs(float(np.linalg.det(self.matrix[:2, :2]))))


class _Canvas:
    """A picture in work: fills parts with soft light from the top left."""

    def __init__(self, image: Image.Image) -> None:
        self.image = image

    def fill(
        self, frame: _Frame, points: Points, colour: Colour, *, within: _Mask | None = None, gloss: float = _GLOSS
    ) -> _Mask:
        """Fill an outline, rounded by light and shade, and give what was covered."""
        mask = _rasterise(frame.pixels(points))
        if within is not None:
            size = mask.cover.size
            cover = ImageChops.multiply(mask.cover, within.crop(mask.left, mask.top, size))
            mask = _Mask(left=mask.left, top=mask.top, cover=cover)
        self.image.paste(_lit(mask.cover, colour, gloss), (mask.left, mask.top), mask.cover)
        return mask

    def haze(self, frame: _Frame, points: Points, colour: Colour, blur: float, *, within: _Mask | None = None) -> None:
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


def _rasterise(pixels: Points) -> _Mask:
    left, top = (int(v) for v in np.floor(pixels.min(0)))
    right, bottom = (int(v) for v in np.ceil(pixels.max(0)) + 1)
    big = Image.new("L", ((right - left) * _SUPERSAMPLE, (bottom - top) * _SUPERSAMPLE))
    ImageDraw.Draw(big).polygon(_flat((pixels - (left, top)) * _SUPERSAMPLE), fill=255)
    return _Mask(left=left, top=top, cover=big.reduce(_SUPERSAMPLE))


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


def _curve(outline: str) -> Points:
    return _spline(_knots(outline))


def _both(right: str) -> Points:
    """Round a shape given by its right half, top to bottom, and mirrored to the left."""
    half = _knots(right)
    return _spline(np.concatenate((half, half[::-1] * (-1.0, 1.0))))


def _oval(x: float, y: float, rx: float, ry: float) -> Points:
    t = np.linspace(0, 2 * np.pi, 64, endpoint=False)
    return np.stack((x + rx * np.cos(t), y + ry * np.sin(t)), -1)


def _bow(x: float, y: float, rx: float, ry: float, thick: float) -> Points:
    """Outline half an oval drawn with a brush, thin at both ends: a hill, or a bowl where `ry` is negative."""
    t = np.linspace(np.pi, 2 * np.pi, 32)[:, None]
    line = np.hstack((x + rx * np.cos(t), y + ry * np.sin(t)))
    along = np.gradient(line, axis=0)
    across = along[:, ::-1] * (-1.0, 1.0) / np.linalg.norm(along, axis=1, keepdims=True)
    half = thick * np.clip(np.sin(t - np.pi), 0, 1) ** 0.3
    return np.concatenate((line + across * half, (line - across * half)[::-1]))


# Outlines are written as in SVG's `points`, x y after x y, y down; a head is 1.3 units wide from cheek to cheek.
# Of parts that come in pairs it is the one on the right.
_HEAD = _both("0 -0.37  0.24 -0.38  0.45 -0.24  0.49 0.02  0.66 0.17  0.66 0.17  0.42 0.33  0.2 0.41")
_CHEEKS = _both("0 0.13  0 0.13  0.07 -0.05  0.22 -0.07  0.36 0.08  0.75 0.1  0.75 0.6  0.2 0.6")
_EAR = _curve("0.08 -0.2  0.14 -0.5  0.42 -0.84  0.42 -0.84  0.54 -0.5  0.46 -0.1")
_EAR_TIP = _curve("0 -0.75  0.36 -0.58  0.7 -0.52  0.7 -1  0.2 -1")
_EAR_INSIDE = _curve("0.2 -0.25  0.23 -0.46  0.395 -0.68  0.395 -0.68  0.46 -0.44  0.4 -0.2")
_BODY = _both("0 -0.1  0.2 -0.1  0.26 0.2  0.36 0.5  0.36 0.74  0.2 0.8")
_BIB = _both("0 -0.1  0.24 -0.1  0.2 0.22  0.12 0.36  0 0.47  0 0.47")
_TAIL = _curve("0.1 0.76  0.4 0.84  0.82 0.74  1 0.36  0.82 -0.06  0.82 -0.06  0.62 0.1  0.56 0.44  0.2 0.5")
_TAIL_TIP = _curve("0.4 0.2  0.4 0.2  0.66 0.3  0.8 0.2  1.2 0.4  1.2 0.4  1.2 -0.3  0.4 -0.3")
_LEG = _curve("0.02 0.3  0.2 0.3  0.19 0.6  0.21 0.8  0.02 0.8  0.04 0.6")
_SOCK = _curve("-0.1 0.58  0.12 0.62  0.4 0.58  0.4 1  -0.1 1")
_ARM = _curve("0 -0.09  0.16 -0.11  0.44 -0.1  0.53 0  0.44 0.1  0.16 0.11  0 0.09")
_ARM_SOCK = _curve("0.3 -0.3  0.27 0  0.3 0.3  0.8 0.3  0.8 -0.3")
_MOUND = _both("0 -0.16  0.34 -0.16  0.62 0.1  0.66 0.5  0.3 0.53")
_TUFT = _curve("-0.13 -0.3  -0.13 -0.4  0 -0.48  0 -0.48  0 -0.41  0.1 -0.44  0.1 -0.44  0.12 -0.3")
_SMIRK = _bow(0.05, 0.235, 0.05, -0.05, 0.014)
_GRIN = _both("0 0.23  0 0.23  0.02 0.28  0.08 0.285  0.1 0.235  0.1 0.3  0.06 0.37  0 0.37")
_NOSE = _both("0 0.115  0.08 0.115  0.085 0.17  0.03 0.22  0 0.22")
_CLOSED_EYE = _bow(0, 0.035, 0.08, 0.08, 0.021)
_SCARF_RING = _both("0 -0.02  0.28 -0.08  0.37 0.02  0.3 0.13  0.1 0.17")
_SCARF_END = _curve("-0.07 0  0.09 0  0.12 0.3  0.12 0.36  -0.1 0.36  -0.1 0.3")
_SCARF_STRIPE = _curve("-0.3 0.25  0.3 0.25  0.3 0.25  0.3 0.31  0.3 0.31  -0.3 0.31")
_HILL = _curve("-1.3 0.1  -0.3 -0.14  0.2 -0.14  1.3 0.1  1.3 1.3  -1.3 1.3")
_MEADOW = _curve("-0.3 0  0.2 0.06  0.7 0  1.3 0.08  1.3 1.4  -0.3 1.4")


def _draw_scene(scene: _Scene, width: int, height: int) -> Image.Image:
    canvas = _Canvas(_landscape(scene, width, height))
    k = scene.scale * min(width, height)
    x = (1 - scene.x if scene.mirrored else scene.x) * width
    frame = _Frame(matrix=np.array(((k, 0.0, x), (0.0, k, scene.y * height), (0.0, 0.0, 1.0))))
    if scene.mirrored:
        _, frame = frame.sides()
    if scene.stance is Stance.LYING:
        _draw_lying(canvas, frame, scene)
    else:
        _draw_upright(canvas, frame, scene)
    return canvas.image


def _landscape(scene: _Scene, width: int, height: int) -> Image.Image:
    """Paint a calm sky with a low sun, one far hill and a meadow."""
    top, bottom, hill, meadow = _SKIES[scene.sky]
    u, v = np.meshgrid(np.linspace(0, 1, 96), np.linspace(0, 1, 96))
    fade = np.clip(v / scene.horizon, 0, 1)[..., None]
    sky = np.array(top) * (1 - fade) + np.array(bottom) * fade
    near = np.exp(-((u - scene.sun[0]) ** 2 + (v - scene.sun[1]) ** 2) / 0.08)[..., None]
    sky = sky + 0.6 * near * (np.array(SUNLIGHT) - sky)
    image = Image.fromarray(sky.clip(0, 255).astype(np.uint8)).resize((width, height), Image.Resampling.BICUBIC)
    # A grain of two levels keeps JPEG from turning the slow gradients into bands.
    grain = np.random.default_rng(0).integers(-2, 3, (height, width, 1), dtype=np.int16)
    image = Image.fromarray((np.asarray(image) + grain).clip(0, 255).astype(np.uint8))
    canvas = _Canvas(image)
    frame = _Frame(matrix=np.diag((float(width), float(height), 1.0)))
    canvas.haze(frame, _oval(*scene.sun, 0.07, 0.07 * width / height), SUNLIGHT, 0.006)
    canvas.fill(frame.child(0.8 - 0.6 * scene.sun[0], scene.horizon), _HILL, hill)
    canvas.fill(frame.child(0, scene.horizon), _MEADOW, meadow)
    return canvas.image


def _draw_upright(canvas: _Canvas, frame: _Frame, scene: _Scene) -> None:
    """Draw the fox on its haunches, one paw up if it waves."""
    waves = scene.stance is Stance.WAVING
    canvas.haze(frame, _oval(0.15, 0.8, 0.7, 0.09), SHADE, 0.06)
    _draw_tail(canvas, frame.child(0, 0, turn=scene.tail))
    for side in frame.sides():
        canvas.fill(side, _oval(0.3, 0.79, 0.17, 0.07), SOCK)
    body = canvas.fill(frame, _BODY, FUR)
    for side in frame.sides():
        canvas.fill(side, _oval(0.29, 0.6, 0.16, 0.2), FUR)
    canvas.fill(frame, _BIB, CREAM, within=body)
    for side in frame.sides()[: 1 if waves else 2]:
        leg = canvas.fill(side, _LEG, FUR)
        canvas.fill(side, _SOCK, SOCK, within=leg)
    canvas.haze(frame, _oval(0, 0.08, 0.3, 0.12), INK, 0.05, within=body)
    _draw_scarf(canvas, frame.child(0, 0.03))
    if waves:
        _draw_arm(canvas, frame.child(-0.2, 0.3, turn=2 * scene.tilt - 142))
    _draw_head(canvas, frame.child(0.002 * scene.tilt, -0.36, turn=scene.tilt), scene)


def _draw_lying(canvas: _Canvas, frame: _Frame, scene: _Scene) -> None:
    """Draw the fox as a loaf: on its belly, paws under the chin, tail up."""
    canvas.haze(frame, _oval(0.12, 0.5, 0.75, 0.09), SHADE, 0.06)
    _draw_tail(canvas, frame.child(0.12, -0.28, turn=scene.tail))
    mound = canvas.fill(frame, _MOUND, FUR)
    canvas.fill(frame, _BIB, CREAM, within=mound)
    for side in frame.sides():
        canvas.fill(side, _oval(0.43, 0.33, 0.2, 0.2), FUR)
        canvas.fill(side, _oval(0.17, 0.34, 0.14, 0.18), FUR)
        canvas.fill(side, _oval(0.17, 0.44, 0.15, 0.1), SOCK)
    canvas.haze(frame, _oval(0, 0.12, 0.36, 0.12), INK, 0.06, within=mound)
    _draw_scarf(canvas, frame.child(0, 0.05))
    _draw_head(canvas, frame.child(0, -0.32, turn=scene.tilt), scene)


def _draw_tail(canvas: _Canvas, frame: _Frame) -> None:
    tail = canvas.fill(frame, _TAIL, FUR)
    canvas.fill(frame, _TAIL_TIP, CREAM, within=tail)


def _draw_arm(canvas: _Canvas, frame: _Frame) -> None:
    arm = canvas.fill(frame, _ARM, FUR)
    canvas.fill(frame, _ARM_SOCK, SOCK, within=arm)
    canvas.fill(frame, _oval(0.42, 0, 0.045, 0.05), BLUSH)


def _draw_scarf(canvas: _Canvas, frame: _Frame) -> None:
    hanging = frame.child(0.15, 0.08, turn=-14)
    end = canvas.fill(hanging, _SCARF_END, SCARF)
    canvas.fill(hanging, _SCARF_STRIPE, STRIPE, within=end)
    canvas.fill(frame, _SCARF_RING, SCARF)


def _draw_head(canvas: _Canvas, frame: _Frame, scene: _Scene) -> None:
    for side in frame.sides():
        ear = canvas.fill(side, _EAR, FUR)
        canvas.fill(side, _EAR_TIP, SOCK, within=ear)
        canvas.fill(side, _EAR_INSIDE, CREAM, within=ear)
    canvas.fill(frame, _TUFT, FUR)
    head = canvas.fill(frame, _HEAD, FUR)
    face = frame.child(0.05 * scene.look, 0)
    canvas.fill(face, _CHEEKS, CREAM, within=head)
    for side in face.sides():
        canvas.haze(side, _oval(0.34, 0.17, 0.08, 0.05), BLUSH, 0.03, within=head)
    for x in (-0.225, 0.225):
        closed = scene.eyes is Eyes.SMILING or (scene.eyes is Eyes.WINKING and x > 0)
        _draw_eye(canvas, face.child(x + 0.015 * scene.look, 0), scene.look, closed=closed)
    if scene.eyes is Eyes.SMILING:
        grin = canvas.fill(face, _GRIN, INK, gloss=0)
        canvas.fill(face, _oval(0, 0.36, 0.06, 0.05), BLUSH, within=grin)
    for side in face.sides():
        canvas.fill(side, _SMIRK, INK, gloss=0)
    canvas.fill(face, _NOSE, INK)


def _draw_eye(canvas: _Canvas, frame: _Frame, look: float, *, closed: bool) -> None:
    if closed:
        canvas.fill(frame, _CLOSED_EYE, INK, gloss=0)
        return
    canvas.fill(frame, _oval(0, 0, 0.072, 0.092), INK)
    canvas.fill(frame, _oval(0.02 * look - 0.02, -0.034, 0.028, 0.03), WHITE)
    canvas.fill(frame, _oval(0.02 * look + 0.024, 0.036, 0.013, 0.013), WHITE)
