"""What a person sees: messages, buttons, menus, forms. It is read-only and a picture of one moment."""

import re
from dataclasses import dataclass, field
from typing import Any

from playground.components import (
    ACTION_ROW,
    BUTTON,
    CHECKBOX,
    CHECKBOX_GROUP,
    FILE_UPLOAD,
    LABEL,
    RADIO_GROUP,
    SELECTS,
    TEXT_DISPLAY,
    TEXT_INPUT,
    texts,
    walk,
)
from playground.errors import PersonError
from playground.interactions import Interaction
from playground.payloads import attachments_shown
from playground.world import Attachment, Message

Json = dict[str, Any]
_LINK = 5


@dataclass(frozen=True, slots=True)
class Upload:
    """Hold a file that a person attaches."""

    name: str
    data: bytes = field(repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class Button:
    """Show a button; a link has a url and no custom_id."""

    label: str
    custom_id: str | None
    disabled: bool
    style: int
    url: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Choice:
    """Show one option of a menu, or one suggestion of an autocompletion."""

    name: str
    value: Any
    description: str | None = None
    default: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Select:
    """Show a select menu."""

    kind: int
    custom_id: str
    placeholder: str
    options: tuple[Choice, ...]
    min_values: int
    max_values: int
    disabled: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class SeenMessage:
    """Show a message as it was at one moment. `files` maps names to bytes; `images` are those that a client draws."""

    id: int
    channel_id: int
    author: str
    author_is_bot: bool
    text: str
    content: str
    ephemeral: bool
    loading: bool
    edited: bool
    pinged: tuple[int, ...]
    buttons: tuple[Button, ...]
    selects: tuple[Select, ...]
    images: tuple[bytes, ...] = field(repr=False)
    #: What stands for each image of the galleries where it is not seen; empty where nothing does.
    alts: tuple[str, ...]
    files: dict[str, bytes] = field(repr=False)
    components: tuple[Json, ...] = field(repr=False)

    def find_button(self, wanted: str) -> Button:
        """Find a button by its label or custom id.

        Raises:
            PersonError: There is none.
        """
        for button in self.buttons:
            if wanted in (button.label, button.custom_id):
                return button
        labels = ", ".join(repr(b.label) for b in self.buttons) or "none"
        raise PersonError(f"no button {wanted!r} here; there are: {labels}")

    def find_select(self, wanted: str) -> Select:
        """Find a menu by its placeholder or custom id.

        Raises:
            PersonError: There is none.
        """
        for select in self.selects:
            if wanted in (select.placeholder, select.custom_id):
                return select
        known = ", ".join(repr(s.placeholder or s.custom_id) for s in self.selects) or "none"
        raise PersonError(f"no menu {wanted!r} here; there are: {known}")

    def has_button(self, wanted: str) -> bool:
        """Tell whether there is such a button."""
        return any(wanted in (button.label, button.custom_id) for button in self.buttons)


def see(message: Message, author: str, *, author_is_bot: bool) -> SeenMessage:
    """Picture a message as it is now."""
    nodes = [node for _, node in walk(message.components)]
    return SeenMessage(
        id=message.id,
        channel_id=message.channel_id,
        author=author,
        author_is_bot=author_is_bot,
        text="\n".join(_texts(message)),
        content=message.content,
        ephemeral=message.ephemeral,
        loading=message.loading,
        edited=message.edited_at is not None,
        pinged=tuple(message.pinged),
        buttons=tuple(_button(node) for node in nodes if node["type"] == BUTTON),
        selects=tuple(_select(node) for node in nodes if node["type"] in SELECTS),
        images=tuple(a.data for a in _drawn(message) if a.content_type.startswith("image/")),
        alts=tuple(item.get("description") or "" for node in nodes for item in node.get("items") or ()),
        files={a.filename: a.data for a in message.attachments},
        components=tuple(message.components),
    )


def _texts(message: Message) -> list[str]:
    out = [message.content] if message.content else []
    for embed in message.embeds:
        out += [embed[key] for key in ("title", "description") if embed.get(key)]
        out += [f"{field['name']}: {field['value']}" for field in embed.get("fields", [])]
    return out + texts(message.components)


def _drawn(message: Message) -> list[Attachment]:
    """List attachments in the order in which they are drawn: loose ones first, then those in components."""
    by_id = {str(a.id): a for a in message.attachments}
    shown = [key for key in attachments_shown(message.components) if key in by_id]
    loose = [] if message.flags & (1 << 15) else [a for key, a in by_id.items() if key not in shown]
    return loose + [by_id[key] for key in shown]


def _button(node: Json) -> Button:
    return Button(
        label=node.get("label") or (node.get("emoji") or {}).get("name", ""),
        custom_id=node.get("custom_id"),
        disabled=bool(node.get("disabled")),
        style=node["style"],
        url=node.get("url"),
    )


def _choices(node: Json) -> tuple[Choice, ...]:
    return tuple(
        Choice(name=o["label"], value=o["value"], description=o.get("description"), default=bool(o.get("default")))
        for o in node.get("options") or []
    )


def _select(node: Json) -> Select:
    return Select(
        kind=node["type"],
        custom_id=node["custom_id"],
        placeholder=node.get("placeholder") or "",
        options=_choices(node),
        min_values=node.get("min_values", 1),
        max_values=node.get("max_values", 1),
        disabled=bool(node.get("disabled")),
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Field:
    """Show one field of a form; `low` and `high` bound the length of a text or the number of choices."""

    kind: int
    custom_id: str
    label: str
    description: str
    required: bool
    low: int
    high: int
    value: Any
    options: tuple[Choice, ...]
    id: int
    outer_id: int
    row: bool

    def answers_to(self, name: str) -> bool:
        """Tell whether a name means this field: its custom id, its label, or the label as an identifier."""
        return name in (self.custom_id, self.label, re.sub(r"\W+", "_", self.label.lower()).strip("_"))


@dataclass(frozen=True, kw_only=True)
class Modal:
    """Show a form; `interaction` is the press that opened it."""

    title: str
    custom_id: str
    text: str
    fields: tuple[Field, ...]
    interaction: Interaction = field(repr=False)

    def find(self, name: str) -> Field:
        """Find a field by custom id or label.

        Raises:
            PersonError: There is none.
        """
        for one in self.fields:
            if one.answers_to(name):
                return one
        known = ", ".join(f"{f.custom_id!r} ({f.label})" for f in self.fields)
        raise PersonError(f"no field {name!r} in the form {self.title!r}; there are: {known}")


def see_modal(interaction: Interaction) -> Modal | None:
    """Picture the form that an interaction opened, if it did."""
    data = interaction.modal
    if data is None:
        return None
    items = data["components"]
    return Modal(
        title=data["title"],
        custom_id=data["custom_id"],
        text="\n".join(texts(items)),
        fields=tuple(_field(item, index) for index, item in enumerate(items) if item["type"] != TEXT_DISPLAY),
        interaction=interaction,
    )


def _field(item: Json, index: int) -> Field:
    node = item["component"] if item["type"] == LABEL else item["components"][0]
    kind = node["type"]
    low, high = _bounds(node)
    return Field(
        kind=kind,
        custom_id=node["custom_id"],
        label=item.get("label") or node.get("label") or "",
        description=item.get("description") or "",
        required=kind != CHECKBOX and node.get("required") is not False,
        low=low,
        high=high,
        value=_preset(node),
        options=_choices(node),
        id=node.get("id") or 2 * index + 2,
        outer_id=item.get("id") or 2 * index + 1,
        row=item["type"] == ACTION_ROW,
    )


def _bounds(node: Json) -> tuple[int, int]:
    kind = node["type"]
    low_key, high_key = ("min_length", "max_length") if kind == TEXT_INPUT else ("min_values", "max_values")
    most = {TEXT_INPUT: 4000, CHECKBOX_GROUP: len(node.get("options") or [])}.get(kind, 1)
    least = 0 if kind == TEXT_INPUT else 1
    low, high = node.get(low_key), node.get(high_key)
    return least if low is None else low, most if high is None else high


def _preset(node: Json) -> Any:
    kind = node["type"]
    if kind == TEXT_INPUT:
        return node.get("value") or ""
    if kind == CHECKBOX:
        return bool(node.get("default"))
    chosen = [option["value"] for option in node.get("options") or [] if option.get("default")]
    if kind == RADIO_GROUP:
        return chosen[0] if chosen else None
    return [] if kind == FILE_UPLOAD else chosen
