"""Named queries about prompts that people saved."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.tables import saved_prompts


@dataclass(frozen=True, kw_only=True)
class SavedPrompt:
    """A prompt that somebody wants to use again."""

    id: str
    owner_id: int
    name: str
    text: str
    created_at: datetime


async def of_owner(connection: AsyncConnection, owner_id: int) -> Sequence[SavedPrompt]:
    """Return what a person saved, by name."""
    statement = sa.select(saved_prompts).where(saved_prompts.c.owner_id == owner_id).order_by(saved_prompts.c.name)
    return [SavedPrompt(**row) for row in (await connection.execute(statement)).mappings()]


async def get(connection: AsyncConnection, prompt_id: str) -> SavedPrompt | None:
    """Return one saved prompt."""
    statement = sa.select(saved_prompts).where(saved_prompts.c.id == prompt_id)
    row = (await connection.execute(statement)).mappings().first()
    return None if row is None else SavedPrompt(**row)


async def named(connection: AsyncConnection, owner_id: int, name: str) -> SavedPrompt | None:
    """Return what a person saved under a name, however it is capitalised."""
    wanted = " ".join(name.split()).casefold()
    return next((one for one in await of_owner(connection, owner_id) if one.name.casefold() == wanted), None)


async def put(connection: AsyncConnection, saved: SavedPrompt) -> None:
    """Write a saved prompt, in the place of the one with its id."""
    await delete(connection, saved.id)
    await connection.execute(sa.insert(saved_prompts).values(**asdict(saved)))


async def delete(connection: AsyncConnection, prompt_id: str) -> None:
    """Forget a saved prompt."""
    await connection.execute(sa.delete(saved_prompts).where(saved_prompts.c.id == prompt_id))
