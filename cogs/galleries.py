"""Owns the galleries in Discord: begins a model's thread once, hangs up finished pictures, takes deleted ones down.

A thread begins at a message and takes its number, so Discord lets it begin only once; the message and every post carry
a nonce. Each step is written down before the next, so a process that dies in between goes on where it was.
"""

import asyncio
import contextlib
import logging
from dataclasses import replace

import discord
from discord.ext import commands

from bot.client import DarkroomBot
from bot.events import JobChanged
from bot.galleries import Hanging, anew
from bot.store.galleries import GalleryPost
from bot.texts import _, speaking
from cogs import answer_calls
from cogs.ui.controls import Layout
from cogs.ui.gallery import draw_gallery, model_name, plain

log = logging.getLogger(__name__)

#: Seconds between two looks when nobody wakes us, and after Discord was in trouble.
IDLE_SECONDS = 5.0
TROUBLE_SECONDS = 15.0
#: A thread that is gone is begun anew this often for one post.
MOST_THREADS = 3
#: Discord's limit for the name of a thread.
LONGEST_NAME = 100

_GONE = frozenset({10003, 10008})
_EXISTS = 160004


class GalleryKeeper(commands.Cog):
    """The one that writes in galleries."""

    def __init__(self, bot: DarkroomBot) -> None:
        self._bot = bot
        self._galleries = bot.services.galleries
        self._wake = asyncio.Event()

    async def cog_load(self) -> None:
        """Begin with whatever a restart left undone."""
        self._bot.services.news.subscribe(self._hear)
        self._bot.background.start("galleries", self._run)

    async def cog_unload(self) -> None:
        """Stop listening; the bot stops the task."""
        self._bot.services.news.unsubscribe(self._hear)

    def _hear(self, _event: JobChanged) -> None:
        self._wake.set()

    async def _run(self) -> None:
        while True:
            self._wake.clear()
            try:
                await self._round()
                wait = IDLE_SECONDS
            except (discord.HTTPException, *answer_calls.UNANSWERED) as error:
                log.warning("a gallery could not be brought up to date: %s", error)
                wait = TROUBLE_SECONDS
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await self._wake.wait()

    async def _round(self) -> None:
        for post, thread_id in await self._galleries.to_take_down():
            await self._take_down(post, thread_id)
        for hanging in await self._galleries.to_hang():
            with speaking(hanging.post.locale):
                await self._hang(hanging)

    async def _take_down(self, post: GalleryPost, thread_id: int) -> None:
        message = self._bot.get_partial_messageable(thread_id).get_partial_message(post.message_id or 0)
        try:
            await message.delete()
        except discord.HTTPException as error:
            if error.status >= 500:
                raise
            log.info("a message of a gallery could not be deleted: %s", error)
        await self._galleries.write_post(replace(post, message_id=None, given_up="its pictures were deleted"))

    async def _hang(self, hanging: Hanging) -> None:
        if self._bot.get_guild(hanging.post.guild_id) is None:
            # Not connected yet, or an outage; the pictures wait.
            return
        if hanging.channel_id is None:
            await self._give_up(hanging, "the server has no gallery any more")
            return
        for _attempt in range(MOST_THREADS):
            try:
                hanging = await self._with_thread(hanging)
                await self._post(hanging)
                return
            except discord.HTTPException as error:
                if error.code in _GONE and hanging.thread.message_id is not None:
                    # Somebody deleted the thread, or the message that it began at.
                    hanging = replace(hanging, thread=anew(hanging.thread))
                    await self._galleries.write_thread(hanging.thread)
                elif error.status in {400, 403, 404, 413}:
                    await self._give_up(hanging, str(error))
                    return
                else:
                    raise
        await self._give_up(hanging, "its thread was deleted again and again")

    async def _with_thread(self, hanging: Hanging) -> Hanging:
        """Return it with a thread that is there, begun now if need be."""
        thread = hanging.thread
        channel = self._bot.get_partial_messageable(thread.channel_id, guild_id=thread.guild_id)
        if thread.message_id is None:
            await self._galleries.write_thread(thread)
            layout = _begins(hanging)
            message = await channel.send(view=layout, nonce=f"{thread.lora_id}:gal{thread.posts}")
            thread = replace(thread, message_id=message.id)
            await self._galleries.write_thread(thread)
            hanging = replace(hanging, thread=thread)
        if not thread.begun:
            try:
                name = model_name(hanging.gallery)[:LONGEST_NAME]
                await channel.get_partial_message(thread.message_id or 0).create_thread(name=name)
            except discord.HTTPException as error:
                if error.code != _EXISTS:
                    raise
            thread = replace(thread, begun=True)
            await self._galleries.write_thread(thread)
        return replace(hanging, thread=thread)

    async def _post(self, hanging: Hanging) -> None:
        layout, files = draw_gallery(hanging.gallery)
        thread_id = hanging.thread.message_id or 0
        nonce = f"{hanging.post.job_id}:gal{hanging.thread.posts}"
        message = await self._bot.get_partial_messageable(thread_id).send(view=layout, files=files, nonce=nonce)
        post = replace(hanging.post, message_id=message.id, thread_channel_id=thread_id)
        if not await self._galleries.write_post(post):
            await message.delete()

    async def _give_up(self, hanging: Hanging, reason: str) -> None:
        log.warning("pictures of job %s do not go to a gallery: %s", hanging.post.job_id, reason)
        await self._galleries.write_post(replace(hanging.post, given_up=reason))


def _begins(hanging: Hanging) -> Layout:
    """Return the message that a model's thread begins at."""
    text = _("**{model}**: the pictures that are made with it in this server.")
    return Layout(discord.ui.TextDisplay(text.format(model=plain(model_name(hanging.gallery)))))
