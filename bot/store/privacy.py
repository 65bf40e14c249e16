"""Named queries about how much is held about a person."""

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.draft import DraftState
from bot.store.tables import consents, drafts, jobs, lora_shares, loras, photos, pictures


@dataclass(frozen=True, kw_only=True)
class Counts:
    """How many things of a person there are."""

    drafts: int
    photos: int
    models: int
    #: Of the models, those that others can use.
    shared_models: int
    pictures: int
    jobs: int
    consents: int


async def counts(connection: AsyncConnection, person_id: int) -> Counts:
    """Return how many things of a person there are."""
    own_models = sa.and_(loras.c.owner_id == person_id, loras.c.deleted_at.is_(None))
    shared = sa.exists().where(lora_shares.c.lora_id == loras.c.id)
    theirs = sa.select(jobs.c.id).where(jobs.c.owner_id == person_id)
    open_draft = sa.and_(drafts.c.owner_id == person_id, drafts.c.state != DraftState.DISCARDED)
    wanted = {
        "drafts": (drafts, open_draft),
        "photos": (photos, photos.c.owner_id == person_id),
        "models": (loras, own_models),
        "shared_models": (loras, sa.and_(own_models, shared)),
        "pictures": (pictures, pictures.c.job_id.in_(theirs)),
        "jobs": (jobs, sa.and_(jobs.c.owner_id == person_id, jobs.c.parent_id.is_(None))),
        "consents": (consents, consents.c.owner_id == person_id),
    }
    found = {
        name: int(await connection.scalar(sa.select(sa.func.count()).select_from(table).where(condition)) or 0)
        for name, (table, condition) in wanted.items()
    }
    return Counts(**found)


async def providers_of(connection: AsyncConnection, person_id: int) -> Sequence[str]:
    """Return the names of the providers that got a job of a person, the first one first."""
    statement = (
        sa.select(jobs.c.provider)
        .where(jobs.c.owner_id == person_id, jobs.c.prepared.is_not(None))
        .group_by(jobs.c.provider)
        .order_by(sa.func.min(jobs.c.created_at))
    )
    return list((await connection.scalars(statement)).all())
