"""The small red fox and its meadow, drawn by code: stances, eyes, skies; it makes no photo of what it draws.

The drawing is made for a patch model that learns from eight pictures: bold parts, few details, one face, calm
backgrounds of kindred colours.
"""

import enum
from dataclasses import dataclass

import numpy as np
from PIL import Image

from playground.canvas import Canvas, Colour, Frame, both, bow, curve, oval

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
class Scene:
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
SKIES: tuple[tuple[Colour, Colour, Colour, Colour], ...] = (
    ((104, 170, 194), (196, 214, 204), (132, 180, 158), (114, 166, 126)),
    ((128, 162, 206), (208, 208, 214), (136, 176, 168), (116, 164, 134)),
    ((186, 156, 182), (232, 202, 186), (150, 178, 152), (124, 168, 124)),
    ((104, 180, 182), (198, 218, 194), (130, 182, 150), (110, 166, 120)),
)

# Outlines are written as in SVG's `points`, x y after x y, y down; a head is 1.3 units wide from cheek to cheek.
# Of parts that come in pairs it is the one on the right.
_HEAD = both("0 -0.37  0.24 -0.38  0.45 -0.24  0.49 0.02  0.66 0.17  0.66 0.17  0.42 0.33  0.2 0.41")
_CHEEKS = both("0 0.13  0 0.13  0.07 -0.05  0.22 -0.07  0.36 0.08  0.75 0.1  0.75 0.6  0.2 0.6")
_EAR = curve("0.08 -0.2  0.14 -0.5  0.42 -0.84  0.42 -0.84  0.54 -0.5  0.46 -0.1")
_EAR_TIP = curve("0 -0.75  0.36 -0.58  0.7 -0.52  0.7 -1  0.2 -1")
_EAR_INSIDE = curve("0.2 -0.25  0.23 -0.46  0.395 -0.68  0.395 -0.68  0.46 -0.44  0.4 -0.2")
_BODY = both("0 -0.1  0.2 -0.1  0.26 0.2  0.36 0.5  0.36 0.74  0.2 0.8")
_BIB = both("0 -0.1  0.24 -0.1  0.2 0.22  0.12 0.36  0 0.47  0 0.47")
_TAIL = curve("0.1 0.76  0.4 0.84  0.82 0.74  1 0.36  0.82 -0.06  0.82 -0.06  0.62 0.1  0.56 0.44  0.2 0.5")
_TAIL_TIP = curve("0.4 0.2  0.4 0.2  0.66 0.3  0.8 0.2  1.2 0.4  1.2 0.4  1.2 -0.3  0.4 -0.3")
_LEG = curve("0.02 0.3  0.2 0.3  0.19 0.6  0.21 0.8  0.02 0.8  0.04 0.6")
_SOCK = curve("-0.1 0.58  0.12 0.62  0.4 0.58  0.4 1  -0.1 1")
_ARM = curve("0 -0.09  0.16 -0.11  0.44 -0.1  0.53 0  0.44 0.1  0.16 0.11  0 0.09")
_ARM_SOCK = curve("0.3 -0.3  0.27 0  0.3 0.3  0.8 0.3  0.8 -0.3")
_MOUND = both("0 -0.16  0.34 -0.16  0.62 0.1  0.66 0.5  0.3 0.53")
_TUFT = curve("-0.13 -0.3  -0.13 -0.4  0 -0.48  0 -0.48  0 -0.41  0.1 -0.44  0.1 -0.44  0.12 -0.3")
_SMIRK = bow(0.05, 0.235, 0.05, -0.05, 0.014)
_GRIN = both("0 0.23  0 0.23  0.02 0.28  0.08 0.285  0.1 0.235  0.1 0.3  0.06 0.37  0 0.37")
_NOSE = both("0 0.115  0.08 0.115  0.085 0.17  0.03 0.22  0 0.22")
_CLOSED_EYE = bow(0, 0.035, 0.08, 0.08, 0.021)
_SCARF_RING = both("0 -0.02  0.28 -0.08  0.37 0.02  0.3 0.13  0.1 0.17")
_SCARF_END = curve("-0.07 0  0.09 0  0.12 0.3  0.12 0.36  -0.1 0.36  -0.1 0.3")
_SCARF_STRIPE = curve("-0.3 0.25  0.3 0.25  0.3 0.25  0.3 0.31  0.3 0.31  -0.3 0.31")
_HILL = curve("-1.3 0.1  -0.3 -0.14  0.2 -0.14  1.3 0.1  1.3 1.3  -1.3 1.3")
_MEADOW = curve("-0.3 0  0.2 0.06  0.7 0  1.3 0.08  1.3 1.4  -0.3 1.4")


