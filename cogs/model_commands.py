"""Owns the /models group and what all its commands need: the model that is meant, and suggestions while one types."""

import logging
from typing import ClassVar

import discord
from discord import app_commands

from bot.client import DarkroomBot
from bot.lora import Lora
from bot.services import Services
from cogs import replies
from cogs.desk import Feature
from cogs.places import place_of
from cogs.ui.models import draw_model, model_choices

log = logging.getLogger(__name__)

Interaction = discord.Interaction[DarkroomBot]
Suggestions = list[app_commands.Choice[str]]


class ModelCommands(Feature):
    """A part of the one cog that answers /models; the parts are put together in cogs/library.py."""

    models: ClassVar[app_commands.Group] = app_commands.Group(
        name="models", description="Your trained models, and those shared here."
    )

    def __init__(self, services: Services) -> None:
        self._services = services

    async def _meant(self, interaction: Interaction, model: str) -> Lora:
        return await self._services.library.find(interaction.user.id, model, place_of(interaction))

    async def _show_card(self, interaction: Interaction, lora_id: str) -> None:
        person_id, place = interaction.user.id, place_of(interaction)
        details = await self._services.library.details(person_id, lora_id, place)
        await replies.show(interaction, draw_model(details, viewer_id=person_id, place=place))


async def suggest_models(
    services: Services, interaction: Interaction, typed: str, *, only_own: bool = False, fitting: Lora | None = None
) -> Suggestions:
    """Return models to choose from while a person types; none when that cannot be told.

    Args:
        services: The bot's.
        interaction: What they type into.
        typed: What they typed.
        only_own: Leave out what others share.
        fitting: Leave out what cannot be mixed with this one.
    """
    person_id = interaction.user.id
    try:
        loras = await services.library.usable(person_id, place_of(interaction), named_like=typed.strip())
    except Exception:  # a funnel: nobody can be told anything while they type
        log.exception("no models could be suggested")
        return []
    if only_own:
        loras = [lora for lora in loras if lora.owner_id == person_id]
    if fitting is not None:
        loras = [lora for lora in loras if lora.base_model is fitting.base_model and lora.id != fitting.id]
    return model_choices(loras, person_id)
