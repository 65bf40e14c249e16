"""Named queries about what people set for themselves."""

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.tables import people
from bot.texts import ENGLISH, spoken


@dataclass(frozen=True, kw_only=True)
class PersonSettings:
    """What a person set, or what holds for everybody who set nothing."""

    locale: str = ENGLISH
    #: A direct message when a training that they began in a server has ended.
    tell_done: bool = True
    #: A direct message a day before photos of theirs are deleted.
    tell_deletion: bool = True


async def settings_of(connection: AsyncConnection, person_id: int) -> PersonSettings:
    """Return what a person set."""
    statement = sa.select(people.c.locale, people.c.tell_done, people.c.tell_deletion).where(people.c.id == person_id)
    row = (await connection.execute(statement)).mappings().first()
    return PersonSettings() if row is None else PersonSettings(**row)


async def speaks(connection: AsyncConnection, person_id: int, locale: str) -> bool:
    """Write a person's locale into their row; false when they have none."""
    done = await connection.execute(sa.update(people).where(people.c.id == person_id).values(locale=locale))
    return done.rowcount == 1


async def change(connection: AsyncConnection, person_id: int, **values: object) -> None:
    """Write some columns of a person's row, which is made if need be, in the language that they are spoken to in."""
    changed = await connection.execute(sa.update(people).where(people.c.id == person_id).values(**values))
    if changed.rowcount == 0:
        await connection.execute(sa.insert(people).values(**{"id": person_id, "locale": spoken(), **values}))
