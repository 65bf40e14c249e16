import asyncio

import discord.client
import discord.http
import discord.webhook.async_
import pytest

from bot import client
from bot.training import stepper, tracker


class _Hasty:
    """The asyncio that discord.py sees: its pauses after Discord's trouble are up to 25 s, and here next to nothing."""

    def __getattr__(self, name):
        return getattr(asyncio, name)

    @staticmethod
    async def sleep(delay, result=None):
        return await asyncio.sleep(min(delay, 0.01), result)


@pytest.fixture(autouse=True)
def hurried(monkeypatch):
    """Shorten every pause that a fault makes somebody take; what is done before and after it stays."""
    for module in (discord.client, discord.http, discord.webhook.async_):
        monkeypatch.setattr(module, "asyncio", _Hasty())
    monkeypatch.setattr("cogs.status.TROUBLE_SECONDS", 0.02)
    monkeypatch.setattr("cogs.answer_calls.PAUSES", (0.01, 0.01, 0.01))
    monkeypatch.setattr(client, "FIRST_PAUSE", 0.02)
    monkeypatch.setattr(client, "LONGEST_PAUSE", 0.1)
    monkeypatch.setattr(stepper, "FIRST_PAUSE", 0.01)
    monkeypatch.setattr(stepper, "LONGEST_PAUSE", 0.05)
    monkeypatch.setattr(tracker, "IDLE_SECONDS", 0.05)
