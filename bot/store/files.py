"""Named queries about files: which of them some row still names."""

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.tables import checkpoints, jobs, loras, photos, pictures


async def blob_keys(connection: AsyncConnection) -> set[str]:
    """Return the keys of all blobs that a row names."""
    named = sa.union_all(
        sa.select(photos.c.blob_key),
        sa.select(loras.c.blob_key).where(loras.c.deleted_at.is_(None)),
        sa.select(checkpoints.c.blob_key),
        sa.select(pictures.c.blob_key),
    )
    return set((await connection.scalars(named)).all())


async def live_job_ids(connection: AsyncConnection) -> set[str]:
    """Return the ids of the jobs that may still need their scratch folder."""
    return set((await connection.scalars(sa.select(jobs.c.id).where(jobs.c.cleaned.is_(False)))).all())
