"""Messages as they come, change and go: into the world and out to the gateway. It checks no permissions."""

import mimetypes
import re
from typing import Any
from urllib.parse import quote

from playground import payloads
from playground.components import Media, answered, texts
from playground.errors import FormErrors
from playground.gateway import Gateway
from playground.limits import COMPONENTS_V2, SentFile, check_message
from playground.world import Attachment, Channel, Message, MessageKind, User, Version, World

Json = dict[str, Any]
_LOADING = 1 << 7
_KEPT_FLAGS = (1 << 2) | (1 << 6) | (1 << 12) | COMPONENTS_V2  # what a bot may set itself
_MENTION = re.compile(r"<@!?(\d+)>")


class Posting:
    """Own the way of a message into the world; `cdn_base` is where files are served."""

    def __init__(self, world: World, gateway: Gateway) -> None:
        self.world, self.gateway = world, gateway
        self.cdn_base = ""

    # ------------------------------------------------------------------ files
    def store(
        self, channel: Channel, file: SentFile, *, description: str | None = None, ephemeral: bool = False
    ) -> Attachment:
        """Put a file on the CDN; its name is cleaned as Discord does."""
        name = re.sub(r"[^\w.\-]", "_", file.filename) or "unknown"
        number = self.world.new_id()
        folder = "ephemeral-attachments" if ephemeral else "attachments"
        content_type = mimetypes.guess_type(name)[0] or "application/octet-stream"
        attachment = Attachment(
            id=number,
            filename=name,
            content_type=content_type,
            data=file.data,
            path=f"/{folder}/{channel.id}/{number}/{quote(name)}",
            description=description,
            ephemeral=ephemeral,
        )
        self.world.files[f"/{folder}/{channel.id}/{number}/{name}"] = attachment
        return attachment

    def _files(
        self, channel: Channel, payload: Json, files: dict[int, SentFile], old: list[Attachment]
    ) -> list[Attachment]:
        """Match the `attachments` of a request with its files and with what the message had before."""
        if payload.get("attachments") is None:
            return old + [self.store(channel, file) for file in files.values()]
        kept = {str(a.id): a for a in old}
        errors = FormErrors()
        chosen: list[Attachment] = []
        for index, entry in enumerate(payload["attachments"]):
            key = str(entry.get("id"))
            if key in kept:
                chosen.append(kept[key])
            elif key.isdigit() and int(key) in files:
                chosen.append(self.store(channel, files[int(key)], description=entry.get("description")))
            else:
                errors.add(("attachments", index, "id"), "ATTACHMENT_NOT_FOUND", f"Attachment '{key}' was not found.")
        errors.refuse()
        return chosen

    # ------------------------------------------------------------------ messages
    def create(
        self,
        channel: Channel,
        author: User,
        payload: Json,
        files: dict[int, SentFile] | None = None,
        **more: Any,
    ) -> Message:
        """Write a new message as a request says; `more` are fields of `Message`.

        Raises:
            ApiError: Discord would refuse it.
        """
        files = files or {}
        flags = int(payload.get("flags") or 0) & _KEPT_FLAGS
        count = max(len(files), len(payload.get("attachments") or []))
        check_message(payload, flags=flags, file_count=count)
        message = Message(
            id=self.world.new_id(),
            channel_id=channel.id,
            author_id=author.id,
            created_at=self.world.clock.time(),
            flags=flags,
            nonce=payload.get("nonce"),
            **more,
        )
        self._fill(message, channel, payload, files)
        return self.add(message, channel)

    def add(self, message: Message, channel: Channel) -> Message:
        """Put a ready message into the world and tell the bot, unless it is ephemeral."""
        self._remember(message)
        self.world.messages[message.id] = message
        channel.last_message_id = message.id
        # Writing wakes a thread that was archived.
        channel.archived = False
        self._announce("MESSAGE_CREATE", message, channel)
        self.world.touch()
        return message

    def announce_thread(self, thread: Channel) -> None:
        """Tell the bot of a new thread."""
        shown = payloads.channel(self.world, thread) | {"newly_created": True}
        self.gateway.dispatch("THREAD_CREATE", shown, guild_id=thread.guild_id)
        self.world.touch()

    def loading(self, channel: Channel, author: User, *, flags: int, **more: Any) -> Message:
        """Write the message that says that the bot is thinking."""
        now = self.world.clock.time()
        identity: Json = {
            "id": self.world.new_id(),
            "channel_id": channel.id,
            "author_id": author.id,
            "created_at": now,
        }
        return self.add(Message(**identity, flags=flags | _LOADING, **more), channel)

    def edit(self, message: Message, payload: Json, files: dict[int, SentFile] | None = None) -> Message:
        """Change a message as a request says.

        Raises:
            ApiError: Discord would refuse it.
        """
        files, channel = files or {}, self.world.channels[message.channel_id]
        asked = int(payload.get("flags") or 0) & _KEPT_FLAGS
        flags = (asked & ~64) | (message.flags & (64 | COMPONENTS_V2)) if "flags" in payload else message.flags
        flags &= ~_LOADING
        after = {"content": message.content, "embeds": message.embeds, "components": message.components}
        after |= {key: payload[key] for key in after if key in payload}
        count = (
            len(payload["attachments"])
            if payload.get("attachments") is not None
            else len(message.attachments) + len(files)
        )
        check_message(after, flags=flags, file_count=count, editing=True)
        before, message.flags = message.flags, flags
        try:
            self._fill(message, channel, payload, files)
        except Exception:
            message.flags = before
            raise
        message.edited_at = self.world.clock.time()
        self._remember(message)
        self._announce("MESSAGE_UPDATE", message, channel)
        self.world.touch()
        return message

    def delete(self, message: Message) -> None:
        """Take a message away; it stays in the world, marked."""
        message.deleted = True
        channel = self.world.channels[message.channel_id]
        gone = {"id": str(message.id), "channel_id": str(channel.id)} | _guild_of(channel)
        if not message.ephemeral:
            self.gateway.dispatch("MESSAGE_DELETE", gone, guild_id=channel.guild_id)
        self.world.touch()

    def shown(self, message: Message) -> Json:
        """Give a message in Discord's JSON."""
        return payloads.message(self.world, message, self.cdn_base)

    def _fill(self, message: Message, channel: Channel, payload: Json, files: dict[int, SentFile]) -> None:
        attachments = self._files(channel, payload, files, message.attachments)
        if payload.get("components") is not None:
            errors = FormErrors()
            media = Media(files=attachments, base=self.cdn_base)
            components = answered(payload["components"], media, errors)
            errors.refuse()
            message.components = components
        message.attachments = attachments
        if "content" in payload:
            message.content = payload["content"] or ""
        if "embeds" in payload:
            message.embeds = [self._embed(e, attachments) for e in payload["embeds"] or []]
        self._ping(message, payload.get("allowed_mentions"))

    def _embed(self, embed: Json, files: list[Attachment]) -> Json:
        """Resolve the pictures of an embed; `attachment://` names a file of the same message."""
        out: Json = {"type": "rich"} | {key: value for key, value in embed.items() if value is not None}
        for part in ("image", "thumbnail"):
            url = str((out.get(part) or {}).get("url", ""))
            found = [f for f in files if url == f"attachment://{f.filename}"]
            if found:
                where = f"{self.cdn_base}{found[0].path}"
                out[part] = {"url": where, "proxy_url": where, "content_type": found[0].content_type}
        return out

    def _ping(self, message: Message, allowed: Json | None) -> None:
        """Note whom the text notifies; text displays do as well as the content."""
        text = "\n".join([message.content, *texts(message.components)])
        kinds = ["users", "everyone"] if allowed is None else allowed.get("parse") or []
        listed = {int(u) for u in (allowed or {}).get("users") or []}
        named = dict.fromkeys(int(number) for number in _MENTION.findall(text))
        message.pinged = [u for u in named if u in self.world.users and ("users" in kinds or u in listed)]
        message.pinged_everyone = "everyone" in kinds and ("@everyone" in text or "@here" in text)

    def _remember(self, message: Message) -> None:
        message.versions.append(
            Version(
                at=self.world.clock.time(),
                content=message.content,
                embeds=tuple(message.embeds),
                components=tuple(message.components),
                attachments=tuple(message.attachments),
                flags=message.flags,
            )
        )

    def _announce(self, event: str, message: Message, channel: Channel) -> None:
        if message.ephemeral:
            return
        data = self.shown(message) | _guild_of(channel) | {"channel_type": int(channel.kind)}
        if channel.guild_id is not None:
            guild = self.world.guilds[channel.guild_id]
            if self.world.bot.id not in guild.members:
                return
            author = payloads.member(self.world, guild, self.world.users[message.author_id])
            data["member"] = {key: value for key, value in author.items() if key != "user"}
        self.gateway.dispatch(event, data, guild_id=channel.guild_id)

    def say(
        self, channel: Channel, author: User, text: str, files: list[SentFile], *, replies_to: Message | None = None
    ) -> Message:
        """Write what a person says; a reply notifies the one it answers."""
        kind = MessageKind.DEFAULT if replies_to is None else MessageKind.REPLY
        message = Message(
            id=self.world.new_id(),
            channel_id=channel.id,
            author_id=author.id,
            kind=kind,
            content=text,
            created_at=self.world.clock.time(),
            replies_to=replies_to.id if replies_to else None,
            attachments=[self.store(channel, file) for file in files],
        )
        self._ping(message, None)
        if replies_to is not None and replies_to.author_id not in message.pinged:
            message.pinged.append(replies_to.author_id)
        return self.add(message, channel)


def _guild_of(channel: Channel) -> Json:
    return {} if channel.guild_id is None else {"guild_id": str(channel.guild_id)}
