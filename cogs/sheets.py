"""Owns the buttons that compare a model's strengths or checkpoints and take one of them; follows no job itself."""

import logging
from typing import Any

import discord

from bot.library import CardChange
from bot.services import Services
from bot.texts import N_, _, ngettext
from bot.training.job import Job, SheetKind
from cogs import replies
from cogs.desk import Feature, on_press
from cogs.places import place_for_results, place_of
from cogs.ui.gallery import plain
from cogs.ui.quote import draw_note
from cogs.ui.sheet import draw_sheet_question

log = logging.getLogger(__name__)

Interaction = discord.Interaction[Any]
_BEGUN = N_("Comparing **{model}**. The sheet appears in this channel.")
_BEGUN_HERE = N_("Comparing **{model}**. The sheet appears in this conversation.")


class Sheets(Feature):
    """From a model to pictures side by side, and to the best column."""

    def __init__(self, services: Services) -> None:
        self._services = services

    @on_press("sheet.ask")
    async def ask(self, interaction: Interaction, kind: str, lora_id: str) -> None:
        """Begin a sheet that is free; tell the price of another first."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        place, sheets = await place_for_results(interaction), self._services.sheets
        plan = await sheets.plan(interaction.user.id, lora_id, SheetKind(kind), place)
        if plan.estimate.high_usd:
            await replies.show(interaction, draw_sheet_question(plan))
            return
        job = await sheets.start(interaction.user.id, lora_id, SheetKind(kind), place)
        await replies.tell(interaction, _begun(job))

    @on_press("sheet.make")
    async def make(self, interaction: Interaction, kind: str, lora_id: str) -> None:
        """Begin a sheet."""
        await interaction.response.defer()
        place = await place_for_results(interaction)
        job = await self._services.sheets.start(interaction.user.id, lora_id, SheetKind(kind), place)
        await replies.show(interaction, draw_note(_begun(job)))

    @on_press("sheet.again")
    async def again(self, interaction: Interaction, kind: str, lora_id: str) -> None:
        """Begin a sheet once more that could not be made."""
        await self.ask(interaction, kind, lora_id)

    @on_press("sheet.delete")
    async def delete(self, interaction: Interaction, job_id: str) -> None:
        """Delete a sheet for ever, then the message that shows it."""
        await interaction.response.defer()
        await self._services.sheets.delete(interaction.user.id, job_id)
        try:
            await interaction.delete_original_response()
        except discord.HTTPException as error:
            log.warning("the message of job %s could not be deleted (%s)", job_id, error.code)
        await replies.tell(interaction, _("The pictures are deleted for ever."))

    @on_press("sheet.strength")
    async def use_strength(self, interaction: Interaction, lora_id: str, strength: str) -> None:
        """Make a strength the one that is taken where nobody names another."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        change = CardChange(strength=strength)
        place = place_of(interaction)
        _before, lora = await self._services.library.change(interaction.user.id, lora_id, change, place)
        await self._services.checkpoints.redraw(lora.id)
        await replies.tell(
            interaction,
            _("**{model}** is used at strength {strength} from now on, unless somebody names another.").format(
                model=plain(lora.name), strength=strength
            ),
        )

    @on_press("checkpoint.use")
    async def use_checkpoint(self, interaction: Interaction, checkpoint_id: str) -> None:
        """Let the model use the weights of another step."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        found = await self._services.checkpoints.use(interaction.user.id, checkpoint_id)
        step = found.current.step if found.current else 0
        await replies.tell(
            interaction,
            _(
                "**{model}** is what it was at step {step} from now on. The other checkpoints are kept for a while."
            ).format(model=plain(found.lora.name), step=step),
        )

    @on_press("checkpoint.drop")
    async def drop_checkpoints(self, interaction: Interaction, lora_id: str) -> None:
        """Delete the weights that the model does not use."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        gone = await self._services.checkpoints.drop_others(interaction.user.id, lora_id)
        told = ngettext("{count} checkpoint is deleted for ever.", "{count} checkpoints are deleted for ever.", gone)
        await replies.tell(interaction, told.format(count=gone))


def _begun(job: Job) -> str:
    return _(_BEGUN_HERE if job.guild_id is None else _BEGUN).format(model=plain(job.title))
