"""Owns /privacy: what is held about a person, a copy of it, its end, and which messages they want; decides nothing.

It also deletes posted messages for the eraser, and tells the services which servers the bot is in.
"""

import logging
from typing import Any

import discord
from discord import app_commands
from discord.ext import commands

from bot.client import DarkroomBot
from bot.errors import BadInput
from bot.texts import _
from cogs import replies
from cogs.desk import Feature, on_press
from cogs.ui.privacy import draw_erase_question, draw_holdings, draw_settings, told_pack
from cogs.ui.quote import draw_note
from cogs.ui.words import moment

log = logging.getLogger(__name__)

Interaction = discord.Interaction[Any]
#: Discord's codes for a message or a channel that is gone.
_GONE = frozenset({10003, 10008})


class PrivacyCog(Feature, name="Privacy"):
    """From a question about one's data to its end."""

    privacy = app_commands.Group(name="privacy", description="What this bot holds about you, and how to end that.")

    def __init__(self, bot: DarkroomBot) -> None:
        self._bot = bot
        self._services = bot.services

    async def cog_load(self) -> None:
        """Begin with the wishes that a restart interrupted."""
        self._bot.background.start("erasures", self._erase)

    @privacy.command(description="See what is held about you, who got it, and when it goes.")
    async def show(self, interaction: Interaction) -> None:
        """Show what is held about a person."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        await self._show(interaction)

    @privacy.command(description="Get a copy of everything that is held about you.")
    async def export(self, interaction: Interaction) -> None:
        """Pack everything and hand it over."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        await self._hand_over(interaction)

    @privacy.command(description="Delete everything that is held about you, here and at the providers.")
    async def delete(self, interaction: Interaction) -> None:
        """Ask whether everything shall go."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        holdings = await self._services.privacy.holdings(interaction.user.id)
        await replies.show(interaction, draw_erase_question(holdings))

    @privacy.command(description="Choose which direct messages you get.")
    async def settings(self, interaction: Interaction) -> None:
        """Show what a person has set."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        await replies.show(interaction, draw_settings(await self._services.privacy.change(interaction.user.id)))

    @on_press("privacy.show")
    async def show_by_button(self, interaction: Interaction) -> None:
        """Go back to what is held."""
        await interaction.response.defer()
        await self._show(interaction)

    @on_press("privacy.export")
    async def export_by_button(self, interaction: Interaction) -> None:
        """Pack everything and hand it over, in a message of its own."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        await self._hand_over(interaction)

    @on_press("privacy.delete")
    async def ask_by_button(self, interaction: Interaction) -> None:
        """Ask whether everything shall go."""
        await interaction.response.defer()
        holdings = await self._services.privacy.holdings(interaction.user.id)
        await replies.show(interaction, draw_erase_question(holdings))

    @on_press("privacy.erase")
    async def erase(self, interaction: Interaction) -> None:
        """Write the wish to be forgotten down."""
        await interaction.response.defer()
        await self._services.eraser.ask(interaction.user.id)
        told = _(
            "It has begun. Trainings and pictures under way are stopped first. When everything is gone you get one "
            "last direct message with what was deleted and what could not be; /privacy show tells it too."
        )
        await replies.show(interaction, draw_note(told))

    @on_press("privacy.set")
    async def set_by_button(self, interaction: Interaction, name: str, wanted: str) -> None:
        """Switch one kind of message on or off."""
        await interaction.response.defer()
        settings = await self._services.privacy.change(interaction.user.id, **_switch(name, on=wanted == "on"))
        await replies.show(interaction, draw_settings(settings))

    @on_press("letters.off")
    async def want_no_letters(self, interaction: Interaction, name: str) -> None:
        """Switch a kind of message off from such a message."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        await self._services.privacy.change(interaction.user.id, **_switch(name, on=False))
        await replies.tell(interaction, _("No more such messages. /privacy settings switches them on again."))

    @on_press("letters.keep")
    async def keep_photos(self, interaction: Interaction, draft_id: str) -> None:
        """Let the time of a draft's photos begin anew."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        end = await self._services.retention.keep(interaction.user.id, draft_id)
        await replies.tell(interaction, _("They are kept until {when}.").format(when=moment(end, "D")))

    @commands.Cog.listener()
    async def on_ready(self) -> None:
        """Compare the servers that are known with those that the bot is in."""
        await self._services.departures.compare([guild.id for guild in self._bot.guilds])

    @commands.Cog.listener()
    async def on_guild_join(self, guild: discord.Guild) -> None:
        """Note that the bot is in a server."""
        await self._services.departures.joined(guild.id)

    @commands.Cog.listener()
    async def on_guild_remove(self, guild: discord.Guild) -> None:
        """Note that the bot was removed from a server."""
        await self._services.departures.left(guild.id)

    async def remove(self, channel_id: int, message_id: int) -> str | None:
        """Delete a message that the bot posted; the reason if that cannot be done."""
        channel = self._bot.get_partial_messageable(channel_id)
        try:
            await channel.get_partial_message(message_id).delete()
        except discord.HTTPException as error:
            if error.code in _GONE:
                return None
            log.warning("message %d in channel %d could not be deleted (%s)", message_id, channel_id, error)
            return _("A message of the bot in <#{channel}>: Discord did not let it be deleted.").format(
                channel=channel_id
            )
        return None

    async def _erase(self) -> None:
        await self._bot.wait_until_ready()
        await self._services.eraser.run(self)

    async def _show(self, interaction: Interaction) -> None:
        holdings = await self._services.privacy.holdings(interaction.user.id)
        await replies.show(interaction, draw_holdings(holdings))

    async def _hand_over(self, interaction: Interaction) -> None:
        export, room = self._services.export, interaction.filesize_limit
        pack = await export.pack(interaction.user.id, most_bytes=room)
        try:
            first, *others = pack.files
            text = told_pack(pack, room)
            await interaction.edit_original_response(content=text, attachments=[discord.File(first)])
            for other in others:
                await interaction.followup.send(file=discord.File(other), ephemeral=True)
        finally:
            await export.drop(pack)


def _switch(name: str, *, on: bool) -> dict[str, bool]:
    known = {"done": "tell_done", "deletion": "tell_deletion"}
    if name not in known:
        raise BadInput(_("There is no such setting."), advice=_("/privacy settings lists them."))
    return {known[name]: on}
