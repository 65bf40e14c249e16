"""Named queries about money: what is reserved for jobs under way and what was spent on those that have ended."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.tables import jobs, ledger
from bot.training.job import TERMINAL


class EntryKind(StrEnum):
    """What an entry says about a job's money."""

    #: Set aside before anything is paid.
    RESERVE = "reserve"
    #: Paid: what the job really cost.
    SETTLE = "settle"
    #: Not needed after all.
    RELEASE = "release"


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One line of the ledger; lines are added, never changed."""

    job_id: str
    kind: EntryKind
    #: Millionths of a dollar; 0 for a release.
    micro_usd: int
    owner_id: int
    guild_id: int | None
    provider: str
    at: datetime


async def insert(connection: AsyncConnection, entry: Entry) -> None:
    """Add a line.

    Raises:
        IntegrityError: the job has one of this kind.
    """
    await connection.execute(sa.insert(ledger).values(**asdict(entry)))


async def reserved_for(connection: AsyncConnection, job_id: str) -> int | None:
    """Return what is set aside for a job, in millionths of a dollar; None when nothing was."""
    statement = sa.select(ledger.c.micro_usd).where(ledger.c.job_id == job_id, ledger.c.kind == EntryKind.RESERVE)
    found: int | None = await connection.scalar(statement)
    return found


async def committed(
    connection: AsyncConnection, *, since: datetime, owner_id: int | None = None, guild_id: int | None = None
) -> int:
    """Return what was spent since then plus all that is set aside now, for a person, a server, or a person there."""
    whose: sa.ColumnElement[bool] = sa.true()
    if owner_id is not None:
        whose = ledger.c.owner_id == owner_id
    if guild_id is not None:
        whose = sa.and_(whose, ledger.c.guild_id == guild_id)
    closed = sa.select(ledger.c.job_id).where(ledger.c.kind.in_([EntryKind.SETTLE, EntryKind.RELEASE]))
    spent = sa.and_(ledger.c.kind == EntryKind.SETTLE, ledger.c.at >= since)
    open_reserve = sa.and_(ledger.c.kind == EntryKind.RESERVE, ledger.c.job_id.not_in(closed))
    statement = sa.select(sa.func.sum(ledger.c.micro_usd)).where(whose, sa.or_(spent, open_reserve))
    return int(await connection.scalar(statement) or 0)


async def lines_by_job(connection: AsyncConnection) -> Sequence[tuple[str, bool, int, int, int]]:
    """Return for every job: its id, whether it has ended, and how many reserves, settles and releases it has."""

    def count(kind: EntryKind) -> sa.ColumnElement[int]:
        return sa.func.coalesce(sa.func.sum(sa.case((ledger.c.kind == kind, 1), else_=0)), 0)

    statement = (
        sa.select(
            jobs.c.id,
            jobs.c.state.in_(TERMINAL),
            count(EntryKind.RESERVE),
            count(EntryKind.SETTLE),
            count(EntryKind.RELEASE),
        )
        .select_from(jobs.outerjoin(ledger, ledger.c.job_id == jobs.c.id))
        .group_by(jobs.c.id, jobs.c.state)
        .order_by(jobs.c.id)
    )
    return [tuple(row) for row in (await connection.execute(statement)).all()]


async def settled_with_cost(connection: AsyncConnection) -> Sequence[tuple[str, int, float]]:
    """Return for every job that was settled and whose provider named its cost: id, what was settled, and the cost."""
    statement = (
        sa.select(jobs.c.id, ledger.c.micro_usd, jobs.c.cost_usd)
        .select_from(ledger.join(jobs, ledger.c.job_id == jobs.c.id))
        .where(ledger.c.kind == EntryKind.SETTLE, jobs.c.cost_usd.is_not(None))
        .order_by(jobs.c.id)
    )
    return [tuple(row) for row in (await connection.execute(statement)).all()]


async def totals(connection: AsyncConnection) -> dict[EntryKind, int]:
    """Return the sum of each kind, in millionths of a dollar."""
    statement = sa.select(ledger.c.kind, sa.func.sum(ledger.c.micro_usd)).group_by(ledger.c.kind)
    return {EntryKind(kind): int(total) for kind, total in (await connection.execute(statement)).all()}


@dataclass(frozen=True, kw_only=True)
class Settled:
    """What one job cost in the end."""

    at: datetime
    provider: str
    owner_id: int
    micro_usd: int


async def settled_in(connection: AsyncConnection, guild_id: int, *, since: datetime) -> Sequence[Settled]:
    """Return what the jobs of a server that ended since then have cost, the oldest first."""
    statement = (
        sa.select(ledger.c.at, ledger.c.provider, ledger.c.owner_id, ledger.c.micro_usd)
        .where(ledger.c.guild_id == guild_id, ledger.c.kind == EntryKind.SETTLE, ledger.c.at >= since)
        .order_by(ledger.c.at, ledger.c.id)
    )
    return [Settled(**dict(row)) for row in (await connection.execute(statement)).mappings()]


async def set_aside_in(connection: AsyncConnection, guild_id: int) -> int:
    """Return what is reserved now for the jobs of a server, in millionths of a dollar."""
    closed = sa.select(ledger.c.job_id).where(ledger.c.kind.in_([EntryKind.SETTLE, EntryKind.RELEASE]))
    open_reserve = sa.and_(
        ledger.c.guild_id == guild_id, ledger.c.kind == EntryKind.RESERVE, ledger.c.job_id.not_in(closed)
    )
    return int(await connection.scalar(sa.select(sa.func.sum(ledger.c.micro_usd)).where(open_reserve)) or 0)


async def totals_since(connection: AsyncConnection, *, since: datetime) -> dict[EntryKind, int]:
    """Return what all jobs that ended since then have cost, and what is reserved now for those under way."""
    closed = sa.select(ledger.c.job_id).where(ledger.c.kind.in_([EntryKind.SETTLE, EntryKind.RELEASE]))
    spent = sa.and_(ledger.c.kind == EntryKind.SETTLE, ledger.c.at >= since)
    open_reserve = sa.and_(ledger.c.kind == EntryKind.RESERVE, ledger.c.job_id.not_in(closed))
    statement = sa.select(ledger.c.kind, sa.func.sum(ledger.c.micro_usd)).where(sa.or_(spent, open_reserve))
    found = (await connection.execute(statement.group_by(ledger.c.kind))).all()
    return {EntryKind(kind): int(total) for kind, total in found}
