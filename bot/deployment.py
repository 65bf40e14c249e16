"""Owns what the operator sees and says of the whole deployment: its counts, and announcements to all servers.

An announcement is kept from the moment it was written, and goes out as one notice a server: rows in one transaction,
then messages one after the other. A process that dies in between goes on where it was, and nobody hears it twice.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from bot import audit
from bot.audit import AuditAct
from bot.clock import Clock
from bot.errors import BadInput, Missing
from bot.ids import new_id
from bot.notice import NoticeKind
from bot.notices import Notices
from bot.store import guilds as guild_rows
from bot.store import jobs as job_rows
from bot.store import ledger as ledger_rows
from bot.store import notes
from bot.store import notices as notice_rows
from bot.store import reports as report_rows
from bot.store.database import Database
from bot.store.ledger import EntryKind
from bot.texts import _
from bot.training.job import JobState

LONGEST_ANNOUNCEMENT = 1800


@dataclass(frozen=True, kw_only=True)
class DeploymentStatus:
    """How the deployment is."""

    #: Jobs that have not ended, by state.
    under_way: Mapping[JobState, int]
    open_reports: int
    #: Servers that have set something, and those of them with a log channel.
    servers_set_up: int
    with_log_channel: int
    #: In millionths of a dollar: ended in the last day, and reserved now.
    spent_in_a_day: int
    set_aside: int


@dataclass(frozen=True, kw_only=True)
class Announcement:
    """What the operator wrote, and how many servers would hear it."""

    id: str
    text: str
    servers: int


class Deployment:
    """All that the operator can ask and say in Discord; whoever calls has made sure that it is them."""

    def __init__(self, *, database: Database, notices: Notices, clock: Clock) -> None:
        self._database = database
        self._notices = notices
        self._clock = clock

    async def status(self) -> DeploymentStatus:
        """Return how the deployment is."""
        since = self._clock.now() - timedelta(days=1)
        async with self._database.begin() as connection:
            totals = await ledger_rows.totals_since(connection, since=since)
            return DeploymentStatus(
                under_way=await job_rows.count_by_state(connection),
                open_reports=await report_rows.count_open(connection),
                servers_set_up=len(await guild_rows.all_settings(connection)),
                with_log_channel=len(await guild_rows.with_log_channel(connection)),
                spent_in_a_day=totals.get(EntryKind.SETTLE, 0),
                set_aside=totals.get(EntryKind.RESERVE, 0),
            )

    async def draft(self, text: str) -> Announcement:
        """Keep an announcement until it is sent.

        Raises:
            BadInput: it is empty or too long.
        """
        text = text.strip()
        if not 1 <= len(text) <= LONGEST_ANNOUNCEMENT:
            raise BadInput(_("An announcement has 1 to {most} characters.").format(most=LONGEST_ANNOUNCEMENT))
        made = new_id()
        async with self._database.begin() as connection:
            await notes.put(connection, _key(made), text)
            found = await guild_rows.with_log_channel(connection)
        return Announcement(id=made, text=text, servers=len(found))

    async def announce(self, person_id: int, announcement_id: str) -> int:
        """Send an announcement to all servers that have a log channel, and return how many.

        Raises:
            Missing: it was sent before.
        """
        now = self._clock.now()
        async with self._database.begin() as connection:
            text = await notes.take(connection, _key(announcement_id))
            if text is None:
                raise Missing(_("That announcement was sent already."))
            found = await guild_rows.with_log_channel(connection)
            for guild_id, _channel_id in found:
                facts = {"text": text}
                await notice_rows.add(
                    connection, guild_id, NoticeKind.ANNOUNCEMENT, announcement_id, at=now, facts=facts
                )
            await audit.record(
                connection, guild_id=None, actor_id=person_id, act=AuditAct.ANNOUNCE, target=announcement_id, at=now
            )
        self._notices.wake()
        return len(found)

    async def note_sync(self, person_id: int) -> None:
        """Write down that the operator told Discord of the commands anew."""
        async with self._database.begin() as connection:
            await audit.record(connection, guild_id=None, actor_id=person_id, act=AuditAct.SYNC, at=self._clock.now())


def _key(announcement_id: str) -> str:
    return f"announcement {announcement_id}"
