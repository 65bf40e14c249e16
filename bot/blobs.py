"""Owns the big files, photos, LoRAs and pictures, by key; never knows whose they are.

Keys are made from ids, so writing the same thing again after a crash replaces it. What a killed process left half
written carries a `#` in its name (obstore's own mark) and is swept at start.
"""

import asyncio
import logging
from collections.abc import Iterable
from pathlib import Path

from obstore.store import LocalStore

log = logging.getLogger(__name__)


class Blobs:
    """Files under one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._store = LocalStore(folder)

    @classmethod
    async def opened(cls, folder: Path) -> "Blobs":
        """Make the folder if need be and remove what a killed process left half written."""
        await asyncio.to_thread(_make_and_sweep, folder)
        return cls(folder)

    async def put(self, key: str, data: bytes | Path) -> None:
        """Store bytes, or a file's content, under a key; an older blob of the same key is replaced whole."""
        await self._store.put_async(key, data)

    async def get(self, key: str) -> bytes:
        """Return a blob.

        Raises:
            FileNotFoundError: there is none under this key.
        """
        result = await self._store.get_async(key)
        return bytes(await result.bytes_async())

    async def delete(self, keys: Iterable[str]) -> None:
        """Remove blobs; those that are gone already are fine."""
        for key in keys:
            try:
                await self._store.delete_async(key)
            except FileNotFoundError:
                log.debug("blob %s was gone already", key)

    async def keys(self) -> list[str]:
        """Return the keys of all blobs."""
        return [meta["path"] async for batch in self._store.list() for meta in batch]

    def path(self, key: str) -> Path:
        """Return where a blob lies, for programs that want a file; theirs to read, never to write."""
        return self._folder / key


def _make_and_sweep(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for orphan in folder.rglob("*#*"):
        log.info("removing %s, which a killed process left half written", orphan.name)
        orphan.unlink(missing_ok=True)
