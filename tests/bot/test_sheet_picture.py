"""The picture that compares: columns with their labels, rows that line up, and tiles for what is lacking."""

import io

import pytest
from PIL import Image

from bot.sheet_picture import ComparedColumn, draw_comparison


def tile(colour):
    buffer = io.BytesIO()
    Image.new("RGB", (64, 96), colour).save(buffer, "PNG")
    return buffer.getvalue()


RED, BLUE = tile((220, 30, 30)), tile((30, 30, 220))


def opened(columns, rows):
    data, width, height = draw_comparison(columns, rows=rows)
    picture = Image.open(io.BytesIO(data)).convert("RGB")
    assert picture.size == (width, height)
    return picture


def looks(picture, x, y):
    red, _green, blue = picture.getpixel((x, y))
    return "red" if red > 150 else "blue" if blue > 150 else "dark"


def test_sheet_has_a_column_for_each_and_a_row_for_each_seed():
    picture = opened(
        [ComparedColumn(label="0.6", pictures=[RED, BLUE]), ComparedColumn(label="1", pictures=[BLUE, RED])], 2
    )
    assert picture.width == 1200
    assert [[looks(picture, x, y) for x in (300, 900)] for y in (300, 900)] == [["red", "blue"], ["blue", "red"]]


def test_sheet_leaves_a_dark_tile_for_what_is_lacking():
    picture = opened([ComparedColumn(label="0.6", pictures=[RED]), ComparedColumn(label="1", pictures=[])], 1)
    assert [looks(picture, x, 200) for x in (300, 900)] == ["red", "dark"]


def test_sheet_brings_its_own_ground_and_writes_above_the_columns():
    picture = opened([ComparedColumn(label="step 48", pictures=[RED])], 1)
    assert picture.getpixel((3, 3)) == pytest.approx((32, 34, 40), abs=4)
    assert any(picture.getpixel((x, 46))[1] > 200 for x in range(400, 800))


def test_sheet_of_nothing_is_refused():
    with pytest.raises(ValueError, match="at least one column"):
        draw_comparison([], rows=1)
