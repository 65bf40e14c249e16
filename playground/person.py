"""A person who uses the bot through the real client's eyes and hands: types, attaches, presses, fills in, reads."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from playground import payloads
from playground.command_access import may_use
from playground.components import STRING_SELECT, walk
from playground.errors import PersonError
from playground.form import fill
from playground.interactions import Answer, Interaction, InteractionKind
from playground.limits import MAX_FILE_BYTES, MAX_FILES, SentFile
from playground.outcome import Outcome
from playground.permissions import Permission
from playground.seen import Button, Choice, Modal, SeenMessage, Select, Upload, see, see_modal
from playground.slash import Filled, fill_options, find_command
from playground.world import Channel, Message, Role, User

if TYPE_CHECKING:
    from playground.server import Playground

__all__ = ["Button", "Choice", "Modal", "Outcome", "Person", "PersonError", "Place", "SeenMessage", "Upload"]

Json = dict[str, Any]


class Person:
    """Stand for one person of the playground."""

    def __init__(self, *, user: User, discord: "Playground") -> None:
        self.user, self.discord = user, discord

    @property
    def id(self) -> int:
        return self.user.id

    @property
    def name(self) -> str:
        return self.user.name

    @property
    def mention(self) -> str:
        return f"<@{self.user.id}>"

    def in_channel(self, channel: Channel | None = None) -> "Place":
        """Give the place where this person speaks in a guild's channel, by default the first one."""
        return Place(self, channel or self.discord.channel)

    def dm(self) -> "Place":
        """Give the direct messages of this person with the bot."""
        return Place(self, self.discord.world.dm_with(self.user))

    def carry_bot(self) -> None:
        """Install the bot for this person, so that its commands are at hand where it is not a member."""
        self.user.carries_bot = True

    def block_dms(self) -> None:
        """Take no direct messages any more."""
        self.user.accepts_dms = False


