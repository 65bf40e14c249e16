"""Owns the way from what people attached to developed photos: fetched, then developed; keeps none of them."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from bot import words
from bot.downloads import Downloads, Upload
from bot.errors import BotError
from bot.photo_workers import PhotoWorkers
from bot.photos import DevelopedPhoto, develop

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

        async def one(upload: Upload) -> Ready | BotError:
            async with limit:
                try:
                    return await self._develop(upload.file_name, await self._downloads.fetch(upload))
                except BotError as error:
                    return error

        results = await asyncio.gather(*(one(upload) for upload in uploads))
        return Received(
            ready=[result for result in results if isinstance(result, Ready)],
            refused=[result.sentence for result in results if isinstance(result, BotError)],
        )

    async def _develop(self, file_name: str, data: bytes) -> Ready:
        label = words.file_label(file_name)
        photo = await develop(data, file_name=label, workers=self._workers, max_bytes=self._most_bytes)
        return Ready(file_name=label, photo=photo)
