"""Interactions: from a person's press to the bot's answer, with Discord's three rules on time and number.

A bot answers within 3 seconds, exactly once, and may use the token for 15 minutes.
Source: https://docs.discord.com/developers/interactions/receiving-and-responding
"""

import secrets
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

from playground import errors, payloads
from playground.clock import Timer
from playground.errors import FormErrors
from playground.limits import EPHEMERAL, MAX_FILE_BYTES, SentFile
from playground.modal_limits import check_choices, check_modal
from playground.posting import Posting
from playground.world import Channel, Message, MessageKind, User

Json = dict[str, Any]
ACKNOWLEDGE_SECONDS = 3.0
TOKEN_SECONDS = 15 * 60.0


#: Where only its person brought the bot, an interaction takes so many followups.
#: Source: https://docs.discord.com/developers/interactions/receiving-and-responding#followup-messages
MOST_FOLLOWUPS_OF_A_GUEST = 5


class InteractionKind(IntEnum):
    """Discord's interaction types."""

    COMMAND = 2
    COMPONENT = 3
    AUTOCOMPLETE = 4
    MODAL_SUBMIT = 5


class Answer(IntEnum):
    """Discord's callback types."""

    PONG = 1
    MESSAGE = 4
    DEFERRED_MESSAGE = 5
    DEFERRED_UPDATE = 6
    UPDATE = 7
    CHOICES = 8
    MODAL = 9


_FITTING: dict[InteractionKind, frozenset[Answer]] = {
    InteractionKind.COMMAND: frozenset({Answer.MESSAGE, Answer.DEFERRED_MESSAGE, Answer.MODAL}),
    InteractionKind.COMPONENT: frozenset(Answer) - {Answer.PONG, Answer.CHOICES},
    InteractionKind.AUTOCOMPLETE: frozenset({Answer.CHOICES}),
    InteractionKind.MODAL_SUBMIT: frozenset(Answer) - {Answer.PONG, Answer.CHOICES, Answer.MODAL},
}


@dataclass(kw_only=True, eq=False)
class Interaction:
    """Hold one interaction and all that came of it.

    `original` is what `@original` means: the message that answered, or the one that carries the component.
    """

    id: int
    token: str = field(repr=False)
    kind: InteractionKind
    user: User
    channel: Channel
    data: Json
    created_at: float
    source: Message | None = None
    parent: "Interaction | None" = None
    answer: Answer | None = None
    original: Message | None = None
    modal: Json | None = None
    choices: list[Json] = field(default_factory=list)
    followups: list[Message] = field(default_factory=list)
    edits: int = 0
    failed: str | None = None
    timer: Timer | None = None

    @property
    def settled(self) -> bool:
        """Tell whether the person sees an answer: not while the bot is thinking."""
        if self.failed or self.answer not in (None, Answer.DEFERRED_MESSAGE, Answer.DEFERRED_UPDATE):
            return True
        if self.answer is Answer.DEFERRED_UPDATE:
            return bool(self.followups or self.edits)
        return bool(self.answer and self.original and (not self.original.loading or self.original.deleted))


