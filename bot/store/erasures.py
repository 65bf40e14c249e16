"""Named queries about wishes to be forgotten."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.tables import cards, erasures, gallery_posts, gallery_threads, jobs, loras
from bot.training.job import JobState


@dataclass(frozen=True, kw_only=True)
class Erasure:
    """A person's wish to be forgotten, and what became of it."""

    id: str
    person_id: int
    asked_at: datetime
    done_at: datetime | None = None
    #: What went, by table, and what could not go; empty until it is done.
    report: Mapping[str, Any] = field(default_factory=dict)


async def insert(connection: AsyncConnection, erasure: Erasure) -> None:
    """Add a wish."""
    await connection.execute(sa.insert(erasures).values(**asdict(erasure)))


async def open_ones(connection: AsyncConnection, person_id: int | None = None) -> Sequence[Erasure]:
    """Return the wishes that are not carried out yet, of one person or of all."""
    mine = sa.true() if person_id is None else erasures.c.person_id == person_id
    rows = await connection.execute(sa.select(erasures).where(erasures.c.done_at.is_(None), mine))
    return [_erasure(row) for row in rows.mappings()]


async def last_of(connection: AsyncConnection, person_id: int) -> Erasure | None:
    """Return a person's newest wish."""
    statement = sa.select(erasures).where(erasures.c.person_id == person_id).order_by(erasures.c.asked_at.desc())
    row = (await connection.execute(statement)).mappings().first()
    return None if row is None else _erasure(row)


async def close(connection: AsyncConnection, erasure_id: str, *, at: datetime, report: Mapping[str, Any]) -> None:
    """Note that a wish was carried out."""
    values = {"done_at": at, "report": dict(report)}
    await connection.execute(sa.update(erasures).where(erasures.c.id == erasure_id).values(**values))


async def forget_before(connection: AsyncConnection, moment: datetime) -> None:
    """Remove wishes that were carried out before then."""
    await connection.execute(sa.delete(erasures).where(erasures.c.done_at < moment))


async def live_jobs(connection: AsyncConnection, person_id: int) -> Sequence[tuple[str, JobState]]:
    """Return a person's jobs that are under way, or have left something at their provider."""
    statement = sa.select(jobs.c.id, jobs.c.state).where(jobs.c.owner_id == person_id, jobs.c.cleaned.is_(False))
    return [(row.id, JobState(row.state)) for row in (await connection.execute(statement)).all()]


async def messages_of(connection: AsyncConnection, person_id: int) -> Sequence[tuple[int, int]]:
    """Return channel and message of everything that was posted for a person: cards, other words, gallery copies.

    The message that a model's thread begins at is among them.
    """
    theirs = sa.select(jobs.c.id).where(jobs.c.owner_id == person_id)
    models = sa.select(loras.c.id).where(loras.c.owner_id == person_id)
    posted = sa.union_all(
        sa.select(cards.c.channel_id, cards.c.message_id).where(cards.c.job_id.in_(theirs)),
        sa.select(cards.c.channel_id, cards.c.turn_message_id).where(cards.c.job_id.in_(theirs)),
        sa.select(cards.c.channel_id, cards.c.final_message_id).where(cards.c.job_id.in_(theirs)),
        sa.select(gallery_posts.c.thread_channel_id, gallery_posts.c.message_id).where(
            gallery_posts.c.job_id.in_(theirs)
        ),
        sa.select(gallery_threads.c.channel_id, gallery_threads.c.message_id).where(
            gallery_threads.c.lora_id.in_(models)
        ),
    )
    rows = (await connection.execute(posted)).all()
    return [(row[0], row[1]) for row in rows if None not in {row[0], row[1]}]


def _erasure(row: sa.RowMapping) -> Erasure:
    return Erasure(**{f.name: row[f.name] for f in fields(Erasure)})
