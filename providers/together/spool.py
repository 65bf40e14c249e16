"""Owns the pictures that Together answered with until they are collected; never calls Together.

Together gives a picture once, in the answer to the paid call. A job's folder appears in one rename, complete or not at
all, so that a process that dies in between leaves either everything or nothing.
"""

import json
import logging
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from providers.base import MadeImage, MadeImages
from providers.disk import is_marker
from providers.errors import ArtifactBroken, NotFound
from providers.image_files import inspect_image

log = logging.getLogger(__name__)

_NOTES = "told.json"


@dataclass(frozen=True, kw_only=True)
class Spooled:
    """What is known of a job beside its pictures."""

    #: Pictures that were ordered.
    count: int
    #: Seed of the first one.
    seed: int
    #: None when no price is known.
    cost_usd: float | None


class TogetherSpool:
    """A folder with one folder for each answered job; its methods block, so call them off the event loop."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder.absolute()

    def open(self) -> None:
        """Make the folder."""
        self._folder.mkdir(parents=True, exist_ok=True)

    def has(self, marker: str) -> bool:
        """Tell whether this job was answered."""
        return is_marker(marker) and (self._folder / marker / _NOTES).is_file()

    def put(self, marker: str, pictures: Sequence[bytes], spooled: Spooled) -> None:
        """Keep an answer, all of it or nothing."""
        part = self._folder / f".part-{marker}"
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        for number, picture in enumerate(pictures):
            _write(part / f"{number}.image", picture)
        _write(part / _NOTES, json.dumps(vars(spooled)).encode())
        part.rename(self._folder / marker)

    def notes(self, marker: str) -> Spooled:
        """Return what is known of an answered job.

        Raises:
            NotFound: it is not here (any more).
        """
        if not self.has(marker):
            raise NotFound("Together's answer to this job isn't here (any more).")
        return Spooled(**json.loads((self._folder / marker / _NOTES).read_bytes()))

    def collect(self, marker: str, into: Path) -> MadeImages:
        """Copy the pictures that are whole.

        Raises:
            NotFound: it is not here (any more).
            ArtifactBroken: none of what came back is a picture.
        """
        notes = self.notes(marker)
        sources = sorted((self._folder / marker).glob("*.image"), key=lambda path: int(path.stem))
        images = [_copied(source, into, notes.seed) for source in sources]
        whole = [image for image in images if image is not None]
        if sources and not whole:
            raise ArtifactBroken("Together's answer holds no picture that can be opened.", advice="Order it again.")
        return MadeImages(images=whole, withheld=notes.count - len(sources))

    def remove(self, marker: str) -> None:
        """Forget a job, also one whose process died while it wrote."""
        if is_marker(marker):
            shutil.rmtree(self._folder / marker, ignore_errors=True)
            shutil.rmtree(self._folder / f".part-{marker}", ignore_errors=True)


def _write(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        # Paid for and given once: a power cut after the rename must not leave empty files.
        os.fsync(file.fileno())


def _copied(source: Path, into: Path, seed: int) -> MadeImage | None:
    number = int(source.stem)
    try:
        image = inspect_image(source)
    except ArtifactBroken:
        log.warning("Together's picture %d is damaged and left out", number)
        return None
    path = into / f"{number}{image.suffix}"
    shutil.copyfile(source, path)
    return MadeImage(path=path, seed=seed + number, width=image.width, height=image.height)
