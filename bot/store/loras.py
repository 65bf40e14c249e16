"""Named queries about trained models and the pictures made with them."""

from collections.abc import Sequence
from dataclasses import asdict, fields
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.consent import Depicted
from bot.lora import Lora, Picture, ShareKind
from bot.place import Place
from bot.store.tables import lora_shares, lora_transfers, loras, pictures
from providers.base import LoraFormat
from providers.recipe import BaseModelName, SubjectKind


def _lora(row: sa.RowMapping) -> Lora:
    known = {f.name: row[f.name] for f in fields(Lora)}
    return Lora(
        **known
        | {
            "kind": SubjectKind(row["kind"]),
            "base_model": BaseModelName(row["base_model"]),
            "format": LoraFormat(row["format"]),
            "depicted": Depicted(row["depicted"]) if row["depicted"] else None,
        }
    )


async def insert(connection: AsyncConnection, lora: Lora) -> None:
    """Add a model."""
    await connection.execute(sa.insert(loras).values(**asdict(lora) | {"facts": dict(lora.facts)}))


async def get(connection: AsyncConnection, lora_id: str) -> Lora | None:
    """Return one model, deleted ones too."""
    row = (await connection.execute(sa.select(loras).where(loras.c.id == lora_id))).mappings().first()
    return None if row is None else _lora(row)


async def made_by(connection: AsyncConnection, job_id: str) -> Lora | None:
    """Return the model that a training made, deleted ones too."""
    row = (await connection.execute(sa.select(loras).where(loras.c.job_id == job_id))).mappings().first()
    return None if row is None else _lora(row)


async def ever_of(connection: AsyncConnection, owner_id: int) -> Sequence[Lora]:
    """Return all models of a person, deleted ones too."""
    rows = await connection.execute(sa.select(loras).where(loras.c.owner_id == owner_id))
    return [_lora(row) for row in rows.mappings()]


async def imported_by(connection: AsyncConnection, owner_id: int) -> int:
    """Return how many models a person has that were made elsewhere."""
    theirs = sa.and_(loras.c.owner_id == owner_id, loras.c.job_id.is_(None), loras.c.deleted_at.is_(None))
    return int(await connection.scalar(sa.select(sa.func.count()).select_from(loras).where(theirs)) or 0)


async def same_file(connection: AsyncConnection, owner_id: int, sha256: str) -> Lora | None:
    """Return a person's model with just this file."""
    fits = sa.and_(loras.c.owner_id == owner_id, loras.c.sha256 == sha256, loras.c.deleted_at.is_(None))
    row = (await connection.execute(sa.select(loras).where(fits))).mappings().first()
    return None if row is None else _lora(row)


async def next_version(connection: AsyncConnection, family_id: str) -> int:
    """Return the number that the next model of a line of drafts gets; deleted ones keep theirs."""
    newest = sa.select(sa.func.max(loras.c.version)).where(loras.c.family_id == family_id)
    return int(await connection.scalar(newest) or 0) + 1


async def versions_of(connection: AsyncConnection, family_id: str) -> Sequence[Lora]:
    """Return the models of a line of drafts that are still there, the newest first."""
    statement = (
        sa.select(loras)
        .where(loras.c.family_id == family_id, loras.c.deleted_at.is_(None))
        .order_by(loras.c.version.desc())
    )
    return [_lora(row) for row in (await connection.execute(statement)).mappings()]


async def usable_by(
    connection: AsyncConnection, owner_id: int, place: Place, *, named_like: str = "", limit: int = 100
) -> Sequence[Lora]:
    """Return a person's own models and those shared with them there: own ones first, the newest lines before others.

    The versions of a line stand together, the newest first.
    """
    shared = sa.select(lora_shares.c.lora_id).where(_reaches(owner_id, place))
    not_own, line = loras.c.owner_id != owner_id, sa.func.coalesce(loras.c.family_id, loras.c.id)
    newest_of_line = sa.func.max(loras.c.created_at).over(partition_by=[not_own, line])
    statement = (
        sa.select(loras)
        .where(loras.c.deleted_at.is_(None), sa.or_(loras.c.owner_id == owner_id, loras.c.id.in_(shared)))
        .order_by(not_own, newest_of_line.desc(), line, loras.c.version.desc(), loras.c.id)
        .limit(limit)
    )
    if named_like:
        statement = statement.where(loras.c.name.icontains(named_like, autoescape=True))
    return [_lora(row) for row in (await connection.execute(statement)).mappings()]