def draw_scene(scene: Scene, width: int, height: int) -> Image.Image:
    """Draw the fox in its place; sizes in pixels."""
    canvas = Canvas(_landscape(scene, width, height))
    k = scene.scale * min(width, height)
    x = (1 - scene.x if scene.mirrored else scene.x) * width
    frame = Frame(matrix=np.array(((k, 0.0, x), (0.0, k, scene.y * height), (0.0, 0.0, 1.0))))
    if scene.mirrored:
        _, frame = frame.sides()
    if scene.stance is Stance.LYING:
        _draw_lying(canvas, frame, scene)
    else:
        _draw_upright(canvas, frame, scene)
    return canvas.image


def _landscape(scene: Scene, width: int, height: int) -> Image.Image:
    """Paint a calm sky with a low sun, one far hill and a meadow."""
    top, bottom, hill, meadow = SKIES[scene.sky]
    u, v = np.meshgrid(np.linspace(0, 1, 96), np.linspace(0, 1, 96))
    fade = np.clip(v / scene.horizon, 0, 1)[..., None]
    sky = np.array(top) * (1 - fade) + np.array(bottom) * fade
    near = np.exp(-((u - scene.sun[0]) ** 2 + (v - scene.sun[1]) ** 2) / 0.08)[..., None]
    sky = sky + 0.6 * near * (np.array(SUNLIGHT) - sky)
    image = Image.fromarray(sky.clip(0, 255).astype(np.uint8)).resize((width, height), Image.Resampling.BICUBIC)
    # A grain of two levels keeps JPEG from turning the slow gradients into bands.
    grain = np.random.default_rng(0).integers(-2, 3, (height, width, 1), dtype=np.int16)
    image = Image.fromarray((np.asarray(image) + grain).clip(0, 255).astype(np.uint8))
    canvas = Canvas(image)
    frame = Frame(matrix=np.diag((float(width), float(height), 1.0)))
    canvas.haze(frame, oval(*scene.sun, 0.07, 0.07 * width / height), SUNLIGHT, 0.006)
    canvas.fill(frame.child(0.8 - 0.6 * scene.sun[0], scene.horizon), _HILL, hill)
    canvas.fill(frame.child(0, scene.horizon), _MEADOW, meadow)
    return canvas.image


def _draw_upright(canvas: Canvas, frame: Frame, scene: Scene) -> None:
    """Draw the fox on its haunches, one paw up if it waves."""
    waves = scene.stance is Stance.WAVING
    canvas.haze(frame, oval(0.15, 0.8, 0.7, 0.09), SHADE, 0.06)
    _draw_tail(canvas, frame.child(0, 0, turn=scene.tail))
    for side in frame.sides():
        canvas.fill(side, oval(0.3, 0.79, 0.17, 0.07), SOCK)
    body = canvas.fill(frame, _BODY, FUR)
    for side in frame.sides():
        canvas.fill(side, oval(0.29, 0.6, 0.16, 0.2), FUR)
    canvas.fill(frame, _BIB, CREAM, within=body)
    for side in frame.sides()[: 1 if waves else 2]:
        leg = canvas.fill(side, _LEG, FUR)
        canvas.fill(side, _SOCK, SOCK, within=leg)
    canvas.haze(frame, oval(0, 0.08, 0.3, 0.12), INK, 0.05, within=body)
    _draw_scarf(canvas, frame.child(0, 0.03))
    if waves:
        _draw_arm(canvas, frame.child(-0.2, 0.3, turn=2 * scene.tilt - 142))
    _draw_head(canvas, frame.child(0.002 * scene.tilt, -0.36, turn=scene.tilt), scene)


