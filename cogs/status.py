"""Owns the board: keeps the card of every job true in its channel, and posts a training's last word once.

A card is a projection of its row. Nothing is lost when an edit fails: the row is further on than what the card has
shown, so the card is drawn again, also after a restart. Edits are latest-wins and throttled by channel, since Discord
counts them by channel; a card that would look the same is not sent. New messages carry a nonce made from the job, so
that Discord drops the second of two that a crash made us send.
"""

import asyncio
import contextlib
import hashlib
import json
import logging
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import aiohttp
import discord
from discord.ext import commands

from bot.cards import JobView
from bot.client import DarkroomBot
from bot.events import JobChanged
from bot.store.cards import Card
from bot.texts import speaking
from cogs.ui.controls import Layout
from cogs.ui.job_card import draw_job, draw_last_word, draw_turn

log = logging.getLogger(__name__)

#: Seconds between two looks for stale cards when nobody wakes the board.
IDLE_SECONDS = 2.0
#: Seconds that a channel is left alone after Discord was in trouble there.
TROUBLE_SECONDS = 5.0
#: A card that cannot be shown is tried again ever later, up to this many seconds.
LONGEST_REST = 300.0
#: A card that Discord refuses so often in a row is given up; with its rests that takes about ten minutes.
MOST_REFUSALS = 8
#: Seconds that messages under way get at shutdown; a nonce keeps one that is cut off from being posted twice.
DRAIN_SECONDS = 1.0
#: Discord lets messages older than an hour be edited far less often; we slow down before that.
OLD = timedelta(minutes=55)
OLD_SECONDS = 60.0

#: Discord's codes for a message that is gone, and for a channel where we cannot post.
_NO_MESSAGE = frozenset({10008})
_NO_CHANNEL = frozenset({10003, 50001, 50013})
#: HTTP's codes for a message that would be refused again: it breaks a rule of Discord's, or is too large.
_REFUSED = frozenset({400, 413})


class _ForgottenError(Exception):
    """The person of a card was forgotten while it was shown."""


