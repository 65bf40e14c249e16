"""The state of a small Discord: people, guilds, channels, messages, as plain data that anyone may read.

It knows no wire format, no limits and no network. Only `Posting` and the playground itself change it.
"""

import asyncio
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

from playground.clock import Clock
from playground.errors import PersonError
from playground.permissions import DEFAULT, NONE, Permission

EPOCH_MS = 1_420_070_400_000  # the first millisecond of 2015, where snowflakes begin


class ChannelKind(IntEnum):
    """Discord's channel types that exist here."""

    TEXT = 0
    DM = 1
    PUBLIC_THREAD = 11


class MessageKind(IntEnum):
    """Discord's message types that exist here."""

    DEFAULT = 0
    REPLY = 19
    CHAT_INPUT_COMMAND = 20
    CONTEXT_MENU_COMMAND = 23


@dataclass(kw_only=True, slots=True)
class User:
    """Hold a person or a bot."""

    id: int
    name: str
    bot: bool = False
    accepts_dms: bool = True
    locale: str = "en-US"
    #: Has installed the bot for themselves, so that it goes where they go.
    carries_bot: bool = False


@dataclass(kw_only=True, slots=True)
class Role:
    """Hold a role; the one with the guild's own id is @everyone."""

    id: int
    name: str
    permissions: Permission
    position: int = 0


@dataclass(kw_only=True, slots=True)
class Team:
    """Hold the team that owns the bot's application; of its other members, whether they took the invitation."""

    id: int
    name: str
    owner: User
    members: list[tuple[User, bool]] = field(default_factory=list)


@dataclass(kw_only=True, slots=True)
class Guild:
    """Hold a server; `members` maps a user's id to the ids of their roles.

    `locale` is Discord's preferred_locale, which is en-US unless a server is a Community and chose another.
    """

    id: int
    name: str
    owner_id: int
    roles: dict[int, Role] = field(default_factory=dict)
    members: dict[int, list[int]] = field(default_factory=dict)
    available: bool = True
    joined_at: float = 0.0
    locale: str = "en-US"


@dataclass(kw_only=True, slots=True)
class Overwrite:
    """Hold what a channel allows or denies one role or one member."""

    allow: Permission = NONE
    deny: Permission = NONE


@dataclass(kw_only=True, slots=True)
class Channel:
    """Hold a text channel of a guild, a thread in one, or the direct messages of one person with the bot.

    `nsfw` is Discord's word for age-restricted; a thread takes it, and its overwrites, from the channel it hangs in.
    """

    id: int
    kind: ChannelKind
    name: str = ""
    guild_id: int | None = None
    recipient_id: int | None = None
    overwrites: dict[int, Overwrite] = field(default_factory=dict)
    last_message_id: int | None = None
    deleted: bool = False
    nsfw: bool = False
    parent_id: int | None = None
    owner_id: int | None = None
    archived: bool = False
    created_at: float = 0.0

    @property
    def is_thread(self) -> bool:
        return self.kind is ChannelKind.PUBLIC_THREAD


@dataclass(kw_only=True, slots=True)
class Attachment:
    """Hold a file with its bytes; `path` is where the CDN serves it."""

    id: int
    filename: str
    content_type: str
    data: bytes = field(repr=False)
    path: str
    description: str | None = None
    ephemeral: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Version:
    """Hold what a message said at one time."""

    at: float
    content: str
    embeds: tuple[dict[str, Any], ...]
    components: tuple[dict[str, Any], ...]
    attachments: tuple[Attachment, ...]
    flags: int


@dataclass(kw_only=True, slots=True)
class Message:
    """Hold a message; `components` are in the form in which the API answers, `versions` begins with the first text.

    `visible_to` is a person's id for an ephemeral message. `pinged` lists who was really notified.
    """

    id: int
    channel_id: int
    author_id: int
    kind: MessageKind = MessageKind.DEFAULT
    content: str = ""
    embeds: list[dict[str, Any]] = field(default_factory=list)
    components: list[dict[str, Any]] = field(default_factory=list)
    attachments: list[Attachment] = field(default_factory=list)
    flags: int = 0
    nonce: str | int | None = None
    created_at: float = 0.0
    edited_at: float | None = None
    visible_to: int | None = None
    replies_to: int | None = None
    pinged: list[int] = field(default_factory=list)
    pinged_everyone: bool = False
    interaction_metadata: dict[str, Any] | None = None
    versions: list[Version] = field(default_factory=list)
    deleted: bool = False

    @property
    def loading(self) -> bool:
        return bool(self.flags & 128)

    @property
    def ephemeral(self) -> bool:
        return self.visible_to is not None


