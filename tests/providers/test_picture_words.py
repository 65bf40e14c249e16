"""Pictures lose the words that their makers wrote into them, and no pixel."""

import io

import pytest
from PIL import Image, ImageCms
from PIL.PngImagePlugin import PngInfo

from providers.errors import ArtifactBroken
from providers.picture_words import without_words

SECRET = "rustyfox in a secret place"


def make_picture(kind):
    image = Image.radial_gradient("L").convert("RGB")
    exif = Image.Exif()
    exif[0x010E] = SECRET
    more = {"exif": exif.tobytes(), "icc_profile": ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()}
    if kind == "PNG":
        words = PngInfo()
        words.add_text("prompt", SECRET)
        words.add_text("workflow", SECRET, zip=True)
        words.add_itxt("parameters", SECRET)
        more["pnginfo"] = words
    if kind == "JPEG":
        more["comment"] = SECRET.encode()
    if kind == "WEBP":
        more |= {"xmp": SECRET.encode(), "lossless": True}
    made = io.BytesIO()
    image.save(made, kind, **more)
    return made.getvalue()


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_picture_loses_words_and_keeps_pixels_and_colours(kind):
    before = make_picture(kind)
    after = without_words(before)

    assert SECRET.encode() in before
    assert SECRET.encode() not in after
    with Image.open(io.BytesIO(before)) as old, Image.open(io.BytesIO(after)) as new:
        new.load()
        assert new.tobytes() == old.tobytes()
        assert new.info["icc_profile"] == old.info["icc_profile"]
        assert not {"prompt", "workflow", "parameters", "exif", "comment", "xmp"} & new.info.keys()


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_picture_without_words_stays_as_it_is(kind):
    once = without_words(make_picture(kind))
    assert without_words(once) == once


@pytest.mark.parametrize(
    "data",
    [b"", b"GIF89a", make_picture("PNG")[:60], b"\xff\xd8\xff", b"RIFF1234WEBPVP8"],
    # A picture's bytes tell the second that it was made in, and both workers have to give a test the same name.
    ids=["nothing", "GIF", "half a PNG", "half a JPEG", "half a WebP"],
)
def test_picture_that_is_none_or_cut_off_is_refused(data):
    with pytest.raises(ArtifactBroken):
        without_words(data)
