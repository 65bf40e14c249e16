"""Owns uploads to fal's storage, in one piece or in parts; never asks what is in a file.

The calls are those of fal's own JavaScript client (fal-ai/fal-js, libs/client/src/storage.ts, read on 2026-11-26),
with its sizes: it splits what is larger than 90 MiB.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
from pydantic import BaseModel, ConfigDict
from yarl import URL

from providers.errors import Refused, UnexpectedAnswer
from providers.fal.api import KEEP_SECONDS, FalSettings, how, parsed, refusal, spoken
from providers.http import read

MIB = 1024 * 1024
#: What goes in one piece, how large a part is, and what is taken at all.
ONE_PIECE_BYTES = 90 * MIB
PART_BYTES = 10 * MIB
MOST_BYTES = 4096 * MIB
_CHUNK = 256 * 1024


class _Lenient(BaseModel):
    model_config = ConfigDict(extra="ignore")


class _Place(_Lenient):
    upload_url: str
    file_url: str


class _Part(_Lenient):
    etag: str | None = None


class FalStorage:
    """Brings files to fal, where they stay for `KEEP_SECONDS`."""

    def __init__(self, settings: FalSettings, session: aiohttp.ClientSession) -> None:
        self._settings = settings
        self._session = session

    async def upload(self, path: Path, *, name: str, content_type: str) -> str:
        """Upload a file and return its public URL.

        Raises:
            Refused: it is too large.
        """
        size = (await asyncio.to_thread(path.stat)).st_size
        if size > MOST_BYTES:
            raise Refused(
                "fal's storage takes files up to {most} MiB from this bot.",
                values={"most": MOST_BYTES // MIB},
                advice="The operator of this bot can set PUBLIC_URL, so that fal fetches larger ones.",
            )
        parts = size > ONE_PIECE_BYTES
        place = await self._place("initiate-multipart" if parts else "initiate", name, content_type)
        if parts:
            await self._in_parts(URL(place.upload_url), path, size)
        else:
            await self._in_one_piece(place.upload_url, path, size, content_type)
        return place.file_url

    async def _in_one_piece(self, url: str, path: Path, size: int, content_type: str) -> None:
        headers = {"Content-Type": content_type, "Content-Length": str(size)}
        async with spoken(), self._session.put(url, data=_chunks(path), headers=headers, **_signed()) as answer:
            if answer.status >= 300:
                raise await refusal(answer)

    async def _in_parts(self, place: URL, path: Path, size: int) -> None:
        etags = [await self._part(place, path, number) for number in range(1, -(-size // PART_BYTES) + 1)]
        body = {"parts": [{"partNumber": number, "etag": etag} for number, etag in enumerate(etags, start=1)]}

        async def once() -> None:
            async with spoken(), self._session.post(_below(place, "complete"), json=body, **_signed()) as answer:
                if answer.status >= 300:
                    raise await refusal(answer)

        await read(once)

    async def _part(self, place: URL, path: Path, number: int) -> str:
        content = await asyncio.to_thread(_slice, path, (number - 1) * PART_BYTES)

        async def once() -> str:
            # A part that comes again replaces itself.
            async with spoken(), self._session.put(_below(place, str(number)), data=content, **_signed()) as answer:
                etag = answer.headers.get("ETag") if answer.status < 300 else None
                etag = etag or (await parsed(answer, _Part)).etag
            if not etag:
                raise UnexpectedAnswer("fal's storage didn't say what it took of a file.")
            return etag

        return await read(once)

    async def _place(self, route: str, name: str, content_type: str) -> _Place:
        url = URL(f"{self._settings.rest_url}/storage/upload/{route}").with_query(storage_type="fal-cdn-v3")
        headers = {"X-Fal-Object-Lifecycle": json.dumps({"expiration_duration_seconds": KEEP_SECONDS})}
        body = {"content_type": content_type, "file_name": name}

        async def once() -> _Place:
            async with spoken(), self._session.post(url, json=body, **how(self._settings, headers)) as answer:
                return await parsed(answer, _Place)

        place = await read(once)
        if URL(place.upload_url).scheme != URL(self._settings.rest_url).scheme:
            raise UnexpectedAnswer("fal's storage named a place that is not safe to send photos to.")
        return place


def _signed() -> dict[str, Any]:
    """Return what a call to a signed place is made with; without our key, which is not meant for it."""
    return {"allow_redirects": False, "timeout": aiohttp.ClientTimeout(total=600, sock_connect=15)}


def _below(place: URL, name: str) -> URL:
    """Return the URL of a part: the place's path and a name, and its signature letter for letter."""
    return URL(f"{place.origin()}{place.raw_path}/{name}?{place.raw_query_string}", encoded=True)


def _slice(path: Path, start: int) -> bytes:
    with path.open("rb") as file:
        file.seek(start)
        return file.read(PART_BYTES)


async def _chunks(path: Path) -> AsyncIterator[bytes]:
    with await asyncio.to_thread(path.open, "rb") as file:
        while chunk := await asyncio.to_thread(file.read, _CHUNK):
            yield chunk
