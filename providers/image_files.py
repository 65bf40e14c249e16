"""Owns the look into a picture that came from a provider: whether it is one, of which kind and size."""

import warnings
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from providers.errors import ArtifactBroken

#: Suffixes of the kinds that are taken.
SUFFIXES = {"PNG": ".png", "JPEG": ".jpg", "WEBP": ".webp"}
#: No image maker here makes more than 4 megapixels; more is an attack on our memory.
MOST_PIXELS = 50_000_000


@dataclass(frozen=True, kw_only=True)
class ImageFile:
    """What is known of a picture that was opened."""

    suffix: str
    width: int
    height: int


def inspect_image(path: Path) -> ImageFile:
    """Decode a picture to the last pixel; blocks for some tens of milliseconds.

    Raises:
        ArtifactBroken: no picture, cut off, too large, or of a kind that is not taken.
    """
    try:
        with warnings.catch_warnings(), Image.open(path, formats=list(SUFFIXES)) as image:
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            if image.width * image.height > MOST_PIXELS:
                raise ArtifactBroken("A picture of the provider is too large to be opened.")
            image.load()
            return ImageFile(suffix=SUFFIXES[str(image.format)], width=image.width, height=image.height)
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError, Warning) as error:
        raise ArtifactBroken("A picture of the provider is damaged.") from error
