"""Named queries about jobs and their quotes: the fenced writes of the tracker and the reads of everybody else."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from pydantic import TypeAdapter
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.tables import Moment, jobs, quotes
from bot.training.job import TERMINAL, Failure, Job, JobKind, JobState, PictureSpec, SheetSpec, TrainingSpec
from bot.training.presets import Preset
from providers.base import Estimate, Progress
from providers.recipe import Recipe

_specs: Mapping[JobKind, TypeAdapter[Any]] = {
    JobKind.TRAINING: TypeAdapter(TrainingSpec),
    JobKind.PICTURES: TypeAdapter(PictureSpec),
    JobKind.SHEET: TypeAdapter(SheetSpec),
}
_progress = TypeAdapter(Progress)
_failure = TypeAdapter(Failure | None)
_recipe = TypeAdapter(Recipe)
_estimate = TypeAdapter(Estimate)
#: Columns that the tracker's writes leave alone: a person's press or a query of their own changes them meanwhile.
_OTHERS = frozenset({"id", "cancel_requested", "withheld", "revision", "fence", "next_at"})


class LeaseLostError(Exception):
    """Another tracker has taken the row over; the work of this one no longer counts."""


@dataclass(frozen=True, kw_only=True)
class Quote:
    """What a training would be and cost, as it was shown to the person."""

    id: str
    draft_id: str
    provider: str
    #: Why this provider, a clause for people.
    why: str
    preset: Preset
    recipe: Recipe
    estimate: Estimate
    created_at: datetime


def _job(row: sa.RowMapping) -> Job:
    kind = JobKind(row["kind"])
    known = {f.name: row[f.name] for f in fields(Job)}
    return Job(
        **known
        | {
            "kind": kind,
            "state": JobState(row["state"]),
            "tried": tuple(row["tried"]),
            "spec": _specs[kind].validate_python(row["spec"]),
            "progress": _progress.validate_python(row["progress"]),
            "failure": _failure.validate_python(row["failure"]),
        }
    )


def _values(job: Job) -> dict[str, Any]:
    values = {f.name: getattr(job, f.name) for f in fields(Job)}
    return values | {
        "tried": list(job.tried),
        "spec": _specs[job.kind].dump_python(job.spec, mode="json"),
        "prepared": None if job.prepared is None else dict(job.prepared),
        "progress": asdict(job.progress),
        "failure": None if job.failure is None else asdict(job.failure),
    }


async def insert(connection: AsyncConnection, job: Job) -> None:
    """Add a job.

    Raises:
        IntegrityError: a training of the same draft is under way.
    """
    await connection.execute(sa.insert(jobs).values(**_values(job)))


async def get(connection: AsyncConnection, job_id: str) -> Job | None:
    """Return one job."""
    row = (await connection.execute(sa.select(jobs).where(jobs.c.id == job_id))).mappings().first()
    return None if row is None else _job(row)


async def of_owner(connection: AsyncConnection, owner_id: int, *, limit: int) -> Sequence[Job]:
    """Return a person's own jobs, those under way first, then the newest; sample pictures belong to their training."""
    statement = (
        sa.select(jobs)
        .where(jobs.c.owner_id == owner_id, jobs.c.parent_id.is_(None))
        .order_by(jobs.c.ended_at.is_not(None), jobs.c.created_at.desc(), jobs.c.id)
        .limit(limit)
    )
    return [_job(row) for row in (await connection.execute(statement)).mappings()]


async def count_by_state(connection: AsyncConnection) -> Mapping[JobState, int]:
    """Return how many jobs that have not ended are in each state, over all people."""
    statement = sa.select(jobs.c.state, sa.func.count()).where(jobs.c.ended_at.is_(None)).group_by(jobs.c.state)
    return {JobState(state): int(count) for state, count in (await connection.execute(statement)).all()}


async def under_way_in(connection: AsyncConnection, guild_id: int, *, limit: int) -> Sequence[Job]:
    """Return the jobs of a server that have not ended, the oldest first; sample pictures belong to their training."""
    statement = (
        sa.select(jobs)
        .where(jobs.c.guild_id == guild_id, jobs.c.ended_at.is_(None), jobs.c.parent_id.is_(None))
        .order_by(jobs.c.created_at, jobs.c.id)
        .limit(limit)
    )
    return [_job(row) for row in (await connection.execute(statement)).mappings()]


