"""Owns what people may do in a server and what its managers change about that; every change is in the audit log.

What the settings say for one person is reckoned in the transaction of the act itself: `require` is called by the
service that begins a job, and a person who lost a role or was blocked a moment ago is refused.
"""

from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from bot import audit
from bot.audit import AuditAct, AuditEntry
from bot.blocked_words import found_in
from bot.clock import Clock
from bot.errors import BadInput, NotAllowed, WrongMoment
from bot.guild import Act, Block, GuildSettings
from bot.place import Place
from bot.store import guilds as rows
from bot.store.database import Database
from bot.texts import N_, _, listed

#: A list of channels in a sentence stops here.
NAMED = 5
LONGEST_REASON = 200
LONGEST_BLOCK_DAYS = 3650

_KEPT_FOR = {
    Act.TRAIN: N_("Only people with the role {roles} may train in this server."),
    Act.GENERATE: N_("Only people with the role {roles} may make pictures in this server."),
}


class Guilds:
    """All that can be asked and changed about a server."""

    def __init__(self, *, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def settings(self, guild_id: int | None) -> GuildSettings:
        """Return what a server has set; the defaults in a direct message."""
        async with self._database.begin() as connection:
            return await rows.settings(connection, guild_id)

    async def admit(self, person_id: int, place: Place, act: Act) -> GuildSettings:
        """Return the settings if this person may do that there; see `require`, which this opens a transaction for."""
        async with self._database.begin() as connection:
            return await self.require(connection, person_id, place, act)

    async def require(self, connection: AsyncConnection, person_id: int, place: Place, act: Act) -> GuildSettings:
        """Return the settings of the server that hold for what this person may do there.

        Raises:
            NotAllowed: the server's managers do not allow it to them, or not there.
            WrongMoment: new jobs are paused, or there is no server to manage in a direct message.
        """
        settings = await rows.settings(connection, place.guild_id)
        if act is Act.MANAGE:
            return _managed(settings, place)
        if place.guild_id is None:
            return settings
        await self._not_blocked(connection, place.guild_id, person_id)
        if not settings.is_open_in(place):
            raise NotAllowed(
                _("I may not be used in this channel."),
                advice=_("Use {channels}.").format(channels=_channels(settings)),
            )
        roles = settings.roles_for(act)
        if roles and not place.role_ids & {*roles}:
            raise NotAllowed(
                _(_KEPT_FOR[act]).format(roles=mentioned_roles(roles)),
                advice=_("Ask somebody who manages this server."),
            )
        if act in _KEPT_FOR and settings.pause_reason is not None:
            raise WrongMoment(
                _("New jobs are paused in this server: {reason}").format(reason=settings.pause_reason or "…"),
                advice=_("What is under way goes on. Try again later."),
            )
        return settings

    async def _not_blocked(self, connection: AsyncConnection, guild_id: int, person_id: int) -> None:
        block = await rows.blocked(connection, guild_id, person_id, at=self._clock.now())
        if block is None:
            return
        advice = _("Ask somebody who manages this server, if you think that this is a mistake.")
        reason = f" {block.reason}" if block.reason else ""
        if block.until is None:
            raise NotAllowed(_("You are blocked from using me in this server.") + reason, advice=advice)
        until = f"<t:{block.until.timestamp():.0f}:f>"
        sentence = _("You are blocked from using me in this server until {moment}.").format(moment=until)
        raise NotAllowed(sentence + reason, advice=advice)

    async def change(self, person_id: int, place: Place, **changes: Any) -> GuildSettings:
        """Change fields of a server's settings and return them all; what stays the same is not written down.

        Raises:
            NotAllowed: this person does not manage the server.
        """
        now = self._clock.now()
        async with self._database.begin() as connection:
            before = await self.require(connection, person_id, place, Act.MANAGE)
            after = replace(before, **changes)
            if after.manage_role_ids != before.manage_role_ids and not place.manages:
                raise NotAllowed(_("Only people with Manage Server may say who else manages."))
            told = asdict(before)
            for name, value in asdict(after).items():
                if value != told[name]:
                    await audit.record(
                        connection,
                        guild_id=place.guild_id,
                        actor_id=person_id,
                        act=AuditAct.SETTING,
                        target=name,
                        details={"before": _value(told[name]), "after": _value(value)},
                        at=now,
                    )
            await rows.put(connection, place.guild_id or 0, after, at=now)
        return after

    async def pause(self, person_id: int, place: Place, reason: str) -> None:
        """Begin no new jobs in a server; those under way go on.

        Raises:
            BadInput: the reason is empty or too long.
        """
        await self.admit(person_id, place, Act.MANAGE)
        reason = _reason(reason)
        if not reason:
            raise BadInput(_("People are told why, so a reason is needed."), advice=_("A few words will do."))
        await self._set_pause(person_id, place, reason, AuditAct.PAUSE)

    async def resume(self, person_id: int, place: Place) -> None:
        """Begin new jobs again.

        Raises:
            WrongMoment: nothing is paused.
        """
        if (await self.admit(person_id, place, Act.MANAGE)).pause_reason is None:
            raise WrongMoment(_("Nothing is paused in this server."))
        await self._set_pause(person_id, place, None, AuditAct.RESUME)

    async def _set_pause(self, person_id: int, place: Place, reason: str | None, act: AuditAct) -> None:
        now, details = self._clock.now(), {} if reason is None else {"reason": reason}
        async with self._database.begin() as connection:
            settings = await self.require(connection, person_id, place, Act.MANAGE)
            await rows.put(connection, place.guild_id or 0, replace(settings, pause_reason=reason), at=now)
            await audit.record(
                connection, guild_id=place.guild_id, actor_id=person_id, act=act, details=details, at=now
            )

    async def block(self, person_id: int, place: Place, whom: int, *, reason: str, days: float | None) -> Block:
        """Keep a person from using the bot in a server, for some days or for good.

        Raises:
            BadInput: the reason is too long, the days are out of range, or they mean themselves.
        """
        await self.admit(person_id, place, Act.MANAGE)
        if whom == person_id:
            raise BadInput(_("You cannot block yourself."))
        if days is not None and not 0 < days <= LONGEST_BLOCK_DAYS:
            raise BadInput(_("A block lasts at most {days} days.").format(days=LONGEST_BLOCK_DAYS))
        now = self._clock.now()
        async with self._database.begin() as connection:
            await self.require(connection, person_id, place, Act.MANAGE)
            made = Block(
                guild_id=place.guild_id or 0,
                person_id=whom,
                reason=_reason(reason),
                by_id=person_id,
                created_at=now,
                until=None if days is None else now + timedelta(days=days),
            )
            await self.put_block(connection, made)
        return made

    async def put_block(self, connection: AsyncConnection, made: Block) -> None:
        """Write a block and its line in the log; who asks for it was admitted before."""
        await rows.block(connection, made)
        until = {} if made.until is None else {"until": f"{made.until.timestamp():.0f}"}
        await audit.record(
            connection,
            guild_id=made.guild_id,
            actor_id=made.by_id,
            act=AuditAct.BLOCK,
            target=made.person_id,
            details={"reason": made.reason} | until,
            at=made.created_at,
        )

    async def unblock(self, person_id: int, place: Place, whom: int) -> None:
        """Let a person use the bot again.

        Raises:
            WrongMoment: they are not blocked.
        """
        async with self._database.begin() as connection:
            await self.require(connection, person_id, place, Act.MANAGE)
            if not await rows.unblock(connection, place.guild_id or 0, whom):
                raise WrongMoment(_("They are not blocked in this server."))
            await audit.record(
                connection,
                guild_id=place.guild_id,
                actor_id=person_id,
                act=AuditAct.UNBLOCK,
                target=whom,
                at=self._clock.now(),
            )

    async def blocks(self, person_id: int, place: Place) -> Sequence[Block]:
        """Return who is blocked in a server."""
        async with self._database.begin() as connection:
            await self.require(connection, person_id, place, Act.MANAGE)
            return await rows.blocks_of(connection, place.guild_id or 0, at=self._clock.now())

    async def audit_page(self, person_id: int, place: Place, number: int) -> tuple[Sequence[AuditEntry], int]:
        """Return a page of a server's audit log, the newest first, and how many pages there are."""
        async with self._database.begin() as connection:
            await self.require(connection, person_id, place, Act.MANAGE)
            return await audit.page(connection, place.guild_id, number)


def without_blocked_words(settings: GuildSettings, *texts: str) -> None:
    """Let pass what holds none of the words that a server does not want.

    Raises:
        NotAllowed: it holds one.
    """
    found = found_in(settings.blocked_words, *texts)
    if found is not None:
        raise NotAllowed(
            _("The word “{word}” is not wanted in this server.").format(word=found), advice=_("Say it without it.")
        )


def mentioned_roles(role_ids: Sequence[int]) -> str:
    """Return roles as Discord shows them by name; nobody is notified."""
    return listed([f"<@&{role_id}>" for role_id in role_ids])


def _channels(settings: GuildSettings) -> str:
    named = [f"<#{channel_id}>" for channel_id in settings.channel_ids[:NAMED]]
    return listed([*named, "…"] if len(settings.channel_ids) > NAMED else named)


def _managed(settings: GuildSettings, place: Place) -> GuildSettings:
    if place.guild_id is None:
        raise WrongMoment(_("There is no server to manage in a direct message."), advice=_("Use this in the server."))
    if not settings.is_managed_by(place):
        if settings.manage_role_ids:
            raise NotAllowed(
                _("Only people who manage this server, or have the role {roles}, may do that.").format(
                    roles=mentioned_roles(settings.manage_role_ids)
                )
            )
        raise NotAllowed(_("Only people who manage this server may do that."))
    return settings


def _reason(text: str) -> str:
    reason = " ".join(text.split())
    if len(reason) > LONGEST_REASON:
        raise BadInput(_("A reason has at most {most} characters.").format(most=LONGEST_REASON))
    return reason


def _value(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(_value(one) for one in value)
    if isinstance(value, dict):
        return " ".join(f"{name}={_value(one)}" for name, one in value.items() if one is not None)
    return "" if value is None else str(value)
