"""Named queries about notices: what log channels are to be told, and what they show."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.ids import new_id
from bot.notice import Notice, NoticeKind
from bot.store.tables import guilds, jobs, notices
from bot.training.job import JobState


def _notice(row: sa.RowMapping) -> Notice:
    return Notice(**{f.name: row[f.name] for f in fields(Notice)} | {"kind": NoticeKind(row["kind"])})


async def add(
    connection: AsyncConnection,
    guild_id: int,
    kind: NoticeKind,
    subject: str,
    *,
    at: datetime,
    facts: Mapping[str, Any] | None = None,
) -> None:
    """Add a notice; the second one about the same subject changes nothing."""
    same = sa.and_(notices.c.guild_id == guild_id, notices.c.kind == kind, notices.c.subject == subject)
    if await connection.scalar(sa.select(notices.c.id).where(same)) is not None:
        return
    made = Notice(id=new_id(), guild_id=guild_id, kind=kind, subject=subject, facts=dict(facts or {}), created_at=at)
    await connection.execute(sa.insert(notices).values(**asdict(made)))


async def close(
    connection: AsyncConnection, kind: NoticeKind, subject: str, *, facts: Mapping[str, Any] | None = None
) -> None:
    """Say that nothing can be done about a subject any more, in all servers that were told of it."""
    which = sa.and_(notices.c.kind == kind, notices.c.subject == subject, notices.c.closed.is_(False))
    found = (await connection.execute(sa.select(notices.c.id, notices.c.facts).where(which))).all()
    for row in found:
        values = {"closed": True, "facts": {**row.facts, **(facts or {})}, "revision": notices.c.revision + 1}
        await connection.execute(sa.update(notices).where(notices.c.id == row.id).values(**values))


async def close_outages(connection: AsyncConnection, provider: str) -> None:
    """Say that a provider answers again, in all servers that were told that it does not."""
    begins = notices.c.subject.startswith(f"{provider} ", autoescape=True)
    which = sa.and_(notices.c.kind == NoticeKind.OUTAGE, notices.c.closed.is_(False), begins)
    values = {"closed": True, "revision": notices.c.revision + 1}
    await connection.execute(sa.update(notices).where(which).values(**values))


async def follow_doubts(connection: AsyncConnection, *, at: datetime) -> None:
    """Add a notice for every job in doubt of a server, and close those whose doubt is settled."""
    unsure = sa.select(jobs.c.id, jobs.c.guild_id).where(
        jobs.c.state == JobState.UNCERTAIN, jobs.c.guild_id.is_not(None)
    )
    for row in (await connection.execute(unsure)).all():
        await add(connection, row.guild_id, NoticeKind.DOUBT, row.id, at=at)
    settled = (
        sa.select(notices.c.subject)
        .join(jobs, jobs.c.id == notices.c.subject)
        .where(notices.c.kind == NoticeKind.DOUBT, notices.c.closed.is_(False), jobs.c.state != JobState.UNCERTAIN)
    )
    for subject in (await connection.scalars(settled)).all():
        await close(connection, NoticeKind.DOUBT, subject)


async def stale(connection: AsyncConnection) -> Sequence[tuple[Notice, int]]:
    """Return the notices that show less than their row says, the oldest first, each with its server's log channel.

    One that waits for a log channel is returned when there is one; one that was settled meanwhile is not posted.
    """
    posted = notices.c.message_id.is_not(None)
    due = sa.and_(notices.c.shown_revision < notices.c.revision, sa.or_(posted, notices.c.closed.is_(False)))
    statement = (
        sa.select(notices, guilds.c.log_channel_id)
        .join(guilds, guilds.c.id == notices.c.guild_id)
        .where(due, guilds.c.log_channel_id.is_not(None))
        .order_by(notices.c.created_at, notices.c.id)
    )
    return [(_notice(row), row["log_channel_id"]) for row in (await connection.execute(statement)).mappings()]


async def shown(
    connection: AsyncConnection, notice_id: str, *, revision: int, channel_id: int, message_id: int | None
) -> None:
    """Write down which message shows a notice, and what of it; without a message it is given up."""
    values = {"shown_revision": revision, "channel_id": channel_id, "message_id": message_id}
    await connection.execute(sa.update(notices).where(notices.c.id == notice_id).values(**values))


async def of(connection: AsyncConnection, kind: NoticeKind, subject: str) -> Sequence[Notice]:
    """Return the notices about a subject, one a server."""
    statement = sa.select(notices).where(notices.c.kind == kind, notices.c.subject == subject)
    return [_notice(row) for row in (await connection.execute(statement.order_by(notices.c.id))).mappings()]


async def forget_before(connection: AsyncConnection, before: datetime) -> None:
    """Let old notices go, posted or not; what they told stands in the channel."""
    await connection.execute(sa.delete(notices).where(notices.c.created_at < before))
