"""Owns /prompts: what people save to use again in /generate; makes no pictures."""

import discord
from discord import app_commands

from bot.client import DarkroomBot
from bot.prompts import TRIGGER
from bot.services import Services
from bot.texts import _
from cogs import replies
from cogs.desk import Feature
from cogs.model_commands import Suggestions
from cogs.ui.gallery import cut, plain
from cogs.ui.quote import draw_note

Interaction = discord.Interaction[DarkroomBot]
#: Discord takes 4000 characters a message; fifty prompts of this length fit.
SHOWN = 70
MOST_CHOICES = 25


class Prompts(Feature):
    """A person's saved prompts."""

    prompts = app_commands.Group(name="prompts", description="Prompts that you saved to use again.")

    def __init__(self, services: Services) -> None:
        self._services = services

    @prompts.command(description="Save a prompt; /generate offers it while you type.")
    @app_commands.describe(
        name="What you find it by; an earlier prompt of that name is replaced.",
        prompt="What the picture shows. Write {trigger} where the model's trigger word goes.",
    )
    async def save(self, interaction: Interaction, name: str, prompt: str) -> None:
        """Save a prompt."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        saved = await self._services.prompts.save(interaction.user.id, name, prompt)
        told = _("Saved as **{name}**. It is offered when you type a prompt in /generate.")
        if TRIGGER not in saved.text:
            told = _(
                "Saved as **{name}**. It is offered when you type a prompt in /generate. "
                "With {trigger} in it, it would fit every model."
            )
        await replies.tell(interaction, told.format(name=plain(saved.name), trigger=TRIGGER))

    @prompts.command(name="list", description="List the prompts that you saved.")
    async def list_prompts(self, interaction: Interaction) -> None:
        """List a person's saved prompts."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        saved = await self._services.prompts.saved(interaction.user.id)
        lines = [f"**{plain(one.name)}** {plain(cut(one.text, SHOWN))}" for one in saved]
        nothing = _(
            "You have saved no prompt yet. /prompts save keeps one, and so does *Save the prompt* in the details."
        )
        await replies.show(interaction, draw_note(cut("\n".join(lines), 3900) or nothing))

    @prompts.command(description="Delete a prompt that you saved.")
    @app_commands.describe(name="One of your saved prompts.")
    async def delete(self, interaction: Interaction, name: str) -> None:
        """Delete a saved prompt."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        gone = await self._services.prompts.delete(interaction.user.id, name)
        await replies.tell(interaction, _("**{name}** is no longer saved.").format(name=plain(gone.name)))

    @delete.autocomplete("name")
    async def _suggest(self, interaction: Interaction, typed: str) -> Suggestions:
        saved = await self._services.prompts.saved(interaction.user.id)
        return [
            app_commands.Choice(name=one.name, value=one.id) for one in saved if typed.casefold() in one.name.casefold()
        ][:MOST_CHOICES]
