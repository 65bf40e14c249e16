"""Named queries about consents: who is in the photos of a draft or a model, as it was answered."""

from collections.abc import Sequence
from dataclasses import asdict, fields

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.consent import Consent, Depicted
from bot.store.tables import consents, drafts, jobs, loras


async def insert(connection: AsyncConnection, consent: Consent) -> None:
    """Add an answer."""
    await connection.execute(sa.insert(consents).values(**asdict(consent)))


async def of_draft(connection: AsyncConnection, draft_id: str) -> Sequence[Consent]:
    """Return all answers about a draft, the oldest first; the last one holds."""
    statement = (
        sa.select(consents).where(consents.c.draft_id == draft_id).order_by(consents.c.created_at, consents.c.id)
    )
    return [_consent(row) for row in (await connection.execute(statement)).mappings()]


async def get(connection: AsyncConnection, consent_id: str) -> Consent | None:
    """Return one answer."""
    row = (await connection.execute(sa.select(consents).where(consents.c.id == consent_id))).mappings().first()
    return None if row is None else _consent(row)


async def hold(connection: AsyncConnection, consent: Consent) -> None:
    """Let an answer hold for its draft and for the models that were trained from it."""
    values = {"depicted": consent.depicted, "consent_id": consent.id}
    await connection.execute(sa.update(drafts).where(drafts.c.id == consent.draft_id).values(**values))
    trainings = sa.select(jobs.c.id).where(jobs.c.draft_id == consent.draft_id)
    await connection.execute(sa.update(loras).where(loras.c.job_id.in_(trainings)).values(**values))


def _consent(row: sa.RowMapping) -> Consent:
    known = {f.name: row[f.name] for f in fields(Consent)}
    return Consent(**known | {"depicted": Depicted(row["depicted"])})
