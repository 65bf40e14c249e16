"""Owns the one paid call of a job: it is never lost and never sent twice; knows nothing of any provider.

The row says SUBMITTING with `submitting_since` set, committed, before the call leaves. The answers are three:
accepted (the id is committed at once), surely refused (nothing was paid), unsure. Unsure, or a row found so after a
crash, means: look for the marker, twice, a settling time apart. Found is adopted; absent both times is sent again;
where the provider cannot look, the job is UNCERTAIN and a person decides.
"""

import asyncio
import logging
from collections.abc import Coroutine
from dataclasses import replace
from datetime import timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store import jobs as rows
from bot.texts import N_
from bot.training.book import Book
from bot.training.craft import Craft, JobAdapter
from bot.training.job import Failure, Job, JobState
from providers.errors import ProviderError, SubmitUnsure, UnexpectedAnswer

log = logging.getLogger(__name__)

#: Looks that must find nothing before a call is sent again.
LOOKS = 2
#: Calls that nobody ever took, after which the job is given up.
MOST_ATTEMPTS = 5
#: How far a provider's clock may be behind ours. Markers are a job's own, so looking further back finds nothing wrong.
CLOCK_SKEW = timedelta(minutes=10)
#: Seconds that a paid call gets when its step is cut off, beyond what the tracker gave it to end.
LAST_WORD_SECONDS = 2.0

_NEVER_TAKEN = Failure(
    reason=N_("The provider was asked {times} times and never took the order."),
    advice=N_("Nothing was paid. Try again later, or choose another provider."),
    values={"times": str(MOST_ATTEMPTS)},
)


class _CanceledMeanwhile(Exception):
    """Cancel was pressed while the order was made; nothing has left us."""


class Submitter:
    """Takes a job from SUBMITTING to whatever comes next, one step a call."""

    def __init__(self, book: Book) -> None:
        self._book = book

    async def step(self, job: Job, craft: Craft) -> Job:
        """Send the paid call, or look for one that may have been accepted."""
        if job.submitting_since is not None:
            return await self._look(job, craft.adapter(job))
        if job.cancel_requested:
            return job.moved(JobState.CANCELED, at=self._book.now(), next_at=self._book.now())
        return await self._send(job, craft)

    async def _send(self, job: Job, craft: Craft) -> Job:
        adapter, order = craft.adapter(job), await craft.order(job)

        async def still_wanted(connection: AsyncConnection) -> None:
            row = await rows.get(connection, job.id)
            if row is not None and row.cancel_requested:
                raise _CanceledMeanwhile

        begun = replace(job, submitting_since=self._book.now(), attempt=job.attempt + 1, looks=0)
        try:
            await self._book.save(begun, together=still_wanted)
        except _CanceledMeanwhile:
            return job.moved(JobState.CANCELED, at=self._book.now(), next_at=self._book.now())
        try:
            remote_id = await self._to_the_end(begun, adapter.submit(order, job.prepared or {}))
        except (SubmitUnsure, UnexpectedAnswer) as error:
            log.warning("job %s: %s", job.id, error)
            return replace(begun, next_at=self._book.later(adapter.capabilities.settle_seconds))
        except ProviderError:
            # Surely not accepted; what that means for the job is the stepper's to say.
            await self._book.save(replace(begun, submitting_since=None))
            raise
        return self._accepted(begun, remote_id)

    async def _to_the_end(self, job: Job, call: Coroutine[Any, Any, str]) -> str:
        """Await a paid call so that cancelling the caller does not cut it off; an id that comes then is still kept."""
        task = asyncio.create_task(call, name="paid call")
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            await asyncio.wait({task}, timeout=LAST_WORD_SECONDS)
            if task.done() and not task.cancelled() and task.exception() is None:
                await self._book.put_back(self._accepted(job, task.result()))
            raise

    async def _look(self, job: Job, adapter: JobAdapter) -> Job:
        try:
            remote_id = await adapter.find(job.marker, job.prepared or {}, job.created_at - CLOCK_SKEW)
        except SubmitUnsure as error:
            log.warning("job %s: %s can no longer tell: %s", job.id, job.provider, error)
            return job.moved(JobState.UNCERTAIN, at=self._book.now(), next_at=None)
        if remote_id is not None:
            log.info("job %s: found at %s what was submitted before", job.id, job.provider)
            return self._accepted(job, remote_id)
        if not adapter.capabilities.findable:
            # It would have been good news; that there is none says nothing here.
            return job.moved(JobState.UNCERTAIN, at=self._book.now(), next_at=None)
        if job.looks + 1 < LOOKS:
            return replace(job, looks=job.looks + 1, next_at=self._book.later(adapter.capabilities.settle_seconds))
        if job.attempt >= MOST_ATTEMPTS:
            return job.failed(_NEVER_TAKEN, at=self._book.now())
        log.info("job %s: surely not at %s, it may be submitted", job.id, job.provider)
        return replace(job, submitting_since=None, looks=0, next_at=self._book.now())

    def _accepted(self, job: Job, remote_id: str) -> Job:
        now = self._book.now()
        return job.moved(
            JobState.QUEUED, at=now, remote_id=remote_id, submitting_since=None, looks=0, tries=0, next_at=now
        )
