"""Owns how providers are offered while somebody types; knows none by name."""

from collections.abc import Sequence

from discord import app_commands

from bot.routing import AUTO
from bot.texts import _
from providers.base import ImageMaker, Trainer


def offered(adapters: Sequence[Trainer] | Sequence[ImageMaker], typed: str) -> list[app_commands.Choice[str]]:
    """Return what can be chosen: the best one, or one of these by name."""
    choices = [app_commands.Choice(name=_("auto: whoever fits best"), value=AUTO)]
    choices += [app_commands.Choice(name=adapter.title[:100], value=adapter.name) for adapter in adapters]
    return [choice for choice in choices if typed.casefold() in choice.name.casefold()][:25]
