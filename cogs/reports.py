"""Owns the buttons that settle a report, in the log channel and in /admin reports; decides nothing."""

import logging

import discord

from bot.client import DarkroomBot
from bot.report import ReportState
from bot.services import Services
from cogs import replies
from cogs.desk import Feature, on_press
from cogs.places import place_of
from cogs.ui.reports import draw_report

log = logging.getLogger(__name__)

Interaction = discord.Interaction[DarkroomBot]
#: Discord's codes for a message or channel that is gone.
_GONE = frozenset({10003, 10008})


class ReportButtons(Feature):
    """A manager's decision."""

    def __init__(self, services: Services) -> None:
        self._services = services

    @on_press("report.delete")
    async def delete(self, interaction: Interaction, report_id: str) -> None:
        """Delete what was reported: first the message, then the pictures, so that a crash in between shows nothing."""
        await interaction.response.defer()
        reports, person_id = self._services.reports, interaction.user.id
        _report, _job, spot = await reports.waiting(person_id, report_id, place_of(interaction))
        if spot is not None:
            await _delete_message(interaction.client, *spot)
        await self._settle(interaction, report_id, ReportState.DELETED)

    @on_press("report.block")
    async def block(self, interaction: Interaction, report_id: str) -> None:
        """Block who asked for the pictures."""
        await interaction.response.defer()
        await self._settle(interaction, report_id, ReportState.BLOCKED)

    @on_press("report.dismiss")
    async def dismiss(self, interaction: Interaction, report_id: str) -> None:
        """Leave everything as it is."""
        await interaction.response.defer()
        await self._settle(interaction, report_id, ReportState.DISMISSED)

    async def _settle(self, interaction: Interaction, report_id: str, state: ReportState) -> None:
        report = await self._services.reports.settle(interaction.user.id, report_id, place_of(interaction), state)
        _same, job, _spot = await self._services.reports.shown(report_id)
        await replies.show(interaction, draw_report(report, job, None))


async def _delete_message(bot: DarkroomBot, channel_id: int, message_id: int) -> None:
    try:
        await bot.get_partial_messageable(channel_id).get_partial_message(message_id).delete()
    except discord.HTTPException as error:
        if error.code not in _GONE and error.status != 403:
            raise
        log.info("a reported message could not be deleted (%d)", error.code)
