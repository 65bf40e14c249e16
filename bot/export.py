"""Owns the packing of all that is held about a person, so that they can take it with them; changes nothing.

A pack is one zip or several, each no larger than asked: rows as JSON, photos with captions, models, pictures. What is
larger than a whole zip may be is named in `not-included.txt`, so nothing is left out without a word.
"""

import asyncio
import json
import shutil
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from bot.blobs import Blobs
from bot.clock import Clock
from bot.ids import new_id
from bot.store import personal
from bot.store.database import Database
from bot.texts import N_, _
from bot.words import file_label

#: For what zip adds to each file and to the whole.
_OVERHEAD = 1024
_README = N_("""This is all that Darkroom holds about you, as of {when}.

data.json        every row about you, by table; times are in UTC
photos/          the photos of your drafts, with their captions
models/          your models
pictures/        the pictures that were made for you
""")


@dataclass(frozen=True, kw_only=True)
class Pack:
    """What was packed; the folder is the caller's to remove."""

    folder: Path
    files: Sequence[Path]
    #: Names of what fits into no zip of the wanted size.
    left_out: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class _Entry:
    name: str
    #: Key of a blob, or the content itself.
    content: str | bytes


@dataclass(kw_only=True)
class _Parts:
    """Zips that are being written, one after the other."""

    folder: Path
    most_bytes: int
    files: list[Path] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    _room: int = 0

    def add(self, name: str, content: Path | bytes) -> None:
        """Put one file where it fits; blocks."""
        size = (content.stat().st_size if isinstance(content, Path) else len(content)) + _OVERHEAD
        if size + _OVERHEAD > self.most_bytes:
            self.left_out.append(name)
            return
        if size > self._room:
            self.files.append(self.folder / f"darkroom-{len(self.files) + 1}.zip")
            self._room = self.most_bytes - _OVERHEAD
        self._room -= size
        with zipfile.ZipFile(self.files[-1], "a", zipfile.ZIP_STORED) as packed:
            if isinstance(content, Path):
                packed.write(content, name)
            else:
                packed.writestr(name, content)


class Export:
    """Packs what is held about a person."""

    def __init__(self, *, database: Database, blobs: Blobs, clock: Clock, work_dir: Path) -> None:
        self._database = database
        self._blobs = blobs
        self._clock = clock
        self._work_dir = work_dir

    async def pack(self, person_id: int, *, most_bytes: int) -> Pack:
        """Pack everything into zips of at most `most_bytes` each, in a new folder below the scratch folder."""
        async with self._database.begin() as connection:
            rows = await personal.rows_about(connection, person_id)
        folder = self._work_dir / f"export-{new_id()}"
        await asyncio.to_thread(folder.mkdir, parents=True)
        parts = _Parts(folder=folder, most_bytes=most_bytes)
        for entry in self._entries(rows):
            await self._add(parts, entry)
        if parts.left_out:
            await asyncio.to_thread(parts.add, "not-included.txt", "\n".join(parts.left_out).encode())
        await asyncio.to_thread(shutil.rmtree, folder / "opened", ignore_errors=True)
        return Pack(folder=folder, files=parts.files, left_out=parts.left_out)

    async def drop(self, pack: Pack) -> None:
        """Remove a pack that was handed over."""
        await asyncio.to_thread(shutil.rmtree, pack.folder, ignore_errors=True)

    def _entries(self, rows: Mapping[str, Sequence[Mapping[str, Any]]]) -> Iterator[_Entry]:
        yield _Entry(name="README.txt", content=_(_README).format(when=self._clock.now().isoformat()).encode())
        yield _Entry(name="data.json", content=json.dumps(rows, indent=2, ensure_ascii=False).encode())
        yield from _photos(rows)
        for lora in rows["loras"]:
            if lora["deleted_at"] is None:
                name = f"models/{_plain(lora['name'])}-{lora['id']}{PurePosixPath(lora['blob_key']).suffix}"
                yield _Entry(name=name, content=lora["blob_key"])
        for picture in rows["pictures"]:
            suffix = PurePosixPath(picture["blob_key"]).suffix
            name = f"pictures/{picture['job_id']}-{picture['position'] + 1}{suffix}"
            yield _Entry(name=name, content=picture["blob_key"])

    async def _add(self, parts: _Parts, entry: _Entry) -> None:
        content: Path | bytes
        if isinstance(entry.content, bytes):
            content = entry.content
        else:
            try:
                content = await self._blobs.as_file(entry.content, parts.folder / "opened")
            except FileNotFoundError:
                return  # deleted since the rows were read
        await asyncio.to_thread(parts.add, entry.name, content)
        if isinstance(content, Path) and content.is_relative_to(parts.folder):
            await asyncio.to_thread(content.unlink)


def _photos(rows: Mapping[str, Sequence[Mapping[str, Any]]]) -> Iterator[_Entry]:
    names = {draft["id"]: f"{_plain(draft['name'])}-{draft['id']}" for draft in rows["drafts"]}
    for photo in rows["photos"]:
        stem = f"photos/{names.get(photo['draft_id'], 'waiting')}/{photo['position'] + 1:03}-{photo['id']}"
        yield _Entry(name=f"{stem}{PurePosixPath(photo['blob_key']).suffix}", content=photo["blob_key"])
        if photo["caption"]:
            yield _Entry(name=f"{stem}.txt", content=photo["caption"].encode())


def _plain(name: str) -> str:
    """Return a name as part of a path in a zip."""
    return "".join(sign if sign.isalnum() or sign in " -_" else "_" for sign in file_label(name)).strip() or "model"