async def reaches(connection: AsyncConnection, lora_id: str, person_id: int, place: Place) -> bool:
    """Tell whether a model is shared with this person there."""
    statement = sa.select(lora_shares.c.kind).where(lora_shares.c.lora_id == lora_id, _reaches(person_id, place))
    return await connection.scalar(statement.limit(1)) is not None


def _reaches(person_id: int, place: Place) -> sa.ColumnElement[bool]:
    """Return which shares count for a person in a place."""
    kind, target, guild = lora_shares.c.kind, lora_shares.c.target_id, lora_shares.c.guild_id
    return sa.or_(
        sa.and_(kind == ShareKind.PERSON, target == person_id),
        sa.and_(kind == ShareKind.SERVER, target == place.guild_id),
        sa.and_(kind == ShareKind.ROLE, guild == place.guild_id, target.in_(place.role_ids)),
    )


async def write_card(connection: AsyncConnection, lora: Lora) -> None:
    """Write what an owner may change about a model."""
    values = {name: getattr(lora, name) for name in ("name", "trigger_word", "description", "strength", "provider")}
    await connection.execute(sa.update(loras).where(loras.c.id == lora.id).values(**values))


async def give_to(connection: AsyncConnection, lora_id: str, owner_id: int) -> None:
    """Let a model belong to somebody else."""
    await connection.execute(sa.update(loras).where(loras.c.id == lora_id).values(owner_id=owner_id))


async def mark_deleted(connection: AsyncConnection, lora_id: str, *, at: datetime) -> None:
    """Hide a model for ever and end its shares and the offer to give it away; its file is the caller's."""
    await connection.execute(sa.update(loras).where(loras.c.id == lora_id).values(deleted_at=at, forget_at=at))
    for table in (lora_shares, lora_transfers):
        await connection.execute(sa.delete(table).where(table.c.lora_id == lora_id))


async def to_forget(connection: AsyncConnection, *, at: datetime) -> Sequence[tuple[Lora, int]]:
    """Return deleted models whose provider's copy is due to be deleted, each with how often that was tried."""
    statement = sa.select(loras).where(loras.c.forget_at <= at).order_by(loras.c.forget_at)
    return [(_lora(row), row["forget_tries"]) for row in (await connection.execute(statement)).mappings()]


async def forget_again(connection: AsyncConnection, lora_id: str, *, at: datetime | None) -> None:
    """Note that a provider's copy of a deleted model is tried again then, or never with None."""
    values = {"forget_at": at, "forget_tries": loras.c.forget_tries + 1}
    await connection.execute(sa.update(loras).where(loras.c.id == lora_id).values(**values))


async def add_pictures(connection: AsyncConnection, made: Sequence[Picture]) -> None:
    """Add the pictures of one job."""
    await connection.execute(sa.insert(pictures), [asdict(picture) for picture in made])


async def pictures_of(connection: AsyncConnection, job_id: str) -> Sequence[Picture]:
    """Return the pictures of a job in their order."""
    statement = sa.select(pictures).where(pictures.c.job_id == job_id).order_by(pictures.c.position)
    rows = (await connection.execute(statement)).mappings()
    return [Picture(**{f.name: row[f.name] for f in fields(Picture)}) for row in rows]


async def delete_pictures(connection: AsyncConnection, job_id: str) -> None:
    """Forget the pictures of a job; their files are the caller's."""
    await connection.execute(sa.delete(pictures).where(pictures.c.job_id == job_id))
