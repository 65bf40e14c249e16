"""Owns money and limits: reserve before a job begins, settle or release at its end, and never let a limit be passed.

Every call works inside the caller's transaction, so a job, its reserve and the check that allowed it are one commit:
of two presses in the same millisecond, the second sees what the first one reserved.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.clock import Clock
from bot.errors import WrongMoment
from bot.guild import Limits
from bot.store import jobs as job_rows
from bot.store import ledger as rows
from bot.store.ledger import Entry, EntryKind
from bot.texts import N_, _, ngettext
from bot.training.job import Job, JobState
from providers.base import Estimate

MICRO = 1_000_000

_YOU = N_("This would cost up to {wanted}; you may spend {limit} a day here and {spent} of it is spent or set aside.")
_SERVER = N_(
    "This would cost up to {wanted}; this server may spend {limit} a month here "
    "and {spent} of it is spent or set aside."
)
_YOU_THERE = N_(
    "This would cost up to {wanted}; you may spend {limit} a day in this server "
    "and {spent} of it is spent or set aside."
)
_ASK_TODAY = N_("Try again tomorrow, or ask somebody who manages this server for a higher limit.")
_ASK_THIS_MONTH = N_("Try again next month, or ask somebody who manages this server for a higher limit.")
_TOMORROW = N_("Try again tomorrow, or ask the operator for a higher limit.")
_NEXT_MONTH = N_("Try again next month, or ask the operator for a higher limit.")


@dataclass(frozen=True, kw_only=True)
class BudgetLimits:
    """How much may be spent and run; None for no limit."""

    person_a_day_usd: float | None
    server_a_month_usd: float | None
    jobs_at_once: int


class Budget:
    """The purse of this deployment."""

    def __init__(self, *, limits: BudgetLimits, clock: Clock) -> None:
        self._limits = limits
        self._clock = clock

    async def reserve(
        self, connection: AsyncConnection, job: Job, estimate: Estimate, *, here: Limits | None = None
    ) -> None:
        """Set aside the most that a job may cost, just after its row was added.

        The operator's limits hold everywhere and together; `here` are the server's own, which hold besides and there
        alone, so the stricter of the two counts.

        Raises:
            WrongMoment: a limit would be passed; the caller's transaction must be rolled back.
        """
        await self.allow(connection, job, estimate, here=here)
        await self.set_aside(connection, job, estimate)

    async def allow(
        self, connection: AsyncConnection, job: Job, estimate: Estimate, *, here: Limits | None = None
    ) -> None:
        """Ask whether a job may cost that much, as `reserve` does, and set nothing aside.

        Raises:
            WrongMoment: a limit would be passed; the caller's transaction must be rolled back.
        """
        await self._at_once(connection, job.owner_id, self._limits.jobs_at_once)
        await self._within(connection, job, round(estimate.high_usd * MICRO))
        if here is not None and job.guild_id is not None:
            if here.jobs_at_once is not None:
                await self._at_once(connection, job.owner_id, here.jobs_at_once, guild_id=job.guild_id)
            await self._within_server(connection, job, round(estimate.high_usd * MICRO), here, job.guild_id)

    async def set_aside(self, connection: AsyncConnection, job: Job, estimate: Estimate) -> None:
        """Reserve without asking whether a limit allows it; for what belongs to a job that was allowed."""
        await rows.insert(connection, self._entry(job, EntryKind.RESERVE, round(estimate.high_usd * MICRO)))

    async def close(self, connection: AsyncConnection, job: Job) -> None:
        """Settle what an ended job cost, or release what was set aside for it.

        A provider that names no price is taken at its estimate for work that it delivered, and at nothing for work that
        it did not.
        """
        reserved = await rows.reserved_for(connection, job.id)
        if reserved is None:
            return
        cost = None if job.cost_usd is None else round(job.cost_usd * MICRO)
        if cost is None and job.state is JobState.SUCCEEDED:
            cost = reserved
        if cost:
            await rows.insert(connection, self._entry(job, EntryKind.SETTLE, cost))
        else:
            await rows.insert(connection, self._entry(job, EntryKind.RELEASE, 0))

    async def _within(self, connection: AsyncConnection, job: Job, wanted: int) -> None:
        now = self._clock.now()
        if self._limits.person_a_day_usd is not None and wanted:
            spent = await rows.committed(connection, since=_midnight(now), owner_id=job.owner_id)
            if spent + wanted > self._limits.person_a_day_usd * MICRO:
                raise _spent(_YOU, spent, wanted, self._limits.person_a_day_usd, advice=_(_TOMORROW))
        if self._limits.server_a_month_usd is not None and wanted and job.guild_id is not None:
            spent = await rows.committed(connection, since=_midnight(now).replace(day=1), guild_id=job.guild_id)
            if spent + wanted > self._limits.server_a_month_usd * MICRO:
                raise _spent(_SERVER, spent, wanted, self._limits.server_a_month_usd, advice=_(_NEXT_MONTH))

    async def _at_once(
        self, connection: AsyncConnection, owner_id: int, limit: int, *, guild_id: int | None = None
    ) -> None:
        running = await job_rows.under_way_of(connection, owner_id, guild_id=guild_id)
        if running > limit:
            raise WrongMoment(
                f"{_under_way(running - 1)} {_allowed(limit)}",
                advice=_("Wait for one to end, or stop one with /cancel."),
            )

    async def _within_server(
        self, connection: AsyncConnection, job: Job, wanted: int, here: Limits, guild_id: int
    ) -> None:
        now = self._clock.now()
        if here.usd_a_day is not None and wanted:
            spent = await rows.committed(connection, since=_midnight(now), owner_id=job.owner_id, guild_id=guild_id)
            if spent + wanted > here.usd_a_day * MICRO:
                raise _spent(_YOU_THERE, spent, wanted, here.usd_a_day, advice=_(_ASK_TODAY))
        if here.server_usd_a_month is not None and wanted:
            spent = await rows.committed(connection, since=_midnight(now).replace(day=1), guild_id=guild_id)
            if spent + wanted > here.server_usd_a_month * MICRO:
                raise _spent(_SERVER, spent, wanted, here.server_usd_a_month, advice=_(_ASK_THIS_MONTH))

    def _entry(self, job: Job, kind: EntryKind, micro_usd: int) -> Entry:
        return Entry(
            job_id=job.id,
            kind=kind,
            micro_usd=micro_usd,
            owner_id=job.owner_id,
            guild_id=job.guild_id,
            provider=job.provider,
            at=self._clock.now(),
        )


async def disagreements(connection: AsyncConnection) -> Sequence[str]:
    """Return a sentence for every job whose lines in the ledger do not fit its state; none when the sums agree."""
    found = []
    for job_id, ended, reserves, settles, releases in await rows.lines_by_job(connection):
        if reserves != 1:
            found.append(f"job {job_id} has {reserves} reserves")
        if settles + releases != int(ended):
            state = "has ended" if ended else "is under way"
            found.append(f"job {job_id} {state} with {settles} settles and {releases} releases")
    for job_id, settled, cost in await rows.settled_with_cost(connection):
        if settled != round(cost * MICRO):
            found.append(f"job {job_id} cost ${cost:.6f} and ${settled / MICRO:.6f} of it was settled")
    return found


def _midnight(now: datetime) -> datetime:
    """Return the beginning of the day in UTC; days and months of the budget are those."""
    return now.replace(hour=0, minute=0, second=0, microsecond=0)


def _spent(sentence: str, spent: int, wanted: int, limit: float, *, advice: str) -> WrongMoment:
    sums = {"wanted": f"${wanted / MICRO:.2f}", "limit": f"${limit:.2f}", "spent": f"${spent / MICRO:.2f}"}
    return WrongMoment(_(sentence).format(**sums), advice=advice)


def _under_way(count: int) -> str:
    return ngettext("You have {count} job under way.", "You have {count} jobs under way.", count).format(count=count)


def _allowed(count: int) -> str:
    return ngettext("{count} at once is allowed here.", "{count} at once are allowed here.", count).format(count=count)
