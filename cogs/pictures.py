"""Owns what people do with pictures that are there: look at their details, delete them, report them; makes none."""

import logging

import discord
from discord import app_commands

from bot.client import DarkroomBot
from bot.services import Services
from bot.texts import _
from cogs import replies
from cogs.desk import Feature, on_form, on_press
from cogs.places import place_of
from cogs.ui.controls import Answers
from cogs.ui.gallery import plain
from cogs.ui.picture_details import (
    draw_delete_pictures_question,
    draw_details,
    draw_report_form,
    draw_save_form,
)
from cogs.ui.quote import draw_note
from cogs.ui.reports import told_filed

log = logging.getLogger(__name__)

Interaction = discord.Interaction[DarkroomBot]


class Pictures(Feature):
    """The buttons under finished pictures that make no more of them, and the entry in a message's Apps menu."""

    def __init__(self, services: Services) -> None:
        self._services = services
        #: `setup` puts it on the tree.
        self.menu = app_commands.ContextMenu(name="Picture details", callback=self.details_of_message)

    async def details_of_message(self, interaction: Interaction, message: discord.Message) -> None:
        """Tell what this person may know about the pictures in a message."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        details = await self._services.picture_details.of_message(
            interaction.user.id, message.id, place_of(interaction)
        )
        await replies.show(interaction, draw_details(details))

    @on_press("picture.details")
    async def details(self, interaction: Interaction, job_id: str) -> None:
        """Tell what this person may know about some pictures."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        details = await self._services.picture_details.of_job(interaction.user.id, job_id, place_of(interaction))
        await replies.show(interaction, draw_details(details))

    @on_press("prompt.keep")
    async def ask_for_name(self, interaction: Interaction, job_id: str) -> None:
        """Ask what the prompt of some pictures shall be found by."""
        await self._services.generating.wishes_of(interaction.user.id, job_id, place_of(interaction))
        await interaction.response.send_modal(draw_save_form(job_id))

    @on_form("prompt.keep")
    async def keep_prompt(self, interaction: Interaction, answers: Answers, job_id: str) -> None:
        """Save the prompt of some pictures."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        person_id = interaction.user.id
        lora, wishes = await self._services.generating.wishes_of(person_id, job_id, place_of(interaction))
        name = answers.texts.get("name", "")
        saved = await self._services.prompts.save(person_id, name, wishes.prompt, lora=lora)
        told = _("Saved as **{name}**. It is offered when you type a prompt in /generate.")
        await replies.tell(interaction, told.format(name=plain(saved.name)))

    @on_press("picture.delete")
    async def ask_to_delete(self, interaction: Interaction, job_id: str) -> None:
        """Ask whether pictures shall be deleted."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        gallery = await self._services.generating.own_gallery(interaction.user.id, job_id)
        await replies.show(interaction, draw_delete_pictures_question(job_id, len(gallery.pictures)))

    @on_press("picture.erase")
    async def erase(self, interaction: Interaction, job_id: str) -> None:
        """Delete pictures for ever, then the messages that show them."""
        await interaction.response.defer()
        shown_in = await self._services.generating.delete(interaction.user.id, job_id)
        left = [where for where in shown_in if not await self._delete_message(interaction.client, *where)]
        told = (
            _("I deleted the pictures on my side, but not this message: {link}. Ask a moderator to delete it.").format(
                link=_link(interaction, *left[0])
            )
            if left
            else _("The pictures are deleted for ever.")
        )
        await replies.show(interaction, draw_note(told))

    @on_press("picture.report")
    async def open_report(self, interaction: Interaction, job_id: str) -> None:
        """Open the form in which somebody says what is wrong."""
        await interaction.response.send_modal(draw_report_form(job_id))

    @on_form("picture.report")
    async def report(self, interaction: Interaction, answers: Answers, job_id: str) -> None:
        """File a report of some pictures."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        reason = answers.texts.get("reason", "")
        filed = await self._services.reports.file(interaction.user.id, job_id, reason, place_of(interaction))
        await replies.tell(interaction, told_filed(filed))

    async def _delete_message(self, client: discord.Client, channel_id: int, message_id: int) -> bool:
        """Delete a message of ours; false when Discord does not let us, and it still stands."""
        try:
            await client.get_partial_messageable(channel_id).get_partial_message(message_id).delete()
        except discord.NotFound:
            log.info("message %d was gone already", message_id)
        except discord.HTTPException as error:
            log.warning("message %d could not be deleted (%s)", message_id, error.code)
            return False
        return True


def _link(interaction: Interaction, channel_id: int, message_id: int) -> str:
    return f"https://discord.com/channels/{interaction.guild_id or '@me'}/{channel_id}/{message_id}"
