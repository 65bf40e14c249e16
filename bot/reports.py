"""Owns reports of pictures: a person files one, a manager of that server settles it; never posts or draws anything.

A report is a row first; the notice about it, in the same transaction, brings it to the server's log channel. Without a
log channel it waits in /admin reports. One from a direct message has no managers: the operator gets it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from bot import audit
from bot.audit import AuditAct
from bot.clock import Clock
from bot.errors import BadInput, Missing, WrongMoment
from bot.generating import GeneratingService
from bot.guild import Act, Block
from bot.guilds import Guilds
from bot.ids import new_id
from bot.notice import NoticeKind
from bot.notices import Notices
from bot.place import Place
from bot.report import Report, ReportState
from bot.store import cards as card_rows
from bot.store import guilds as guild_rows
from bot.store import jobs as job_rows
from bot.store import notices as notice_rows
from bot.store import reports as rows
from bot.store.database import Database
from bot.texts import _
from bot.training.job import Job, JobKind

LONGEST_REASON = 300
#: Reports of one person a day, so that nobody floods a channel.
A_DAY = 20
LISTED = 25


@dataclass(frozen=True, kw_only=True)
class Filed:
    """A report, and whom it reaches."""

    report: Report
    #: It goes to a channel that people read; otherwise it waits until somebody looks.
    reaches_channel: bool


#: Channel and message.
Spot = tuple[int, int]


class Reports:
    """All that can be done about reports."""

    def __init__(
        self,
        *,
        database: Database,
        guilds: Guilds,
        generating: GeneratingService,
        clock: Clock,
        notices: Notices,
        owner_guild_id: int | None,
    ) -> None:
        self._notices = notices
        self._database = database
        self._guilds = guilds
        self._generating = generating
        self._clock = clock
        self._owner_guild_id = owner_guild_id

    async def file(self, person_id: int, job_id: str, reason: str, place: Place) -> Filed:
        """File a report of the pictures of a job.

        Raises:
            BadInput: the reason is too long.
            Missing: there are no such pictures.
            WrongMoment: this person has filed one about them already, or too many today.
        """
        reason = " ".join(reason.split())
        if len(reason) > LONGEST_REASON:
            raise BadInput(_("A reason has at most {most} characters.").format(most=LONGEST_REASON))
        now = self._clock.now()
        async with self._database.begin() as connection:
            job = await self._pictures(connection, job_id)
            if await rows.open_by(connection, person_id, job_id) is not None:
                raise WrongMoment(_("You have reported these pictures already, and somebody will look at them."))
            if await rows.count_by(connection, person_id, since=now - timedelta(days=1)) >= A_DAY:
                raise WrongMoment(_("You have reported a lot today."), advice=_("Tell a manager of this server."))
            report = Report(
                id=new_id(),
                guild_id=place.guild_id,
                reporter_id=person_id,
                subject_id=job.owner_id,
                job_id=job_id,
                reason=reason,
                state=ReportState.OPEN,
                created_at=now,
            )
            await rows.insert(connection, report)
            told = place.guild_id or self._owner_guild_id
            if told is not None:
                await notice_rows.add(connection, told, NoticeKind.REPORT, report.id, at=now)
            settings = await guild_rows.settings(connection, told)
        self._notices.wake()
        return Filed(report=report, reaches_channel=settings.log_channel_id is not None)

    async def open(self, person_id: int, place: Place) -> Sequence[Report]:
        """Return the reports of a server that wait for a manager, the oldest first."""
        async with self._database.begin() as connection:
            await self._guilds.require(connection, person_id, place, Act.MANAGE)
            found = await rows.open_in(connection, place.guild_id, limit=LISTED)
            if place.guild_id == self._owner_guild_id:
                found = [*found, *await rows.open_in(connection, None, limit=LISTED - len(found))]
            return found

    async def shown(self, report_id: str) -> tuple[Report, Job | None, Spot | None]:
        """Return a report, the job that it is about, and where its pictures stand; for its notice."""
        async with self._database.begin() as connection:
            report = await rows.get(connection, report_id)
            if report is None:
                raise Missing(_("That report is gone."))
            job = await job_rows.get(connection, report.job_id)
            return report, job, None if job is None else await _spot(connection, job)

    async def waiting(self, person_id: int, report_id: str, place: Place) -> tuple[Report, Job | None, Spot | None]:
        """Return the same to a manager who may settle it.

        Raises:
            NotAllowed: this person does not manage the server of the report.
            WrongMoment: somebody has settled it.
        """
        async with self._database.begin() as connection:
            await self._unsettled(connection, person_id, report_id, place)
        return await self.shown(report_id)

    async def settle(self, person_id: int, report_id: str, place: Place, state: ReportState) -> Report:
        """Delete the pictures, block who asked for them, or dismiss the report, and return what became of it.

        Raises:
            NotAllowed: this person does not manage the server of the report.
            WrongMoment: somebody has settled it before.
        """
        async with self._database.begin() as connection:
            report = await self._unsettled(connection, person_id, report_id, place)
        if state is ReportState.DELETED:
            # First: a crash after it leaves a report that can be settled once more, and not one that tells a lie.
            await self._generating.remove(report.job_id)
        async with self._database.begin() as connection:
            if not await rows.settle(connection, report_id, state, by_id=person_id, at=self._clock.now()):
                raise WrongMoment(_("Somebody has settled this report already."))
            await self._carry_out(connection, report, state, person_id, place)
            await notice_rows.close(connection, NoticeKind.REPORT, report_id)
        # The notice in the log channel follows its row; what was pressed may be a manager's own list.
        self._notices.wake()
        return (await self.shown(report_id))[0]

    async def _unsettled(self, connection: AsyncConnection, person_id: int, report_id: str, place: Place) -> Report:
        await self._guilds.require(connection, person_id, place, Act.MANAGE)
        report = await rows.get(connection, report_id)
        if report is None or (report.guild_id or self._owner_guild_id) != place.guild_id:
            raise Missing(_("That report is gone."))
        if report.state is not ReportState.OPEN:
            raise WrongMoment(_("Somebody has settled this report already."))
        return report

    async def _carry_out(
        self, connection: AsyncConnection, report: Report, state: ReportState, person_id: int, place: Place
    ) -> None:
        now = self._clock.now()
        if state is ReportState.BLOCKED:
            made = Block(
                guild_id=place.guild_id or 0,
                person_id=report.subject_id,
                reason=_("A picture of theirs was reported."),
                by_id=person_id,
                created_at=now,
            )
            await self._guilds.put_block(connection, made)
            return
        act = AuditAct.DELETE_PICTURES if state is ReportState.DELETED else AuditAct.DISMISS
        await audit.record(
            connection, guild_id=place.guild_id, actor_id=person_id, act=act, target=report.job_id, at=now
        )

    async def _pictures(self, connection: AsyncConnection, job_id: str) -> Job:
        job = await job_rows.get(connection, job_id)
        if job is None or job.kind is not JobKind.PICTURES:
            raise Missing(_("There are no such pictures."))
        return job


async def _spot(connection: AsyncConnection, job: Job) -> Spot | None:
    # A training's samples stand in its last word.
    card = await card_rows.get(connection, job.parent_id or job.id)
    if card is None:
        return None
    message_id = card.message_id if job.parent_id is None else card.final_message_id
    return None if message_id is None else (card.channel_id, message_id)
