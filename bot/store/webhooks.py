"""Named queries about webhook deliveries that were acted on."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.tables import deliveries


async def insert(connection: AsyncConnection, *, provider: str, delivery_id: str, at: datetime) -> None:
    """Remember a delivery.

    Raises:
        IntegrityError: it was heard before.
    """
    await connection.execute(sa.insert(deliveries).values(provider=provider, delivery_id=delivery_id, at=at))


async def forget_before(connection: AsyncConnection, moment: datetime) -> None:
    """Forget deliveries so old that their signatures are refused anyway."""
    await connection.execute(sa.delete(deliveries).where(deliveries.c.at < moment))
