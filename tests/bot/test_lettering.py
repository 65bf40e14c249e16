"""Letters in pictures: what Pillow's own font has, and what stands in for the rest."""

import pytest
from PIL import Image, ImageDraw, ImageFont

from bot.lettering import drawable


@pytest.mark.parametrize(
    ("text", "drawn"),
    [
        ("step 500", "step 500"),
        ("étape pérdida", "etape perdida"),
        ("Größe", "Grosse"),
        ("Łódź", "Lodz"),
        ("A – B…", "A - B..."),
        ("e\u0301", "e"),
        ("狐", "?"),
    ],
)
def test_letters_that_the_font_lacks_are_spelled_plainly(text, drawn):
    assert drawable(text) == drawn


def test_font_draws_what_is_drawable_and_a_box_for_the_rest():
    def drawn(text):
        picture = Image.new("L", (60, 60))
        ImageDraw.Draw(picture).text((10, 10), text, 255, ImageFont.load_default(30))
        return picture.tobytes()

    # All letters that the font lacks look the same: as boxes.
    assert drawn("é") == drawn("狐")
    assert drawn(drawable("é")) == drawn("e") != drawn("é")
