"""Owns the picture of a loss that comes down: axes, measured points, a smooth line; never decides what is good.

It brings its own dark ground, as the contact sheet does, so that it reads the same on Discord's dark and light pages,
and its letters stay legible when a phone shows it at a third of its size.
"""

import io
import itertools
import math
from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont

from bot.lettering import drawable
from bot.texts import _
from providers.base import LossPoint

#: Fewer points make no curve.
FEWEST_POINTS = 3

_SIZE = (1200, 675)
_LEFT, _RIGHT, _TOP, _BOTTOM = 170, 44, 56, 110
_GROUND, _GRID, _INK, _DIM = (32, 34, 40), (56, 60, 69), (240, 241, 244), (168, 173, 184)
_RAW, _SMOOTH_LINE, _MARK = (86, 103, 158), (139, 164, 255), (87, 211, 140)
_LETTERS = 34
#: Drawn so many times larger and shrunk, which is what makes lines smooth.
_SCALE = 2
#: Share of the points over which the smooth line averages.
_WINDOW = 0.06

_Spot = tuple[float, float]


def draw_curve(points: Sequence[LossPoint], *, steps: int) -> bytes:
    """Return the curve as a PNG of 1200 × 675 px; the horizontal axis goes to `steps`.

    Raises:
        ValueError: there are fewer than `FEWEST_POINTS`.
    """
    if len(points) < FEWEST_POINTS:
        raise ValueError(f"a curve has at least {FEWEST_POINTS} points, not {len(points)}")
    sheet = Image.new("RGB", (_SIZE[0] * _SCALE, _SIZE[1] * _SCALE), _GROUND)
    draw = ImageDraw.Draw(sheet)
    losses = [point.loss for point in points]
    rungs = _ticks(min(losses), max(losses))
    frame = _Frame(last_step=max(steps, points[-1].step, 1), low=rungs[0], high=rungs[-1])
    _draw_axes(draw, frame, rungs)
    raw = [frame.spot(point.step, point.loss) for point in points]
    smooth = [frame.spot(point.step, loss) for point, loss in zip(points, _smoothed(losses), strict=True)]
    if smooth != raw:
        draw.line(raw, _RAW, 2 * _SCALE, joint="curve")
    draw.line(smooth, _SMOOTH_LINE, 5 * _SCALE, joint="curve")
    _draw_last(draw, smooth[-1], losses[-1])
    buffer = io.BytesIO()
    sheet.resize(_SIZE, Image.Resampling.LANCZOS).save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def describe_curve(points: Sequence[LossPoint]) -> str:
    """Return what the curve shows, for people who do not see it."""
    first, last, best = points[0], points[-1], min(points, key=lambda point: point.loss)
    return _(
        "A curve of the loss: {first} at step {first_step}, {last} at step {last_step}, "
        "lowest {best} at step {best_step}."
    ).format(
        first=f"{first.loss:.3g}",
        first_step=first.step,
        last=f"{last.loss:.3g}",
        last_step=last.step,
        best=f"{best.loss:.3g}",
        best_step=best.step,
    )


class _Frame:
    """Where the axes lie, and so where a step with its loss does."""

    def __init__(self, *, last_step: int, low: float, high: float) -> None:
        self.last_step, self.low, self.high = last_step, low, high
        self.left, self.right = _LEFT * _SCALE, (_SIZE[0] - _RIGHT) * _SCALE
        self.top, self.bottom = _TOP * _SCALE, (_SIZE[1] - _BOTTOM) * _SCALE

    def spot(self, step: float, loss: float) -> _Spot:
        across = step / self.last_step
        up = (loss - self.low) / (self.high - self.low)
        return self.left + across * (self.right - self.left), self.bottom - up * (self.bottom - self.top)


def _draw_axes(draw: ImageDraw.ImageDraw, frame: _Frame, rungs: Sequence[float]) -> None:
    font = ImageFont.load_default(_LETTERS * _SCALE)
    for loss in rungs:
        _across, height = frame.spot(0, loss)
        draw.line([(frame.left, height), (frame.right, height)], _GRID, 2 * _SCALE)
        draw.text((frame.left - 16 * _SCALE, height), f"{loss:.4g}", _DIM, font, anchor="rm")
    for step in _steps(frame.last_step):
        across, _height = frame.spot(step, frame.low)
        draw.line([(across, frame.bottom), (across, frame.bottom + 8 * _SCALE)], _GRID, 2 * _SCALE)
        anchor = "mt" if step < frame.last_step * 0.97 else "rt"
        draw.text((across, frame.bottom + 16 * _SCALE), f"{step:g}", _DIM, font, anchor=anchor)
    draw.text((frame.left, 12 * _SCALE), drawable(_("loss")), _INK, font, anchor="la")
    draw.text((frame.right, (_SIZE[1] - 12) * _SCALE), drawable(_("step")), _INK, font, anchor="rs")


def _draw_last(draw: ImageDraw.ImageDraw, spot: _Spot, loss: float) -> None:
    """Mark where it stands, with its number beside it where there is room."""
    radius = 10 * _SCALE
    box = (spot[0] - radius, spot[1] - radius, spot[0] + radius, spot[1] + radius)
    draw.ellipse(box, _MARK, outline=_GROUND, width=3 * _SCALE)
    font = ImageFont.load_default(_LETTERS * 1.2 * _SCALE)
    text, right = f"{loss:.3g}", (_SIZE[0] - _RIGHT) * _SCALE
    beside = spot[0] + 24 * _SCALE + font.getlength(text) < right
    place = (spot[0] + 24 * _SCALE, spot[1]) if beside else (right, spot[1] - 20 * _SCALE)
    anchor = "lm" if beside else "rs"
    draw.text(place, text, _INK, font, anchor=anchor, stroke_width=4 * _SCALE, stroke_fill=_GROUND)


def _smoothed(losses: Sequence[float]) -> list[float]:
    """Return running means; a training's own noise hides where it goes, and a short curve is left as it is."""
    reach = round(len(losses) * _WINDOW / 2)
    if reach < 1 or all(later <= earlier for earlier, later in itertools.pairwise(losses)):
        return list(losses)
    windows = (losses[max(0, i - reach) : i + reach + 1] for i in range(len(losses)))
    return [math.fsum(window) / len(window) for window in windows]


def _ticks(low: float, high: float) -> list[float]:
    """Return round numbers that span these two, four to six of them."""
    span = (high - low) or abs(high) or 1.0
    rough = span / 4
    unit = 10.0 ** math.floor(math.log10(rough))
    stride = next(unit * factor for factor in (1, 2, 2.5, 5, 10) if unit * factor >= rough)
    first = math.floor(low / stride + 1e-9)
    last = max(math.ceil(high / stride - 1e-9), first + 1)
    return [number * stride for number in range(first, last + 1)]


def _steps(last: int) -> list[float]:
    return [step for step in _ticks(0, last) if 0 <= step <= last]
