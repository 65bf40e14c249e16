"""Owns what log channels are told and when; each notice is a row before it is a message. It posts and draws nothing.

Reports come from bot/reports.py in their own transaction. Doubts are found among the jobs, so none is missed, whenever
the process died. Outages and stray machines are opinions of this process: what was heard is written down here.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from bot import audit
from bot.clock import Clock
from bot.events import News, ProviderTrouble, Trouble
from bot.notice import Notice, NoticeKind
from bot.store import audit as audit_rows
from bot.store import jobs as job_rows
from bot.store import notices as rows
from bot.store import reports as report_rows
from bot.store.database import Database
from bot.training.job import Job

#: Notices go after this time, reports too; what was posted stands in its channel.
KEPT = timedelta(days=90)
#: Warnings that wait to be written down; more are of no use to anybody.
MOST_HEARD = 200


class Notices:
    """All that can be told to log channels."""

    def __init__(self, *, database: Database, news: News, clock: Clock, owner_guild_id: int | None) -> None:
        self._database = database
        self._clock = clock
        self._owner_guild_id = owner_guild_id
        self._heard: deque[Trouble] = deque(maxlen=MOST_HEARD)
        self._woken = asyncio.Event()
        news.subscribe(lambda _event: self.wake())
        news.subscribe_operator(self._hear)

    def wake(self) -> None:
        """Let whoever waits look at once."""
        self._woken.set()

    async def woken(self, *, seconds: float) -> None:
        """Wait until something may have changed, at most so long."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._woken.wait()
        self._woken.clear()

    def _hear(self, warning: Trouble) -> None:
        self._heard.append(warning)
        self.wake()

    async def due(self) -> Sequence[tuple[Notice, int]]:
        """Write down what was heard, look for doubts, and return what log channels do not show yet."""
        heard = list(self._heard)
        async with self._database.begin() as connection:
            for one in heard:
                await self._write_down(connection, one)
            await rows.follow_doubts(connection, at=self._clock.now())
            due = await rows.stale(connection)
        for one in heard:
            self._heard.remove(one)
        return due

    async def _write_down(self, connection: AsyncConnection, heard: Trouble) -> None:
        now = self._clock.now()
        if isinstance(heard, ProviderTrouble):
            if not heard.lost:
                await rows.close_outages(connection, heard.provider)
                return
            for guild_id in await job_rows.guilds_waiting_for(connection, heard.provider):
                subject = f"{heard.provider} {now.timestamp():.0f}"
                facts = {"provider": heard.provider}
                await rows.add(connection, guild_id, NoticeKind.OUTAGE, subject, at=now, facts=facts)
            return
        if self._owner_guild_id is None:
            return
        facts = {
            "provider": heard.provider,
            "name": heard.name,
            "box_id": heard.box_id,
            "fate": heard.fate.value,
        }
        subject = f"{heard.box_id} {heard.fate.value}"[:80]
        await rows.add(connection, self._owner_guild_id, NoticeKind.MACHINE, subject, at=now, facts=facts)

    async def job_of(self, notice: Notice) -> Job | None:
        """Return the job that a notice is about, if it is about one."""
        if notice.kind is not NoticeKind.DOUBT:
            return None
        async with self._database.begin() as connection:
            return await job_rows.get(connection, notice.subject)

    async def shown(self, notice: Notice, *, channel_id: int, message_id: int | None) -> None:
        """Write down that a message shows a notice as it was read; without one it is given up."""
        async with self._database.begin() as connection:
            await rows.shown(
                connection, notice.id, revision=notice.revision, channel_id=channel_id, message_id=message_id
            )


async def forget_old(connection: AsyncConnection, *, now: datetime) -> None:
    """Let old notices, reports and lines of the audit log go; retention calls this."""
    await rows.forget_before(connection, now - KEPT)
    await report_rows.forget_before(connection, now - KEPT)
    await audit_rows.forget_before(connection, now - audit.KEPT)
