"""Named queries about checkpoints: the weights that a training kept of its way, and which of them a model uses."""

from collections.abc import Sequence
from dataclasses import asdict, fields
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.lora import StoredCheckpoint
from bot.store.tables import checkpoints, loras


def _checkpoint(row: sa.RowMapping) -> StoredCheckpoint:
    return StoredCheckpoint(**{f.name: row[f.name] for f in fields(StoredCheckpoint)})


async def add(connection: AsyncConnection, kept: Sequence[StoredCheckpoint]) -> None:
    """Add the checkpoints of one model."""
    rows = [asdict(one) | {"facts": dict(one.facts)} for one in kept]
    await connection.execute(sa.insert(checkpoints), rows)


async def of_lora(connection: AsyncConnection, lora_id: str) -> Sequence[StoredCheckpoint]:
    """Return the checkpoints of a model by their steps; none for one that has only its own weights."""
    statement = sa.select(checkpoints).where(checkpoints.c.lora_id == lora_id).order_by(checkpoints.c.step)
    return [_checkpoint(row) for row in (await connection.execute(statement)).mappings()]


async def get(connection: AsyncConnection, checkpoint_id: str) -> StoredCheckpoint | None:
    """Return one checkpoint."""
    statement = sa.select(checkpoints).where(checkpoints.c.id == checkpoint_id)
    row = (await connection.execute(statement)).mappings().first()
    return None if row is None else _checkpoint(row)


async def put_to_use(connection: AsyncConnection, chosen: StoredCheckpoint) -> None:
    """Let its model use these weights from now on."""
    values = {"blob_key": chosen.blob_key, "sha256": chosen.sha256, "size": chosen.size, "facts": dict(chosen.facts)}
    await connection.execute(sa.update(loras).where(loras.c.id == chosen.lora_id).values(**values))


async def forget(connection: AsyncConnection, lora_id: str) -> Sequence[str]:
    """Forget a model's checkpoints, and return the keys of their files, whose end is the caller's."""
    statement = sa.delete(checkpoints).where(checkpoints.c.lora_id == lora_id).returning(checkpoints.c.blob_key)
    return list((await connection.scalars(statement)).all())


async def models_with_older(connection: AsyncConnection, before: datetime) -> Sequence[str]:
    """Return the models whose checkpoints are older than this."""
    statement = sa.select(checkpoints.c.lora_id).where(checkpoints.c.created_at < before).distinct()
    return list((await connection.scalars(statement)).all())
