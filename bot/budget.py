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
from bot.store import jobs as job_rows
from bot.store import ledger as rows
from bot.store.ledger import Entry, EntryKind
from bot.training.job import Job, JobState
from providers.base import Estimate

MICRO = 1_000_000


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

    async def reserve(self, connection: AsyncConnection, job: Job, estimate: Estimate) -> None:
        """Set aside the most that a job may cost, just after its row was added.

        Raises:
            WrongMoment: a limit would be passed; the caller's transaction must be rolled back.
        """
        running = await job_rows.under_way_of(connection, job.owner_id)
        if running > self._limits.jobs_at_once:
            raise WrongMoment(
                f"You have {_counted(running - 1)} under way, and {_allowed(self._limits.jobs_at_once)} allowed here.",
                advice="Wait for one to end, or stop one with /cancel.",
            )
        await self._within(connection, job, round(estimate.high_usd * MICRO))
        await self.set_aside(connection, job, estimate)

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
                raise _spent("you", "day", spent, wanted, self._limits.person_a_day_usd)
        if self._limits.server_a_month_usd is not None and wanted and job.guild_id is not None:
            spent = await rows.committed(connection, since=_midnight(now).replace(day=1), guild_id=job.guild_id)
            if spent + wanted > self._limits.server_a_month_usd * MICRO:
                raise _spent("this server", "month", spent, wanted, self._limits.server_a_month_usd)

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


def _spent(who: str, period: str, spent: int, wanted: int, limit: float) -> WrongMoment:
    return WrongMoment(
        f"This would cost up to ${wanted / MICRO:.2f}; {who} may spend ${limit:.2f} a {period} here "
        f"and ${spent / MICRO:.2f} of it is spent or set aside.",
        advice=f"Try again {'tomorrow' if period == 'day' else 'next month'}, or ask the operator for a higher limit.",
    )


def _counted(jobs: int) -> str:
    return f"{jobs} job" if jobs == 1 else f"{jobs} jobs"


def _allowed(jobs: int) -> str:
    return f"{jobs} at once {'is' if jobs == 1 else 'are'}"
