"""Owns what a server's managers can set for it, and what follows for one person; never reads or writes anything."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.place import Place


class Act(StrEnum):
    """What somebody wants to do in a server, as far as its managers decide about it."""

    USE = "use"
    TRAIN = "train"
    GENERATE = "generate"
    MANAGE = "manage"


class AdultPolicy(StrEnum):
    """Where adult pictures may be made in a server; in direct messages they never are."""

    NEVER = "never"
    AGE_RESTRICTED = "age_restricted"


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How much one person may spend and run in a server; None for no limit of the server's own."""

    usd_a_day: float | None = None
    jobs_at_once: int | None = None
    #: Of all people of the server together.
    server_usd_a_month: float | None = None


@dataclass(frozen=True, kw_only=True)
class RoleLimits:
    """What holds for people with a role in place of what holds for everybody; None leaves that to everybody's."""

    role_id: int
    usd_a_day: float | None = None
    jobs_at_once: int | None = None


@dataclass(frozen=True, kw_only=True)
class GuildSettings:
    """What a server's managers have set; the defaults hold for a server that has set nothing."""

    #: Channels where the bot may be used, their threads included; empty for all.
    channel_ids: tuple[int, ...] = ()
    #: Roles that may train, make pictures, or manage; empty for everybody, everybody, and nobody besides Manage Server.
    train_role_ids: tuple[int, ...] = ()
    generate_role_ids: tuple[int, ...] = ()
    manage_role_ids: tuple[int, ...] = ()
    #: Names of providers; empty for all of them, and for no preference.
    allowed_providers: tuple[str, ...] = ()
    preferred_providers: tuple[str, ...] = ()
    person_usd_a_day: float | None = None
    server_usd_a_month: float | None = None
    jobs_at_once: int | None = None
    role_limits: tuple[RoleLimits, ...] = ()
    #: Days that the photos of trainings begun here are kept; the operator's own limit holds too.
    keep_photos_days: float | None = None
    adult: AdultPolicy = AdultPolicy.NEVER
    #: Words that make a prompt adult, besides the bot's own.
    adult_words: tuple[str, ...] = ()
    blocked_words: tuple[str, ...] = ()
    log_channel_id: int | None = None
    #: Where each model gets a thread for its pictures; None for no gallery.
    gallery_channel_id: int | None = None
    #: Why no new jobs are begun, in a manager's words; None while they are.
    pause_reason: str | None = None

    @property
    def allowed(self) -> Collection[str] | None:
        """Return the only providers that may be used, as the router takes them; None for all."""
        return self.allowed_providers or None

    def is_open_in(self, place: Place) -> bool:
        """Tell whether the bot may be used in a channel, or in a thread of it."""
        return not self.channel_ids or bool({place.channel_id, place.parent_id} & {*self.channel_ids})

    def is_managed_by(self, place: Place) -> bool:
        """Tell whether who asks there manages this server's use of the bot."""
        return place.manages or bool(place.role_ids & {*self.manage_role_ids})

    def roles_for(self, act: Act) -> tuple[int, ...]:
        """Return the roles that an act is kept for; none when everybody may."""
        kept: Mapping[Act, tuple[int, ...]] = {Act.TRAIN: self.train_role_ids, Act.GENERATE: self.generate_role_ids}
        return kept.get(act, ())

    def limits_for(self, role_ids: Collection[int]) -> Limits:
        """Return the limits of a person: of their roles the most generous word counts, without one everybody's."""
        theirs = [one for one in self.role_limits if one.role_id in role_ids]
        usd = _most(one.usd_a_day for one in theirs)
        jobs = _most(one.jobs_at_once for one in theirs)
        return Limits(
            usd_a_day=self.person_usd_a_day if usd is None else usd,
            jobs_at_once=self.jobs_at_once if jobs is None else int(jobs),
            server_usd_a_month=self.server_usd_a_month,
        )


@dataclass(frozen=True, kw_only=True)
class Block:
    """A person who may not use the bot in a server."""

    guild_id: int
    person_id: int
    #: In a manager's words; may be empty.
    reason: str
    by_id: int
    created_at: datetime
    #: When it ends by itself; None for never.
    until: datetime | None = None


def _most(numbers: Iterable[float | None]) -> float | None:
    said = [number for number in numbers if number is not None]
    return max(said) if said else None
