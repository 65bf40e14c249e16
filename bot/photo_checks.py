"""Owns what is said about a photo that is usable but may spoil a training; never refuses one.

How the limits were found: 21 sharp pictures (13 photos of people, animals, things and streets, 8 drawn ones) were
blurred with Gaussians and exposed darker and lighter, and measured by the functions below.

* Sharpness: untouched 570 to 11,000, and 153 for a soft picture of the moon. Blurred by 0.1 % of the longest side 78 to
  3,000; by 0.2 %, which is 2 px at 1024, 10 to 390; by 0.4 % 3 to 38. A photo blurred by motion 29. At the limit of 60,
  none of the first two kinds is named, 9 of 21 of the third, and all of the rest.
* Brightness: untouched mean 61 to 173 with at most 2 % of pure white, none named. 3 stops darker mean 23 to 67, 9 of 21
  named; 4 stops 17 to 49, 13 named. 2 stops lighter mean 108 to 241, white 1 to 78 %, 10 named; 3 stops 13 named.
* dHash: another size or JPEG at quality 30 changed 0 to 2 bits, cutting 2 % off each side 1 to 8, a third more light 0
  to 12; pictures that differ were 15 bits or more apart, even of the same subject on the same meadow.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bot.texts import N_, _

#: The side that trainers crop to at their smallest usual resolution.
MIN_SIDE = 512
MIN_SHARPNESS = 60
MIN_BRIGHTNESS = 45
MAX_BRIGHTNESS = 215
MAX_WHITE_PERCENT = 50
MAX_HASH_DISTANCE = 8

#: Sharpness depends on the size at which it is measured.
_CHECK_SIDE = 512
_TILES = 8

_MUCH_WHITE = N_(
    "is too light ({measured} % of it is pure white; up to {limit} % is good): "
    "use softer light, or a background that is not white."
)
_PALE = N_(
    "is too light (brightness {measured} of 255; up to {limit} is good): "
    "use softer light, or a background that is not white."
)


class FindingCode(StrEnum):
    """What may be wrong with a photo; the value is stored, so never rename one."""

    TOO_SMALL = "too_small"
    BLURRED = "blurred"
    TOO_DARK = "too_dark"
    TOO_LIGHT = "too_light"
    NEAR_DUPLICATE = "near_duplicate"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing about a photo that its owner should know."""

    code: FindingCode
    #: Pixels, sharpness, brightness from 0 to 255, percent of white, or differing bits: as the sentence says.
    measured: float
    #: In English, as the catalogues have it, with places for the values; goes on after "Photo 3".
    sentence: str
    values: Mapping[str, int] = field(default_factory=dict)

    @property
    def said(self) -> str:
        """Return the sentence in the language that is spoken now."""
        return _(self.sentence).format(**self.values)


def examine(picture: Image.Image) -> tuple[Finding, ...]:
    """Return what may be wrong with a decoded RGB picture, the gravest first."""
    luma = _shrunk_luma(picture)
    found = (_check_size(picture.size), _check_sharpness(luma), _check_dark(luma), _check_light(luma))
    return tuple(finding for finding in found if finding is not None)


def hash_picture(picture: Image.Image) -> str:
    """Return the 64-bit dHash as 16 hex digits: whether the light falls from each cell of a 9 by 8 grid to the next.

    Text, because half of all such numbers do not fit the signed integers of a database.
    """
    cells = np.asarray(picture.convert("L").resize((9, 8), Image.Resampling.LANCZOS))
    return np.packbits(cells[:, :-1] > cells[:, 1:]).tobytes().hex()


def near_duplicate_of(dhash: str, others: Mapping[int, str]) -> Finding | None:
    """Return a finding that names the number of the photo most like this one, None when none is alike.

    Args:
        dhash: What `hash_picture` said of this photo.
        others: The same of the other photos by their numbers.
    """
    distances = ((_distance(dhash, other), number) for number, other in others.items())
    distance, number = min(distances, default=(MAX_HASH_DISTANCE + 1, 0))
    if distance > MAX_HASH_DISTANCE:
        return None
    return Finding(
        code=FindingCode.NEAR_DUPLICATE,
        measured=distance,
        sentence=N_("looks almost like photo {number}: keep the better one, different photos teach more."),
        values={"number": number},
    )


