"""Owns /models list, show, rename, describe, defaults and delete, and the buttons of model cards; makes no pictures."""

from discord import app_commands

from bot.library import CardChange
from bot.lora import Lora
from bot.texts import _
from cogs import replies
from cogs.adult import AdultModels
from cogs.desk import on_choice, on_form, on_press
from cogs.model_commands import Interaction, ModelCommands, Suggestions, suggest_models
from cogs.model_files import ModelFiles
from cogs.places import place_of
from cogs.providers import offered
from cogs.sharing import SharedModels
from cogs.ui.controls import Answers
from cogs.ui.gallery import plain
from cogs.ui.models import (
    draw_delete_question,
    draw_edit_form,
    draw_models,
    draw_rename_form,
    read_edit_form,
    told_deleted,
)
from cogs.ui.quote import draw_note


class Library(SharedModels, ModelFiles, AdultModels):
    """What people do with their trained models."""

    models = ModelCommands.models

    @models.command(name="list", description="List the models you can use here.")
    async def list_models(self, interaction: Interaction) -> None:
        """Show the models a person may use here, and those that they were offered."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        person_id = interaction.user.id
        loras = await self._services.library.usable(person_id, place_of(interaction))
        offers = await self._services.transfers.offered_to(person_id)
        await replies.show(interaction, draw_models(loras, person_id, offered=offers))

    @models.command(description="Show a model: how it was trained, who can use it, and what you can do with it.")
    @app_commands.describe(model="One of your models, or one that is shared here.")
    async def show(self, interaction: Interaction, model: str) -> None:
        """Show a model's card."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        await self._show_card(interaction, (await self._meant(interaction, model)).id)

    @models.command(description="Give one of your models another name.")
    @app_commands.describe(model="One of your models.", name="Its new name.")
    async def rename(self, interaction: Interaction, model: str, name: str) -> None:
        """Rename a model."""
        before, now = await self._change(interaction, model, CardChange(name=name))
        told = _("**{before}** is called **{now}** now.").format(before=plain(before.name), now=plain(now.name))
        await replies.tell(interaction, told)

    @models.command(description="Say on a model's card what others should know about it.")
    @app_commands.describe(model="One of your models.", description="At most 300 characters; leave it out for none.")
    async def describe(self, interaction: Interaction, model: str, description: str = "") -> None:
        """Describe a model."""
        _before, now = await self._change(interaction, model, CardChange(description=description))
        await self._show_card(interaction, now.id)

    @models.command(description="Set what is taken when somebody makes pictures with a model and leaves it open.")
    @app_commands.describe(
        model="One of your models.",
        strength="How much of the model goes in, such as 0.8; leave it out for what works best.",
        provider="Who makes the pictures; leave it out for the best choice.",
    )
    async def defaults(
        self, interaction: Interaction, model: str, strength: float | None = None, provider: str = ""
    ) -> None:
        """Set a model's default strength and provider."""
        change = CardChange(strength="" if strength is None else f"{strength:g}", provider=provider)
        _before, now = await self._change(interaction, model, change)
        await self._show_card(interaction, now.id)

    @models.command(description="Delete one of your models for ever; you are asked first.")
    @app_commands.describe(model="One of your models.")
    async def delete(self, interaction: Interaction, model: str) -> None:
        """Ask whether a model shall be deleted."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        await self._ask_to_delete(interaction, (await self._meant(interaction, model)).id)

    @show.autocomplete("model")
    async def _suggest(self, interaction: Interaction, typed: str) -> Suggestions:
        return await suggest_models(self._services, interaction, typed)

    @rename.autocomplete("model")
    @describe.autocomplete("model")
    @defaults.autocomplete("model")
    @delete.autocomplete("model")
    async def _suggest_own(self, interaction: Interaction, typed: str) -> Suggestions:
        return await suggest_models(self._services, interaction, typed, only_own=True)

    @defaults.autocomplete("provider")
    async def _suggest_providers(self, interaction: Interaction, typed: str) -> Suggestions:
        lora = await self._services.library.meant_or_none(
            interaction.user.id, interaction.namespace.model or "", place_of(interaction)
        )
        return await offered(self._services, interaction, self._services.generating.makers_for(lora), typed)

    @on_choice("model.show")
    async def open_card(self, interaction: Interaction, values: list[str]) -> None:
        """Show the card of the model that was chosen in the list."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        await self._show_card(interaction, values[0])

    @on_press("model.rename")
    async def open_rename_form(self, interaction: Interaction, lora_id: str) -> None:
        """Open the form for another name, on cards of earlier versions."""
        lora = await self._services.library.own(interaction.user.id, lora_id)
        await interaction.response.send_modal(draw_rename_form(lora))

    @on_form("model.rename")
    async def rename_from_form(self, interaction: Interaction, answers: Answers, lora_id: str) -> None:
        """Rename a model and show that on its card."""
        await self._change_on_card(interaction, lora_id, CardChange(name=answers.texts.get("name", "")))

    @on_press("model.edit")
    async def open_edit_form(self, interaction: Interaction, lora_id: str) -> None:
        """Open the form for all that an owner may change."""
        lora = await self._services.library.own(interaction.user.id, lora_id)
        await interaction.response.send_modal(draw_edit_form(lora, self._services.generating.makers_for(lora)))

    @on_form("model.edit")
    async def edit_from_form(self, interaction: Interaction, answers: Answers, lora_id: str) -> None:
        """Change a model and show that on its card."""
        await self._change_on_card(interaction, lora_id, read_edit_form(answers))

    @on_press("model.delete")
    async def ask_on_card(self, interaction: Interaction, lora_id: str) -> None:
        """Ask, in place of the card, whether a model shall be deleted."""
        await interaction.response.defer()
        await self._ask_to_delete(interaction, lora_id)

    @on_press("model.erase")
    async def erase(self, interaction: Interaction, lora_id: str) -> None:
        """Delete a model for ever."""
        await interaction.response.defer()
        lora, left = await self._services.library.delete(interaction.user.id, lora_id)
        await replies.show(interaction, draw_note(told_deleted(lora, left)))

    @on_press("model.keep")
    async def keep(self, interaction: Interaction, lora_id: str) -> None:
        """Go back to the card."""
        await interaction.response.defer()
        await self._show_card(interaction, lora_id)

    async def _change(self, interaction: Interaction, model: str, change: CardChange) -> tuple[Lora, Lora]:
        await interaction.response.defer(ephemeral=True, thinking=True)
        lora = await self._meant(interaction, model)
        return await self._services.library.change(interaction.user.id, lora.id, change, place_of(interaction))

    async def _change_on_card(self, interaction: Interaction, lora_id: str, change: CardChange) -> None:
        await interaction.response.defer()
        await self._services.library.change(interaction.user.id, lora_id, change, place_of(interaction))
        await self._show_card(interaction, lora_id)

    async def _ask_to_delete(self, interaction: Interaction, lora_id: str) -> None:
        lora = await self._services.library.own(interaction.user.id, lora_id)
        await replies.show(interaction, draw_delete_question(lora))
