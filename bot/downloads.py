"""Owns the fetching of what people attached: with a cap on bytes and time, never to a file, never from a provider."""

import asyncio
import logging
from dataclasses import dataclass

import aiohttp

from bot.errors import BadInput
from bot.texts import _
from bot.words import file_label

log = logging.getLogger(__name__)

#: A phone's photo over a slow CDN edge; Discord itself gives up much earlier.
SECONDS = 60
ATTEMPTS = 3
CHUNK = 64 * 1024


@dataclass(frozen=True, kw_only=True)
class Upload:
    """One file as Discord announced it; nothing of this is trusted but the URL, which Discord made."""

    file_name: str
    size: int
    url: str


class Downloads:
    """Fetches attachments through the session that it is given."""

    def __init__(self, session: aiohttp.ClientSession, *, most_bytes: int) -> None:
        self._session = session
        self._most = most_bytes

    async def fetch(self, upload: Upload, *, most_bytes: int | None = None) -> bytes:
        """Return an attachment's bytes.

        Args:
            upload: Which one.
            most_bytes: What it may have, instead of what a photo may.

        Raises:
            BadInput: it is too large, gone, or does not arrive.
        """
        most = most_bytes or self._most
        if upload.size > most:
            raise _too_large(upload, most)
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return await self._once(upload, most)
            except (aiohttp.ClientError, TimeoutError) as error:
                log.warning("attachment did not arrive (%s), attempt %d of %d", type(error).__name__, attempt, ATTEMPTS)
                await asyncio.sleep(0.2 * attempt)
        raise BadInput(
            _("**{file}** did not arrive from Discord.").format(file=file_label(upload.file_name)),
            advice=_("Send it once more."),
        )

    async def _once(self, upload: Upload, most: int) -> bytes:
        timeout = aiohttp.ClientTimeout(total=SECONDS)
        async with self._session.get(upload.url, timeout=timeout) as answer:
            if answer.status in {403, 404}:
                raise BadInput(
                    _("**{file}** is no longer on Discord.").format(file=file_label(upload.file_name)),
                    advice=_("Send it once more."),
                )
            answer.raise_for_status()
            received = bytearray()
            async for chunk in answer.content.iter_chunked(CHUNK):
                received += chunk
                if len(received) > most:
                    raise _too_large(upload, most)
            return bytes(received)


def _too_large(upload: Upload, most_bytes: int) -> BadInput:
    most = most_bytes // (1024 * 1024)
    return BadInput(
        _("**{file}** is larger than {most} MiB.").format(file=file_label(upload.file_name), most=most),
        advice=_("Send a smaller copy of it."),
    )
