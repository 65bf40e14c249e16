"""Owns the sample pictures that an engine drew: which are kept, and what of their files; never asks for any.

They come from a machine that anybody may own, so each is opened before it counts. They are no part of the model: what
is wrong with one costs that one.
"""

import logging
import re
from collections.abc import Sequence
from pathlib import Path

from providers.base import MadeImage
from providers.errors import ArtifactBroken
from providers.gpu.engines import SAMPLES, SEED
from providers.image_files import inspect_image
from providers.picture_words import without_words

log = logging.getLogger(__name__)


def kept_samples(marker: str, drawn: Sequence[Path], into: Path) -> Sequence[MadeImage]:
    """Return those of the last drawing that are pictures, without any words in them; blocks while it opens them.

    Args:
        marker: Of the job, for the log.
        drawn: Files as they were delivered: `sample-0`, `sample-1`, and so on, the latest last.
        into: Where those are put that stay.
    """
    numbered = sorted((_number(path), path) for path in drawn)
    kept = []
    for number, path in numbered:
        if number // SAMPLES < numbered[-1][0] // SAMPLES:
            continue
        try:
            kept.append(_kept(number % SAMPLES, path, into))
        except (ArtifactBroken, OSError) as error:
            log.warning("%s: sample picture %d is left out: %s", marker, number % SAMPLES + 1, error)
    return kept


def _number(path: Path) -> int:
    """Return which one it is, by the name that the agent gave it; one that was lost on its way leaves a gap."""
    return int(re.sub(r"\D", "", path.stem) or 0)


def _kept(number: int, path: Path, into: Path) -> MadeImage:
    picture = inspect_image(path)
    # By what it is, since the name says what its engine meant.
    to = into / f"sample-{number}{picture.suffix}"
    to.write_bytes(without_words(path.read_bytes()))
    return MadeImage(path=to, seed=SEED + number, width=picture.width, height=picture.height)
