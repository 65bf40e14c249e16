"""Named queries about cards: which message shows a job, and what it showed last."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.tables import cards, jobs
from bot.texts import ENGLISH


@dataclass(frozen=True, kw_only=True)
class Card:
    """The message in a channel that shows a job."""

    job_id: str
    channel_id: int
    #: None until Discord has it.
    message_id: int | None = None
    #: How often it had to be made anew.
    posts: int = 0
    digest: str | None = None
    shown_revision: int = 0
    #: The word that its turn has come after a long wait.
    turn_message_id: int | None = None
    final_message_id: int | None = None
    given_up: str | None = None
    #: The locale that it speaks.
    locale: str = ENGLISH


async def insert(connection: AsyncConnection, card: Card) -> None:
    """Add a card, in the transaction that adds its job."""
    await connection.execute(sa.insert(cards).values(**asdict(card)))


async def get(connection: AsyncConnection, job_id: str) -> Card | None:
    """Return the card of a job."""
    row = (await connection.execute(sa.select(cards).where(cards.c.job_id == job_id))).mappings().first()
    return None if row is None else Card(**{f.name: row[f.name] for f in fields(Card)})


async def shown_in(connection: AsyncConnection, message_id: int) -> Card | None:
    """Return the card that a message shows, or whose job's last word it is."""
    fits = sa.or_(cards.c.message_id == message_id, cards.c.final_message_id == message_id)
    row = (await connection.execute(sa.select(cards).where(fits))).mappings().first()
    return None if row is None else Card(**{f.name: row[f.name] for f in fields(Card)})


async def stale(connection: AsyncConnection) -> Sequence[Card]:
    """Return the cards that show less than their row says, the longest waiting first."""
    statement = (
        sa.select(cards)
        .join(jobs, jobs.c.id == cards.c.job_id)
        .where(cards.c.shown_revision < jobs.c.revision, cards.c.given_up.is_(None))
        .order_by(jobs.c.updated_at)
    )
    rows = (await connection.execute(statement)).mappings()
    return [Card(**{f.name: row[f.name] for f in fields(Card)}) for row in rows]


async def write(connection: AsyncConnection, card: Card) -> bool:
    """Write what the board did with a card; false when it is there no more."""
    values = {name: value for name, value in asdict(card).items() if name != "job_id"}
    done = await connection.execute(sa.update(cards).where(cards.c.job_id == card.job_id).values(**values))
    return done.rowcount == 1


async def give_up(connection: AsyncConnection, job_id: str, *, reason: str) -> None:
    """Let a card be: nothing is sent for it any more."""
    await connection.execute(sa.update(cards).where(cards.c.job_id == job_id).values(given_up=reason))


async def touch(connection: AsyncConnection, job_id: str) -> None:
    """Make a card stale, because something else that it shows has changed."""
    await connection.execute(sa.update(jobs).where(jobs.c.id == job_id).values(revision=jobs.c.revision + 1))
