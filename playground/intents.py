"""Which events a session asked to hear, and what of a message it may read.

Source: https://docs.discord.com/developers/events/gateway#gateway-intents
"""

from enum import IntFlag
from typing import Any


class Intent(IntFlag):
    """Name a gateway intent that matters here."""

    GUILDS = 1 << 0
    GUILD_MEMBERS = 1 << 1
    GUILD_PRESENCES = 1 << 8
    GUILD_MESSAGES = 1 << 9
    GUILD_MESSAGE_TYPING = 1 << 11
    DIRECT_MESSAGES = 1 << 12
    DIRECT_MESSAGE_TYPING = 1 << 14
    MESSAGE_CONTENT = 1 << 15


NO_INTENT = Intent(0)
PRIVILEGED = Intent.GUILD_MEMBERS | Intent.GUILD_PRESENCES | Intent.MESSAGE_CONTENT
ALL_BITS = (1 << 29) - 1

_NEEDED: dict[str, tuple[Intent, Intent]] = {
    # event: (in a guild, in direct messages)
    "MESSAGE_CREATE": (Intent.GUILD_MESSAGES, Intent.DIRECT_MESSAGES),
    "MESSAGE_UPDATE": (Intent.GUILD_MESSAGES, Intent.DIRECT_MESSAGES),
    "MESSAGE_DELETE": (Intent.GUILD_MESSAGES, Intent.DIRECT_MESSAGES),
    "TYPING_START": (Intent.GUILD_MESSAGE_TYPING, Intent.DIRECT_MESSAGE_TYPING),
}
_GUILD_EVENTS = ("GUILD_", "CHANNEL_", "THREAD_")


def hears(event: str, intents: int, *, in_guild: bool) -> bool:
    """Tell whether a session with these intents gets an event."""
    if event in _NEEDED:
        return bool(intents & _NEEDED[event][0 if in_guild else 1])
    if event.startswith(_GUILD_EVENTS):
        return bool(intents & Intent.GUILDS)
    return True


def readable(message: dict[str, Any], intents: int, bot_id: int) -> dict[str, Any]:
    """Give a message as these intents let it be read: blank unless it is direct, the bot's own, or mentions the bot."""
    mentioned = any(user["id"] == str(bot_id) for user in message["mentions"])
    own = message["author"]["id"] == str(bot_id)
    if intents & Intent.MESSAGE_CONTENT or mentioned or own or "guild_id" not in message:
        return message
    return message | {"content": "", "embeds": [], "attachments": [], "components": []}
