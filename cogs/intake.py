"""Owns how photos come in from messages: sent to the bot directly, or picked with *Add to draft*; judges no photo."""

import logging
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

import discord
from discord import app_commands
from discord.ext import commands

from bot.downloads import Upload
from bot.errors import BadInput, WrongMoment
from bot.intake import Intake
from bot.services import Services
from bot.texts import _, speak
from cogs import failures, replies
from cogs.desk import Feature, on_choice
from cogs.ui.controls import Layout
from cogs.ui.draft_menus import draw_sentence, draw_unassigned
from cogs.ui.draft_notes import hello, no_photos_by_message, summarise
from cogs.ui.draft_panel import draw_panel, sheet_files

log = logging.getLogger(__name__)

Interaction = discord.Interaction[Any]
Drawing = tuple[Layout, list[discord.File]]
#: What people write themselves; anything else is Discord telling of calls, pins and the like.
_WRITTEN = frozenset({discord.MessageType.default, discord.MessageType.reply})
#: Kinds of attachments that are never meant as photos, when a whole message is picked.
_NO_PICTURES = ("video/", "audio/", "text/", "application/pdf", "application/json")


class PhotoIntake(Feature):
    """From a message to the photos of a draft."""

    def __init__(self, services: Services) -> None:
        self._services = services
        #: The entry in the Apps menu of a message; `setup` puts it on the tree.
        self.menu = app_commands.ContextMenu(name="Add to draft", callback=self.add_to_draft)

    @commands.Cog.listener()
    async def on_message(self, message: discord.Message) -> None:
        """Take what a person sends in a direct message."""
        if message.guild is not None or message.author.bot or message.type not in _WRITTEN:
            return
        # A message brings no locale along, unlike a command.
        speak(await self._services.letters.language_of(message.author.id))
        try:
            await self._take(message)
        except Exception as error:  # noqa: BLE001 - the funnel of messages, which have no interaction to answer
            await self._send(message, (draw_sentence(failures.sentence_for(error)), []))

    async def add_to_draft(self, interaction: Interaction, message: discord.Message) -> None:
        """Take the photos of a message."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        uploads = uploads_of(a for a in message.attachments if _may_be_a_picture(a))
        if not uploads:
            raise BadInput(
                _("There are no pictures attached to that message."),
                advice=_("Choose Apps, Add to draft on one that has some."),
            )
        intake = await self._services.intake.receive(interaction.user.id, uploads)
        layout, files = await drawn(self._services, interaction.user.id, intake)
        await replies.show(interaction, layout, files=files)

    @on_choice("draft.assign")
    async def assign(self, interaction: Interaction, values: list[str], batch_id: str) -> None:
        """Put waiting photos into the draft that was chosen."""
        await interaction.response.defer()
        intake = await self._services.intake.assign(interaction.user.id, batch_id, values[0])
        layout, files = await drawn(self._services, interaction.user.id, intake)
        await replies.show(interaction, layout, files=files)

    async def _take(self, message: discord.Message) -> None:
        by_message = self._services.settings.darkroom_dm_intake
        if not message.attachments:
            await self._send(message, (draw_sentence(hello(by_message=by_message)), []))
            return
        if not by_message:
            raise WrongMoment(no_photos_by_message())
        # A courtesy for some seconds: whether it arrives or not, the photos are taken.
        with suppress(discord.HTTPException):
            await message.channel.typing()
        intake = await self._services.intake.receive(message.author.id, uploads_of(message.attachments))
        await self._send(message, await drawn(self._services, message.author.id, intake))

    async def _send(self, message: discord.Message, drawing: Drawing) -> None:
        layout, files = drawing
        try:
            # The nonce is the message's own, so that an answer that was sent twice is shown once.
            await message.channel.send(
                view=layout,
                files=files,
                reference=message.to_reference(fail_if_not_exists=False),
                nonce=f"in-{message.id}",
            )
        except discord.HTTPException as error:
            log.warning("an answer to a direct message could not be delivered (%s)", error.code)


async def drawn(services: Services, person_id: int, intake: Intake) -> Drawing:
    """Return what a person sees of their photos' arrival: the draft's panel, or the question which draft."""
    if intake.draft is None:
        return draw_unassigned(intake), []
    view = await services.drafts.view(person_id, intake.draft.id)
    return draw_panel(view, note=summarise(intake)), sheet_files(view)


def uploads_of(attachments: Iterable[discord.Attachment]) -> list[Upload]:
    """Return attachments as the services take them."""
    return [Upload(file_name=a.filename, size=a.size, url=a.url) for a in attachments]


def _may_be_a_picture(attachment: discord.Attachment) -> bool:
    return not (attachment.content_type or "").startswith(_NO_PICTURES)
