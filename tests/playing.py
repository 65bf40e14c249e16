"""A running playground for a test, whose exchanges are judged by Discord's OpenAPI file when the test is over."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Protocol

import discord.http
import yarl
from discord.gateway import DiscordWebSocket

from playground.server import Playground
from playground.world import Attachment
from tests.openapi import assert_conforms


@asynccontextmanager
async def running_playground(*, judged: bool = True, told: bool = True, **settings: Any) -> AsyncIterator[Playground]:
    """Serve a playground; `settings` go to `Playground`.

    `judged=False` is for tests that send nonsense on purpose, `told=False` for those that send pictures without words.
    """
    async with Playground(**settings) as server:
        yield server
    if judged:
        assert_conforms(server.exchanges)
    if judged and told:
        assert_pictures_are_told_in_words(server)


def assert_pictures_are_told_in_words(server: Playground) -> None:
    """Fail for a picture of the bot's without a text for those who cannot see it."""
    mute = [
        attachment.filename
        for message in server.world.messages.values()
        if message.author_id == server.world.bot.id
        for attachment in message.attachments
        if attachment.content_type.startswith("image/") and not _told(message.components, attachment)
    ]
    assert mute == []


def _told(components: list[dict[str, Any]], attachment: Attachment) -> bool:
    if attachment.description:
        return True
    for node in components:
        # A gallery's item, or a thumbnail, which carries its file itself.
        for item in (*(node.get("items") or ()), node):
            media = item.get("media") or {}
            if str(attachment.id) == str(media.get("attachment_id")) or attachment.filename in media.get("url", ""):
                return bool(item.get("description"))
        inner = [*(node.get("components") or ()), *([node["accessory"]] if node.get("accessory") else [])]
        if _told(inner, attachment):
            return True
    return False


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