async def count_begun(connection: AsyncConnection, guild_id: int, *, since: datetime) -> Mapping[JobKind, int]:
    """Return how many jobs of each kind people of a server have begun since then."""
    statement = (
        sa.select(jobs.c.kind, sa.func.count())
        .where(jobs.c.guild_id == guild_id, jobs.c.created_at >= since, jobs.c.parent_id.is_(None))
        .group_by(jobs.c.kind)
    )
    return {JobKind(kind): int(count) for kind, count in (await connection.execute(statement)).all()}


async def samples_of(connection: AsyncConnection, job_id: str) -> Job | None:
    """Return the job that makes a training's sample pictures, if there is one."""
    row = (await connection.execute(sa.select(jobs).where(jobs.c.parent_id == job_id))).mappings().first()
    return None if row is None else _job(row)


async def columns_of(connection: AsyncConnection, sheet_id: str) -> Sequence[Job]:
    """Return the jobs that make a sheet's columns."""
    statement = sa.select(jobs).where(jobs.c.parent_id == sheet_id)
    return [_job(row) for row in (await connection.execute(statement)).mappings()]


async def touch_sheets(connection: AsyncConnection, lora_id: str) -> Sequence[str]:
    """Make the cards of a model's sheets stale and return the jobs' ids."""
    statement = (
        sa.update(jobs)
        .where(jobs.c.lora_id == lora_id, jobs.c.kind == JobKind.SHEET)
        .values(revision=jobs.c.revision + 1)
        .returning(jobs.c.id)
    )
    return list((await connection.scalars(statement)).all())


async def under_way(connection: AsyncConnection, *, draft_id: str | None = None, lora_id: str | None = None) -> int:
    """Return how many jobs of this draft or model have not ended."""
    live = jobs.c.ended_at.is_(None)
    if lora_id is None:
        statement = sa.select(sa.func.count()).select_from(jobs).where(jobs.c.draft_id == draft_id, live)
        return int(await connection.scalar(statement) or 0)
    pictures = sa.select(jobs.c.lora_id, jobs.c.spec).where(jobs.c.kind == JobKind.PICTURES, live)
    found = [
        {row.lora_id, *(one["lora_id"] for one in row.spec.get("mixed_in") or ())}
        for row in (await connection.execute(pictures)).all()
    ]
    return sum(lora_id in used for used in found)


async def count_under_way(connection: AsyncConnection) -> int:
    """Return how many jobs have not ended, over all people."""
    return int(
        await connection.scalar(sa.select(sa.func.count()).select_from(jobs).where(jobs.c.ended_at.is_(None))) or 0
    )


async def under_way_of(connection: AsyncConnection, owner_id: int, *, guild_id: int | None = None) -> int:
    """Return how many jobs a person has under way, in one server or all; sample pictures belong to their training."""
    statement = (
        sa.select(sa.func.count())
        .select_from(jobs)
        .where(jobs.c.owner_id == owner_id, jobs.c.ended_at.is_(None), jobs.c.parent_id.is_(None))
    )
    if guild_id is not None:
        statement = statement.where(jobs.c.guild_id == guild_id)
    return int(await connection.scalar(statement) or 0)


async def settle_doubt(connection: AsyncConnection, job_id: str, *, remote_id: str | None, at: datetime) -> bool:
    """Let an uncertain job go on with its provider's id, or without one as if never sent; false when it is not."""
    state = JobState.SUBMITTING if remote_id is None else JobState.QUEUED
    statement = (
        sa.update(jobs)
        .where(jobs.c.id == job_id, jobs.c.state == JobState.UNCERTAIN)
        .values(
            state=state,
            remote_id=remote_id,
            submitting_since=None,
            looks=0,
            next_at=at,
            updated_at=at,
            revision=jobs.c.revision + 1,
        )
    )
    return (await connection.execute(statement)).rowcount == 1


