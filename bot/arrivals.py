"""Owns the files that machines deliver, part by part, until their job has brought them home; never what is in them."""

import asyncio
import hashlib
import os
import re
import shutil
from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass
from pathlib import Path

#: A LoRA of rank 128 for FLUX has about 1.3 GB.
MOST_LORA_BYTES = 4 * 1024**3
MOST_SAMPLE_BYTES = 32 * 1024**2
LORA = "lora.safetensors"
_SAMPLE = re.compile(r"sample-[0-7]\.(png|jpg|jpeg|webp)")
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, kw_only=True)
class Parcel:
    """A file as the machine announces it."""

    marker: str
    name: str
    size: int
    sha256: str

    @property
    def acceptable(self) -> bool:
        """Tell whether we take such a file at all."""
        most = MOST_LORA_BYTES if self.name == LORA else MOST_SAMPLE_BYTES
        named = self.name == LORA or _SAMPLE.fullmatch(self.name)
        return bool(named and _SHA256.fullmatch(self.sha256) and 0 < self.size <= most)


@dataclass(frozen=True, kw_only=True)
class Standing:
    """How much of a file has arrived."""

    have: int
    #: All of it is here and its checksum is right.
    complete: bool


class Arrivals:
    """Keeps them in a folder for each job."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def standing(self, parcel: Parcel) -> Standing:
        """Return how much of a file is here."""
        return await asyncio.to_thread(self._standing, parcel)

    async def take(self, parcel: Parcel, offset: int, chunks: AsyncIterator[bytes], *, most: int) -> Standing:
        """Write the bytes from `offset` on as they come, at most `most`; what came before a cut stays.

        Bytes that don't follow on what is here are not taken; the answer says where to go on. With the last byte the
        checksum is judged, and a file that is not what was announced is begun anew.
        """
        before = await self.standing(parcel)
        if before.complete or before.have != offset:
            return before
        part, most = self._part(parcel), min(most, parcel.size - offset)
        file = await asyncio.to_thread(_Part, part, offset)
        try:
            async for chunk in chunks:
                await asyncio.to_thread(file.write, chunk[:most])
                most -= len(chunk)
                if most <= 0:
                    break
        finally:
            await asyncio.to_thread(file.close)
        return await asyncio.to_thread(self._judged, parcel)

    def path(self, marker: str, name: str) -> Path:
        """Return where a complete file lies."""
        return self._folder / marker / name

    async def remove(self, marker: str) -> None:
        """Remove all files of a job."""
        await asyncio.to_thread(shutil.rmtree, self._folder / marker, ignore_errors=True)

    async def sweep(self, known: Collection[str]) -> int:
        """Remove the files of jobs that nobody knows and return of how many there were some."""
        return await asyncio.to_thread(self._sweep, frozenset(known))

    def _standing(self, parcel: Parcel) -> Standing:
        whole = self.path(parcel.marker, parcel.name)
        if whole.exists() and whole.stat().st_size == parcel.size and _sha256(whole) == parcel.sha256:
            return Standing(have=parcel.size, complete=True)
        part = self._part(parcel)
        return Standing(have=part.stat().st_size if part.exists() else 0, complete=False)

    def _judged(self, parcel: Parcel) -> Standing:
        part = self._part(parcel)
        have = part.stat().st_size
        if have < parcel.size:
            return Standing(have=have, complete=False)
        if _sha256(part) != parcel.sha256:
            part.unlink()
            return Standing(have=0, complete=False)
        part.replace(self.path(parcel.marker, parcel.name))
        return Standing(have=have, complete=True)

    def _part(self, parcel: Parcel) -> Path:
        # Another checksum is another file, of which no byte is here.
        return self._folder / parcel.marker / f".{parcel.name}.{parcel.sha256[:16]}"

    def _sweep(self, known: frozenset[str]) -> int:
        left = [folder for folder in self._folder.glob("*") if folder.name not in known]
        for folder in left:
            shutil.rmtree(folder, ignore_errors=True)
        return len(left)


class _Part:
    """A file that is written from some byte on."""

    def __init__(self, path: Path, offset: int) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Not appending: two connections that bring the same bytes write them to the same place.
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
        os.lseek(self._descriptor, offset, os.SEEK_SET)

    def write(self, chunk: bytes) -> None:
        left = memoryview(chunk)
        while left:
            left = left[os.write(self._descriptor, left) :]

    def close(self) -> None:
        os.close(self._descriptor)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
