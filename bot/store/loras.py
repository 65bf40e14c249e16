"""Named queries about trained models, with whom they are shared, and the pictures made with them."""

from collections.abc import Sequence
from dataclasses import asdict, fields
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.consent import Depicted
from bot.lora import Lora, Picture
from bot.store.tables import lora_shares, loras, pictures
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
    connection: AsyncConnection, owner_id: int, *, guild_id: int | None, named_like: str = "", limit: int = 100
) -> Sequence[Lora]:
    """Return a person's own models and those shared with the server they are in, own ones first, then the newest."""
    shared = sa.select(lora_shares.c.lora_id).where(lora_shares.c.guild_id == guild_id)
    statement = (
        sa.select(loras)
        .where(loras.c.deleted_at.is_(None), sa.or_(loras.c.owner_id == owner_id, loras.c.id.in_(shared)))
        .order_by(loras.c.owner_id != owner_id, loras.c.created_at.desc(), loras.c.id)
        .limit(limit)
    )
    if named_like:
        statement = statement.where(loras.c.name.icontains(named_like, autoescape=True))
    return [_lora(row) for row in (await connection.execute(statement)).mappings()]


async def rename(connection: AsyncConnection, lora_id: str, name: str) -> None:
    """Give a model another name."""
    await connection.execute(sa.update(loras).where(loras.c.id == lora_id).values(name=name))


async def mark_deleted(connection: AsyncConnection, lora_id: str, *, at: datetime) -> None:
    """Hide a model for ever and end its shares; its file is the caller's."""
    await connection.execute(sa.update(loras).where(loras.c.id == lora_id).values(deleted_at=at))
    await connection.execute(sa.delete(lora_shares).where(lora_shares.c.lora_id == lora_id))


async def shared_with(connection: AsyncConnection, lora_id: str) -> Sequence[int]:
    """Return the servers that a model is shared with."""
    statement = sa.select(lora_shares.c.guild_id).where(lora_shares.c.lora_id == lora_id)
    return list((await connection.scalars(statement)).all())


async def share(connection: AsyncConnection, lora_id: str, guild_id: int, *, at: datetime) -> None:
    """Let everybody in a server use a model."""
    if guild_id not in await shared_with(connection, lora_id):
        await connection.execute(sa.insert(lora_shares).values(lora_id=lora_id, guild_id=guild_id, created_at=at))


async def unshare(connection: AsyncConnection, lora_id: str, guild_id: int) -> None:
    """Take a model back from a server."""
    await connection.execute(
        sa.delete(lora_shares).where(lora_shares.c.lora_id == lora_id, lora_shares.c.guild_id == guild_id)
    )


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
