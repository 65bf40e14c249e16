"""Named queries about the audit log."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.tables import audit


async def insert(connection: AsyncConnection, **values: Any) -> None:
    """Add a line."""
    await connection.execute(sa.insert(audit).values(**values))


async def count(connection: AsyncConnection, guild_id: int | None) -> int:
    """Return how many lines a server has; None for the operator's own."""
    statement = sa.select(sa.func.count()).select_from(audit).where(_of(guild_id))
    return int(await connection.scalar(statement) or 0)


async def newest(
    connection: AsyncConnection, guild_id: int | None, *, skip: int, limit: int
) -> Sequence[Mapping[str, Any]]:
    """Return lines of a server, the newest first."""
    columns = [column for column in audit.c if column is not audit.c.id]
    statement = sa.select(*columns).where(_of(guild_id)).order_by(audit.c.id.desc()).offset(skip).limit(limit)
    return [dict(row) for row in (await connection.execute(statement)).mappings()]


async def forget_before(connection: AsyncConnection, before: datetime) -> None:
    """Let old lines go."""
    await connection.execute(sa.delete(audit).where(audit.c.at < before))


def _of(guild_id: int | None) -> sa.ColumnElement[bool]:
    return audit.c.guild_id.is_(None) if guild_id is None else audit.c.guild_id == guild_id