def _draw_lying(canvas: Canvas, frame: Frame, scene: Scene) -> None:
    """Draw the fox as a loaf: on its belly, paws under the chin, tail up."""
    canvas.haze(frame, oval(0.12, 0.5, 0.75, 0.09), SHADE, 0.06)
    _draw_tail(canvas, frame.child(0.12, -0.28, turn=scene.tail))
    mound = canvas.fill(frame, _MOUND, FUR)
    canvas.fill(frame, _BIB, CREAM, within=mound)
    for side in frame.sides():
        canvas.fill(side, oval(0.43, 0.33, 0.2, 0.2), FUR)
        canvas.fill(side, oval(0.17, 0.34, 0.14, 0.18), FUR)
        canvas.fill(side, oval(0.17, 0.44, 0.15, 0.1), SOCK)
    canvas.haze(frame, oval(0, 0.12, 0.36, 0.12), INK, 0.06, within=mound)
    _draw_scarf(canvas, frame.child(0, 0.05))
    _draw_head(canvas, frame.child(0, -0.32, turn=scene.tilt), scene)


def _draw_tail(canvas: Canvas, frame: Frame) -> None:
    tail = canvas.fill(frame, _TAIL, FUR)
    canvas.fill(frame, _TAIL_TIP, CREAM, within=tail)


def _draw_arm(canvas: Canvas, frame: Frame) -> None:
    arm = canvas.fill(frame, _ARM, FUR)
    canvas.fill(frame, _ARM_SOCK, SOCK, within=arm)
    canvas.fill(frame, oval(0.42, 0, 0.045, 0.05), BLUSH)


def _draw_scarf(canvas: Canvas, frame: Frame) -> None:
    hanging = frame.child(0.15, 0.08, turn=-14)
    end = canvas.fill(hanging, _SCARF_END, SCARF)
    canvas.fill(hanging, _SCARF_STRIPE, STRIPE, within=end)
    canvas.fill(frame, _SCARF_RING, SCARF)


def _draw_head(canvas: Canvas, frame: Frame, scene: Scene) -> None:
    for side in frame.sides():
        ear = canvas.fill(side, _EAR, FUR)
        canvas.fill(side, _EAR_TIP, SOCK, within=ear)
        canvas.fill(side, _EAR_INSIDE, CREAM, within=ear)
    canvas.fill(frame, _TUFT, FUR)
    head = canvas.fill(frame, _HEAD, FUR)
    face = frame.child(0.05 * scene.look, 0)
    canvas.fill(face, _CHEEKS, CREAM, within=head)
    for side in face.sides():
        canvas.haze(side, oval(0.34, 0.17, 0.08, 0.05), BLUSH, 0.03, within=head)
    for x in (-0.225, 0.225):
        closed = scene.eyes is Eyes.SMILING or (scene.eyes is Eyes.WINKING and x > 0)
        _draw_eye(canvas, face.child(x + 0.015 * scene.look, 0), scene.look, closed=closed)
    if scene.eyes is Eyes.SMILING:
        grin = canvas.fill(face, _GRIN, INK, gloss=0)
        canvas.fill(face, oval(0, 0.36, 0.06, 0.05), BLUSH, within=grin)
    for side in face.sides():
        canvas.fill(side, _SMIRK, INK, gloss=0)
    canvas.fill(face, _NOSE, INK)


def _draw_eye(canvas: Canvas, frame: Frame, look: float, *, closed: bool) -> None:
    if closed:
        canvas.fill(frame, _CLOSED_EYE, INK, gloss=0)
        return
    canvas.fill(frame, oval(0, 0, 0.072, 0.092), INK)
    canvas.fill(frame, oval(0.02 * look - 0.02, -0.034, 0.028, 0.03), WHITE)
    canvas.fill(frame, oval(0.02 * look + 0.024, 0.036, 0.013, 0.013), WHITE)
