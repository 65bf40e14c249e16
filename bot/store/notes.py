"""Named queries about small facts of this deployment."""

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.tables import notes


async def get(connection: AsyncConnection, key: str) -> str | None:
    """Return a fact."""
    return await connection.scalar(sa.select(notes.c.value).where(notes.c.key == key))


async def take(connection: AsyncConnection, key: str) -> str | None:
    """Return a fact and forget it."""
    found = await get(connection, key)
    await connection.execute(sa.delete(notes).where(notes.c.key == key))
    return found


async def put(connection: AsyncConnection, key: str, value: str) -> None:
    """Remember a fact."""
    changed = await connection.execute(sa.update(notes).where(notes.c.key == key).values(value=value))
    if changed.rowcount == 0:
        await connection.execute(sa.insert(notes).values(key=key, value=value))
