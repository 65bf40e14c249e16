"""Owns the one picture that shows a whole draft: its photos as numbered tiles; never reads what the photos mean.

Discord scales it to about 550 px on a desktop and 350 px on a phone, on a dark or a light page. So the sheet brings its
own dark ground, the numbers stay legible at a third of their size, and everything is drawn in sRGB without alpha.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image, ImageDraw, ImageFont, ImageOps

from bot.photo_workers import PhotoWorkers

MAX_TILES = 30
MAX_SHEET_BYTES = 1_000_000

_WIDTH = 1200
_MARGIN, _GAP = 28, 16
#: Columns for up to so many tiles: rows stay full for the usual counts, and the sheet about as wide as high or wider.
_COLUMNS = ((2, 2), (3, 3), (4, 4), (6, 3), (8, 4), (9, 3), (12, 4), (15, 5), (16, 4), (20, 5), (30, 6))
_GROUND, _EMPTY = (32, 34, 40), (42, 45, 52)
_INK, _BADGE = (255, 255, 255), (20, 21, 25)
_AMBER, _AMBER_INK = (250, 176, 45), (38, 26, 4)
_GREEN, _GREEN_INK = (52, 160, 96), (255, 255, 255)
#: Shapes are drawn so many times larger and shrunk, which is what makes their edges smooth.
_SMOOTH = 4
_QUALITIES = (88, 75, 60, 40)


@dataclass(frozen=True, kw_only=True)
class SheetTile:
    """One photo on the sheet."""

    number: int
    #: An image file that Pillow reads, such as `DevelopedPhoto.data`.
    data: bytes
    #: Mark it with an exclamation mark, because something was found about it; else with a tick.
    warn: bool = False
    #: Mark it as one with a caption.
    captioned: bool = False


async def make_sheet(tiles: Sequence[SheetTile], *, workers: PhotoWorkers) -> bytes:
    """Return what `draw_sheet` draws, without holding up the event loop.

    Raises:
        WorkOverran: It did not end in time.
    """
    return await workers.run(draw_sheet, tuple(tiles))


def draw_sheet(tiles: Sequence[SheetTile]) -> bytes:
    """Return the contact sheet as a JPEG of at most 1 MB, 1200 px wide, the tiles in the order given.

    Raises:
        ValueError: There is no tile, or there are more than `MAX_TILES`.
    """
    if not 1 <= len(tiles) <= MAX_TILES:
        raise ValueError(f"a sheet has 1 to {MAX_TILES} tiles, not {len(tiles)}")
    columns = next(columns for most, columns in _COLUMNS if len(tiles) <= most)
    rows = -(-len(tiles) // columns)
    side = (_WIDTH - 2 * _MARGIN - (columns - 1) * _GAP) // columns
    stride = side + _GAP
    sheet = Image.new("RGB", (_WIDTH, 2 * _MARGIN + rows * stride - _GAP), _GROUND)
    corners = _rounded(side, side, side // 12)
    for index in range(rows * columns):
        spot = (_MARGIN + index % columns * stride, _MARGIN + index // columns * stride)
        face = _draw_face(tiles[index], side) if index < len(tiles) else Image.new("RGB", (side, side), _EMPTY)
        sheet.paste(face, spot, corners)
    return _encode(sheet)


def _draw_face(tile: SheetTile, side: int) -> Image.Image:
    with Image.open(io.BytesIO(tile.data)) as opened:
        opened.draft("RGB", (side, side))
        # A little above the middle: that is where faces are.
        face = ImageOps.fit(opened.convert("RGB"), (side, side), Image.Resampling.LANCZOS, centering=(0.5, 0.4))
    unit = max(50, side // 5)
    inset = max(8, side // 28)
    _draw_number(face, tile.number, unit, inset)
    if tile.captioned:
        _draw_lines(face, unit, inset)
    _draw_verdict(face, unit, inset, warn=tile.warn)
    return face


def _draw_number(face: Image.Image, number: int, unit: int, inset: int) -> None:
    font = ImageFont.load_default(unit * 0.66)
    text = str(number)
    width = max(unit, round(font.getlength(text) + unit * 0.55))
    top = face.height - inset - unit
    face.paste(_BADGE, (inset, top), _rounded(width, unit, unit // 2).point(lambda value: value * 7 // 8))
    ImageDraw.Draw(face).text(
        (inset + width / 2, top + unit / 2), text, _INK, font, anchor="mm", stroke_width=unit / 50
    )


def _draw_verdict(face: Image.Image, unit: int, inset: int, *, warn: bool) -> None:
    """Draw an exclamation mark or a tick; they differ in shape, as not everybody tells their colours apart."""
    size = unit if warn else unit * 3 // 4
    spot = (face.width - inset - size, inset)
    ring = max(2, unit // 14)
    # A dark ring keeps the mark apart from a photo of its own colour.
    face.paste(_BADGE, (spot[0] - ring, spot[1] - ring), _rounded(size + 2 * ring, size + 2 * ring, size // 2 + ring))
    face.paste(_AMBER if warn else _GREEN, spot, _rounded(size, size, size // 2))
    stroke = Image.new("L", (size * _SMOOTH, size * _SMOOTH))
    draw, step = ImageDraw.Draw(stroke), size * _SMOOTH / 100
    if warn:
        draw.rounded_rectangle((44 * step, 20 * step, 56 * step, 60 * step), 6 * step, 255)
        draw.ellipse((43 * step, 68 * step, 57 * step, 82 * step), 255)
    else:
        corners = [(28 * step, 52 * step), (43 * step, 67 * step), (73 * step, 35 * step)]
        draw.line(corners, 255, round(11 * step), joint="curve")
        for x, y in corners[::2]:
            draw.ellipse((x - 5.5 * step, y - 5.5 * step, x + 5.5 * step, y + 5.5 * step), 255)
    face.paste(_AMBER_INK if warn else _GREEN_INK, spot, stroke.resize((size, size), Image.Resampling.LANCZOS))


def _draw_lines(face: Image.Image, unit: int, inset: int) -> None:
    """Draw three lines of text in the corner opposite to the number: this photo has a caption."""
    spot = (face.width - inset - unit, face.height - inset - unit)
    face.paste(_BADGE, spot, _rounded(unit, unit, unit // 2).point(lambda value: value * 7 // 8))
    stroke = Image.new("L", (unit * _SMOOTH, unit * _SMOOTH))
    draw, step = ImageDraw.Draw(stroke), unit * _SMOOTH / 100
    for top, right in ((32, 74), (47, 74), (62, 56)):
        draw.rounded_rectangle((26 * step, top * step, right * step, (top + 8) * step), 4 * step, 255)
    face.paste(_INK, spot, stroke.resize((unit, unit), Image.Resampling.LANCZOS))


def _rounded(width: int, height: int, radius: int) -> Image.Image:
    mask = Image.new("L", (width * _SMOOTH, height * _SMOOTH))
    box = (0, 0, width * _SMOOTH - 1, height * _SMOOTH - 1)
    ImageDraw.Draw(mask).rounded_rectangle(box, radius * _SMOOTH, 255)
    return mask.resize((width, height), Image.Resampling.LANCZOS)


def _encode(sheet: Image.Image) -> bytes:
    data = b""
    for quality in _QUALITIES:
        buffer = io.BytesIO()
        sheet.save(buffer, "JPEG", quality=quality, subsampling=0)
        data = buffer.getvalue()
        if len(data) <= MAX_SHEET_BYTES:
            break
    return data
