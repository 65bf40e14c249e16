"""Owns /models adult; what counts as adult, and where it may be made, is decided in bot/adult.py."""

from discord import app_commands

from bot.texts import _
from cogs import replies
from cogs.model_commands import Interaction, ModelCommands, Suggestions, suggest_models
from cogs.places import place_of
from cogs.ui.gallery import plain


class AdultModels(ModelCommands):
    """The mark that keeps a model's pictures where adults are."""

    models = ModelCommands.models

    @models.command(description="Mark a model as adult, or take the mark back: its owner, or who manages this server.")
    @app_commands.describe(model="A model that you can use here.", adult="Whether its pictures are for adults only.")
    async def adult(self, interaction: Interaction, model: str, adult: bool = True) -> None:
        """Mark a model."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        found = await self._meant(interaction, model)
        lora = await self._services.adult_marks.set(interaction.user.id, found.id, place_of(interaction), adult=adult)
        told = (
            _("**{model}** is marked as adult: its pictures are made in age-restricted channels at most.")
            if adult
            else _("**{model}** is no longer marked as adult by you.")
        )
        await replies.tell(interaction, told.format(model=plain(lora.name)))

    @adult.autocomplete("model")
    async def _suggest_markable(self, interaction: Interaction, typed: str) -> Suggestions:
        return await suggest_models(self._services, interaction, typed)
