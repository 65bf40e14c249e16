"""Owns what a person can learn and set about their own data; erasing and packing it are elsewhere.

What is held is read from the same list that an erasure works by (`bot.store.personal`), so neither knows less.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.retention import Retention, RetentionTimes
from bot.store import erasures, people
from bot.store import privacy as rows
from bot.store.database import Database
from bot.store.erasures import Erasure
from bot.store.people import PersonSettings
from bot.store.privacy import Counts


@dataclass(frozen=True, kw_only=True)
class Holdings:
    """What is held about a person."""

    counts: Counts
    #: Titles or names of the providers that got photos of theirs, or pictures to make.
    providers: Sequence[str]
    #: When the next photos go by themselves; None when there are none.
    next_deletion: datetime | None
    times: RetentionTimes
    settings: PersonSettings
    #: The newest wish to be forgotten, while its report is kept.
    erasure: Erasure | None
    sealed: bool


class Privacy:
    """What the commands about privacy ask."""

    def __init__(self, *, database: Database, retention: Retention, times: RetentionTimes, sealed: bool) -> None:
        self._database = database
        self._retention = retention
        self._times = times
        self._sealed = sealed

    async def holdings(self, person_id: int) -> Holdings:
        """Return what is held about a person."""
        next_deletion = await self._retention.next_deletion(person_id)
        async with self._database.begin() as connection:
            return Holdings(
                counts=await rows.counts(connection, person_id),
                providers=await rows.providers_of(connection, person_id),
                next_deletion=next_deletion,
                times=self._times,
                settings=await people.settings_of(connection, person_id),
                erasure=await erasures.last_of(connection, person_id),
                sealed=self._sealed,
            )

    async def change(
        self, person_id: int, *, tell_done: bool | None = None, tell_deletion: bool | None = None
    ) -> PersonSettings:
        """Set which direct messages a person wants; None leaves one as it is."""
        wanted = {"tell_done": tell_done, "tell_deletion": tell_deletion}
        values = {name: value for name, value in wanted.items() if value is not None}
        async with self._database.begin() as connection:
            if values:
                await people.change(connection, person_id, **values)
            return await people.settings_of(connection, person_id)