class Interactions:
    """Own all interactions of the playground."""

    def __init__(self, posting: Posting) -> None:
        self.posting, self.world, self.gateway = posting, posting.world, posting.gateway
        self.all: dict[int, Interaction] = {}
        self._by_token: dict[str, Interaction] = {}

    # ------------------------------------------------------------------ from the person
    def start(
        self,
        kind: InteractionKind,
        user: User,
        channel: Channel,
        data: Json,
        *,
        source: Message | None = None,
        parent: Interaction | None = None,
    ) -> Interaction:
        """Send an interaction to the bot; it fails at once when no bot is there."""
        now = self.world.clock.time()
        identity: Json = {"id": self.world.new_id(), "token": secrets.token_urlsafe(24), "created_at": now}
        interaction = Interaction(
            **identity, kind=kind, user=user, channel=channel, data=data, source=source, parent=parent
        )
        self.all[interaction.id] = self._by_token[interaction.token] = interaction
        heard = self.gateway.dispatch("INTERACTION_CREATE", self._payload(interaction), guild_id=channel.guild_id)
        if heard:
            give_up = lambda: self._fail(interaction)  # noqa: E731 - one call
            interaction.timer = self.world.clock.call_later(ACKNOWLEDGE_SECONDS, give_up)
        else:
            self._fail(interaction)
        return interaction

    def _authorizers(self, interaction: Interaction) -> Json:
        """Tell who brought the bot here: the guild (0), its person (1), or both."""
        guild = self.world.guilds.get(interaction.channel.guild_id or 0)
        by_guild = guild is None or self.world.bot.id in guild.members
        owners = {"0": str(interaction.channel.guild_id or 0)} if by_guild else {}
        return owners | ({"1": str(interaction.user.id)} if interaction.user.carries_bot else {})

    def _fail(self, interaction: Interaction) -> None:
        if interaction.answer is None:
            command = interaction.kind is InteractionKind.COMMAND
            interaction.failed = "The application did not respond" if command else "This interaction failed"
            self.world.touch()

    def _payload(self, interaction: Interaction) -> Json:
        channel, user = interaction.channel, interaction.user
        shown = payloads.channel(self.world, channel)
        shown["permissions"] = str(int(self.world.permissions(user.id, channel)))
        data: Json = {
            "id": str(interaction.id),
            "application_id": str(self.world.bot.id),
            "type": int(interaction.kind),
            "token": interaction.token,
            "version": 1,
            "data": interaction.data,
            "channel": shown,
            "channel_id": str(channel.id),
            "locale": user.locale,
            "entitlements": [],
            "attachment_size_limit": MAX_FILE_BYTES,
            "app_permissions": str(int(self.world.permissions(self.world.bot.id, channel))),
            "authorizing_integration_owners": self._authorizers(interaction),
            "context": 0 if channel.guild_id else 1,
        }
        if channel.guild_id is None:
            data["user"] = payloads.user(user)
        else:
            guild = self.world.guilds[channel.guild_id]
            member = payloads.member(self.world, guild, user) | {"permissions": shown["permissions"]}
            data |= {"member": member, "guild_id": str(guild.id), "guild_locale": guild.locale}
            data["guild"] = {"id": str(guild.id), "locale": guild.locale, "features": []}
        if interaction.source is not None:
            data["message"] = self.posting.shown(interaction.source)
        return data

    # ------------------------------------------------------------------ from the bot
    def respond(self, interaction_id: int, token: str, payload: Json, files: dict[int, SentFile]) -> Interaction:
        """Take the one answer of the bot.

        Raises:
            ApiError: It comes too late, twice, does not fit, or Discord would refuse its content.
        """
        interaction = self.all.get(interaction_id)
        if interaction is None or interaction.token != token or interaction.failed:
            raise errors.unknown_interaction()
        if interaction.answer is not None:
            raise errors.already_acknowledged()
        answer = self._fitting(interaction, payload.get("type"))
        data = payload.get("data") or {}
        self._carry_out(interaction, answer, data, files)
        interaction.answer = answer
        if interaction.timer is not None:
            interaction.timer.cancel()
        self.world.touch()
        return interaction

    def _fitting(self, interaction: Interaction, kind: Any) -> Answer:
        fitting = set(_FITTING[interaction.kind])
        carries_message = interaction.source is not None
        if interaction.kind is InteractionKind.MODAL_SUBMIT and not carries_message:
            fitting -= {Answer.UPDATE, Answer.DEFERRED_UPDATE}
        if kind not in fitting:
            found = FormErrors()
            known = ", ".join(str(int(a)) for a in sorted(fitting))
            found.add(("type",), "BASE_TYPE_CHOICES", f"Value must be one of {{{known}}}.")
            found.refuse()
        return Answer(kind)

    def _carry_out(self, interaction: Interaction, answer: Answer, data: Json, files: dict[int, SentFile]) -> None:
        if answer is Answer.MESSAGE:
            interaction.original = self._post(interaction, data, files)
        elif answer is Answer.DEFERRED_MESSAGE:
            flags = int(data.get("flags") or 0) & EPHEMERAL
            more = self._circumstances(interaction, flags)
            interaction.original = self.posting.loading(interaction.channel, self.world.bot, flags=flags, **more)
        elif answer is Answer.DEFERRED_UPDATE:
            interaction.original = interaction.source
        elif answer is Answer.UPDATE and interaction.source is not None:
            if interaction.source.deleted:
                raise errors.unknown_message()
            interaction.original = self.posting.edit(interaction.source, data, files)
        elif answer is Answer.CHOICES:
            check_choices(data)
            interaction.choices = data.get("choices") or []
        elif answer is Answer.MODAL:
            check_modal(data)
            interaction.modal = data

    def _post(
        self, interaction: Interaction, data: Json, files: dict[int, SentFile], *, followup: bool = False
    ) -> Message:
        if interaction.channel.deleted:
            raise errors.unknown_channel()
        flags = int(data.get("flags") or 0)
        more = self._circumstances(interaction, flags, followup=followup)
        return self.posting.create(interaction.channel, self.world.bot, data, files, **more)

    def _circumstances(self, interaction: Interaction, flags: int, *, followup: bool = False) -> Json:
        kind = MessageKind.DEFAULT
        if interaction.kind is InteractionKind.COMMAND and not followup:
            slash = interaction.data.get("type", 1) == 1
            kind = MessageKind.CHAT_INPUT_COMMAND if slash else MessageKind.CONTEXT_MENU_COMMAND
        elif followup:
            kind = MessageKind.REPLY
        return {
            "kind": kind,
            "visible_to": interaction.user.id if flags & EPHEMERAL else None,
            "interaction_metadata": self._metadata(interaction),
            "replies_to": interaction.original.id if followup and interaction.original else None,
        }

    def _metadata(self, interaction: Interaction) -> Json:
        owners = self._authorizers(interaction)
        data: Json = {
            "id": str(interaction.id),
            "type": int(interaction.kind),
            "user": payloads.user(interaction.user),
            "authorizing_integration_owners": owners,
        }
        if interaction.kind is InteractionKind.COMPONENT and interaction.source is not None:
            data["interacted_message_id"] = str(interaction.source.id)
        if interaction.kind is InteractionKind.MODAL_SUBMIT and interaction.parent is not None:
            data["triggering_interaction_metadata"] = self._metadata(interaction.parent)
        return data

    # ------------------------------------------------------------------ with the token, for 15 minutes
    def by_token(self, token: str) -> Interaction:
        """Find the interaction of a token that may still be used.

        Raises:
            ApiError: It was never given out, not yet answered, or has expired.
        """
        interaction = self._by_token.get(token)
        if interaction is None or interaction.answer is None:
            raise errors.unknown_webhook()
        if self.world.clock.time() - interaction.created_at > TOKEN_SECONDS:
            raise errors.expired_token()
        return interaction

    def follow_up(self, token: str, payload: Json, files: dict[int, SentFile]) -> Message:
        """Post a further message; the first one after a deferred answer takes the place of the loading message."""
        interaction = self.by_token(token)
        original = interaction.original
        waiting = interaction.answer is Answer.DEFERRED_MESSAGE and original is not None and original.loading
        if waiting and original is not None and not original.deleted:
            self.posting.edit(original, {**payload, "flags": int(payload.get("flags") or 0)}, files)
            return original
        if "0" not in self._authorizers(interaction) and len(interaction.followups) >= MOST_FOLLOWUPS_OF_A_GUEST:
            raise errors.too_many_followups()
        message = self._post(interaction, payload, files, followup=True)
        interaction.followups.append(message)
        self.world.touch()
        return message

    def message(self, token: str, which: str) -> Message:
        """Find a message that a token may read and change: `@original` or the id of a followup."""
        interaction = self.by_token(token)
        mine = [interaction.original, *interaction.followups]
        for message in mine:
            fits = message is not None and (str(message.id) == which or (which == "@original" and message is mine[0]))
            if message is not None and fits and not message.deleted:
                return message
        raise errors.unknown_message()

    def edit(self, token: str, which: str, payload: Json, files: dict[int, SentFile]) -> Message:
        """Change a message by a token. V2 may be switched on here even if the loading message was not."""
        message = self.message(token, which)
        interaction = self.by_token(token)
        if message.loading and not _says_something(payload, files):
            raise errors.empty_message()
        self.posting.edit(message, payload, files)
        interaction.edits += 1
        self.world.touch()
        return message

    def delete(self, token: str, which: str) -> None:
        """Take away a message by a token."""
        self.posting.delete(self.message(token, which))

    def shown(self, interaction: Interaction) -> Json:
        """Give the answer to a callback as Discord does."""
        out: Json = {
            "interaction": {
                "id": str(interaction.id),
                "type": int(interaction.kind),
                "channel_id": str(interaction.channel.id),
            }
        }
        message, answer = interaction.original, interaction.answer
        if interaction.channel.guild_id is not None:
            out["interaction"]["guild_id"] = str(interaction.channel.guild_id)
        if message is not None:
            out["interaction"] |= {
                "response_message_id": str(message.id),
                "response_message_loading": message.loading,
                "response_message_ephemeral": message.ephemeral,
            }
            if answer in (Answer.MESSAGE, Answer.UPDATE):
                out["resource"] = {"type": int(answer), "message": self.posting.shown(message)}
        return out


def _says_something(payload: Json, files: dict[int, SentFile]) -> bool:
    listed = payload.get("attachments")
    return bool(payload.get("content") or payload.get("embeds") or payload.get("components") or files or listed)
