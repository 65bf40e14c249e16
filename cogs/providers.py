"""Owns how providers are offered while somebody types; knows none by name."""

from collections.abc import Mapping, Sequence

import discord
from discord import app_commands

from bot.client import DarkroomBot
from bot.routing import AUTO
from bot.services import Services
from bot.texts import _
from providers.base import ImageMaker, Trainer
from providers.registry import Registry

Interaction = discord.Interaction[DarkroomBot]


async def offered(
    services: Services, interaction: Interaction, adapters: Sequence[Trainer] | Sequence[ImageMaker], typed: str
) -> list[app_commands.Choice[str]]:
    """Return what can be chosen here: the best one, or by name one of these that can do something and that may."""
    settings = await services.guilds.settings(interaction.guild_id)
    fit = [adapter for adapter in adapters if adapter.capabilities.base_models]
    fit = [adapter for adapter in fit if settings.allowed is None or adapter.name in settings.allowed]
    choices = [app_commands.Choice(name=_("auto: whoever fits best"), value=AUTO)]
    choices += [app_commands.Choice(name=adapter.title[:100], value=adapter.name) for adapter in fit]
    return [choice for choice in choices if typed.casefold() in choice.name.casefold()][:25]


def titles_of(registry: Registry) -> Mapping[str, str]:
    """Return what people call the providers of this deployment, by name."""
    makers = {name: maker.title for name, maker in registry.image_makers.items()}
    return makers | {name: trainer.title for name, trainer in registry.trainers.items()}
