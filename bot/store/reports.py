"""Named queries about reports of pictures."""

from collections.abc import Sequence
from dataclasses import asdict, fields
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.report import Report, ReportState
from bot.store.tables import reports


def _report(row: sa.RowMapping) -> Report:
    return Report(**{f.name: row[f.name] for f in fields(Report)} | {"state": ReportState(row["state"])})


async def insert(connection: AsyncConnection, report: Report) -> None:
    """Add a report."""
    await connection.execute(sa.insert(reports).values(**asdict(report)))


async def get(connection: AsyncConnection, report_id: str) -> Report | None:
    """Return one report, whatever its state."""
    row = (await connection.execute(sa.select(reports).where(reports.c.id == report_id))).mappings().first()
    return None if row is None else _report(row)


async def open_in(connection: AsyncConnection, guild_id: int | None, *, limit: int) -> Sequence[Report]:
    """Return a server's open reports, or those of direct messages, the oldest first."""
    where = reports.c.guild_id.is_(None) if guild_id is None else reports.c.guild_id == guild_id
    statement = (
        sa.select(reports)
        .where(where, reports.c.state == ReportState.OPEN)
        .order_by(reports.c.created_at, reports.c.id)
        .limit(limit)
    )
    return [_report(row) for row in (await connection.execute(statement)).mappings()]


async def count_open(connection: AsyncConnection) -> int:
    """Return how many reports wait, over all servers."""
    statement = sa.select(sa.func.count()).select_from(reports).where(reports.c.state == ReportState.OPEN)
    return int(await connection.scalar(statement) or 0)


async def open_by(connection: AsyncConnection, reporter_id: int, job_id: str) -> Report | None:
    """Return the open report of a person about a job."""
    which = sa.and_(
        reports.c.reporter_id == reporter_id, reports.c.job_id == job_id, reports.c.state == ReportState.OPEN
    )
    row = (await connection.execute(sa.select(reports).where(which))).mappings().first()
    return None if row is None else _report(row)


async def count_by(connection: AsyncConnection, reporter_id: int, *, since: datetime) -> int:
    """Return how many reports a person has filed since then."""
    which = sa.and_(reports.c.reporter_id == reporter_id, reports.c.created_at >= since)
    return int(await connection.scalar(sa.select(sa.func.count()).select_from(reports).where(which)) or 0)


async def settle(connection: AsyncConnection, report_id: str, state: ReportState, *, by_id: int, at: datetime) -> bool:
    """Say what became of a report; false when somebody did before."""
    statement = (
        sa.update(reports)
        .where(reports.c.id == report_id, reports.c.state == ReportState.OPEN)
        .values(state=state, settled_by=by_id, settled_at=at)
    )
    return (await connection.execute(statement)).rowcount == 1


async def forget_before(connection: AsyncConnection, before: datetime) -> None:
    """Let old reports go."""
    await connection.execute(sa.delete(reports).where(reports.c.created_at < before))