async def request_cancel(connection: AsyncConnection, job_id: str, *, at: datetime) -> bool:
    """Ask the tracker to end a job; false when it has ended."""
    # A call whose outcome is open is looked for in its own time: a look too early proves nothing.
    in_doubt = sa.and_(jobs.c.state == JobState.SUBMITTING, jobs.c.submitting_since.is_not(None))
    statement = (
        sa.update(jobs)
        .where(jobs.c.id == job_id, jobs.c.state.not_in(TERMINAL))
        .values(
            cancel_requested=True,
            next_at=sa.case((in_doubt, jobs.c.next_at), else_=sa.literal(at, Moment)),
            updated_at=at,
            revision=jobs.c.revision + 1,
        )
    )
    return (await connection.execute(statement)).rowcount == 1


async def claim_due(
    connection: AsyncConnection, *, owner: str, at: datetime, lease: timedelta, limit: int
) -> Sequence[Job]:
    """Take the rows that are due under a lease; a row under somebody's running lease is left to them."""
    due = (
        sa.select(jobs.c.id)
        .where(jobs.c.next_at <= at, sa.or_(jobs.c.lease_until.is_(None), jobs.c.lease_until < at))
        .order_by(jobs.c.next_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .cte("due")
    )
    statement = (
        sa.update(jobs)
        .where(jobs.c.id.in_(sa.select(due.c.id)))
        .values(lease_owner=owner, lease_until=at + lease, fence=jobs.c.fence + 1)
        .returning(*jobs.c)
    )
    return [_job(row) for row in (await connection.execute(statement)).mappings()]


async def renew_leases(connection: AsyncConnection, *, owner: str, job_ids: Collection[str], until: datetime) -> None:
    """Keep these rows, as far as this tracker still holds them."""
    held = sa.and_(jobs.c.lease_owner == owner, jobs.c.id.in_(job_ids))
    await connection.execute(sa.update(jobs).where(held).values(lease_until=until))


async def write(connection: AsyncConnection, job: Job, *, at: datetime, keep_lease: bool) -> None:
    """Write what the tracker made of a row that it holds.

    Raises:
        LeaseLostError: another tracker holds it.
    """
    values = {name: value for name, value in _values(job).items() if name not in _OTHERS}
    if not keep_lease:
        values |= {"lease_owner": None, "lease_until": None}
    # A cancel that came in meanwhile must not wait for the next poll, but never hurries the look for a paid call.
    in_doubt = job.state is JobState.SUBMITTING and job.submitting_since is not None
    hurry = jobs.c.cancel_requested.is_not(job.cancel_requested)
    planned = sa.literal(job.next_at, Moment)
    next_at = planned if in_doubt else sa.case((hurry, sa.literal(at, Moment)), else_=planned)
    statement = (
        sa.update(jobs)
        .where(jobs.c.id == job.id, jobs.c.fence == job.fence)
        .values(**values | {"updated_at": at}, next_at=next_at, revision=jobs.c.revision + 1)
    )
    if (await connection.execute(statement)).rowcount != 1:
        raise LeaseLostError(job.id)


async def note_withheld(connection: AsyncConnection, job_id: str, count: int) -> None:
    """Note how many pictures the provider's filter kept back."""
    await connection.execute(sa.update(jobs).where(jobs.c.id == job_id).values(withheld=count))


async def touch_live(connection: AsyncConnection, provider: str) -> Sequence[str]:
    """Make the cards of a provider's live jobs stale and return the jobs' ids."""
    statement = (
        sa.update(jobs)
        .where(jobs.c.provider == provider, jobs.c.ended_at.is_(None))
        .values(revision=jobs.c.revision + 1)
        .returning(jobs.c.id)
    )
    return list((await connection.scalars(statement)).all())


async def guilds_waiting_for(connection: AsyncConnection, provider: str) -> Sequence[int]:
    """Return the servers that have live jobs at a provider."""
    live = sa.and_(jobs.c.provider == provider, jobs.c.ended_at.is_(None), jobs.c.guild_id.is_not(None))
    return list((await connection.scalars(sa.select(jobs.c.guild_id).where(live).distinct())).all())


async def hurry(connection: AsyncConnection, *, provider: str, remote_id: str, at: datetime) -> str | None:
    """Make a live job due at once and return its id; None when none of this provider has that id."""
    statement = (
        sa.update(jobs)
        .where(jobs.c.provider == provider, jobs.c.remote_id == remote_id, jobs.c.ended_at.is_(None))
        .values(next_at=at)
        .returning(jobs.c.id)
    )
    hurried: str | None = await connection.scalar(statement)
    return hurried


async def hurry_job(connection: AsyncConnection, job_id: str, *, at: datetime) -> None:
    """Make a live job due at once that its provider has."""
    held = sa.and_(jobs.c.id == job_id, jobs.c.remote_id.is_not(None), jobs.c.ended_at.is_(None))
    await connection.execute(sa.update(jobs).where(held, jobs.c.next_at > at).values(next_at=at))


async def trainings_at(
    connection: AsyncConnection, *, provider: str | None = None, owner_id: int | None = None
) -> Sequence[Job]:
    """Return the trainings under way at a provider or of a person, in the order in which they were asked for."""
    condition = jobs.c.owner_id == owner_id if provider is None else jobs.c.provider == provider
    statement = (
        sa.select(jobs)
        .where(condition, jobs.c.kind == JobKind.TRAINING, jobs.c.ended_at.is_(None))
        .order_by(jobs.c.created_at, jobs.c.id)
    )
    return [_job(row) for row in (await connection.execute(statement)).mappings()]


async def call_line(connection: AsyncConnection, *, at: datetime) -> None:
    """Make all trainings that wait in line due, because a place may be free."""
    waiting = sa.and_(jobs.c.kind == JobKind.TRAINING, jobs.c.state == JobState.PREPARING, jobs.c.turn_at.is_(None))
    await connection.execute(sa.update(jobs).where(waiting, jobs.c.next_at > at).values(next_at=at))


async def rest(connection: AsyncConnection, job: Job, *, until: datetime) -> None:
    """Let a held row go until then without a trace."""
    await connection.execute(
        sa.update(jobs)
        .where(jobs.c.id == job.id, jobs.c.fence == job.fence)
        .values(next_at=until, lease_owner=None, lease_until=None)
    )


async def postpone(connection: AsyncConnection, job: Job, *, until: datetime) -> None:
    """Count a failed try of a held row and let it go until then."""
    await connection.execute(
        sa.update(jobs)
        .where(jobs.c.id == job.id, jobs.c.fence == job.fence)
        .values(tries=jobs.c.tries + 1, next_at=until, lease_owner=None, lease_until=None)
    )


async def break_leases(connection: AsyncConnection) -> None:
    """Free all rows; only for a process that is surely the only one on this database."""
    await connection.execute(sa.update(jobs).values(lease_owner=None, lease_until=None))


async def next_due(connection: AsyncConnection, *, at: datetime) -> datetime | None:
    """Return when the next row that nobody works on wants to be looked at."""
    free = sa.or_(jobs.c.lease_until.is_(None), jobs.c.lease_until < at)
    due: datetime | None = await connection.scalar(sa.select(sa.func.min(jobs.c.next_at, type_=Moment)).where(free))
    return due


async def insert_quote(connection: AsyncConnection, quote: Quote) -> None:
    """Add a quote."""
    values = asdict(quote) | {
        "recipe": _recipe.dump_python(quote.recipe, mode="json"),
        "estimate": _estimate.dump_python(quote.estimate, mode="json"),
    }
    await connection.execute(sa.insert(quotes).values(**values))


async def get_quote(connection: AsyncConnection, quote_id: str) -> Quote | None:
    """Return one quote."""
    row = (await connection.execute(sa.select(quotes).where(quotes.c.id == quote_id))).mappings().first()
    if row is None:
        return None
    parsed = {
        "preset": Preset(row["preset"]),
        "recipe": _recipe.validate_python(row["recipe"]),
        "estimate": _estimate.validate_python(row["estimate"]),
    }
    return Quote(**dict(row) | parsed)
