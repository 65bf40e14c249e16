"""Owns the writing of job rows: fenced, counted, and told to whoever listens; never decides what is written."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.clock import Clock
from bot.events import JobChanged, News
from bot.store import jobs as rows
from bot.store.database import Database
from bot.training.job import Job

#: Anything else that belongs into the transaction of a write.
Together = Callable[[AsyncConnection], Awaitable[None]]


class Book:
    """The one way in which the submitter and the tracker write a row that they hold."""

    def __init__(self, *, database: Database, clock: Clock, news: News) -> None:
        self._database = database
        self._clock = clock
        self._news = news

    def now(self) -> datetime:
        """Return the time that goes into rows."""
        return self._clock.now()

    def later(self, seconds: float) -> datetime:
        """Return the time that many seconds from now."""
        return self._clock.now() + timedelta(seconds=seconds)

    async def save(self, job: Job, *, together: Together | None = None) -> Job:
        """Commit the row and keep holding it.

        Raises:
            LeaseLostError: somebody else holds it now.
        """
        await self._write(job, keep_lease=True, together=together)
        return job

    async def put_back(self, job: Job, *, together: Together | None = None) -> Job:
        """Commit the row and let it go until its `next_at`."""
        await self._write(job, keep_lease=False, together=together)
        return job

    async def postpone(self, job: Job, *, until: datetime) -> None:
        """Count a failed try and let the row go until then, leaving all else as the database has it."""
        async with self._database.begin() as connection:
            await rows.postpone(connection, job, until=until)

    async def rest(self, job: Job, *, until: datetime) -> None:
        """Let the row go until then, because nothing about it has changed."""
        async with self._database.begin() as connection:
            await rows.rest(connection, job, until=until)

    async def fresh(self, job: Job) -> Job:
        """Return the row as it is now, held under the same fence."""
        async with self._database.begin() as connection:
            row = await rows.get(connection, job.id)
        if row is None or row.fence != job.fence:
            raise rows.LeaseLostError(job.id)
        return row

    async def _write(self, job: Job, *, keep_lease: bool, together: Together | None) -> None:
        async with self._database.begin() as connection:
            await rows.write(connection, job, at=self._clock.now(), keep_lease=keep_lease)
            if together is not None:
                await together(connection)
        due = not keep_lease and job.next_at is not None and job.next_at <= self._clock.now()
        self._news.publish(JobChanged(job_id=job.id, due=due))
        if job.parent_id is not None:
            self._news.publish(JobChanged(job_id=job.parent_id))
