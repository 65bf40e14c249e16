"""Named queries about whom models are shared with, and offers to give one away."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.lora import Share, ShareKind, Transfer
from bot.store.tables import lora_shares, lora_transfers


async def of_lora(connection: AsyncConnection, lora_id: str) -> Sequence[Share]:
    """Return whom a model is shared with, the oldest share first."""
    statement = (
        sa.select(lora_shares)
        .where(lora_shares.c.lora_id == lora_id)
        .order_by(lora_shares.c.created_at, lora_shares.c.kind, lora_shares.c.target_id)
    )
    return [
        Share(kind=ShareKind(row["kind"]), target_id=row["target_id"], guild_id=row["guild_id"])
        for row in (await connection.execute(statement)).mappings()
    ]


async def add(connection: AsyncConnection, lora_id: str, share: Share, *, at: datetime) -> bool:
    """Add a share; false when it was there already."""
    if share in await of_lora(connection, lora_id):
        return False
    await connection.execute(sa.insert(lora_shares).values(lora_id=lora_id, **asdict(share), created_at=at))
    return True


async def drop(connection: AsyncConnection, lora_id: str, share: Share) -> bool:
    """End a share; false when there was none."""
    statement = sa.delete(lora_shares).where(
        lora_shares.c.lora_id == lora_id,
        lora_shares.c.kind == share.kind,
        lora_shares.c.target_id == share.target_id,
    )
    return (await connection.execute(statement)).rowcount > 0


async def drop_all(connection: AsyncConnection, lora_id: str) -> None:
    """End all shares of a model."""
    await connection.execute(sa.delete(lora_shares).where(lora_shares.c.lora_id == lora_id))


async def offer(connection: AsyncConnection, transfer: Transfer) -> None:
    """Write an offer to give a model away; it takes the place of an earlier one."""
    await end_offer(connection, transfer.lora_id)
    await connection.execute(sa.insert(lora_transfers).values(**asdict(transfer)))


async def offer_of(connection: AsyncConnection, lora_id: str) -> Transfer | None:
    """Return the offer to give a model away."""
    statement = sa.select(lora_transfers).where(lora_transfers.c.lora_id == lora_id)
    row = (await connection.execute(statement)).mappings().first()
    return None if row is None else Transfer(**row)


async def offers_to(connection: AsyncConnection, person_id: int, *, since: datetime) -> Sequence[Transfer]:
    """Return what a person was offered since then, the newest first."""
    statement = (
        sa.select(lora_transfers)
        .where(lora_transfers.c.to_id == person_id, lora_transfers.c.created_at >= since)
        .order_by(lora_transfers.c.created_at.desc(), lora_transfers.c.lora_id)
    )
    return [Transfer(**row) for row in (await connection.execute(statement)).mappings()]


async def end_offer(connection: AsyncConnection, lora_id: str) -> None:
    """Forget the offer to give a model away."""
    await connection.execute(sa.delete(lora_transfers).where(lora_transfers.c.lora_id == lora_id))
