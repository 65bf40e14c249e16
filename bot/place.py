"""Owns where in Discord something was asked for, and what its asker is there; numbers only, never Discord itself."""

from dataclasses import dataclass

from bot.texts import ENGLISH


@dataclass(frozen=True, kw_only=True)
class Place:
    """A channel, and the server it is in; None for a direct message."""

    channel_id: int
    guild_id: int | None
    #: The channel that a thread hangs in; None for what is no thread.
    parent_id: int | None = None
    #: Discord lets only adults in; direct messages are not.
    age_restricted: bool = False
    #: Language of what is posted there for everybody: the server's, or the person's own in a direct message.
    locale: str = ENGLISH
    #: Roles that the asker has in this server.
    role_ids: frozenset[int] = frozenset()
    #: The asker may manage this server.
    manages: bool = False
