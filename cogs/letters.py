"""Owns the sending of letters, the direct messages that nobody waits for; writes none.

A letter carries a nonce made from its id, so Discord drops the second of two that a crash made us send.
"""

import asyncio
import logging
from typing import Any

import discord
from discord.ext import commands

from bot.client import DarkroomBot
from bot.store.letters import Addressed, LetterKind
from bot.texts import speaking
from cogs import answer_calls
from cogs.ui.letters import draw_letter

log = logging.getLogger(__name__)

#: Seconds between two looks for letters.
PAUSE = 2.0
#: Seconds to the next look after Discord was in trouble.
TROUBLE_PAUSE = 60.0
#: Discord's codes for somebody who takes no messages from us, or is no more.
_RETURNED = frozenset({50007, 10013, 10003})


class Postman(commands.Cog):
    """The one that sends letters, and learns which language people speak."""

    def __init__(self, bot: DarkroomBot) -> None:
        self._bot = bot
        self._letters = bot.services.letters
        #: What was written down last, so that most presses cost no query; lost at a restart without harm.
        self._known: dict[int, str] = {}

    async def cog_load(self) -> None:
        """Begin with what a restart left unsent."""
        self._bot.background.start("letters", self._run)

    @commands.Cog.listener()
    async def on_interaction(self, interaction: discord.Interaction[Any]) -> None:
        """Remember a person's language, beside whatever their press does."""
        person_id, locale = interaction.user.id, str(interaction.locale)
        if self._known.get(person_id) != locale and await self._letters.heard(person_id, locale):
            self._known[person_id] = locale

    async def _run(self) -> None:
        await self._bot.wait_until_ready()
        while True:
            calm = True
            for addressed in await self._letters.waiting():
                calm = await self._send(addressed) and calm
            await asyncio.sleep(PAUSE if calm else TROUBLE_PAUSE)

    async def _send(self, addressed: Addressed) -> bool:
        """Send one letter; false when Discord is in trouble and it stays for later."""
        letter = addressed.letter
        locale = str(letter.body["locale"]) if letter.kind is LetterKind.ERASED else addressed.locale
        try:
            channel = await self._bot.create_dm(discord.Object(letter.person_id))
            with speaking(locale):
                await channel.send(view=draw_letter(addressed), nonce=letter.id)
        except discord.HTTPException as error:
            if error.code not in _RETURNED:
                log.warning("letter %s was not sent (%s), it is tried again", letter.id, error)
                return False
            log.info("letter %s cannot be delivered (%d)", letter.id, error.code)
        except answer_calls.UNANSWERED as error:
            log.warning("letter %s was not answered (%s), it is tried again", letter.id, error)
            return False
        await self._letters.ended(letter)
        return True
