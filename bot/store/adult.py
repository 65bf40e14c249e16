"""Named queries about which models are marked as adult, and who says so."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.tables import adult_marks

#: Stands in place of a server for what a model's owner says, which holds everywhere.
EVERYWHERE = 0


async def mark(connection: AsyncConnection, lora_id: str, guild_id: int, *, by_id: int, at: datetime) -> None:
    """Mark a model as adult, in a server or everywhere."""
    await unmark(connection, lora_id, guild_id)
    await connection.execute(sa.insert(adult_marks).values(lora_id=lora_id, guild_id=guild_id, by_id=by_id, at=at))


async def unmark(connection: AsyncConnection, lora_id: str, guild_id: int) -> bool:
    """Take a mark back; false when there was none."""
    which = sa.and_(adult_marks.c.lora_id == lora_id, adult_marks.c.guild_id == guild_id)
    return (await connection.execute(sa.delete(adult_marks).where(which))).rowcount == 1


async def is_marked(connection: AsyncConnection, lora_id: str, guild_id: int | None) -> bool:
    """Tell whether a model counts as adult in a server, or in direct messages."""
    where = [EVERYWHERE] if guild_id is None else [EVERYWHERE, guild_id]
    which = sa.and_(adult_marks.c.lora_id == lora_id, adult_marks.c.guild_id.in_(where))
    return await connection.scalar(sa.select(adult_marks.c.lora_id).where(which).limit(1)) is not None
