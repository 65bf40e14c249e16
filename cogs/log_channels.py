"""Owns what stands in servers' log channels: posts each notice once and keeps it true; settles nothing.

A notice is a projection of its row, like a card of its job. A new message carries a nonce made from the row, so Discord
drops the second of two that a crash made us send. A server whose log channel is closed to us rests; its notices wait.
"""

import asyncio
import logging

import discord
from discord.ext import commands

from bot.background import unbroken
from bot.client import DarkroomBot
from bot.errors import BotError
from bot.notice import Notice, NoticeKind
from bot.texts import ENGLISH, speaking
from cogs import answer_calls
from cogs.providers import titles_of
from cogs.ui.notices import NoticeView, draw_notice

log = logging.getLogger(__name__)

#: Seconds between two looks when nobody wakes us.
IDLE_SECONDS = 15.0
#: Seconds between two looks at least.
SHORTEST_SECONDS = 0.3
#: Seconds that a server rests whose log channel does not take a message.
REST_SECONDS = 600.0
#: Seconds that a server rests after trouble at Discord's.
TROUBLE_SECONDS = 5.0

_NO_MESSAGE = 10008


class LogChannels(commands.Cog):
    """The one that posts notices."""

    def __init__(self, bot: DarkroomBot) -> None:
        self._bot = bot
        self._notices = bot.services.notices
        #: When a server is tried again, on the loop's clock; lost at a restart without harm.
        self._resting: dict[int, float] = {}

    async def cog_load(self) -> None:
        """Begin with whatever a restart left unsaid."""
        self._bot.background.start("log channels", self._run)

    async def _run(self) -> None:
        await self._bot.wait_until_ready()
        while True:
            for notice, channel_id in await unbroken(self._notices.due()):
                await self._bring_up(notice, channel_id)
            # A running job makes news several times a second; nobody reads a log channel that fast.
            await asyncio.sleep(SHORTEST_SECONDS)
            await self._notices.woken(seconds=self._pause())

    def _pause(self) -> float:
        now = asyncio.get_running_loop().time()
        return min([IDLE_SECONDS, *(until - now for until in self._resting.values() if until > now)])

    async def _bring_up(self, notice: Notice, log_channel_id: int) -> None:
        now = asyncio.get_running_loop().time()
        if self._resting.get(notice.guild_id, now) > now:
            return
        self._resting.pop(notice.guild_id, None)
        try:
            with speaking(self._language(notice.guild_id)):
                await self._post_or_edit(notice, log_channel_id)
        except discord.HTTPException as error:
            log.warning("notice %s of server %d was not sent: %s", notice.id, notice.guild_id, error)
            if error.status in (400, 413):
                # It would be refused again; the row it is about is still there for whoever looks.
                await unbroken(self._notices.shown(notice, channel_id=log_channel_id, message_id=notice.message_id))
                return
            closed = error.status in (403, 404)
            self._resting[notice.guild_id] = now + (REST_SECONDS if closed else TROUBLE_SECONDS)
        except answer_calls.UNANSWERED as error:
            log.warning("notice %s of server %d was not sent: %s", notice.id, notice.guild_id, error)
            self._resting[notice.guild_id] = now + TROUBLE_SECONDS
        except Exception:  # a notice that cannot be drawn must not keep the others from being shown
            log.exception("notice %s", notice.id)
            self._resting[notice.guild_id] = now + REST_SECONDS

    async def _post_or_edit(self, notice: Notice, log_channel_id: int) -> None:
        layout = draw_notice(await unbroken(self._view(notice)))
        if notice.message_id is None or notice.channel_id is None:
            channel = self._bot.get_partial_messageable(log_channel_id)
            message = await channel.send(view=layout, nonce=f"{notice.id}:note")
            await unbroken(self._notices.shown(notice, channel_id=log_channel_id, message_id=message.id))
            return
        shown_in = self._bot.get_partial_messageable(notice.channel_id).get_partial_message(notice.message_id)
        try:
            await shown_in.edit(view=layout, allowed_mentions=discord.AllowedMentions.none())
        except discord.NotFound as error:
            if error.code != _NO_MESSAGE:
                raise
            log.info("notice %s was deleted", notice.id)
        await unbroken(self._notices.shown(notice, channel_id=notice.channel_id, message_id=notice.message_id))

    async def _view(self, notice: Notice) -> NoticeView:
        titles = titles_of(self._bot.services.registry)
        if notice.kind is NoticeKind.REPORT:
            try:
                report, job, spot = await self._bot.services.reports.shown(notice.subject)
            except BotError:
                return NoticeView(notice=notice)
            return NoticeView(notice=notice, report=report, job=job, spot=spot)
        job = await self._notices.job_of(notice)
        name = job.provider if job is not None else str(notice.facts.get("provider", ""))
        return NoticeView(notice=notice, job=job, provider=titles.get(name, name))

    def _language(self, guild_id: int) -> str:
        guild = self._bot.get_guild(guild_id)
        return ENGLISH if guild is None else str(guild.preferred_locale)
