"""Named queries about servers: what their managers have set, and whom they have blocked."""

from collections.abc import Sequence
from dataclasses import asdict, fields
from datetime import datetime

import sqlalchemy as sa
from pydantic import TypeAdapter
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.guild import Block, GuildSettings
from bot.store.tables import blocks, guilds

_settings = TypeAdapter(GuildSettings)


async def settings(connection: AsyncConnection, guild_id: int | None) -> GuildSettings:
    """Return what a server has set; the defaults without one, and for one that has set nothing."""
    stored = None
    if guild_id is not None:
        stored = await connection.scalar(sa.select(guilds.c.settings).where(guilds.c.id == guild_id))
    return GuildSettings() if stored is None else _settings.validate_python(stored)


async def put(connection: AsyncConnection, guild_id: int, changed: GuildSettings, *, at: datetime) -> None:
    """Remember what a server has set."""
    values = {
        "settings": _settings.dump_python(changed, mode="json"),
        "log_channel_id": changed.log_channel_id,
        "updated_at": at,
    }
    done = await connection.execute(sa.update(guilds).where(guilds.c.id == guild_id).values(**values))
    if done.rowcount == 0:
        await connection.execute(sa.insert(guilds).values(id=guild_id, **values))


async def with_log_channel(connection: AsyncConnection) -> Sequence[tuple[int, int]]:
    """Return the servers that have a log channel, each with it."""
    statement = sa.select(guilds.c.id, guilds.c.log_channel_id).where(guilds.c.log_channel_id.is_not(None))
    return [(row.id, row.log_channel_id) for row in (await connection.execute(statement.order_by(guilds.c.id))).all()]


async def all_settings(connection: AsyncConnection) -> Sequence[tuple[int, GuildSettings]]:
    """Return every server that has set something, with what it has set."""
    found = await connection.execute(sa.select(guilds.c.id, guilds.c.settings).order_by(guilds.c.id))
    return [(row.id, _settings.validate_python(row.settings)) for row in found.all()]


async def block(connection: AsyncConnection, one: Block) -> None:
    """Block a person, or block them anew."""
    await unblock(connection, one.guild_id, one.person_id)
    await connection.execute(sa.insert(blocks).values(**asdict(one)))


async def unblock(connection: AsyncConnection, guild_id: int, person_id: int) -> bool:
    """Forget a block; false when there was none."""
    which = sa.and_(blocks.c.guild_id == guild_id, blocks.c.person_id == person_id)
    return (await connection.execute(sa.delete(blocks).where(which))).rowcount == 1


async def blocked(connection: AsyncConnection, guild_id: int, person_id: int, *, at: datetime) -> Block | None:
    """Return the block that keeps a person out now."""
    found = await blocks_of(connection, guild_id, at=at)
    return next((one for one in found if one.person_id == person_id), None)


async def blocks_of(connection: AsyncConnection, guild_id: int, *, at: datetime) -> Sequence[Block]:
    """Return the blocks of a server that have not ended, the newest first."""
    holds = sa.or_(blocks.c.until.is_(None), blocks.c.until > at)
    statement = sa.select(blocks).where(blocks.c.guild_id == guild_id, holds).order_by(blocks.c.created_at.desc())
    rows = (await connection.execute(statement)).mappings()
    return [Block(**{f.name: row[f.name] for f in fields(Block)}) for row in rows]