def find_duplicates(dhashes: Mapping[int, str]) -> dict[int, Finding]:
    """Return a finding for each photo that looks like one with a smaller number, by its own number."""
    seen: dict[int, str] = {}
    found: dict[int, Finding] = {}
    for number, dhash in sorted(dhashes.items()):
        finding = near_duplicate_of(dhash, seen)
        if finding is not None:
            found[number] = finding
        seen[number] = dhash
    return found


def measure_sharpness(luma: NDArray[np.float32]) -> float:
    """Return how sharp the sharpest tenth of a picture is.

    The variance of the Laplacian (Pech-Pacheco et al., ICPR 2000), but of 64 tiles instead of the whole: a portrait
    before a soft background is sharp where it should be, and only its best tiles are asked.
    """
    edges = luma[:-2, 1:-1] + luma[2:, 1:-1] + luma[1:-1, :-2] + luma[1:-1, 2:] - 4 * luma[1:-1, 1:-1]
    rows = np.array_split(edges, min(_TILES, edges.shape[0]), axis=0)
    tiles = [tile for row in rows for tile in np.array_split(row, min(_TILES, row.shape[1]), axis=1)]
    return float(np.percentile([tile.var() for tile in tiles], 90))


def _shrunk_luma(picture: Image.Image) -> NDArray[np.float32]:
    luma = picture.convert("L")
    scale = min(1.0, _CHECK_SIDE / max(luma.size))
    # A Laplacian needs three pixels each way.
    width, height = (max(3, round(side * scale)) for side in luma.size)
    return np.asarray(luma.resize((width, height), Image.Resampling.LANCZOS), dtype=np.float32)


def _check_size(size: tuple[int, int]) -> Finding | None:
    if min(size) >= MIN_SIDE:
        return None
    return Finding(
        code=FindingCode.TOO_SMALL,
        measured=min(size),
        sentence=N_(
            "is small ({width} × {height} pixels; {limit} and more on the shorter side is good): "
            "send the original instead of a screenshot or preview."
        ),
        values={"width": size[0], "height": size[1], "limit": MIN_SIDE},
    )


def _check_sharpness(luma: NDArray[np.float32]) -> Finding | None:
    sharpness = measure_sharpness(luma)
    if sharpness >= MIN_SHARPNESS:
        return None
    return Finding(
        code=FindingCode.BLURRED,
        measured=round(sharpness, 1),
        sentence=N_(
            "is blurred (sharpness {sharpness}; {limit} and more is good): hold the camera still or use another photo."
        ),
        values={"sharpness": math.floor(sharpness), "limit": MIN_SHARPNESS},
    )


def _check_dark(luma: NDArray[np.float32]) -> Finding | None:
    mean, brightest_tenth = float(luma.mean()), float(np.percentile(luma, 90))
    # A lit face before a black wall is dark on average and still a good photo.
    if mean >= MIN_BRIGHTNESS or brightest_tenth >= 100:
        return None
    return Finding(
        code=FindingCode.TOO_DARK,
        measured=round(mean, 1),
        sentence=N_(
            "is too dark (brightness {brightness} of 255; {limit} and more is good): "
            "turn on a light, or turn towards a window."
        ),
        values={"brightness": math.floor(mean), "limit": MIN_BRIGHTNESS},
    )


def _check_light(luma: NDArray[np.float32]) -> Finding | None:
    mean, white = float(luma.mean()), 100 * float((luma >= 250).mean())
    if white > MAX_WHITE_PERCENT:
        measured, limit, sentence = white, MAX_WHITE_PERCENT, _MUCH_WHITE
    elif mean > MAX_BRIGHTNESS:
        measured, limit, sentence = mean, MAX_BRIGHTNESS, _PALE
    else:
        return None
    return Finding(
        code=FindingCode.TOO_LIGHT,
        measured=round(measured, 1),
        sentence=sentence,
        values={"measured": math.ceil(measured), "limit": limit},
    )


def _distance(one: str, other: str) -> int:
    return (int(one, 16) ^ int(other, 16)).bit_count()
