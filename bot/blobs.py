"""Owns the big files, photos, LoRAs and pictures, by key; never knows whose they are.

Keys are made from ids, so writing the same thing again after a crash replaces it. Files are sealed (`bot.sealing`) when
the deployment has a key for it; those from before stay readable. What a killed process left half written carries a `#`
in its name (obstore's own mark) and is swept at start.
"""

import asyncio
import io
import logging
from collections.abc import Iterable
from pathlib import Path

from obstore.store import LocalStore

from bot.sealing import Keyring

log = logging.getLogger(__name__)


class Blobs:
    """Files under one folder."""

    def __init__(self, folder: Path, keys: Keyring | None = None) -> None:
        self._folder = folder
        self._store = LocalStore(folder)
        self._keys = keys or Keyring()

    @classmethod
    async def opened(cls, folder: Path, keys: Keyring | None = None) -> "Blobs":
        """Make the folder if need be and remove what a killed process left half written."""
        await asyncio.to_thread(_make_and_sweep, folder)
        return cls(folder, keys)

    async def put(self, key: str, data: bytes | Path) -> None:
        """Store bytes, or a file's content, under a key; an older blob of the same key is replaced whole."""
        if self._keys.current is None:
            await self._store.put_async(key, data)
            return
        sealed = self._folder / f"{key.replace('/', '_')}#sealing"
        try:
            await asyncio.to_thread(self._seal, key, data, sealed)
            await self._store.put_async(key, sealed)
        finally:
            await asyncio.to_thread(sealed.unlink, missing_ok=True)

    async def get(self, key: str) -> bytes:
        """Return a blob.

        Raises:
            FileNotFoundError: there is none under this key.
            SealBroken: it was changed by somebody else, or no key here opens it.
        """
        result = await self._store.get_async(key)
        data = bytes(await result.bytes_async())
        return await asyncio.to_thread(self._keys.opened_bytes, data, name=key)

    async def as_file(self, key: str, into: Path) -> Path:
        """Return a blob as a file for programs that want one, theirs to read: where it lies, or opened in a folder.

        Args:
            key: Which blob.
            into: Folder for an opened copy, whose end is the caller's matter; made if need be.

        Raises:
            FileNotFoundError: there is none under this key.
            SealBroken: as in `get`.
        """
        return await asyncio.to_thread(self._as_file, key, into)

    async def reseal(self, key: str) -> bool:
        """Write a blob anew as the current key wants it; false when it is so already, or gone.

        Raises:
            SealBroken: as in `get`.
        """
        if await asyncio.to_thread(self._sealed_as_wished, key):
            return False
        try:
            data = await self.get(key)
        except FileNotFoundError:
            return False
        await self.put(key, data)
        return True

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

    def _seal(self, key: str, data: bytes | Path, into: Path) -> None:
        with data.open("rb") if isinstance(data, Path) else io.BytesIO(data) as source, into.open("wb") as file:
            self._keys.seal(source, file, name=key)

    def _as_file(self, key: str, into: Path) -> Path:
        stored = self._folder / key
        with stored.open("rb") as source:
            if self._keys.current is None and self._keys.sealed_as_wished(source):
                return stored
            source.seek(0)
            opened = into / key.replace("/", "_")
            if not opened.exists():
                into.mkdir(parents=True, exist_ok=True)
                half = opened.with_name(f".{opened.name}#opening")
                with half.open("wb") as file:
                    file.writelines(self._keys.opened(source, name=key))
                half.replace(opened)
            return opened

    def _sealed_as_wished(self, key: str) -> bool:
        with (self._folder / key).open("rb") as source:
            return self._keys.sealed_as_wished(source)


def _make_and_sweep(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for orphan in folder.rglob("*#*"):
        log.info("removing %s, which a killed process left half written", orphan.name)
        orphan.unlink(missing_ok=True)
