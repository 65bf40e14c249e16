"""Owns the archive of photos on the machine: checked by its sum, unpacked into one folder and nowhere else."""

from __future__ import annotations

import hashlib
import stat
import zipfile
from pathlib import Path

from providers.gpu.agent.job import BAD_ARCHIVE, NO_IMAGES, WorkFailed

IMAGES = frozenset({".jpg", ".jpeg", ".png", ".webp"})
WANTED = IMAGES | {".txt"}
MOST_ENTRIES = 5_000
MOST_BYTES = 8 * 1024**3
_CHUNK = 1024 * 1024


def sha256_of(path: Path) -> str:
    """Return the hex digest of a file."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while True:
            chunk = file.read(_CHUNK)
            if not chunk:
                return digest.hexdigest()
            digest.update(chunk)


def unpack(archive: Path, into: Path) -> None:
    """Write the photos and captions of an archive into an existing folder.

    Raises:
        WorkFailed: damaged, too much, without photos, or with an entry that reaches elsewhere.
    """
    images, left = 0, MOST_BYTES
    try:
        with zipfile.ZipFile(archive) as packed:
            entries = packed.infolist()
            if len(entries) > MOST_ENTRIES:
                raise WorkFailed(
                    BAD_ARCHIVE, "The archive of the photos can't be used on the machine: it holds too many files."
                )
            for entry in entries:
                name = _plain_name(entry)
                if Path(name).suffix.lower() not in WANTED:
                    continue
                left -= _extract(packed, entry, into / name, left)
                images += Path(name).suffix.lower() in IMAGES
    except (zipfile.BadZipFile, EOFError, RuntimeError, NotImplementedError, UnicodeError) as error:
        raise WorkFailed(
            BAD_ARCHIVE, "The archive of the photos can't be used on the machine: it is damaged."
        ) from error
    if not images:
        raise WorkFailed(NO_IMAGES, "There are no photos in the archive of this training.")


def _plain_name(entry: zipfile.ZipInfo) -> str:
    """Return the name of an entry at the archive's root; ours has nothing else."""
    name = entry.filename
    kind = stat.S_IFMT(entry.external_attr >> 16)
    outside = "/" in name or "\\" in name or "\0" in name or ":" in name or name.startswith(".") or not name
    if outside or kind not in (0, stat.S_IFREG):
        raise WorkFailed(
            BAD_ARCHIVE, "The archive of the photos can't be used on the machine: one of its entries reaches outside."
        )
    return name


def _extract(packed: zipfile.ZipFile, entry: zipfile.ZipInfo, to: Path, most: int) -> int:
    written = 0
    # "x": a second entry of the same name is no archive of ours either.
    try:
        with packed.open(entry) as content, to.open("xb") as file:
            while True:
                chunk = content.read(_CHUNK)
                if not chunk:
                    return written
                written += len(chunk)
                if written > most:
                    raise WorkFailed(
                        BAD_ARCHIVE,
                        "The archive of the photos can't be used on the machine: it would unpack to too much.",
                    )
                file.write(chunk)
    except FileExistsError as error:
        raise WorkFailed(
            BAD_ARCHIVE, "The archive of the photos can't be used on the machine: it holds a file twice."
        ) from error
