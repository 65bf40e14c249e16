"""REST routes about channels and messages: who may write where, and what became of it."""

from collections import defaultdict, deque
from typing import Any

from playground import errors, payloads
from playground.errors import ApiError, FormErrors
from playground.limits import EPHEMERAL
from playground.permissions import Permission
from playground.posting import Posting
from playground.rest import Call, Reply, Route
from playground.world import Channel, ChannelKind, Message

OLD_SECONDS = 3600.0
OLD_EDITS, OLD_WINDOW = 3, 6.0  # edits of messages older than an hour, for each channel: 429 with code 30046
NONCE_SECONDS = 300.0  # "the past few minutes"


class MessageRoutes:
    """Answer `/channels/...`."""

    def __init__(self, posting: Posting) -> None:
        self.posting, self.world = posting, posting.world
        self._old_edits: dict[int, deque[float]] = defaultdict(deque)

    def routes(self) -> list[Route]:
        """List the routes."""
        one, message = "/channels/{channel_id}", "/channels/{channel_id}/messages/{message_id}"
        return [
            Route(method="GET", path=one, handler=self.channel),
            Route(method="POST", path=f"{one}/typing", handler=self.typing),
            Route(method="GET", path=f"{one}/messages", handler=self.history),
            Route(method="POST", path=f"{one}/messages", handler=self.create),
            Route(method="GET", path=message, handler=self.read),
            Route(method="PATCH", path=message, handler=self.edit),
            Route(method="DELETE", path=message, handler=self.delete),
            Route(method="POST", path=f"{one}/threads", handler=self.begin_thread),
            Route(method="POST", path=f"{message}/threads", handler=self.begin_thread),
        ]

    def channel(self, call: Call) -> Reply:
        return Reply(body=payloads.channel(self.world, self._channel(call)))

    def typing(self, call: Call) -> Reply:
        channel = self._channel(call)
        self._need(channel, self.world.to_write_in(channel))
        self.world.typing.append((channel.id, self.world.clock.time()))
        self.world.touch()
        return Reply(status=204)

    def create(self, call: Call) -> Reply:
        channel = self._channel(call)
        self._need(channel, self.world.to_write_in(channel))
        if call.files:
            self._need(channel, Permission.ATTACH_FILES)
        if channel.recipient_id is not None:
            self._reach(channel.recipient_id)
        if earlier := self._same_nonce(channel, call.payload):
            return self._shown(earlier)
        payload = call.payload | {"flags": int(call.payload.get("flags") or 0) & ~EPHEMERAL}
        return self._shown(self.posting.create(channel, self.world.bot, payload, call.files, **self._reply_to(call)))

    def _reach(self, user_id: int) -> None:
        if not any({user_id, self.world.bot.id} <= guild.members.keys() for guild in self.world.guilds.values()):
            raise errors.no_mutual_guild()
        if not self.world.users[user_id].accepts_dms:
            raise errors.direct_messages_closed()

    def _reply_to(self, call: Call) -> dict[str, Any]:
        reference = call.payload.get("message_reference")
        return {"replies_to": int(reference["message_id"])} if reference else {}

    def _same_nonce(self, channel: Channel, payload: dict[str, Any]) -> Message | None:
        """Find what was posted with the same nonce, which Discord then gives instead of posting again."""
        nonce = payload.get("nonce")
        if not payload.get("enforce_nonce") or nonce is None:
            return None
        since = self.world.clock.time() - NONCE_SECONDS
        for message in self.world.messages_in(channel):
            mine = message.author_id == self.world.bot.id and message.created_at >= since
            if mine and str(message.nonce) == str(nonce):
                return message
        return None

    def history(self, call: Call) -> Reply:
        channel = self._channel(call)
        self._need(channel, Permission.READ_MESSAGE_HISTORY)
        found = [m for m in self.world.messages_in(channel) if not m.ephemeral]
        if before := call.query.get("before"):
            found = [m for m in found if m.id < int(before)]
        limit = int(call.query.get("limit", "50"))
        if after := call.query.get("after"):
            found = [m for m in found if m.id > int(after)][:limit]
        return Reply(body=[self.posting.shown(m) for m in reversed(found[-limit:])])

    def read(self, call: Call) -> Reply:
        return self._shown(self._message(call))

    def edit(self, call: Call) -> Reply:
        message = self._message(call)
        if message.author_id != self.world.bot.id:
            raise errors.others_message()
        self._slow_down(message)
        return self._shown(self.posting.edit(message, call.payload, call.files))

    def delete(self, call: Call) -> Reply:
        message = self._message(call)
        if message.author_id != self.world.bot.id:
            self._need(self._channel(call), Permission.MANAGE_MESSAGES)
        self.posting.delete(message)
        return Reply(status=204)

    def begin_thread(self, call: Call) -> Reply:
        """Make a public thread in a text channel, at a message or by itself; there are no others here."""
        message = self._message(call) if "message_id" in call.names else None
        channel, found = self._channel(call), FormErrors()
        self._need(channel, Permission.CREATE_PUBLIC_THREADS)
        found.length(("name",), call.payload.get("name"), 1, 100)
        if message is None and call.payload.get("type") != ChannelKind.PUBLIC_THREAD:
            found.add(("type",), "BASE_TYPE_CHOICES", "Value must be one of {11}.")
        found.refuse()
        if message is not None and message.id in self.world.channels:
            raise errors.thread_exists()
        if channel.kind is not ChannelKind.TEXT:
            raise errors.not_in_this_channel()
        number = message.id if message else None
        thread = self.world.add_thread(channel, call.payload["name"], self.world.bot, number=number)
        self.posting.announce_thread(thread)
        return Reply(status=201, body=payloads.channel(self.world, thread))

    def _slow_down(self, message: Message) -> None:
        now = self.world.clock.time()
        if now - message.created_at < OLD_SECONDS:
            return
        recent = self._old_edits[message.channel_id]
        while recent and recent[0] <= now - OLD_WINDOW:
            recent.popleft()
        if len(recent) >= OLD_EDITS:
            text = "Maximum number of edits to messages older than 1 hour reached. Try again later"
            raise ApiError(429, 30046, text)
        recent.append(now)

    def _channel(self, call: Call) -> Channel:
        channel = self.world.channels.get(call.id("channel_id"))
        if channel is None or channel.deleted:
            raise errors.unknown_channel()
        self._need(channel, Permission.VIEW_CHANNEL)
        return channel

    def _message(self, call: Call) -> Message:
        channel = self._channel(call)
        message = self.world.messages.get(call.id("message_id"))
        if message is None or message.deleted or message.ephemeral or message.channel_id != channel.id:
            raise errors.unknown_message()
        return message

    def _need(self, channel: Channel, permission: Permission) -> None:
        if channel.kind is ChannelKind.DM:
            return
        held = self.world.permissions(self.world.bot.id, channel)
        if Permission.VIEW_CHANNEL not in held:
            raise errors.missing_access()
        if permission not in held:
            raise errors.missing_permissions()

    def _shown(self, message: Message) -> Reply:
        return Reply(body=self.posting.shown(message))
