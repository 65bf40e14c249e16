"""Owns how long photos are kept: those of finished trainings and of forgotten drafts go by themselves, after a warning.

Rows go first and files after them; a process that dies in between leaves files that the sweep at the next start finds.
A warning is a letter, written with the note that it was given; photos go a day after it at the earliest, however long
nobody was there to give it. Who wants no warnings gets none, and their photos go when their time is over.
"""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.blobs import Blobs
from bot.clock import Clock
from bot.draft import DraftState
from bot.errors import Missing, NotYours
from bot.ids import new_id
from bot.notices import forget_old
from bot.store import checkpoints, kept, letters, loras, people
from bot.store import drafts as rows
from bot.store import webhooks as deliveries
from bot.store.database import Database
from bot.store.kept import KeptDraft
from bot.store.letters import Letter, LetterKind
from bot.texts import _

log = logging.getLogger(__name__)

#: Seconds between two rounds; what is kept for days does not need more.
ROUND_SECONDS = 3600.0
#: Signatures of webhooks are refused long before this.
DELIVERIES_LIFE = timedelta(days=2)
#: Letters that were sent.
LETTERS_LIFE = timedelta(days=30)
#: How long before their end people are warned; half the time where less is kept.
WARNING = timedelta(days=1)
#: What is kept about a server that the bot has left, so that a slip of somebody's finger costs nothing.
DEPARTED_LIFE = timedelta(days=7)


@dataclass(frozen=True, kw_only=True)
class RetentionTimes:
    """How long what is kept."""

    #: Photos of a draft whose training has succeeded.
    trained_photos: timedelta
    #: Drafts that nobody touched, and photos that wait for a draft.
    open_drafts: timedelta
    #: Weights of a training that its model does not use.
    checkpoints: timedelta