class World:
    """Own the state and tell whoever waits that it changed."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.users: dict[int, User] = {}
        self.guilds: dict[int, Guild] = {}
        self.channels: dict[int, Channel] = {}
        self.messages: dict[int, Message] = {}
        self.files: dict[str, Attachment] = {}
        self.typing: list[tuple[int, float]] = []
        self._counter = itertools.count(1)
        self._waiting: set[asyncio.Future[None]] = set()
        self.bot = self.add_user("darkroom", bot=True)

    def new_id(self) -> int:
        """Give a snowflake of now; later ones are greater."""
        milliseconds = int(self.clock.time() * 1000) - EPOCH_MS
        return (milliseconds << 22) + next(self._counter)

    # ------------------------------------------------------------------ changes
    def touch(self) -> None:
        """Wake whoever waits for a change."""
        waiting, self._waiting = self._waiting, set()
        for future in waiting:
            if not future.done():
                future.set_result(None)

    async def changed(self) -> None:
        """Wait for the next change of anything."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.add(future)
        try:
            await future
        finally:
            self._waiting.discard(future)

    async def until(self, condition: Callable[[], bool], *, timeout: float = 40.0, what: str = "it") -> None:  # noqa: ASYNC109 - the sentence in the error is worth more than a bare timeout
        """Wait, for at most so many real seconds, until a condition over the world holds.

        Raises:
            PersonError: It did not come true; `what` says what was waited for.
        """
        try:
            async with asyncio.timeout(timeout):
                while not condition():
                    await self.changed()
        except TimeoutError:
            raise PersonError(f"waited {timeout:g} s for {what} in vain") from None

    # ------------------------------------------------------------------ making
    def add_user(self, name: str, *, bot: bool = False) -> User:
        """Make a user."""
        user = User(id=self.new_id(), name=name, bot=bot)
        self.users[user.id] = user
        return user

    def add_guild(self, name: str, owner: User) -> Guild:
        """Make a guild with @everyone, its owner and the bot."""
        guild = Guild(id=self.new_id(), name=name, owner_id=owner.id, joined_at=self.clock.time())
        guild.roles[guild.id] = Role(id=guild.id, name="@everyone", permissions=DEFAULT)
        guild.members |= {owner.id: [], self.bot.id: []}
        self.guilds[guild.id] = guild
        return guild

    def add_role(self, guild: Guild, name: str, permissions: Permission) -> Role:
        """Make a role above the others."""
        role = Role(id=self.new_id(), name=name, permissions=permissions, position=len(guild.roles))
        guild.roles[role.id] = role
        return role

    def add_channel(self, guild: Guild, name: str, *, nsfw: bool = False) -> Channel:
        """Make a text channel."""
        channel = Channel(id=self.new_id(), kind=ChannelKind.TEXT, name=name, guild_id=guild.id, nsfw=nsfw)
        self.channels[channel.id] = channel
        return channel

    def add_thread(self, parent: Channel, name: str, owner: User, *, number: int | None = None) -> Channel:
        """Make a public thread; one that begins at a message has the message's id as its number."""
        thread = Channel(
            id=number or self.new_id(),
            kind=ChannelKind.PUBLIC_THREAD,
            name=name,
            guild_id=parent.guild_id,
            parent_id=parent.id,
            owner_id=owner.id,
            created_at=self.clock.time(),
        )
        self.channels[thread.id] = thread
        return thread

    def dm_with(self, user: User) -> Channel:
        """Give the direct messages of a person with the bot, made at the first time."""
        for channel in self.channels.values():
            if channel.recipient_id == user.id:
                return channel
        channel = Channel(id=self.new_id(), kind=ChannelKind.DM, recipient_id=user.id)
        self.channels[channel.id] = channel
        return channel

    # ------------------------------------------------------------------ reading
    def messages_in(self, channel: Channel) -> list[Message]:
        """List what stands in a channel now, oldest first, with everybody's ephemeral messages."""
        return [m for m in self.messages.values() if m.channel_id == channel.id and not m.deleted]

    def permissions(self, user_id: int, channel: Channel) -> Permission:
        """Compute what somebody may do in a channel.

        Order of the overwrites: https://docs.discord.com/developers/topics/permissions#permission-overwrites
        """
        if channel.guild_id is None:
            return DEFAULT
        guild = self.guilds[channel.guild_id]
        overwrites = self.channels[channel.parent_id].overwrites if channel.parent_id else channel.overwrites
        base = self.guild_permissions(user_id, guild)
        if Permission.ADMINISTRATOR in base:
            return base
        roles = guild.members.get(user_id, [])
        for targets in ([guild.id], roles, [user_id]):
            found = [overwrites[t] for t in targets if t in overwrites]
            for overwrite in found:
                base &= ~overwrite.deny
            for overwrite in found:
                base |= overwrite.allow
        return base if Permission.VIEW_CHANNEL in base else NONE

    def to_write_in(self, channel: Channel) -> Permission:
        """Name the permission that writing takes there: threads have one of their own."""
        return Permission.SEND_MESSAGES_IN_THREADS if channel.is_thread else Permission.SEND_MESSAGES

    def guild_permissions(self, user_id: int, guild: Guild) -> Permission:
        """Compute what somebody may do in a guild, before any channel says otherwise."""
        if user_id not in guild.members:
            return NONE
        permissions = guild.roles[guild.id].permissions
        for role_id in guild.members[user_id]:
            permissions |= guild.roles[role_id].permissions
        everything = user_id == guild.owner_id or Permission.ADMINISTRATOR in permissions
        return Permission.everything() if everything else permissions
