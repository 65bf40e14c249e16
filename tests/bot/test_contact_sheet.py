import pytest
from PIL import Image, ImageChops

from bot.contact_sheet import MAX_SHEET_BYTES, MAX_TILES, SheetTile, draw_sheet, make_sheet
from bot.photo_workers import PhotoWorkers
from tests.bot.pictures import GREEN, RED, assert_colours, decode, draw_scene, encode

GREEN_PHOTO = encode(Image.new("RGB", (90, 60), GREEN))
RED_PHOTO = encode(Image.new("RGB", (60, 90), RED), "PNG")


def make_tiles(count, *, data=GREEN_PHOTO, first=1):
    return [SheetTile(number=number, data=data) for number in range(first, first + count)]


def changed_area(one, other):
    """Where two sheets differ by more than JPEG's noise, as left, top, right, bottom."""
    difference = ImageChops.difference(decode(one), decode(other)).convert("L")
    return difference.point(lambda value: 255 if value > 40 else 0).getbbox()


@pytest.mark.parametrize("count", [1, 2, 5, 8, 13, MAX_TILES])
def test_sheet_has_a_fixed_width_and_is_never_a_tower(count):
    sheet = decode(draw_sheet(make_tiles(count)))
    assert sheet.mode == "RGB"
    assert sheet.width == 1200
    assert 500 <= sheet.height <= 1200


def test_sheet_shows_the_photos_in_order_on_dark_ground():
    sheet = decode(draw_sheet([SheetTile(number=4, data=GREEN_PHOTO), SheetTile(number=9, data=RED_PHOTO)]))
    middle = sheet.height // 2
    seen = [sheet.getpixel((300, middle)), sheet.getpixel((900, middle)), sheet.getpixel((5, 5))]
    assert_colours(seen, [GREEN, RED, (32, 34, 40)])


def test_sheet_rounds_the_tiles():
    sheet = decode(draw_sheet(make_tiles(2)))
    assert_colours([sheet.getpixel((30, 30)), sheet.getpixel((80, 80))], [(32, 34, 40), GREEN])


def test_sheet_numbers_each_tile_at_its_bottom_left():
    left, top, right, bottom = changed_area(draw_sheet(make_tiles(2)), draw_sheet(make_tiles(2, first=24)))
    assert (left < 100, top > 400, bottom < 600) == (True, True, True)
    assert right < 600 + 250


def test_sheet_marks_only_what_has_a_finding():
    plain = make_tiles(2)
    marked = [plain[0], SheetTile(number=2, data=GREEN_PHOTO, warn=True)]
    left, top, right, bottom = changed_area(draw_sheet(plain), draw_sheet(marked))
    assert (left > 1000, top > 28, right < 1172, bottom < 200) == (True, True, True, True)


def test_sheet_ticks_what_has_no_finding():
    corner = decode(draw_sheet(make_tiles(1, data=RED_PHOTO))).crop((400, 28, 590, 150))
    colours = {colour for _, colour in corner.getcolors(100_000)}
    assert any(red < 80 and green > 140 for red, green, _ in colours)
    assert any(min(colour) > 230 for colour in colours)


def test_sheet_marks_captions_in_the_corner_opposite_to_the_number():
    captioned = [SheetTile(number=1, data=GREEN_PHOTO, captioned=True), SheetTile(number=2, data=GREEN_PHOTO)]
    left, top, right, bottom = changed_area(draw_sheet(make_tiles(2)), draw_sheet(captioned))
    assert (left > 400, right < 600, top > 400, bottom < 600) == (True, True, True, True)


def test_sheet_of_the_busiest_photos_stays_under_a_megabyte():
    noise = encode(Image.effect_noise((600, 600), 200).convert("RGB"), quality=100)
    assert len(draw_sheet(make_tiles(MAX_TILES, data=noise))) <= MAX_SHEET_BYTES


def test_sheet_takes_any_mode():
    tiles = [SheetTile(number=1, data=encode(draw_scene(64, 64).convert(mode), "PNG")) for mode in ("L", "P", "RGBA")]
    assert decode(draw_sheet(tiles)).size == (1200, 426)


@pytest.mark.parametrize("count", [0, MAX_TILES + 1])
def test_sheet_has_one_to_thirty_tiles(count):
    with pytest.raises(ValueError, match=f"1 to 30 tiles, not {count}"):
        draw_sheet(make_tiles(count))


async def test_make_sheet_draws_the_same_in_a_worker():
    async with PhotoWorkers() as workers:
        assert await make_sheet(make_tiles(3), workers=workers) == draw_sheet(make_tiles(3))
