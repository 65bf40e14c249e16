"""Owns how many pixels a picture of each aspect is ordered with; never looks at a picture."""

from collections.abc import Mapping
from types import MappingProxyType

from providers.base import Aspect

#: Width and height of about one megapixel, the size that FLUX models are made for; multiples of 16, as they need.
PIXELS: Mapping[Aspect, tuple[int, int]] = MappingProxyType(
    {
        Aspect.SQUARE: (1024, 1024),
        Aspect.PORTRAIT: (864, 1152),
        Aspect.LANDSCAPE: (1152, 864),
        Aspect.TALL: (720, 1280),
        Aspect.WIDE: (1280, 720),
    }
)


def megapixels(aspect: Aspect, count: int) -> float:
    """Return how many megapixels that many pictures have together."""
    width, height = PIXELS[aspect]
    return count * width * height / 1_000_000
