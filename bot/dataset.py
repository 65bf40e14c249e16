"""Owns the archive that a trainer gets: photos, captions and a manifest in one zip; never who they belong to.

The layout is what the common LoRA trainers read: images and same-named .txt files at the root.

    001.jpg  001.txt  002.png  002.txt  …  manifest.json

The same photos, captions and names in the same order give the same bytes: times are fixed, names are sorted, nothing
is compressed (JPEGs would not shrink) and nothing tells a person, a machine or an original file name.
"""

import hashlib
import json
import os
import re
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.errors import Missing
from bot.photo_workers import PhotoWorkers
from bot.texts import N_
from providers.recipe import SubjectKind

FORMAT_VERSION = 1

#: The first moment that a zip can tell.
_EPOCH = (1980, 1, 1, 0, 0, 0)
_READABLE_FILE = 0o100644 << 16
_MADE_ON_UNIX = 3

_DEFAULT_CAPTIONS = {
    SubjectKind.PERSON: "a photo of {trigger_word}, a person",
    SubjectKind.ANIMAL: "a photo of {trigger_word}, an animal",
    SubjectKind.OBJECT: "a photo of {trigger_word}, an object",
    SubjectKind.STYLE: "a picture in the style of {trigger_word}",
}


@dataclass(frozen=True, kw_only=True)
class DatasetEntry:
    """One photo of a draft."""

    #: The image, or where it lies; a path is read only when it is its turn.
    image: bytes | Path
    #: As `DevelopedPhoto.extension`: ".jpg" or ".png".
    extension: str
    #: What the person or a captioner wrote; None or blank for the default of its kind.
    caption: str | None = None


@dataclass(frozen=True, kw_only=True)
class Archive:
    """A finished archive; the file belongs to whoever asked for it."""

    path: Path
    #: Hex digest of the file.
    sha256: str
    #: Bytes.
    size: int


async def build_archive(
    entries: Sequence[DatasetEntry],
    *,
    trigger_word: str,
    kind: SubjectKind,
    name: str,
    into: Path,
    workers: PhotoWorkers,
    first: int = 1,
) -> Archive:
    """Write the archive to the file `into`, whose folder exists; a file that is there is replaced in one step.

    Args:
        entries: The photos in their order.
        trigger_word: What every caption holds.
        kind: What the default captions speak of.
        name: For the manifest.
        into: The file.
        workers: Who packs.
        first: Number of the first photo, when it is a later part of a whole.

    Raises:
        ValueError: There is no entry.
        Missing: A photo's file is gone; nothing is written.
        WorkOverran: It did not end in time.
    """
    return await workers.run(
        write_archive, tuple(entries), trigger_word=trigger_word, kind=kind, name=name, into=into, first=first
    )


def write_archive(
    entries: Sequence[DatasetEntry], *, trigger_word: str, kind: SubjectKind, name: str, into: Path, first: int = 1
) -> Archive:
    """Do what `build_archive` does in the calling thread, which it blocks."""
    if not entries:
        raise ValueError("an archive needs a photo")
    manifest = {
        "count": len(entries),
        "format_version": FORMAT_VERSION,
        "kind": kind.value,
        "name": name,
        "trigger_word": trigger_word,
    }
    with tempfile.NamedTemporaryFile(dir=into.parent, prefix=f".{into.name}.", delete=False) as file:
        draft = Path(file.name)
        try:
            with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as packed:
                for member, data in _members(entries, trigger_word, kind, first):
                    packed.writestr(_head(member), data)
                packed.writestr(_head("manifest.json"), json.dumps(manifest, indent=2, ensure_ascii=False) + "\n")
            file.flush()
            os.fsync(file.fileno())
            archive = _weigh(draft, into)
            draft.replace(into)
        except BaseException:
            draft.unlink(missing_ok=True)
            raise
    return archive


def caption_for(caption: str | None, *, trigger_word: str, kind: SubjectKind) -> str:
    """Return the caption that is trained with: one line that holds the trigger word, which goes first if it is lacking.

    Trigger words are told apart by case, as tokenizers of some base models do.
    """
    line = " ".join((caption or "").split())
    if not line:
        return _DEFAULT_CAPTIONS[kind].format(trigger_word=trigger_word)
    if re.search(rf"(?<!\w){re.escape(trigger_word)}(?!\w)", line):
        return line
    return f"{trigger_word}, {line}"


def _members(
    entries: Sequence[DatasetEntry], trigger_word: str, kind: SubjectKind, first: int
) -> Iterator[tuple[str, bytes]]:
    for number, entry in enumerate(entries, start=first):
        yield f"{number:03}{entry.extension}", _load(entry.image, number)
        caption = caption_for(entry.caption, trigger_word=trigger_word, kind=kind)
        yield f"{number:03}.txt", f"{caption}\n".encode()


def _load(image: bytes | Path, number: int) -> bytes:
    if isinstance(image, bytes):
        return image
    try:
        return image.read_bytes()
    except FileNotFoundError as error:
        advice = N_("Remove it from the draft, or add it again.")
        raise Missing(N_("Photo {number} is no longer stored."), values={"number": number}, advice=advice) from error


def _head(member: str) -> zipfile.ZipInfo:
    head = zipfile.ZipInfo(member, _EPOCH)
    head.create_system, head.external_attr = _MADE_ON_UNIX, _READABLE_FILE
    return head


def _weigh(file: Path, into: Path) -> Archive:
    with file.open("rb") as opened:
        digest = hashlib.file_digest(opened, "sha256")
        return Archive(path=into, sha256=digest.hexdigest(), size=opened.tell())
