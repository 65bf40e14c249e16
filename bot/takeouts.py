"""Owns what people take home of a draft: its photos and captions in zips, by file or by link; never changes a draft.

A zip that a link points to lies in a folder of its own until the link has expired; every other one is gone at once.
"""

import asyncio
import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.blobs import Blobs
from bot.clock import Clock
from bot.dataset import DatasetEntry, build_archive
from bot.draft import Draft, DraftPhoto, owned
from bot.errors import Missing
from bot.ids import new_id
from bot.photo_workers import PhotoWorkers
from bot.store import drafts as rows
from bot.store.database import Database
from bot.texts import _
from bot.web.files import LIFE, SignedFiles

#: Where the zips of links lie, inside of the folder for scratch.
FOLDER = "takeouts"
#: Seconds between two looks for expired ones.
ROUND_SECONDS = 3600.0
#: Bytes of a zip beside each photo: its caption, and what the zip says of both.
_BESIDE = 2000


@dataclass(frozen=True, kw_only=True)
class Takeout:
    """A draft's photos and captions, ready to be handed over."""

    draft: Draft
    photo_count: int
    #: Bytes of everything.
    size: int
    #: Zips by their names; several when one would be larger than asked for.
    files: Sequence[tuple[str, bytes]]
    #: Where the one zip is fetched instead.
    link: str | None = None


class Takeouts:
    """All that people can take home, each call for one person."""

    def __init__(
        self,
        *,
        database: Database,
        blobs: Blobs,
        workers: PhotoWorkers,
        links: SignedFiles,
        work_dir: Path,
        clock: Clock,
    ) -> None:
        self._database = database
        self._blobs = blobs
        self._workers = workers
        self._links = links
        self._folder = work_dir / FOLDER
        self._clock = clock

    async def dataset(self, owner_id: int, draft_id: str, *, most_bytes: int) -> Takeout:
        """Return a draft's photos and captions as a trainer gets them.

        Args:
            owner_id: Who asks.
            draft_id: Which draft, whatever its state.
            most_bytes: What one file may have; a larger zip goes by link, or in parts where no link can be made.

        Raises:
            Missing: there is no such draft, or it has no photos.
        """
        async with self._database.begin() as connection:
            draft = owned(await rows.get(connection, draft_id), owner_id)
            photos = await rows.photos_in(connection, draft_id)
        if not photos:
            raise Missing(
                _("**{name}** has no photos to take out.").format(name=draft.name),
                advice=_("/draft show shows what is in it."),
            )
        contents = [await self._content(number, photo) for number, photo in enumerate(photos, start=1)]
        folder = self._folder / new_id()
        await asyncio.to_thread(folder.mkdir, parents=True)
        try:
            return await self._packed(draft, list(zip(photos, contents, strict=True)), folder, most_bytes)
        except BaseException:
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
            raise

    async def run(self) -> None:
        """Remove what expired links pointed to, now and every hour, until cancelled."""
        while True:
            await self.make_round()
            await asyncio.sleep(ROUND_SECONDS)

    async def make_round(self) -> None:
        """Remove what expired links pointed to."""
        await asyncio.to_thread(self._remove_before, (self._clock.now() - LIFE).timestamp())

    async def _packed(
        self, draft: Draft, photos: Sequence[tuple[DraftPhoto, bytes]], folder: Path, most_bytes: int
    ) -> Takeout:
        name = _file_name(draft)
        whole = sum(len(content) + _BESIDE for _photo, content in photos)
        path = folder / f"{name}.zip"
        link = self._links.link(path, name=path.name) if whole > most_bytes else None
        if link is not None:
            await self._pack(draft, photos, path, first=1)
            return Takeout(draft=draft, photo_count=len(photos), size=whole, files=(), link=link)
        files, first = [], 1
        parts = _parts(photos, most_bytes)
        for number, part in enumerate(parts, start=1):
            path = folder / (f"{name}.zip" if len(parts) == 1 else f"{name}-{number}-of-{len(parts)}.zip")
            await self._pack(draft, part, path, first=first)
            files.append((path.name, await asyncio.to_thread(path.read_bytes)))
            first += len(part)
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
        return Takeout(draft=draft, photo_count=len(photos), size=sum(len(data) for _name, data in files), files=files)

    async def _pack(self, draft: Draft, photos: Sequence[tuple[DraftPhoto, bytes]], into: Path, *, first: int) -> None:
        entries = [
            DatasetEntry(image=content, extension=Path(photo.blob_key).suffix, caption=photo.caption)
            for photo, content in photos
        ]
        await build_archive(
            entries,
            trigger_word=draft.trigger_word,
            kind=draft.kind,
            name=draft.name,
            into=into,
            workers=self._workers,
            first=first,
        )

    async def _content(self, number: int, photo: DraftPhoto) -> bytes:
        try:
            return await self._blobs.get(photo.blob_key)
        except FileNotFoundError as error:
            raise Missing(
                _("Photo {number} is no longer stored.").format(number=number),
                advice=_("Remove it from the draft, or add it again."),
            ) from error

    def _remove_before(self, moment: float) -> None:
        for folder in self._folder.glob("*"):
            if folder.stat().st_mtime < moment:
                shutil.rmtree(folder, ignore_errors=True)


def _parts(photos: Sequence[tuple[DraftPhoto, bytes]], most_bytes: int) -> list[list[tuple[DraftPhoto, bytes]]]:
    """Return the photos in their order, in as few parts as stay below the limit; one photo is always a part."""
    parts: list[list[tuple[DraftPhoto, bytes]]] = []
    room = 0
    for photo, content in photos:
        size = len(content) + _BESIDE
        if not parts or size > room:
            parts.append([])
            room = most_bytes - _BESIDE
        parts[-1].append((photo, content))
        room -= size
    return parts


def _file_name(draft: Draft) -> str:
    plain = re.sub(r"[^a-z0-9]+", "-", draft.name.lower()).strip("-")
    return f"{plain or 'draft'}-dataset"
