"""Owns the one picture that compares: columns that differ in one thing, rows of one seed each; never makes a picture.

It brings its own dark ground, as the contact sheet does, and letters that a phone still shows legibly.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image, ImageDraw, ImageFont, ImageOps

from bot.lettering import drawable

_WIDTH = 1200
_MARGIN, _GAP, _HEAD = 28, 16, 84
_LETTERS = 46
_GROUND, _EMPTY, _INK, _DIM = (32, 34, 40), (42, 45, 52), (255, 255, 255), (150, 155, 166)
_SMOOTH = 4
_QUALITY = 90


@dataclass(frozen=True, kw_only=True)
class ComparedColumn:
    """One column: what is written above it and its pictures from top to bottom, fewer when some are lacking."""

    label: str
    pictures: Sequence[bytes]


def draw_comparison(columns: Sequence[ComparedColumn], *, rows: int) -> tuple[bytes, int, int]:
    """Return the sheet as a JPEG with its width, 1200 px, and its height; all tiles are square.

    Raises:
        ValueError: there is no column or no row.
    """
    if not columns or rows < 1:
        raise ValueError("a sheet has at least one column and one row")
    side = (_WIDTH - 2 * _MARGIN - (len(columns) - 1) * _GAP) // len(columns)
    height = _HEAD + rows * (side + _GAP) - _GAP + _MARGIN
    sheet, corners = Image.new("RGB", (_WIDTH, height), _GROUND), _rounded(side)
    draw = ImageDraw.Draw(sheet)
    for number, column in enumerate(columns):
        left = _MARGIN + number * (side + _GAP)
        _write(draw, drawable(column.label), left + side / 2, _HEAD / 2 + 4, room=side)
        for row in range(rows):
            data = column.pictures[row] if row < len(column.pictures) else None
            sheet.paste(_tile(data, side), (left, _HEAD + row * (side + _GAP)), corners)
    buffer = io.BytesIO()
    sheet.save(buffer, "JPEG", quality=_QUALITY, subsampling=0)
    return buffer.getvalue(), _WIDTH, height


def _write(draw: ImageDraw.ImageDraw, text: str, middle: float, height: float, *, room: float) -> None:
    size = float(_LETTERS)
    while ImageFont.load_default(size).getlength(text) > room and size > _LETTERS / 3:
        size -= 2
    draw.text((middle, height), text, _INK, ImageFont.load_default(size), anchor="mm")


def _tile(data: bytes | None, side: int) -> Image.Image:
    if data is None:
        tile = Image.new("RGB", (side, side), _EMPTY)
        middle, half = side / 2, side / 16
        ImageDraw.Draw(tile).line([(middle - half, middle), (middle + half, middle)], _DIM, max(2, side // 60))
        return tile
    with Image.open(io.BytesIO(data)) as opened:
        return ImageOps.fit(opened.convert("RGB"), (side, side), Image.Resampling.LANCZOS)


def _rounded(side: int) -> Image.Image:
    mask = Image.new("L", (side * _SMOOTH, side * _SMOOTH))
    box = (0, 0, side * _SMOOTH - 1, side * _SMOOTH - 1)
    ImageDraw.Draw(mask).rounded_rectangle(box, side * _SMOOTH // 20, 255)
    return mask.resize((side, side), Image.Resampling.LANCZOS)
