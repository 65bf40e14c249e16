"""A running playground for a test, whose exchanges are judged by Discord's OpenAPI file when the test is over."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Protocol

import discord.http
import yarl
from discord.gateway import DiscordWebSocket

from playground.server import Playground
from tests.openapi import assert_conforms


@asynccontextmanager
async def running_playground(*, judged: bool = True, **settings: Any) -> AsyncIterator[Playground]:
    """Serve a playground; `settings` go to `Playground`. `judged=False` is for tests that send nonsense on purpose."""
    async with Playground(**settings) as server:
        yield server
    if judged:
        assert_conforms(server.exchanges)


class Address(Protocol):
    """Stand for a playground, here or in another process."""

    @property
    def api_base(self) -> str: ...

    @property
    def gateway_url(self) -> str: ...


def dial(server: Address) -> None:
    """Point this process's discord.py at a playground; the two class attributes are all that it takes."""
    discord.http.Route.BASE = server.api_base
    DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(server.gateway_url)
