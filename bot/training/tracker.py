"""Owns the loop that claims the rows that are due; what is done with one of them is the stepper's.

A row is claimed under a lease, taken one step, written, and let go. Nothing is remembered between two steps, so that
any process can take the next one. One failing job never stops another.
"""

import asyncio
import contextlib
import logging
from datetime import timedelta

from bot.clock import Clock
from bot.events import JobChanged, News
from bot.ids import new_id
from bot.store import jobs as rows
from bot.store.database import Database
from bot.training.job import Job
from bot.training.stepper import Stepper

log = logging.getLogger(__name__)

LEASE = timedelta(seconds=60)
#: Rows worked on at the same time.
BATCH = 32
#: Seconds between two looks for due rows when nobody wakes the loop.
IDLE_SECONDS = 1.0
#: Seconds that the steps under way get at shutdown before they are cut off.
DRAIN_SECONDS = 4.0


class Tracker:
    """Follows all jobs of this database, together with the trackers of other processes."""

    def __init__(self, *, database: Database, stepper: Stepper, clock: Clock, news: News) -> None:
        self._database = database
        self._stepper = stepper
        self._clock = clock
        self._name = new_id()
        self._wake = asyncio.Event()
        self._steps: dict[str, asyncio.Task[None]] = {}
        news.subscribe(self._hear)

    async def run(self) -> None:
        """Follow jobs until cancelled; then let the steps under way end."""
        renewal = asyncio.create_task(self._renew(), name="lease renewal")
        try:
            while True:
                self._wake.clear()
                for job in await self._claim():
                    self._steps[job.id] = asyncio.create_task(self._take(job), name=f"job {job.id}")
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(await self._seconds_to_wait()):
                        await self._wake.wait()
        finally:
            await self._drain()
            renewal.cancel()
            await asyncio.gather(renewal, return_exceptions=True)

    def _hear(self, event: JobChanged) -> None:
        if event.due:
            self._wake.set()

    async def _claim(self) -> list[Job]:
        room = BATCH - len(self._steps)
        if room <= 0:
            return []
        async with self._database.begin() as connection:
            claimed = await rows.claim_due(connection, owner=self._name, at=self._clock.now(), lease=LEASE, limit=room)
        return list(claimed)

    async def _seconds_to_wait(self) -> float:
        async with self._database.begin() as connection:
            due = await rows.next_due(connection, at=self._clock.now())
        if due is None or len(self._steps) >= BATCH:
            return IDLE_SECONDS
        return min(max((due - self._clock.now()).total_seconds(), 0.0), IDLE_SECONDS)

    async def _take(self, job: Job) -> None:
        try:
            await self._stepper.take(job)
        except rows.LeaseLostError:
            log.warning("job %s was taken over by another process", job.id)
        except Exception:  # a full disk, say: must not stop the others; the lease runs out, then it is tried again
            log.exception("job %s could not be stepped", job.id)
        finally:
            del self._steps[job.id]
            self._wake.set()

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(LEASE.total_seconds() / 3)
            try:
                await self._renew_leases()
            except Exception:  # a busy database, say: the next renewal comes before the lease runs out
                log.exception("the leases could not be renewed")

    async def _renew_leases(self) -> None:
        """Keep the rows of the steps under way; one whose step is gone must run out, or nobody ever takes it."""
        async with self._database.begin() as connection:
            until = self._clock.now() + LEASE
            await rows.renew_leases(connection, owner=self._name, job_ids=list(self._steps), until=until)

    async def _drain(self) -> None:
        steps = list(self._steps.values())
        if not steps:
            return
        _done, late = await asyncio.wait(steps, timeout=DRAIN_SECONDS)
        for step in late:
            step.cancel()
        await asyncio.gather(*late, return_exceptions=True)
