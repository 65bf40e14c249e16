import io
from itertools import combinations

import numpy as np
import pytest
from PIL import ExifTags, Image, ImageOps

from playground.sample_photos import SamplePhoto, sample_photos


@pytest.fixture(scope="module")
def photos() -> list[SamplePhoto]:
    return sample_photos()


def stored(photo):
    return Image.open(io.BytesIO(photo.data))


def upright(photo):
    return ImageOps.exif_transpose(stored(photo))


def dhash(photo):
    grey = np.asarray(upright(photo).convert("L").resize((9, 8), Image.Resampling.LANCZOS), np.int16)
    return (grey[:, :-1] > grey[:, 1:]).ravel()


def laplacian_variance(photo, side):
    picture = upright(photo).convert("L")
    picture.thumbnail((side, side))
    g = np.asarray(picture, np.float64)
    return (g[:-2, 1:-1] + g[2:, 1:-1] + g[1:-1, :-2] + g[1:-1, 2:] - 4 * g[1:-1, 1:-1]).var()


def fur_share(photo):
    """How much of the picture is fox-red."""
    r, g, b = np.asarray(upright(photo).convert("RGB"), np.int16).transpose(2, 0, 1)
    return ((r > 160) & (r - g > 70) & (g - b > 20)).mean()


def test_sample_photos_are_eight_jpegs_with_different_names(photos):
    assert [stored(photo).format for photo in photos] == ["JPEG"] * 8
    assert len({photo.name for photo in photos}) == 8


def test_sample_photos_same_seed_gives_same_bytes(photos):
    assert sample_photos(3) == photos[:3]


def test_sample_photos_other_seed_gives_other_pictures(photos):
    assert all(a.data != b.data for a, b in zip(sample_photos(2, seed=8), photos, strict=False))


def test_sample_photos_come_square_and_wide(photos):
    assert {upright(photo).size for photo in photos} == {(1024, 1024), (1024, 896)}


def test_sample_photos_size_sets_the_longer_side():
    assert [upright(photo).size for photo in sample_photos(4, size=256)] == [(256, 256)] * 3 + [(256, 224)]


def test_sample_photos_later_laps_draw_new_pictures():
    first, *_, ninth = sample_photos(9, size=256)
    assert (dhash(first) != dhash(ninth)).sum() > 8


def test_sample_photos_are_no_near_duplicates_of_each_other(photos):
    hashes = [dhash(photo) for photo in photos]
    assert min((a != b).sum() for a, b in combinations(hashes, 2)) > 8


@pytest.mark.parametrize("side", [256, 512, 1024])
def test_sample_photos_are_sharp(photos, side):
    assert min(laplacian_variance(photo, side) for photo in photos) > 100


def test_sample_photos_are_neither_dark_nor_light(photos):
    means = [np.asarray(upright(photo).convert("L")).mean() for photo in photos]
    assert min(means) > 100
    assert max(means) < 200


def test_sample_photos_all_show_the_fox_large(photos):
    assert min(fur_share(photo) for photo in photos) > 0.12


def test_sample_photos_one_carries_an_orientation_and_a_place(photos):
    tagged = [photo for photo in photos if stored(photo).getexif().get_ifd(ExifTags.IFD.GPSInfo)]
    exif = stored(tagged[0]).getexif()
    assert len(tagged) == 1
    assert exif[ExifTags.Base.Orientation] == 6
    assert exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitude] == (48.0, 52.0, 36.0)


def test_sample_photos_the_turned_one_is_upright_once_its_tag_is_applied(photos):
    picture = np.asarray(upright(photos[1]).convert("RGB"), np.int16)
    sky, meadow = picture[:40].mean((0, 1)), picture[-40:].mean((0, 1))
    assert sky[2] > sky[1]
    assert meadow[1] > meadow[2]
