"""Named queries about the leases of trainings on GPU machines."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from pydantic import TypeAdapter
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.tables import leases
from providers.base import Progress
from providers.gpu.leases import LeaseState

_progress = TypeAdapter(Progress | None)


@dataclass(frozen=True, kw_only=True)
class Lease:
    """One row."""

    marker: str
    state: LeaseState
    #: What the agent is told of the job.
    spec: Mapping[str, Any]
    #: Path of the photos' archive below the data folder.
    archive: str
    archive_sha256: str
    archive_size: int
    token_hash: str | None = None
    holder_hash: str | None = None
    box_id: str | None = None
    progress: Progress | None = None
    #: How it ended, as its agent told, once it is over.
    outcome: Mapping[str, Any] | None = None
    usd_an_hour: float | None = None
    issued_at: datetime | None = None
    heard_at: datetime | None = None
    stop_at: datetime | None = None
    over_at: datetime | None = None


def _lease(row: sa.RowMapping) -> Lease:
    known = {f.name: row[f.name] for f in fields(Lease)}
    return Lease(**known | {"state": LeaseState(row["state"]), "progress": _progress.validate_python(row["progress"])})


async def get(connection: AsyncConnection, marker: str) -> Lease | None:
    """Return one lease."""
    row = (await connection.execute(sa.select(leases).where(leases.c.marker == marker))).mappings().first()
    return None if row is None else _lease(row)


async def markers(connection: AsyncConnection) -> Sequence[str]:
    """Return the markers of all leases."""
    return list((await connection.scalars(sa.select(leases.c.marker))).all())


async def put(
    connection: AsyncConnection, marker: str, *, spec: Mapping[str, Any], archive: str, sha256: str, size: int
) -> None:
    """Describe a job; what is claimed already stays as it is."""
    values = {"spec": dict(spec), "archive": archive, "archive_sha256": sha256, "archive_size": size}
    statement = sa.select(leases.c.state).where(leases.c.marker == marker)
    if await connection.scalar(statement) is None:
        await connection.execute(sa.insert(leases).values(marker=marker, state=LeaseState.OPEN, **values))
        return
    is_open = sa.and_(leases.c.marker == marker, leases.c.state == LeaseState.OPEN)
    await connection.execute(sa.update(leases).where(is_open).values(**values))


async def issue(connection: AsyncConnection, marker: str, *, token_hash: str, at: datetime) -> bool:
    """Let the bearer of this token claim, and of no other; false when there is no such lease."""
    statement = sa.update(leases).where(leases.c.marker == marker).values(token_hash=token_hash, issued_at=at)
    return (await connection.execute(statement)).rowcount == 1


async def claim(
    connection: AsyncConnection, marker: str, *, token_hash: str, holder_hash: str, box_id: str | None, at: datetime
) -> bool:
    """Give an open lease to whoever comes first; false when it isn't open for this token."""
    may = sa.and_(
        leases.c.marker == marker,
        leases.c.state == LeaseState.OPEN,
        leases.c.token_hash == token_hash,
        leases.c.stop_at.is_(None),
    )
    values = {"state": LeaseState.HELD, "holder_hash": holder_hash, "box_id": box_id, "heard_at": at}
    return (await connection.execute(sa.update(leases).where(may).values(**values))).rowcount == 1


async def hear(connection: AsyncConnection, marker: str, *, progress: Progress, at: datetime) -> None:
    """Note that the agent lives and how far it is."""
    told = _progress.dump_python(progress, mode="json")
    held = sa.and_(leases.c.marker == marker, leases.c.state == LeaseState.HELD)
    await connection.execute(sa.update(leases).where(held).values(progress=told, heard_at=at))


async def end(
    connection: AsyncConnection, marker: str, *, state: LeaseState, outcome: Mapping[str, Any], at: datetime
) -> None:
    """Note the agent's last word; the first one counts."""
    held = sa.and_(leases.c.marker == marker, leases.c.state == LeaseState.HELD)
    values = {"state": state, "outcome": dict(outcome), "heard_at": at, "over_at": at}
    await connection.execute(sa.update(leases).where(held).values(**values))


async def stop(connection: AsyncConnection, marker: str, *, at: datetime) -> None:
    """Note that it is to stop, and since when."""
    running = sa.and_(leases.c.marker == marker, leases.c.stop_at.is_(None))
    await connection.execute(sa.update(leases).where(running).values(stop_at=at))


async def note_price(connection: AsyncConnection, marker: str, usd_an_hour: float) -> None:
    """Note what its machine costs."""
    await connection.execute(sa.update(leases).where(leases.c.marker == marker).values(usd_an_hour=usd_an_hour))


async def delete(connection: AsyncConnection, marker: str) -> None:
    """Forget a lease."""
    await connection.execute(sa.delete(leases).where(leases.c.marker == marker))
