"""Owns the direct messages that nobody waits for: which are due, and whom they may reach; never sends one itself.

A letter's row is written with what it tells of, so none is lost at a restart; its words are found when it is sent.
"""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.clock import Clock
from bot.store import letters as rows
from bot.store import people
from bot.store.database import Database
from bot.store.letters import Addressed, Letter, LetterKind
from bot.training.job import Job, JobKind, JobState

#: How long a letter about a job waits for the job's last word, which it leads to.
PATIENCE = timedelta(minutes=15)
#: A letter that cannot be delivered is given up after this.
LIFE = timedelta(days=2)
BATCH = 20


class Letters:
    """What the one who sends them asks."""

    def __init__(self, *, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def waiting(self) -> Sequence[Addressed]:
        """Return the letters that are due now, some at a time; those that grew too old are given up."""
        now = self._clock.now()
        async with self._database.begin() as connection:
            due = await rows.waiting(connection, patience_until=now - PATIENCE, limit=BATCH)
            old = [one for one in due if now - one.letter.created_at > LIFE]
            for one in old:
                await rows.end(connection, one.letter.id, at=now)
        return [one for one in due if one not in old]

    async def ended(self, letter: Letter) -> None:
        """Note that a letter was sent, or cannot be."""
        async with self._database.begin() as connection:
            await rows.end(connection, letter.id, at=self._clock.now())

    async def language_of(self, person_id: int) -> str:
        """Return the locale that a person had when they last used a command."""
        async with self._database.begin() as connection:
            return (await people.settings_of(connection, person_id)).locale

    async def heard(self, person_id: int, locale: str) -> bool:
        """Remember the language of a person who is known; others leave no trace by asking, and false is returned."""
        async with self._database.begin() as connection:
            return await people.speaks(connection, person_id, locale)


async def tell_done(connection: AsyncConnection, job: Job) -> None:
    """Write the letter about an ended training to whoever began it in a server; in a direct message its card tells."""
    if job.kind is not JobKind.TRAINING or job.guild_id is None or job.state is JobState.CANCELED:
        return
    if not (await people.settings_of(connection, job.owner_id)).tell_done:
        return
    body = {"name": job.title, "state": job.state.value}
    await rows.insert(
        connection,
        Letter(
            id=f"done-{job.id}",
            person_id=job.owner_id,
            kind=LetterKind.DONE,
            body=body,
            job_id=job.id,
            created_at=job.ended_at or job.updated_at,
        ),
    )
