"""Owns the one picture that shows what a server spent: bars a day, providers, people; never adds anything up.

Like the contact sheet it brings its own dark ground, so that it looks the same on a dark and a light page, and its
writing stays legible when a phone shows it at a third of its size. There is no word in it, so it needs no translation
and no large font: dates are as ISO 8601 writes them, and people are numbers, whose names the message beside it says.
"""

import io
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from PIL import Image, ImageDraw, ImageFont

from bot.lettering import drawable

MICRO = 1_000_000
#: Rows of each list; what is left is summed up in one more.
MOST_ROWS = 5

Colour = tuple[int, int, int]

_WIDTH, _MARGIN = 1200, 56
_GROUND, _PANEL, _LINE = (32, 34, 40), (42, 45, 52), (70, 74, 84)
_INK, _SOFT = (255, 255, 255), (190, 195, 205)
#: Told apart by people with any kind of colour vision (Okabe and Ito 2008, without its black and its dark blue).
_COLOURS = ((86, 180, 233), (230, 159, 0), (0, 158, 115), (240, 228, 66), (204, 121, 167), (213, 94, 0))
_OTHERS = (140, 145, 155)
_TITLE, _TEXT, _SMALL = 48, 38, 32
_BARS = 330
_ROW = 62


@dataclass(frozen=True, kw_only=True)
class ChartDay:
    """One bar."""

    day: date
    by_provider: Mapping[str, int]


@dataclass(frozen=True, kw_only=True)
class Chart:
    """All that is drawn; amounts in millionths of a dollar."""

    days: Sequence[ChartDay]
    #: Title and amount, the largest first; the keys of the days' bars are these titles.
    providers: Sequence[tuple[str, int]]
    #: Amounts of persons 1, 2, 3 and so on.
    people: Sequence[int]


@dataclass(frozen=True, kw_only=True)
class _List:
    rows: Sequence[tuple[str, int]]
    #: Of each row's bar, by its title.
    colours: Mapping[str, Colour]
    left: int
    right: int
    top: int
    #: Where the bars begin.
    indent: int


def draw_chart(chart: Chart) -> bytes:
    """Return the chart as a PNG, 1200 px wide.

    Raises:
        ValueError: nothing was spent, and there is nothing to be seen.
    """
    if not any(sum(day.by_provider.values()) for day in chart.days):
        raise ValueError("nothing was spent")
    rows = max(min(len(chart.providers), MOST_ROWS + 1), min(len(chart.people), MOST_ROWS + 1))
    height = 150 + _BARS + 130 + rows * _ROW + _MARGIN // 2
    sheet = Image.new("RGB", (_WIDTH, height), _GROUND)
    draw = ImageDraw.Draw(sheet)
    days = f"{chart.days[0].day} / {chart.days[-1].day}"
    total = sum(amount for _title, amount in chart.providers)
    draw.text((_MARGIN, 52), days, _SOFT, _font(_TEXT))
    draw.text((_WIDTH - _MARGIN, 46), _dollars(total), _INK, _font(_TITLE), anchor="ra")
    colours = _colours(chart.providers)
    _draw_bars(draw, chart, colours, top=150)
    for one in _lists(chart, colours, top=150 + _BARS + 106):
        _draw_list(draw, one)
    buffer = io.BytesIO()
    sheet.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def _lists(chart: Chart, colours: Mapping[str, Colour], *, top: int) -> Sequence[_List]:
    half, numbered = _WIDTH // 2, [(str(number), amount) for number, amount in enumerate(chart.people, 1)]
    people = _cut(numbered)
    return [
        _List(
            rows=_cut(chart.providers),
            colours=colours,
            left=_MARGIN,
            right=half - 30,
            top=top,
            indent=256,
        ),
        _List(
            rows=people,
            colours=dict.fromkeys((name for name, _amount in people), _SOFT),
            left=half + 30,
            right=_WIDTH - _MARGIN,
            top=top,
            indent=80,
        ),
    ]


def _colours(providers: Sequence[tuple[str, int]]) -> Mapping[str, Colour]:
    return defaultdict(lambda: _OTHERS, zip([title for title, _sum in providers[:MOST_ROWS]], _COLOURS, strict=False))