class Retention:
    """Removes what has been kept long enough."""

    def __init__(self, *, database: Database, blobs: Blobs, clock: Clock, times: RetentionTimes) -> None:
        self._database = database
        self._blobs = blobs
        self._clock = clock
        self._times = times

    async def run(self) -> None:
        """Make a round now and one every hour until cancelled."""
        while True:
            await self.make_round()
            await asyncio.sleep(ROUND_SECONDS)

    async def make_round(self) -> int:
        """Warn and remove whatever is due, and return how many photos went."""
        now = self._clock.now()
        async with self._database.begin() as connection:
            days = await kept.days_by_guild(connection)
        forgotten = await self._go_through(DraftState.OPEN, days)
        trained = await self._go_through(DraftState.TRAINED, days)
        held = await self._drop_held(now - self._times.open_drafts)
        await self._drop_checkpoints(now - self._times.checkpoints)
        async with self._database.begin() as connection:
            await deliveries.forget_before(connection, now - DELIVERIES_LIFE)
            await letters.forget_before(connection, now - LETTERS_LIFE)
            for guild_id in await kept.departed_before(connection, now - DEPARTED_LIFE):
                await kept.forget_guild(connection, guild_id)
            await forget_old(connection, now=now)
        if forgotten or trained or held:
            log.info("removed photos: %d of forgotten drafts, %d trained, %d never sorted", forgotten, trained, held)
        return forgotten + trained + held

    async def next_deletion(self, owner_id: int) -> datetime | None:
        """Return when the next photos of a person go if they do nothing; None when there are none."""
        async with self._database.begin() as connection:
            days = await kept.days_by_guild(connection)
            theirs = await kept.drafts_kept_of(connection, owner_id)
        return min((self._end(draft, days) for draft in theirs), default=None)

    async def keep(self, owner_id: int, draft_id: str) -> datetime:
        """Let a draft's time begin anew, and return when it ends now.

        Raises:
            Missing: its photos are gone.
            NotYours: it is somebody else's.
        """
        async with self._database.begin() as connection:
            draft = await kept.draft_kept(connection, draft_id)
            if draft is None or not draft.photos:
                raise Missing(_("These photos are gone already."), advice=_("Start a new draft with /draft new."))
            if draft.owner_id != owner_id:
                raise NotYours(_("These photos belong to somebody else."))
            await kept.touch(connection, draft_id, at=self._clock.now())
            days = await kept.days_by_guild(connection)
            draft = await kept.draft_kept(connection, draft_id) or draft
        return self._end(draft, days)

    def _end(self, draft: KeptDraft, days: Mapping[int, float]) -> datetime:
        """Return when a draft's photos go."""
        time = self._time(draft.state, draft.guild_id, days)
        end = draft.touched + time
        return max(end, draft.warned_at + _notice(time)) if draft.warned and draft.warned_at else end

    def _time(self, state: DraftState, guild_id: int | None, days: Mapping[int, float]) -> timedelta:
        if state is DraftState.OPEN:
            return self._times.open_drafts
        own = days.get(guild_id or 0)
        return self._times.trained_photos if own is None else min(self._times.trained_photos, timedelta(days=own))

    async def _go_through(self, state: DraftState, days: Mapping[int, float]) -> int:
        gone, now = 0, self._clock.now()
        shortest = min(self._time(state, guild_id, days) for guild_id in (None, *days))
        async with self._database.begin() as connection:
            found = await kept.drafts_kept(connection, state, untouched_since=now - shortest + _notice(shortest))
        for draft in found:
            gone += await self._go_on_with(draft.id, state, days)
        return gone

    async def _go_on_with(self, draft_id: str, state: DraftState, days: Mapping[int, float]) -> int:
        """Warn of a draft's end, or bring it; return how many photos went."""
        now = self._clock.now()
        async with self._database.begin() as connection:
            draft = await kept.draft_kept(connection, draft_id)
            # Somebody may have come back to it since the list was made.
            if draft is None or draft.state is not state:
                return 0
            end, time = self._end(draft, days), self._time(state, draft.guild_id, days)
            wants = draft.photos and (await people.settings_of(connection, draft.owner_id)).tell_deletion
            if wants and not draft.warned:
                if end - _notice(time) <= now:
                    await kept.note_warning(connection, draft_id, at=now)
                    await letters.insert(connection, _warning(draft, now=now, end=max(end, now + _notice(time))))
                return 0
            if end > now:
                return 0
            photos = await rows.photos_in(connection, draft_id)
            await rows.delete_photos(connection, [photo.id for photo in photos])
            becomes = DraftState.DISCARDED if state is DraftState.OPEN else state
            await rows.set_state(connection, draft_id, becomes, at=now)
        await self._blobs.delete(photo.blob_key for photo in photos)
        return len(photos)

    async def _drop_held(self, before: datetime) -> int:
        async with self._database.begin() as connection:
            photos = await rows.held_since(connection, before)
            await rows.delete_photos(connection, [photo.id for photo in photos])
        await self._blobs.delete(photo.blob_key for photo in photos)
        return len(photos)

    async def _drop_checkpoints(self, before: datetime) -> None:
        async with self._database.begin() as connection:
            due = await checkpoints.models_with_older(connection, before)
        for lora_id in due:
            async with self._database.begin() as connection:
                lora = await loras.get(connection, lora_id)
                keys = set(await checkpoints.forget(connection, lora_id))
            await self._blobs.delete(keys - {lora.blob_key if lora else ""})
        if due:
            log.info("removed the checkpoints of %d models", len(due))


def _notice(time: timedelta) -> timedelta:
    return min(WARNING, time / 2)


def _warning(draft: KeptDraft, *, now: datetime, end: datetime) -> Letter:
    body = {
        "draft_id": draft.id,
        "name": draft.name,
        "photos": draft.photos,
        "trained": draft.state is DraftState.TRAINED,
        "end": end.timestamp(),
    }
    return Letter(id=f"soon-{new_id()}", person_id=draft.owner_id, kind=LetterKind.DELETION, body=body, created_at=now)
