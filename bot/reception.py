"""Owns the way from what people attached to developed photos: fetched, unpacked, developed; keeps none of them."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import ParamSpec, TypeVar

from bot import words
from bot.downloads import Downloads, Upload
from bot.errors import BadInput, BotError
from bot.photo_archive import MOST_ARCHIVE_BYTES, is_archive, list_contents, read_photo
from bot.photo_workers import PhotoWorkers, WorkOverran
from bot.photos import DevelopedPhoto, develop
from bot.texts import _

P = ParamSpec("P")
T = TypeVar("T")

#: Photos of one message that are downloaded and developed at the same time.
AT_ONCE = 2


@dataclass(frozen=True, kw_only=True)
class Ready:
    """One photo that can be kept, with what came along."""

    file_name: str
    photo: DevelopedPhoto
    caption: str = ""


@dataclass(frozen=True, kw_only=True)
class Received:
    """What became of some uploads, in their order."""

    ready: Sequence[Ready]
    #: One sentence for each file that cannot be used.
    refused: Sequence[str]


class Reception:
    """Takes uploads in; a file that cannot be used is refused by its name, and the others are taken."""

    def __init__(self, *, downloads: Downloads, workers: PhotoWorkers, most_bytes: int) -> None:
        self._downloads = downloads
        self._workers = workers
        self._most_bytes = most_bytes

    async def receive(self, uploads: Sequence[Upload]) -> Received:
        """Return the photos that these uploads hold."""
        limit = asyncio.Semaphore(AT_ONCE)

        async def one(upload: Upload) -> Received:
            async with limit:
                try:
                    return await self._take(upload)
                except BotError as error:
                    return Received(ready=(), refused=[error.sentence])

        results = await asyncio.gather(*(one(upload) for upload in uploads))
        return Received(
            ready=[ready for result in results for ready in result.ready],
            refused=[sentence for result in results for sentence in result.refused],
        )

    async def _take(self, upload: Upload) -> Received:
        label = words.file_label(upload.file_name)
        most_bytes = MOST_ARCHIVE_BYTES if upload.file_name.lower().endswith(".zip") else None
        data = await self._downloads.fetch(upload, most_bytes=most_bytes)
        if is_archive(data):
            return await self._unpack(label, data)
        return Received(ready=[await self._develop(label, data)], refused=())

    async def _unpack(self, label: str, data: bytes) -> Received:
        """Take a zip's photos one after the other, so that only one of them is unpacked at a time."""
        contents = await self._archived(list_contents, data, label)
        ready, refused = [], []
        for photo in contents.photos:
            try:
                content = await self._archived(read_photo, data, photo, file_name=label, most_bytes=self._most_bytes)
                developed = await self._develop(photo.label, content)
            except BotError as error:
                refused.append(error.sentence)
            else:
                ready.append(replace(developed, caption=photo.caption))
        if not ready and not refused and not contents.refused:
            refused.append(_("**{file}** holds no pictures.").format(file=label))
        return Received(ready=ready, refused=[*refused, *contents.refused])

    async def _archived(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return await self._workers.run(work, *args, **kwargs)
        except WorkOverran as error:
            raise BadInput(_("A zip takes too long to unpack."), advice=_("Send its photos by themselves.")) from error

    async def _develop(self, label: str, data: bytes) -> Ready:
        photo = await develop(data, file_name=label, workers=self._workers, max_bytes=self._most_bytes)
        return Ready(file_name=label, photo=photo)