class Place:
    """Stand for a person in a channel. All waiting is bounded by `patience`, in seconds of the machine."""

    def __init__(self, person: Person, channel: Channel) -> None:
        self.person, self.channel = person, channel
        self.discord, self.world = person.discord, person.discord.world
        # Ample: a loaded machine draws a picture in ten times its usual time.
        self.patience = 40.0

    # ------------------------------------------------------------------ reading
    def look(self, message: Message | SeenMessage) -> SeenMessage:
        """See a message as it is now.

        Raises:
            PersonError: It is gone, or was never for this person.
        """
        current = self._visible(message)
        author = self.world.users[current.author_id]
        return see(current, author.name, author_is_bot=author.bot)

    def sees(self) -> list[SeenMessage]:
        """List what this person sees here, oldest first."""
        if Permission.VIEW_CHANNEL not in self._permissions():
            return []
        return [self.look(m) for m in self.world.messages_in(self.channel) if m.visible_to in (None, self.person.id)]

    def last(self) -> SeenMessage:
        """See the newest message here.

        Raises:
            PersonError: There is none.
        """
        seen = self.sees()
        if not seen:
            raise PersonError("there is no message here")
        return seen[-1]

    async def wait_for(self, predicate: Callable[[SeenMessage], bool], timeout: float | None = None) -> SeenMessage:  # noqa: ASYNC109 - as in World.until
        """Wait until this person sees a message that fits; of several the newest.

        Raises:
            PersonError: None came in time.
        """
        found: list[SeenMessage] = []

        def there() -> bool:
            found[:] = [m for m in self.sees() if predicate(m)]
            return bool(found)

        await self.world.until(there, timeout=timeout or self.patience, what="a message that fits")
        return found[-1]

    # ------------------------------------------------------------------ writing
    async def say(
        self, text: str = "", files: Sequence[Upload] = (), *, reply_to: SeenMessage | None = None
    ) -> SeenMessage:
        """Send a message with up to 10 files.

        Raises:
            PersonError: The client or the channel would not let it be sent.
        """
        if not text and not files:
            raise PersonError("the client sends no empty message")
        if len(files) > MAX_FILES:
            raise PersonError(f"the client takes {MAX_FILES} files a message, not {len(files)}")
        if len(text) > 2000:
            raise PersonError(f"the client takes 2000 characters, not {len(text)}")
        self._may(self.world.to_write_in(self.channel))
        if files:
            self._may(Permission.ATTACH_FILES)
        sent = [SentFile(filename=file.name, data=self._fits(file).data) for file in files]
        answered = self._visible(reply_to) if reply_to else None
        message = self.discord.posting.say(self.channel, self.person.user, text, sent, replies_to=answered)
        return self.look(message)

    async def delete(self, message: SeenMessage) -> None:
        """Delete one's own message, or dismiss an ephemeral one."""
        current = self._visible(message)
        if self.person.id not in (current.author_id, current.visible_to):
            self._may(Permission.MANAGE_MESSAGES)
        self.discord.posting.delete(current)

    # ------------------------------------------------------------------ commands
    async def slash(self, command: str, /, *, wait: bool = True, **options: Any) -> Outcome:
        """Run a slash command; `command` has the names of subcommands after spaces.

        An option called `wait` cannot be given here. With `wait=False` a deferred answer is not awaited.

        Raises:
            PersonError: The client would not send it, or no answer came.
        """
        self._may(Permission.USE_APPLICATION_COMMANDS)
        typed = find_command(self._offered(), command)
        data = fill_options(typed, options, self._filled())
        return await self._interact(InteractionKind.COMMAND, data, wait=wait)

    async def autocomplete(self, command: str, /, option: str, typed: str = "", **filled: Any) -> list[Choice]:
        """Type into an option and read what the bot suggests.

        Raises:
            PersonError: The option suggests nothing, or no answer came.
        """
        found = find_command(self._offered(), command)
        if not any(o["name"] == option and o.get("autocomplete") for o in found.options):
            raise PersonError(f"/{command} has no option {option!r} that suggests anything")
        data = fill_options(found, {**filled, option: typed}, self._filled(), focused=option)
        outcome = await self._interact(InteractionKind.AUTOCOMPLETE, data, wait=True)
        if outcome.failed:
            raise PersonError("Loading options failed")
        return [Choice(name=c["name"], value=c["value"]) for c in outcome.interaction.choices]

    async def context_menu(self, name: str, target: "SeenMessage | Person", *, wait: bool = True) -> Outcome:
        """Choose an entry of the Apps menu of a message or of a person."""
        self._may(Permission.USE_APPLICATION_COMMANDS)
        kind = 2 if isinstance(target, Person) else 3
        found = [c for c in self._offered() if c["type"] == kind and c["name"] == name]
        if not found:
            known = [c["name"] for c in self._offered() if c["type"] == kind]
            raise PersonError(f"there is no entry {name!r} in this menu; there are: {known}")
        resolved: Json
        if isinstance(target, Person):
            resolved = {part: {key: shown} for part, (key, shown) in self._describe(target).items()}
        else:
            shown = self.discord.posting.shown(self._visible(target))
            resolved = {"messages": {str(target.id): shown}}
        identity = {"id": found[0]["id"], "name": name, "type": kind, "target_id": str(target.id)}
        return await self._interact(InteractionKind.COMMAND, {**identity, "resolved": resolved}, wait=wait)

    def _offered(self) -> list[Json]:
        """List the commands that the client shows to this person here."""
        guild = self.world.guilds.get(self.channel.guild_id or 0)
        guest = guild is not None and self.world.bot.id not in guild.members
        if guest and not self.person.user.carries_bot:
            return []
        overrides = self.discord.application.overrides
        return [
            c
            for c in self.discord.commands(self.channel.guild_id)
            if (not guest or 1 in (c.get("integration_types") or [0]))
            and may_use(
                self.world, c, self.person.id, self.channel, overrides.get((self.channel.guild_id, c["name"]), {})
            )
        ]

    def _filled(self) -> Filled:
        return Filled(store=self._store, describe=self._describe)

    def _describe(self, value: Any) -> dict[str, tuple[str, Json]]:
        guild = self.world.guilds.get(self.channel.guild_id or 0)
        if isinstance(value, Person):
            parts = {"users": (str(value.id), payloads.user(value.user))}
            if guild is not None:
                member = payloads.member(self.world, guild, value.user)
                del member["user"]
                parts["members"] = (str(value.id), member)
            return parts
        if isinstance(value, Channel):
            shown = payloads.channel(self.world, value)
            shown["permissions"] = str(int(self.world.permissions(self.person.id, value)))
            return {"channels": (str(value.id), shown)}
        return {"roles": (str(value.id), payloads.role(value))} if isinstance(value, Role) else {}

    # ------------------------------------------------------------------ components and forms
    async def press(self, where: SeenMessage | Outcome, button: str, *, wait: bool = True) -> Outcome:
        """Press a button, named by its label or custom id, on a message as it is now.

        Raises:
            PersonError: The message or button is gone, not for this person, disabled or a link.
        """
        source = self._carrier(where)
        found = self.look(source).find_button(button)
        if found.disabled:
            raise PersonError(f"the button {button!r} is disabled")
        if found.custom_id is None:
            raise PersonError(f"the button {button!r} is a link to {found.url}")
        data = {"custom_id": found.custom_id, "component_type": 2, "id": _number(source, found.custom_id)}
        return await self._interact(InteractionKind.COMPONENT, data, source=source, wait=wait)

    async def select(
        self, where: SeenMessage | Outcome, menu: str, values: Sequence[Any] | str, *, wait: bool = True
    ) -> Outcome:
        """Choose in a menu, named by its placeholder or custom id; texts go by value or label."""
        source = self._carrier(where)
        found = self.look(source).find_select(menu)
        chosen = [values] if isinstance(values, str) else list(values)
        if found.disabled:
            raise PersonError(f"the menu {menu!r} is disabled")
        if not found.min_values <= len(chosen) <= found.max_values:
            raise PersonError(f"{menu!r} takes {found.min_values} to {found.max_values}, not {len(chosen)}")
        data: Json = {
            "custom_id": found.custom_id,
            "component_type": found.kind,
            "id": _number(source, found.custom_id),
        }
        if found.kind == STRING_SELECT:
            data["values"] = [_of_menu(found, value) for value in chosen]
        else:
            parts = [self._describe(value) for value in chosen]
            data["values"] = [next(iter(part.values()))[0] for part in parts]
            data["resolved"] = _merged(parts)
        return await self._interact(InteractionKind.COMPONENT, data, source=source, wait=wait)

    async def submit(self, form: Modal | Outcome, *, wait: bool = True, **fields: Any) -> Outcome:
        """Fill in a form and send it; fields are named by custom id, label, or the label as an identifier.

        Raises:
            PersonError: The client would not send it.
        """
        modal = form.modal if isinstance(form, Outcome) else form
        if modal is None:
            raise PersonError("no form is open")
        data = fill(modal, fields, self._store)
        opened_by = modal.interaction
        return await self._interact(
            InteractionKind.MODAL_SUBMIT, data, source=opened_by.source, parent=opened_by, wait=wait
        )

    # ------------------------------------------------------------------ inside
    async def _interact(
        self,
        kind: InteractionKind,
        data: Json,
        *,
        wait: bool,
        source: Message | None = None,
        parent: Interaction | None = None,
    ) -> Outcome:
        start = self.discord.interactions.start
        before = len(source.versions) if source else 0
        interaction = start(kind, self.person.user, self.channel, data, source=source, parent=parent)

        def ready() -> bool:
            if not wait and interaction.answer is not None:
                return True
            moved = source is not None and (source.deleted or len(source.versions) > before)
            return interaction.settled or (interaction.answer is Answer.DEFERRED_UPDATE and moved)

        await self.world.until(ready, timeout=self.patience, what=f"the answer to {data.get('name', 'a press')!r}")
        return self._outcome(interaction)

    def _outcome(self, interaction: Interaction) -> Outcome:
        shown = interaction.original
        if interaction.answer is Answer.DEFERRED_UPDATE and interaction.followups and not interaction.edits:
            shown = interaction.followups[0]
        visible = shown is not None and not shown.deleted
        return Outcome(
            place=self,
            interaction=interaction,
            message=self.look(shown) if shown is not None and visible else None,
            modal=see_modal(interaction),
            failed=interaction.failed,
        )

    def _visible(self, message: Message | SeenMessage) -> Message:
        current = self.world.messages[message.id]
        if current.deleted:
            raise PersonError("this message is gone")
        if current.visible_to not in (None, self.person.id):
            raise PersonError("this message is for somebody else only")
        if current.channel_id != self.channel.id:
            raise PersonError("this message is in another channel")
        return current

    def _carrier(self, where: SeenMessage | Outcome) -> Message:
        message = where.message if isinstance(where, Outcome) else where
        if message is None:
            raise PersonError("there is no message to press on")
        return self._visible(message)

    def _store(self, file: Upload) -> Json:
        sent = SentFile(filename=file.name, data=self._fits(file).data)
        stored = self.discord.posting.store(self.channel, sent, ephemeral=True)
        return payloads.attachment(stored, self.discord.posting.cdn_base)

    def _fits(self, file: Upload) -> Upload:
        if len(file.data) > MAX_FILE_BYTES:
            raise PersonError(f"the client takes files of 10 MiB, {file.name} has {len(file.data)} bytes")
        return file

    def _permissions(self) -> Permission:
        return self.world.permissions(self.person.id, self.channel)

    def _may(self, permission: Permission) -> None:
        if self.channel.deleted:
            raise PersonError("this channel is gone")
        if permission not in self._permissions():
            raise PersonError(f"{self.person.name} may not do this here ({permission.name})")


def _number(message: Message, custom_id: str) -> int:
    """Give the number that a component has in its message."""
    return next(int(n["id"]) for _, n in walk(message.components) if n.get("custom_id") == custom_id)


def _of_menu(menu: Select, value: Any) -> str:
    for option in menu.options:
        if value in (option.value, option.name):
            return str(option.value)
    raise PersonError(f"the menu does not offer {value!r}; it offers {[o.value for o in menu.options]}")


def _merged(parts: list[dict[str, tuple[str, Json]]]) -> Json:
    resolved: Json = {}
    for part in parts:
        for name, (key, shown) in part.items():
            resolved.setdefault(name, {})[key] = shown
    return resolved
