"""Owns /models and the buttons of model cards; makes no pictures."""

import logging

import discord
from discord import app_commands

from bot.app import Services
from bot.client import DarkroomBot
from bot.texts import _
from cogs import replies
from cogs.desk import Feature, on_choice, on_form, on_press
from cogs.ui.controls import Answers
from cogs.ui.gallery import plain
from cogs.ui.models import (
    draw_delete_question,
    draw_model,
    draw_models,
    draw_rename_form,
    model_choices,
    told_sharing,
)
from cogs.ui.quote import draw_note

log = logging.getLogger(__name__)

Interaction = discord.Interaction[DarkroomBot]


class Library(Feature):
    """What people do with their trained models."""

    models = app_commands.Group(name="models", description="Your trained models, and those shared here.")

    def __init__(self, services: Services) -> None:
        self._services = services

    @models.command(name="list", description="List the models you can use here.")
    async def list_models(self, interaction: Interaction) -> None:
        """Show the models a person may use here."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        loras = await self._services.library.usable(interaction.user.id, guild_id=interaction.guild_id)
        await replies.show(interaction, draw_models(loras, interaction.user.id))

    @models.command(description="Show a model: how it was trained, who can use it, and what you can do with it.")
    @app_commands.describe(model="One of your models, or one that is shared here.")
    async def show(self, interaction: Interaction, model: str) -> None:
        """Show a model's card."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        await self._show_card(interaction, await self._meant(interaction, model))

    @models.command(description="Give one of your models another name.")
    @app_commands.describe(model="One of your models.", name="Its new name.")
    async def rename(self, interaction: Interaction, model: str, name: str) -> None:
        """Rename a model."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        lora_id = await self._meant(interaction, model)
        before = await self._services.library.rename(interaction.user.id, lora_id, name)
        now = await self._services.library.find(interaction.user.id, lora_id, guild_id=interaction.guild_id)
        told = _("**{before}** is called **{now}** now.").format(before=plain(before.name), now=plain(now.name))
        await replies.tell(interaction, told)

    @models.command(description="Delete one of your models for ever; you are asked first.")
    @app_commands.describe(model="One of your models.")
    async def delete(self, interaction: Interaction, model: str) -> None:
        """Ask whether a model shall be deleted."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        await self._ask_to_delete(interaction, await self._meant(interaction, model))

    @models.command(description="Let everybody in this server use one of your models, or take it back.")
    @app_commands.describe(model="One of your models.")
    async def share(self, interaction: Interaction, model: str) -> None:
        """Share a model with this server, or take it back."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        await self._share_and_tell(interaction, await self._meant(interaction, model))

    @show.autocomplete("model")
    async def _suggest(self, interaction: Interaction, typed: str) -> list[app_commands.Choice[str]]:
        return await suggest_models(self._services, interaction, typed)

    @rename.autocomplete("model")
    @delete.autocomplete("model")
    @share.autocomplete("model")
    async def _suggest_own(self, interaction: Interaction, typed: str) -> list[app_commands.Choice[str]]:
        return await suggest_models(self._services, interaction, typed, only_own=True)

    @on_choice("model.show")
    async def open_card(self, interaction: Interaction, values: list[str]) -> None:
        """Show the card of the model that was chosen in the list."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        await self._show_card(interaction, values[0])

    @on_press("model.share")
    async def share_by_button(self, interaction: Interaction, lora_id: str) -> None:
        """Share a model with this server, pressed once or twice, and leave the pressed message alone."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        await self._share_and_tell(interaction, lora_id, shared=True)

    @on_press("model.toggle")
    async def share_on_card(self, interaction: Interaction, lora_id: str, wanted: str | None = None) -> None:
        """Share a model with this server, or take it back, and show that on its card."""
        await interaction.response.defer()
        shared = None if wanted is None else wanted == "on"
        await self._services.library.share(interaction.user.id, lora_id, interaction.guild_id, shared=shared)
        await self._show_card(interaction, lora_id)

    @on_press("model.rename")
    async def open_rename_form(self, interaction: Interaction, lora_id: str) -> None:
        """Open the form for another name."""
        details = await self._services.library.details(interaction.user.id, lora_id, guild_id=interaction.guild_id)
        await interaction.response.send_modal(draw_rename_form(details.lora))

    @on_form("model.rename")
    async def rename_from_form(self, interaction: Interaction, answers: Answers, lora_id: str) -> None:
        """Rename a model and show that on its card."""
        await interaction.response.defer()
        await self._services.library.rename(interaction.user.id, lora_id, answers.texts.get("name", ""))
        await self._show_card(interaction, lora_id)

    @on_press("model.delete")
    async def ask_on_card(self, interaction: Interaction, lora_id: str) -> None:
        """Ask, in place of the card, whether a model shall be deleted."""
        await interaction.response.defer()
        await self._ask_to_delete(interaction, lora_id)

    @on_press("model.erase")
    async def erase(self, interaction: Interaction, lora_id: str) -> None:
        """Delete a model for ever."""
        await interaction.response.defer()
        lora = await self._services.library.delete(interaction.user.id, lora_id)
        await replies.show(interaction, draw_note(_("**{model}** is deleted for ever.").format(model=plain(lora.name))))

    @on_press("model.keep")
    async def keep(self, interaction: Interaction, lora_id: str) -> None:
        """Go back from the question to the card."""
        await interaction.response.defer()
        await self._show_card(interaction, lora_id)

    async def _meant(self, interaction: Interaction, model: str) -> str:
        lora = await self._services.library.find(interaction.user.id, model, guild_id=interaction.guild_id)
        return lora.id

    async def _show_card(self, interaction: Interaction, lora_id: str) -> None:
        person_id, guild_id = interaction.user.id, interaction.guild_id
        details = await self._services.library.details(person_id, lora_id, guild_id=guild_id)
        await replies.show(interaction, draw_model(details, viewer_id=person_id, guild_id=guild_id))

    async def _ask_to_delete(self, interaction: Interaction, lora_id: str) -> None:
        lora = await self._services.library.own(interaction.user.id, lora_id)
        await replies.show(interaction, draw_delete_question(lora))

    async def _share_and_tell(self, interaction: Interaction, lora_id: str, *, shared: bool | None = None) -> None:
        person_id, guild_id = interaction.user.id, interaction.guild_id
        shared = await self._services.library.share(person_id, lora_id, guild_id, shared=shared)
        details = await self._services.library.details(person_id, lora_id, guild_id=guild_id)
        await replies.tell(interaction, told_sharing(details.lora, shared=shared))


async def suggest_models(
    services: Services, interaction: Interaction, typed: str, *, only_own: bool = False
) -> list[app_commands.Choice[str]]:
    """Return models to choose from while a person types; none when that cannot be told."""
    person_id = interaction.user.id
    try:
        loras = await services.library.usable(person_id, guild_id=interaction.guild_id, named_like=typed.strip())
    except Exception:  # a funnel: nobody can be told anything while they type
        log.exception("no models could be suggested")
        return []
    return model_choices([lora for lora in loras if not only_own or lora.owner_id == person_id], person_id)