def _cut(rows: Sequence[tuple[str, int]]) -> Sequence[tuple[str, int]]:
    if len(rows) <= MOST_ROWS + 1:
        return rows
    return [*rows[:MOST_ROWS], (f"+{len(rows) - MOST_ROWS}", sum(amount for _title, amount in rows[MOST_ROWS:]))]


def _draw_bars(draw: ImageDraw.ImageDraw, chart: Chart, colours: Mapping[str, Colour], *, top: int) -> None:
    most = max(sum(day.by_provider.values()) for day in chart.days)
    bottom = top + _BARS
    draw.rounded_rectangle((_MARGIN - 20, top - 20, _WIDTH - _MARGIN + 20, bottom + 70), 24, _PANEL)
    scale = _round_up(most)
    left = _MARGIN + 120
    for share in (0.0, 0.5, 1.0):
        y = bottom - share * (_BARS - 20)
        draw.line((left, y, _WIDTH - _MARGIN, y), _LINE, 2)
        draw.text((left - 16, y), _dollars(round(scale * share)), _SOFT, _font(_SMALL), anchor="rm")
    step = (_WIDTH - _MARGIN - left) / len(chart.days)
    order = [title for title, _amount in chart.providers]
    # The writing is drawn where it has room, counted from today backwards.
    every = -(-len(chart.days) // 6)
    for place, day in enumerate(chart.days):
        x, y, back = left + place * step, float(bottom), len(chart.days) - 1 - place
        for title in sorted(day.by_provider, key=order.index):
            high = day.by_provider[title] / scale * (_BARS - 20)
            draw.rectangle((x + step * 0.12, y - high, x + step * 0.88, y), colours[title])
            y -= high
        if back % every == 0:
            spot, anchor = (x + step * 0.88, "ra") if back == 0 else (x + step / 2, "ma")
            draw.text((spot, bottom + 18), f"{day.day:%m-%d}", _SOFT, _font(_SMALL), anchor=anchor)


def _draw_list(draw: ImageDraw.ImageDraw, one: _List) -> None:
    most = max(amount for _title, amount in one.rows)
    begin, end = one.left + one.indent, one.right - 130
    for place, (name, amount) in enumerate(one.rows):
        y, colour = one.top + place * _ROW, one.colours[name]
        _draw_name(draw, one, name, y)
        draw.rounded_rectangle((begin, y + 12, begin + max(6, (end - begin) * amount / most), y + 34), 8, colour)
        draw.text((one.right, y + 23), _dollars(amount), _INK, _font(_SMALL), anchor="rm")


def _draw_name(draw: ImageDraw.ImageDraw, one: _List, name: str, y: int) -> None:
    left, room = one.left, one.indent - 20
    if name.isdigit():
        draw.ellipse((left, y, left + 46, y + 46), _LINE)
        draw.text((left + 23, y + 23), name, _INK, _font(_SMALL), anchor="mm")
        return
    if one.colours[name] is not _SOFT:
        draw.rounded_rectangle((left, y + 9, left + 28, y + 37), 8, one.colours[name])
        left, room = left + 44, room - 44
    draw.text((left, y + 23), _fitting(name, room, _SMALL), _INK, _font(_SMALL), anchor="lm")


def _fitting(text: str, width: int, size: int) -> str:
    font, text = _font(size), drawable(text)
    if font.getlength(text) <= width:
        return text
    while text and font.getlength(f"{text}..") > width:
        text = text[:-1]
    return f"{text}.."


def _round_up(amount: int) -> int:
    """Return the next round amount: a small digit with zeros."""
    power = 1
    while power * 10 < amount:
        power *= 10
    return next(step * power for step in (1, 2, 3, 4, 5, 6, 8, 10) if step * power >= amount)


def _dollars(micro: int) -> str:
    usd = micro / MICRO
    if usd >= 100 or micro == 0:
        return f"${usd:.0f}"
    return f"${usd:.2f}" if usd >= 0.01 else f"${usd:.4f}"


def _font(size: float) -> ImageFont.FreeTypeFont:
    font = ImageFont.load_default(size)
    assert isinstance(font, ImageFont.FreeTypeFont)  # noqa: S101 - with a size it always is
    return font
