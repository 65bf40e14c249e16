"""Owns how long photos are kept: those of finished trainings and of forgotten drafts go by themselves.

Rows go first and files after them; a process that dies in between leaves files that the sweep at the next start finds.
"""

import asyncio
import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.blobs import Blobs
from bot.clock import Clock
from bot.draft import DraftState
from bot.store import drafts as rows
from bot.store import webhooks as deliveries
from bot.store.database import Database

log = logging.getLogger(__name__)

#: Seconds between two rounds; what is kept for days does not need more.
ROUND_SECONDS = 3600.0
#: Signatures of webhooks are refused long before this.
DELIVERIES_LIFE = timedelta(days=2)


@dataclass(frozen=True, kw_only=True)
class RetentionTimes:
    """How long what is kept."""

    #: Photos of a draft whose training has succeeded.
    trained_photos: timedelta
    #: Drafts that nobody touched, and photos that wait for a draft.
    open_drafts: timedelta


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
        """Remove everything that is due and return how many photos went."""
        now = self._clock.now()
        forgotten = await self._empty(DraftState.OPEN, now - self._times.open_drafts, DraftState.DISCARDED)
        trained = await self._empty(DraftState.TRAINED, now - self._times.trained_photos, DraftState.TRAINED)
        held = await self._drop_held(now - self._times.open_drafts)
        async with self._database.begin() as connection:
            await deliveries.forget_before(connection, now - DELIVERIES_LIFE)
        if forgotten or trained or held:
            log.info("removed photos: %d of forgotten drafts, %d trained, %d never sorted", forgotten, trained, held)
        return forgotten + trained + held

    async def _empty(self, state: DraftState, before: datetime, becomes: DraftState) -> int:
        gone = 0
        async with self._database.begin() as connection:
            due = await rows.untouched_since(connection, state, before)
        for draft_id in due:
            async with self._database.begin() as connection:
                # Somebody may have come back to it since the list was made.
                if draft_id not in await rows.untouched_since(connection, state, before):
                    continue
                photos = await rows.photos_in(connection, draft_id)
                await rows.delete_photos(connection, [photo.id for photo in photos])
                await rows.set_state(connection, draft_id, becomes, at=self._clock.now())
            await self._blobs.delete(photo.blob_key for photo in photos)
            gone += len(photos)
        return gone

    async def _drop_held(self, before: datetime) -> int:
        async with self._database.begin() as connection:
            photos = await rows.held_since(connection, before)
            await rows.delete_photos(connection, [photo.id for photo in photos])
        await self._blobs.delete(photo.blob_key for photo in photos)
        return len(photos)