class StatusBoard(commands.Cog):
    """The one that edits cards."""

    def __init__(self, bot: DarkroomBot) -> None:
        self._bot = bot
        self._cards = bot.services.cards
        self._pause = bot.services.settings.darkroom_card_seconds
        self._wake = asyncio.Event()
        #: When a channel may be edited again, on the loop's clock; lost at a restart without harm.
        self._not_before: dict[int, float] = {}
        #: When a card that could not be shown is tried again, and its pause; the others of its channel go first.
        self._resting: dict[str, tuple[float, float]] = {}
        #: How often in a row Discord refused a card; counted anew after a restart without harm.
        self._refusals: dict[str, int] = {}
        self._busy: dict[int, asyncio.Task[None]] = {}

    async def cog_load(self) -> None:
        """Begin with whatever a restart left stale."""
        self._bot.services.news.subscribe(self._hear)
        self._bot.background.start("status board", self._run)

    async def cog_unload(self) -> None:
        """Stop listening; the bot stops the task."""
        self._bot.services.news.unsubscribe(self._hear)

    def _hear(self, _event: JobChanged) -> None:
        self._wake.set()

    async def _run(self) -> None:
        try:
            while True:
                self._wake.clear()
                wait = await self._start_due()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(wait):
                        await self._wake.wait()
        finally:
            await self._drain()

    async def _drain(self) -> None:
        sends = list(self._busy.values())
        if sends:
            _done, late = await asyncio.wait(sends, timeout=DRAIN_SECONDS)
            for send in late:
                send.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def _start_due(self) -> float:
        """Start one refresh in every channel that may be edited now; return seconds until the next may."""
        now, wait = asyncio.get_running_loop().time(), IDLE_SECONDS
        for card in await self._cards.stale():
            if card.channel_id in self._busy:
                continue
            ready, _ = self._resting.get(card.job_id, (now, 0.0))
            if card.message_id is not None:
                ready = max(ready, self._not_before.get(card.channel_id, now))
            if ready > now:
                wait = min(wait, ready - now)
                continue
            task = asyncio.create_task(self._refresh(card), name=f"card {card.job_id}")
            self._busy[card.channel_id] = task
        return wait

    async def _refresh(self, card: Card) -> None:
        loop = asyncio.get_running_loop()
        pause = max(TROUBLE_SECONDS, self._pause)
        _, last_rest = self._resting.pop(card.job_id, (0.0, 0.0))
        # Soon longer than its channel rests: then whoever waits there comes first.
        rest = min(2 * last_rest, LONGEST_REST) or pause
        try:
            with speaking(card.locale):
                pause = await self._show(card)
            rest = 0.0
            self._refusals.pop(card.job_id, None)
        except (discord.HTTPException, aiohttp.ClientError, OSError) as error:
            log.warning("card of job %s was not sent: %s", card.job_id, error)
            if await self._given_up(card, error):
                rest = 0.0
        except _ForgottenError:
            rest = 0.0
        except Exception:  # a card that cannot be drawn must not keep the others from being shown
            log.exception("card of job %s", card.job_id)
        finally:
            if rest:
                self._resting[card.job_id] = (loop.time() + rest, rest)
            self._not_before[card.channel_id] = loop.time() + pause
            del self._busy[card.channel_id]
            self._wake.set()

    async def _given_up(self, card: Card, error: Exception) -> bool:
        """Count a refusal, and give the card up after too many: its job goes on, and /jobs shows it."""
        if not isinstance(error, discord.HTTPException) or error.status not in _REFUSED:
            return False
        self._refusals[card.job_id] = self._refusals.get(card.job_id, 0) + 1
        if self._refusals[card.job_id] < MOST_REFUSALS:
            return False
        del self._refusals[card.job_id]
        await self._cards.give_up(card.job_id, reason=f"Discord refuses it: {error}")
        log.error("card of job %s is given up, Discord refused it %d times", card.job_id, MOST_REFUSALS)
        return True

    async def _show(self, card: Card) -> float:
        """Bring one card up to date and return the seconds that its channel rests after it."""
        view = await self._cards.view(card)
        try:
            card = await self._post_or_edit(card, view)
            if view.turn_word_due and card.turn_message_id is None:
                card = await self._say_turn(card, view)
            if view.last_word_due and card.final_message_id is None:
                card = await self._say_last_word(card, view)
        except discord.HTTPException as error:
            await self._write(await self._elsewhere(card, view, error))
            return 0.0
        await self._write(replace(card, shown_revision=view.job.revision))
        age = discord.utils.utcnow() - discord.utils.snowflake_time(card.message_id or 0)
        return OLD_SECONDS if age > OLD else self._pause

    async def _write(self, card: Card) -> None:
        """Remember what was done with a card.

        Raises:
            _ForgottenError: its person was forgotten meanwhile; what stood there for them is deleted.
        """
        if await self._cards.write(card):
            return
        for message_id in filter(None, (card.message_id, card.turn_message_id, card.final_message_id)):
            with contextlib.suppress(discord.NotFound):
                await self._channel(card).get_partial_message(message_id).delete()
        raise _ForgottenError

    async def _post_or_edit(self, card: Card, view: JobView) -> Card:
        layout, files = draw_job(view)
        digest = _digest(layout, files)
        if card.message_id is None:
            message = await self._channel(card).send(view=layout, files=files, nonce=f"{card.job_id}:card{card.posts}")
            # For a nonce that it knows, Discord gives the message that an earlier try left, with what was true then.
            shown = digest if _texts(message.components) == _texts(layout.children) else None
            card = replace(card, message_id=message.id, digest=shown)
            # At once: the sooner it is known, the fewer crashes need Discord to drop a second one.
            await self._write(card)
            layout, files = draw_job(view)
        if digest != card.digest:
            shown_in = self._channel(card).get_partial_message(card.message_id or 0)
            # Said each time: discord.py leaves it out of an edit otherwise, and Discord's own default would mention.
            await shown_in.edit(view=layout, attachments=files, allowed_mentions=discord.AllowedMentions.none())
            card = replace(card, digest=digest)
        return card

    async def _say_turn(self, card: Card, view: JobView) -> Card:
        whom = _only(view.job.owner_id)
        message = await self._channel(card).send(
            view=draw_turn(view), nonce=f"{card.job_id}:turn", allowed_mentions=whom
        )
        return replace(card, turn_message_id=message.id)

    async def _say_last_word(self, card: Card, view: JobView) -> Card:
        layout, files = draw_last_word(view)
        # The one message that is worth a ping, and to nobody but who asked.
        whom = _only(view.job.owner_id)
        message = await self._channel(card).send(
            view=layout, files=files, nonce=f"{card.job_id}:done", allowed_mentions=whom
        )
        return replace(card, final_message_id=message.id)

    async def _elsewhere(self, card: Card, view: JobView, error: discord.HTTPException) -> Card:
        """Return where the card goes now that its message or channel is gone; raises what is only trouble."""
        if error.code in _NO_MESSAGE:
            return replace(card, message_id=None, digest=None, posts=card.posts + 1)
        if error.code not in _NO_CHANNEL and error.status != 403:
            raise error
        try:
            person = await self._bot.fetch_user(view.job.owner_id)
            channel = await person.create_dm()
        except (discord.Forbidden, discord.NotFound):
            return replace(card, given_up=f"neither the channel nor a direct message: {error}")
        if channel.id == card.channel_id:
            log.warning("card of job %s is given up: %s", card.job_id, error)
            return replace(card, given_up=str(error))
        log.info("card of job %s goes on as a direct message: %s", card.job_id, error)
        return replace(card, channel_id=channel.id, message_id=None, digest=None, posts=card.posts + 1)

    def _channel(self, card: Card) -> discord.PartialMessageable:
        return self._bot.get_partial_messageable(card.channel_id)


def _only(person_id: int) -> discord.AllowedMentions:
    return discord.AllowedMentions(everyone=False, roles=False, replied_user=False, users=[discord.Object(person_id)])


def _texts(parts: Iterable[Any]) -> list[str]:
    """Return the words of a layout that is to be sent, or of a message's components; whatever nests has `children`."""
    found = []
    for part in parts:
        found += [part.content] if isinstance(part, discord.TextDisplay | discord.ui.TextDisplay) else []
        found += _texts(getattr(part, "children", ()))
    return found


def _digest(layout: Layout, files: Sequence[discord.File]) -> str:
    components: Any = layout.to_components()  # type: ignore[no-untyped-call]  # discord.py leaves it unannotated
    shown = [components, [file.filename for file in files]]
    return hashlib.sha256(json.dumps(shown, sort_keys=True).encode()).hexdigest()
