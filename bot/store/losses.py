"""Named queries about losses: how a training's came down, thinned while it is heard."""

import math
from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.tables import losses
from providers.base import LossPoint

#: More points than a picture of the curve can show.
MOST_POINTS = 300


async def note(connection: AsyncConnection, job_id: str, heard: Sequence[LossPoint], *, total: int | None) -> None:
    """Add what is not known yet of a training of `total` steps; NaN and infinity are left out."""
    known = set((await connection.scalars(sa.select(losses.c.slot).where(losses.c.job_id == job_id))).all())
    new: dict[int, LossPoint] = {}
    for point in heard:
        slot = point.step if not total or total <= MOST_POINTS else point.step * MOST_POINTS // total
        if slot not in known and math.isfinite(point.loss):
            new.setdefault(slot, point)
    if new:
        rows = [{"job_id": job_id, "slot": slot, "step": p.step, "loss": p.loss} for slot, p in new.items()]
        await connection.execute(sa.insert(losses), rows)


async def of_job(connection: AsyncConnection, job_id: str) -> Sequence[LossPoint]:
    """Return a training's losses in the order of its steps."""
    statement = sa.select(losses.c.step, losses.c.loss).where(losses.c.job_id == job_id).order_by(losses.c.step)
    return [LossPoint(step=row.step, loss=row.loss) for row in await connection.execute(statement)]
