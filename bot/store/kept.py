"""Named queries about how long drafts have been kept, and which servers were left."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.draft import DraftState
from bot.store.tables import (
    adult_marks,
    audit,
    blocks,
    departures,
    drafts,
    gallery_posts,
    gallery_threads,
    guilds,
    jobs,
    lora_shares,
    notices,
    photos,
    reports,
)
from bot.training.job import JobKind


@dataclass(frozen=True, kw_only=True)
class KeptDraft:
    """A draft as its retention sees it."""

    id: str
    owner_id: int
    name: str
    state: DraftState
    photos: int
    #: When somebody last did something with it.
    touched: datetime
    warned_at: datetime | None
    #: The server where its last training was begun, if it was in one.
    guild_id: int | None

    @property
    def warned(self) -> bool:
        """Tell whether its person was warned since they last touched it."""
        return self.warned_at is not None and self.warned_at > self.touched


async def drafts_kept(
    connection: AsyncConnection, state: DraftState, *, untouched_since: datetime
) -> Sequence[KeptDraft]:
    """Return the drafts in this state that nobody has touched since then; of trained ones, those with photos."""
    found = [one for one in await _kept(connection, drafts.c.state == state) if one.touched <= untouched_since]
    return [one for one in found if one.photos or state is DraftState.OPEN]


async def draft_kept(connection: AsyncConnection, draft_id: str) -> KeptDraft | None:
    """Return one draft."""
    found = await _kept(connection, drafts.c.id == draft_id)
    return found[0] if found else None


async def drafts_kept_of(connection: AsyncConnection, owner_id: int) -> Sequence[KeptDraft]:
    """Return the drafts of a person that hold photos and are not being trained."""
    states = (DraftState.OPEN, DraftState.TRAINED)
    theirs = sa.and_(drafts.c.owner_id == owner_id, drafts.c.state.in_(states))
    return [one for one in await _kept(connection, theirs) if one.photos]


async def note_warning(connection: AsyncConnection, draft_id: str, *, at: datetime) -> None:
    """Note that a draft's person is told that its photos go."""
    await connection.execute(sa.update(drafts).where(drafts.c.id == draft_id).values(warned_at=at))


async def touch(connection: AsyncConnection, draft_id: str, *, at: datetime) -> None:
    """Let a draft's time begin anew."""
    await connection.execute(sa.update(drafts).where(drafts.c.id == draft_id).values(updated_at=at))


async def days_by_guild(connection: AsyncConnection) -> Mapping[int, float]:
    """Return how many days servers keep photos, where they say."""
    rows = (await connection.execute(sa.select(guilds.c.id, guilds.c.settings))).all()
    said = {row.id: row.settings.get("keep_photos_days") for row in rows}
    return {guild_id: float(days) for guild_id, days in said.items() if days is not None}


async def note_departure(connection: AsyncConnection, guild_id: int, *, at: datetime) -> None:
    """Note that the bot is no longer in a server, unless that is known."""
    known = await connection.scalar(sa.select(departures.c.at).where(departures.c.guild_id == guild_id))
    if known is None:
        await connection.execute(sa.insert(departures).values(guild_id=guild_id, at=at))


async def forget_departure(connection: AsyncConnection, guild_id: int) -> None:
    """Note that the bot is in a server again."""
    await connection.execute(sa.delete(departures).where(departures.c.guild_id == guild_id))


async def departed_before(connection: AsyncConnection, moment: datetime) -> Sequence[int]:
    """Return the servers that were left before then."""
    return list((await connection.scalars(sa.select(departures.c.guild_id).where(departures.c.at < moment))).all())


async def known_guilds(connection: AsyncConnection) -> set[int]:
    """Return the servers about which something is kept."""
    known = sa.union(sa.select(guilds.c.id), sa.select(lora_shares.c.guild_id), sa.select(departures.c.guild_id))
    return {guild_id for guild_id in (await connection.scalars(known)).all() if guild_id is not None}


async def forget_guild(connection: AsyncConnection, guild_id: int) -> None:
    """Remove what is kept about a server; jobs and sums of money there stay with their people."""
    for table in (
        *(gallery_posts, gallery_threads, lora_shares, blocks, audit, reports, notices, adult_marks, departures),
    ):
        await connection.execute(sa.delete(table).where(table.c.guild_id == guild_id))
    await connection.execute(sa.delete(guilds).where(guilds.c.id == guild_id))


async def _kept(connection: AsyncConnection, condition: sa.ColumnElement[bool]) -> Sequence[KeptDraft]:
    newest, count = sa.func.max(photos.c.created_at), sa.func.count(photos.c.id)
    trained_in = (
        sa.select(jobs.c.guild_id)
        .where(jobs.c.draft_id == drafts.c.id, jobs.c.kind == JobKind.TRAINING)
        .order_by(jobs.c.created_at.desc())
        .limit(1)
        .scalar_subquery()
    )
    statement = (
        sa.select(
            drafts.c.id,
            drafts.c.owner_id,
            drafts.c.name,
            drafts.c.state,
            drafts.c.updated_at,
            drafts.c.warned_at,
            newest.label("newest"),
            count.label("photos"),
            trained_in.label("guild_id"),
        )
        .outerjoin(photos, photos.c.draft_id == drafts.c.id)
        .where(condition)
        .group_by(drafts.c.id)
        .order_by(drafts.c.updated_at)
    )
    rows = (await connection.execute(statement)).mappings()
    return [_draft(row) for row in rows]


def _draft(row: sa.RowMapping) -> KeptDraft:
    touched = max(row["updated_at"], row["newest"] or row["updated_at"])
    own = {f.name: row[f.name] for f in fields(KeptDraft) if f.name not in {"touched", "state"}}
    return KeptDraft(**own, touched=touched, state=DraftState(row["state"]))
