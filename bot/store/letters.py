"""Named queries about letters, the direct messages that nobody waits for."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.tables import cards, jobs, letters, people
from bot.texts import ENGLISH


class LetterKind(StrEnum):
    """What a letter tells; the value is stored, so never rename one."""

    #: A training that somebody began in a server has come to its end.
    DONE = "done"
    #: Photos go tomorrow.
    DELETION = "deletion"
    #: A wish to be forgotten was carried out.
    ERASED = "erased"


@dataclass(frozen=True, kw_only=True)
class Letter:
    """One direct message, as the facts that its sentences are made of."""

    #: At most 20 characters: part of the message's nonce.
    id: str
    person_id: int
    kind: LetterKind
    body: Mapping[str, Any] = field(default_factory=dict)
    job_id: str | None = None
    created_at: datetime


@dataclass(frozen=True, kw_only=True)
class Addressed:
    """A letter with what it takes to send it."""

    letter: Letter
    locale: str
    #: Where the last word of its job stands: server, channel, message; None without one.
    told_at: tuple[int, int, int] | None


async def insert(connection: AsyncConnection, letter: Letter) -> None:
    """Add a letter, in the transaction that makes it true."""
    await connection.execute(sa.insert(letters).values(**asdict(letter)))


async def waiting(connection: AsyncConnection, *, patience_until: datetime, limit: int) -> Sequence[Addressed]:
    """Return letters to send, the oldest first; one about a job waits for its last word until that moment."""
    told = sa.or_(
        letters.c.job_id.is_(None),
        cards.c.final_message_id.is_not(None),
        cards.c.given_up.is_not(None),
        letters.c.created_at < patience_until,
    )
    statement = (
        sa.select(letters, people.c.locale, jobs.c.guild_id, cards.c.channel_id, cards.c.final_message_id)
        .outerjoin(people, people.c.id == letters.c.person_id)
        .outerjoin(jobs, jobs.c.id == letters.c.job_id)
        .outerjoin(cards, cards.c.job_id == letters.c.job_id)
        .where(letters.c.ended_at.is_(None), told)
        .order_by(letters.c.created_at)
        .limit(limit)
    )
    return [_addressed(row) for row in (await connection.execute(statement)).mappings()]


async def end(connection: AsyncConnection, letter_id: str, *, at: datetime) -> None:
    """Note that a letter was sent or given up."""
    await connection.execute(sa.update(letters).where(letters.c.id == letter_id).values(ended_at=at))


async def forget_before(connection: AsyncConnection, moment: datetime) -> None:
    """Remove letters that came to their end before then."""
    await connection.execute(sa.delete(letters).where(letters.c.ended_at < moment))


def _addressed(row: sa.RowMapping) -> Addressed:
    known = {f.name: row[f.name] for f in fields(Letter)} | {"kind": LetterKind(row["kind"])}
    told = (row["guild_id"], row["channel_id"], row["final_message_id"])
    return Addressed(
        letter=Letter(**known),
        locale=row["locale"] or ENGLISH,
        told_at=None if None in told else told,
    )
