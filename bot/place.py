"""Owns where in Discord something was asked for; knows numbers only, never Discord itself."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Place:
    """A channel, and the server it is in; None for a direct message."""

    channel_id: int
    guild_id: int | None
