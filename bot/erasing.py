"""Owns how a person is forgotten: everywhere, in order, and through any crash; never sends a message itself.

A wish is a row. Each round looks at it and takes the steps that are left, all of which can be taken twice: jobs are
stopped, posted messages are deleted, models are deleted at their provider, rows and files go, and a report stays.
"""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Protocol

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.blobs import Blobs
from bot.clock import Clock
from bot.events import JobChanged, News
from bot.ids import new_id
from bot.remote_models import RemoteModels
from bot.store import erasures as rows
from bot.store import jobs as job_rows
from bot.store import letters as letter_rows
from bot.store import people, personal
from bot.store.database import Database
from bot.store.erasures import Erasure
from bot.store.letters import Letter, LetterKind
from bot.texts import N_
from bot.training.job import TERMINAL

log = logging.getLogger(__name__)

#: Seconds between two looks at a wish whose jobs have not ended yet.
PAUSE = 2.0
#: Seconds between two looks when there is no wish.
IDLE = 30.0
#: How long a report can be read; then that goes too.
REPORT_LIFE = timedelta(days=30)

#: What is kept of everybody, with the reason; part of each report.
STAYS = (
    N_("Sums of money stay in the books without your name: limits of a server rest on them."),
    N_("Pictures that others made with a model that you shared stay with them."),
    N_("Backups that the operator of this bot made are not reached from here."),
)


class Messages(Protocol):
    """Who can delete what the bot posted."""

    async def remove(self, channel_id: int, message_id: int) -> str | None:
        """Delete a message; the reason if that cannot be done. One that is gone already is fine."""
        ...


@dataclass(kw_only=True)
class Eraser:
    """Carries out wishes to be forgotten, one after the other."""

    database: Database
    blobs: Blobs
    clock: Clock
    news: News
    remote: RemoteModels
    _wake: asyncio.Event = field(default_factory=asyncio.Event)

    async def ask(self, person_id: int) -> Erasure:
        """Write down the wish of a person, or return the one that is being carried out."""
        async with self.database.begin() as connection:
            for known in await rows.open_ones(connection, person_id):
                return known
            wish = Erasure(id=new_id(), person_id=person_id, asked_at=self.clock.now())
            await rows.insert(connection, wish)
        self._wake.set()
        return wish

    async def run(self, messages: Messages) -> None:
        """Carry out wishes until cancelled."""
        while True:
            self._wake.clear()
            left = await self.make_round(messages)
            try:
                async with asyncio.timeout(PAUSE if left else IDLE):
                    await self._wake.wait()
            except TimeoutError:
                continue

    async def make_round(self, messages: Messages) -> int:
        """Look at every wish once and return how many are left."""
        async with self.database.begin() as connection:
            await rows.forget_before(connection, self.clock.now() - REPORT_LIFE)
            wishes = await rows.open_ones(connection)
        left = 0
        for wish in wishes:
            if await self._still_at_work(wish.person_id) or not await self._forget(wish, messages):
                left += 1
        return left

    async def _still_at_work(self, person_id: int) -> bool:
        """Ask all of a person's jobs to end, and tell whether one has not, or has not been cleaned up after."""
        async with self.database.begin() as connection:
            live = await rows.live_jobs(connection, person_id)
            for job_id, state in live:
                if state not in TERMINAL:
                    await job_rows.request_cancel(connection, job_id, at=self.clock.now())
        for job_id, _state in live:
            self.news.publish(JobChanged(job_id=job_id, due=True))
        return bool(live)

    async def _forget(self, wish: Erasure, messages: Messages) -> bool:
        """Forget a person; false if they began something meanwhile, or something was posted, for the next round."""
        async with self.database.begin() as connection:
            posted = await rows.messages_of(connection, wish.person_id)
        reasons = [await messages.remove(channel_id, message_id) for channel_id, message_id in posted]
        failed = [*sorted({reason for reason in reasons if reason}), *await self.remote.forget_all(wish.person_id)]
        async with self.database.begin() as connection:
            later = set(await rows.messages_of(connection, wish.person_id)) - set(posted)
            if later or await rows.live_jobs(connection, wish.person_id):
                return False
            settings = await people.settings_of(connection, wish.person_id)
            files = await personal.blob_keys_about(connection, wish.person_id)
            gone = await personal.forget(connection, wish.person_id)
            report = {"gone": dict(gone), "failed": failed}
            await rows.close(connection, wish.id, at=self.clock.now(), report=report)
            await self._write_letter(connection, wish, report, locale=settings.locale)
        await self.blobs.delete(files)
        log.info("a person was forgotten: %d files, %d things could not be removed", len(files), len(failed))
        return True

    async def _write_letter(
        self, connection: AsyncConnection, wish: Erasure, report: Mapping[str, Any], *, locale: str
    ) -> None:
        # The language goes with their row, so the letter carries it.
        body = {**report, "locale": locale}
        letter = Letter(
            id=f"erased-{wish.id}",
            person_id=wish.person_id,
            kind=LetterKind.ERASED,
            body=body,
            created_at=self.clock.now(),
        )
        await letter_rows.insert(connection, letter)
