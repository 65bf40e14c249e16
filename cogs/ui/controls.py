"""Owns the controls that come back to the desk, buttons, menus and forms, and the grammar of their custom_id.

A custom_id reads `<verb>:<id>:<id>…`, such as `draft.train:4k2m9x`. Ids and plain numbers only: what a person may do is
decided where it is done, never by what they can see.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import discord
from discord import ui

from bot.downloads import Upload

#: Discord takes no longer custom_id.
LONGEST_CUSTOM_ID = 100
#: Discord lets no more people or roles be chosen in one menu.
MOST_CHOSEN = 25


class Layout(ui.LayoutView):
    """A message's layout; stopped from the start, so that nothing but the message itself holds it."""

    def __init__(self, *items: ui.Item[Any]) -> None:
        super().__init__(timeout=None)
        for item in items:
            self.add_item(item)
        self.stop()


class Form(ui.Modal):
    """A form (modal); stopped from the start, its answers are read from what Discord sends.

    Args:
        verb: What the desk does with the answers.
        ids: What it does that to.
        title: At most 45 characters.
        labels: At most 5, each around one field with a custom_id of its own.
        text: Stands above the fields, and counts as one of the five.
    """

    def __init__(self, verb: str, *ids: object, title: str, labels: Sequence[ui.Label[Any]], text: str = "") -> None:
        super().__init__(title=title, timeout=None, custom_id=custom_id(verb, *ids))
        if text:
            self.add_item(ui.TextDisplay(text))
        for label in labels:
            self.add_item(label)
        self.stop()


@dataclass(frozen=True, kw_only=True)
class Answers:
    """What somebody filled in or chose, by the custom_ids of the fields; a field left empty is an empty answer."""

    texts: Mapping[str, str] = field(default_factory=dict)
    choices: Mapping[str, Sequence[str]] = field(default_factory=dict)
    uploads: Mapping[str, Sequence[Upload]] = field(default_factory=dict)


def button(
    verb: str,
    *ids: object,
    label: str,
    style: discord.ButtonStyle = discord.ButtonStyle.secondary,
    emoji: str | None = None,
    disabled: bool = False,
) -> ui.Button[Any]:
    """Return a button that asks the desk for `verb` on `ids`."""
    return ui.Button(label=label, style=style, emoji=emoji, disabled=disabled, custom_id=custom_id(verb, *ids))


def menu(
    verb: str,
    *ids: object,
    options: Sequence[discord.SelectOption],
    placeholder: str,
    min_values: int = 1,
    max_values: int = 1,
) -> ui.Select[Any]:
    """Return a menu that asks the desk for `verb` on `ids` with what is chosen."""
    return ui.Select(
        options=list(options),
        placeholder=placeholder,
        min_values=min_values,
        max_values=max_values,
        custom_id=custom_id(verb, *ids),
    )


def people_menu(verb: str, *ids: object, chosen: Sequence[int], placeholder: str) -> ui.UserSelect[Any]:
    """Return a menu of people that asks the desk for `verb` on `ids`; its choice is the whole new set."""
    return ui.UserSelect(
        placeholder=placeholder,
        min_values=0,
        max_values=MOST_CHOSEN,
        default_values=[discord.SelectDefaultValue(id=one, type=discord.SelectDefaultValueType.user) for one in chosen],
        custom_id=custom_id(verb, *ids),
    )


def role_menu(
    verb: str, *ids: object, chosen: Sequence[int], placeholder: str, most: int = MOST_CHOSEN
) -> ui.RoleSelect[Any]:
    """Return a menu of a server's roles that asks the desk for `verb` on `ids`; its choice is the whole new set."""
    return ui.RoleSelect(
        placeholder=placeholder,
        min_values=0,
        max_values=most,
        default_values=[discord.SelectDefaultValue(id=one, type=discord.SelectDefaultValueType.role) for one in chosen],
        custom_id=custom_id(verb, *ids),
    )


def channel_menu(
    verb: str, *ids: object, chosen: Sequence[int], placeholder: str, most: int = MOST_CHOSEN
) -> ui.ChannelSelect[Any]:
    """Return a menu of a server's text channels that asks the desk for `verb`; its choice is the whole new set."""
    preset = [discord.SelectDefaultValue(id=one, type=discord.SelectDefaultValueType.channel) for one in chosen]
    return ui.ChannelSelect(
        channel_types=[discord.ChannelType.text, discord.ChannelType.news],
        placeholder=placeholder,
        min_values=0,
        max_values=most,
        default_values=preset[:most],
        custom_id=custom_id(verb, *ids),
    )


def custom_id(verb: str, *ids: object) -> str:
    """Return the custom_id of a verb and its ids.

    Raises:
        ValueError: it is longer than Discord takes.
    """
    made = ":".join([verb, *map(str, ids)])
    if len(made) > LONGEST_CUSTOM_ID:
        raise ValueError(f"custom_id of {verb} is longer than {LONGEST_CUSTOM_ID} characters")
    return made


def read_custom_id(text: str) -> tuple[str, list[str]]:
    """Return the verb and the ids."""
    verb, *ids = text.split(":")
    return verb, ids


def read_answers(data: Mapping[str, Any]) -> Answers:
    """Return the answers in a submitted form's payload."""
    files = (data.get("resolved") or {}).get("attachments") or {}
    texts: dict[str, str] = {}
    choices: dict[str, Sequence[str]] = {}
    uploads: dict[str, Sequence[Upload]] = {}
    for item in _fields(data.get("components") or ()):
        name = str(item.get("custom_id", ""))
        if item.get("type") == discord.ComponentType.file_upload.value:
            uploads[name] = [upload_from(files[key]) for key in item.get("values") or () if key in files]
        elif "values" in item:
            choices[name] = list(item["values"] or ())
        else:
            texts[name] = str(item.get("value") or "")
    return Answers(texts=texts, choices=choices, uploads=uploads)


def upload_from(attachment: Mapping[str, Any]) -> Upload:
    """Return an attachment, as Discord's payloads have it, as the bot takes it."""
    return Upload(
        file_name=str(attachment.get("filename", "")), size=int(attachment.get("size", 0)), url=str(attachment["url"])
    )


def _fields(components: Sequence[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    for item in components:
        if "component" in item:
            yield item["component"]
        elif "components" in item:
            yield from _fields(item["components"])
