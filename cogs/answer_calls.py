"""Owns the repeating of the calls that answer an interaction, so that trouble at Discord shows nothing twice.

discord.py sends every such call up to five times when the answer is 5xx, also a follow-up, which then stands there as
often, and never after a broken connection. Here a call is repeated if a second one does no harm: a change of a message
is the same whether made once or twice, and of two first answers Discord refuses the second. A follow-up has no such
guard (nonces do not count there), so it is sent once.
"""

import asyncio
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import Any

import aiohttp
import discord
from discord.http import json_or_text
from discord.webhook.async_ import AsyncWebhookAdapter, async_context

#: Seconds before each further try; the first two fit into the 3 s that Discord waits for a first answer.
PAUSES = (0.3, 1.0, 3.0)
#: What a call may raise that never came to an answer.
UNANSWERED = (aiohttp.ClientError, OSError, TimeoutError)

_ALREADY_ACKNOWLEDGED = 40060


def install() -> None:
    """Let this task, and all that come from it, answer interactions in this way."""
    async_context.set(_Calls())  # type: ignore[no-untyped-call]  # discord.py leaves it unannotated


class _Calls(AsyncWebhookAdapter):
    """discord.py's own calls, repeated by us instead of by it."""

    async def request(self, route: Any, session: aiohttp.ClientSession, **more: Any) -> Any:
        first_answer = route.path.endswith("/callback")
        pauses = list(PAUSES) if first_answer or route.method != "POST" else []
        unsure = False
        while True:
            try:
                return await super().request(route, _Once(session), **more)  # type: ignore[arg-type]  # all it uses of it
            except discord.HTTPException as error:
                if unsure and error.code == _ALREADY_ACKNOWLEDGED:
                    # By the try whose outcome got lost: one folder has one bot, so nobody else answers for us.
                    return {"interaction": {"id": str(route.webhook_id)}}
                if error.status < 500 or not pauses:
                    raise
            except UNANSWERED:
                if not pauses:
                    raise
            unsure = True
            await asyncio.sleep(pauses.pop(0))
            for file in more.get("files") or ():
                file.reset()


class _Once:
    """A session whose 5xx answers are raised, which keeps discord.py from repeating the call."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    def request(self, method: str, url: str, **more: Any) -> AbstractAsyncContextManager[aiohttp.ClientResponse]:
        return _Raising(self._session.request(method, url, **more))


class _Raising(AbstractAsyncContextManager[aiohttp.ClientResponse]):
    def __init__(self, call: Any) -> None:
        self._call = call

    async def __aenter__(self) -> aiohttp.ClientResponse:
        answer: aiohttp.ClientResponse = await self._call.__aenter__()
        if answer.status >= 500:
            try:
                raise discord.DiscordServerError(answer, await json_or_text(answer))
            finally:
                answer.release()
        return answer

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._call.__aexit__(kind, error, trace)
