"""Owns what follows when the bot leaves a server or comes back; what is kept about one goes by `bot.retention`."""

import logging
from collections.abc import Collection

from bot.clock import Clock
from bot.store import kept
from bot.store.database import Database

log = logging.getLogger(__name__)


class Departures:
    """Which servers the bot has left."""

    def __init__(self, *, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def left(self, guild_id: int) -> None:
        """Note that the bot was removed from a server."""
        async with self._database.begin() as connection:
            await kept.note_departure(connection, guild_id, at=self._clock.now())
        log.info("left server %d; what is kept about it goes in a week", guild_id)

    async def joined(self, guild_id: int) -> None:
        """Note that the bot is in a server, perhaps again."""
        async with self._database.begin() as connection:
            await kept.forget_departure(connection, guild_id)

    async def compare(self, guild_ids: Collection[int]) -> None:
        """Note what has changed while nobody was connected; `guild_ids` are all servers that the bot is in."""
        async with self._database.begin() as connection:
            known = await kept.known_guilds(connection)
            for guild_id in known - {*guild_ids}:
                await kept.note_departure(connection, guild_id, at=self._clock.now())
            for guild_id in known & {*guild_ids}:
                await kept.forget_departure(connection, guild_id)
