"""Named queries about drafts, their photos, and which draft a person is filling."""

from collections.abc import Sequence
from dataclasses import asdict, fields
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.consent import Depicted
from bot.draft import Draft, DraftPhoto, DraftState, StoredFinding
from bot.store.tables import drafts, people, photos
from bot.texts import spoken
from providers.recipe import BaseModelName, SubjectKind


def _draft(row: sa.RowMapping) -> Draft:
    known = {f.name: row[f.name] for f in fields(Draft)}
    return Draft(
        **known
        | {
            "kind": SubjectKind(row["kind"]),
            "base_model": BaseModelName(row["base_model"]),
            "state": DraftState(row["state"]),
            "depicted": Depicted(row["depicted"]) if row["depicted"] else None,
        }
    )


def _photo(row: sa.RowMapping) -> DraftPhoto:
    known = {f.name: row[f.name] for f in fields(DraftPhoto)}
    return DraftPhoto(**known | {"findings": tuple(StoredFinding(**f) for f in row["findings"])})


async def insert(connection: AsyncConnection, draft: Draft) -> None:
    """Add a draft."""
    await connection.execute(sa.insert(drafts).values(**asdict(draft)))


async def get(connection: AsyncConnection, draft_id: str) -> Draft | None:
    """Return one draft, whatever its state."""
    row = (await connection.execute(sa.select(drafts).where(drafts.c.id == draft_id))).mappings().first()
    return None if row is None else _draft(row)


async def open_of(connection: AsyncConnection, owner_id: int) -> Sequence[Draft]:
    """Return a person's open drafts, the newest first."""
    return await _in_state(connection, owner_id, DraftState.OPEN)


async def in_training_of(connection: AsyncConnection, owner_id: int) -> Sequence[Draft]:
    """Return a person's drafts that are being trained, the newest first."""
    return await _in_state(connection, owner_id, DraftState.TRAINING)


async def with_photos_of(connection: AsyncConnection, owner_id: int) -> Sequence[Draft]:
    """Return a person's drafts that hold photos, trained ones too, the newest first."""
    holds = sa.exists().where(photos.c.draft_id == drafts.c.id)
    statement = (
        sa.select(drafts)
        .where(drafts.c.owner_id == owner_id, drafts.c.state != DraftState.DISCARDED, holds)
        .order_by(drafts.c.created_at.desc(), drafts.c.id)
    )
    return [_draft(row) for row in (await connection.execute(statement)).mappings()]


async def _in_state(connection: AsyncConnection, owner_id: int, state: DraftState) -> Sequence[Draft]:
    statement = (
        sa.select(drafts)
        .where(drafts.c.owner_id == owner_id, drafts.c.state == state)
        .order_by(drafts.c.created_at.desc(), drafts.c.id)
    )
    return [_draft(row) for row in (await connection.execute(statement)).mappings()]


async def set_state(connection: AsyncConnection, draft_id: str, state: DraftState, *, at: datetime) -> None:
    """Move a draft to another state."""
    await connection.execute(sa.update(drafts).where(drafts.c.id == draft_id).values(state=state, updated_at=at))


async def held_since(connection: AsyncConnection, before: datetime) -> Sequence[DraftPhoto]:
    """Return the photos that have waited for a draft since before then."""
    return await _photos_where(connection, sa.and_(photos.c.batch_id.is_not(None), photos.c.created_at < before))


async def active_of(connection: AsyncConnection, owner_id: int) -> str | None:
    """Return the id of the draft that a person picked to fill, if they picked one."""
    return await connection.scalar(sa.select(people.c.active_draft_id).where(people.c.id == owner_id))


async def set_active(connection: AsyncConnection, owner_id: int, draft_id: str | None) -> None:
    """Remember which draft a person fills."""
    changed = await connection.execute(
        sa.update(people).where(people.c.id == owner_id).values(active_draft_id=draft_id)
    )
    if changed.rowcount == 0:
        await connection.execute(sa.insert(people).values(id=owner_id, active_draft_id=draft_id, locale=spoken()))


async def add_photo(connection: AsyncConnection, photo: DraftPhoto) -> None:
    """Add a photo to its draft or batch."""
    await connection.execute(sa.insert(photos).values(**asdict(photo)))


async def photos_in(connection: AsyncConnection, draft_id: str) -> Sequence[DraftPhoto]:
    """Return the photos of a draft in their order."""
    return await _photos_where(connection, photos.c.draft_id == draft_id)


async def photos_held(connection: AsyncConnection, batch_id: str) -> Sequence[DraftPhoto]:
    """Return the photos of a batch in their order."""
    return await _photos_where(connection, photos.c.batch_id == batch_id)


async def _photos_where(connection: AsyncConnection, condition: sa.ColumnElement[bool]) -> Sequence[DraftPhoto]:
    statement = sa.select(photos).where(condition).order_by(photos.c.position, photos.c.id)
    return [_photo(row) for row in (await connection.execute(statement)).mappings()]


async def move_photo(connection: AsyncConnection, photo: DraftPhoto) -> None:
    """Move a held photo to the draft or batch, and the position, that it names now."""
    place = {"draft_id": photo.draft_id, "batch_id": photo.batch_id, "position": photo.position}
    await connection.execute(sa.update(photos).where(photos.c.id == photo.id).values(**place))


async def caption_photo(
    connection: AsyncConnection, photo_id: str, caption: str, *, earlier: str | None = None
) -> None:
    """Set the caption of one photo, and the earlier one if it can come back."""
    values = {"caption": caption, "earlier_caption": earlier}
    await connection.execute(sa.update(photos).where(photos.c.id == photo_id).values(**values))


async def forget_earlier_captions(connection: AsyncConnection, draft_id: str) -> None:
    """Let no earlier caption of a draft come back."""
    await connection.execute(sa.update(photos).where(photos.c.draft_id == draft_id).values(earlier_caption=None))


async def restore_captions(connection: AsyncConnection, draft_id: str) -> int:
    """Let the earlier captions of a draft come back and return how many did."""
    there = sa.and_(photos.c.draft_id == draft_id, photos.c.earlier_caption.is_not(None))
    values = {"caption": photos.c.earlier_caption, "earlier_caption": None}
    return (await connection.execute(sa.update(photos).where(there).values(**values))).rowcount


async def delete_photos(connection: AsyncConnection, photo_ids: Sequence[str]) -> None:
    """Forget photos; their files are the caller's."""
    await connection.execute(sa.delete(photos).where(photos.c.id.in_(photo_ids)))
