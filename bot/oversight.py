"""Owns what a server's managers see and stop of the jobs of its people; what they set is in bot/guilds.py."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from bot import audit
from bot.audit import AuditAct
from bot.clock import Clock
from bot.errors import BadInput, Missing, WrongMoment
from bot.events import JobChanged, News
from bot.guild import Act
from bot.guilds import Guilds
from bot.place import Place
from bot.store import jobs as job_rows
from bot.store import ledger as ledger_rows
from bot.store.database import Database
from bot.texts import _
from bot.training.job import Job
from bot.usage import Usage, sum_up

LISTED = 25
MOST_DAYS = 90


@dataclass(frozen=True, kw_only=True)
class WatchedJob:
    """A job as managers see it."""

    job: Job
    #: The most that it may cost, in millionths of a dollar.
    set_aside: int


class Oversight:
    """All that managers can ask and do about jobs, each call for one of them."""

    def __init__(self, *, database: Database, guilds: Guilds, clock: Clock, news: News) -> None:
        self._database = database
        self._guilds = guilds
        self._clock = clock
        self._news = news

    async def jobs(self, person_id: int, place: Place) -> Sequence[WatchedJob]:
        """Return the jobs under way in a server, the oldest first."""
        async with self._database.begin() as connection:
            await self._guilds.require(connection, person_id, place, Act.MANAGE)
            found = await job_rows.under_way_in(connection, place.guild_id or 0, limit=LISTED)
            aside: Mapping[str, int] = {
                job.id: await ledger_rows.reserved_for(connection, job.id) or 0 for job in found
            }
        return [WatchedJob(job=job, set_aside=aside[job.id]) for job in found]

    async def cancel(self, person_id: int, place: Place, job_id: str) -> Job:
        """Ask for the end of somebody's job in a server.

        Raises:
            Missing: there is no such job in this server.
            WrongMoment: it has ended.
        """
        now = self._clock.now()
        async with self._database.begin() as connection:
            await self._guilds.require(connection, person_id, place, Act.MANAGE)
            job = await job_rows.get(connection, job_id)
            if job is None or job.guild_id != place.guild_id:
                raise Missing(_("There is no such job in this server."), advice=_("/admin jobs lists them."))
            if not await job_rows.request_cancel(connection, job_id, at=now):
                raise WrongMoment(_("It has ended already."))
            await audit.record(
                connection,
                guild_id=place.guild_id,
                actor_id=person_id,
                act=AuditAct.CANCEL,
                target=job.owner_id,
                details={"job": job_id, "provider": job.provider},
                at=now,
            )
        self._news.publish(JobChanged(job_id=job_id, due=True))
        return job

    async def usage(self, person_id: int, place: Place, *, days: int) -> Usage:
        """Return what a server spent in the last days, today included.

        Raises:
            BadInput: that is too many days, or none.
        """
        if not 1 <= days <= MOST_DAYS:
            raise BadInput(_("I can tell of 1 to {most} days.").format(most=MOST_DAYS))
        today = self._clock.now().replace(hour=0, minute=0, second=0, microsecond=0)
        since, guild_id = today - timedelta(days=days - 1), place.guild_id or 0
        async with self._database.begin() as connection:
            await self._guilds.require(connection, person_id, place, Act.MANAGE)
            return sum_up(
                await ledger_rows.settled_in(connection, guild_id, since=since),
                until=today.date(),
                count=days,
                set_aside=await ledger_rows.set_aside_in(connection, guild_id),
                begun=await job_rows.count_begun(connection, guild_id, since=since),
            )
