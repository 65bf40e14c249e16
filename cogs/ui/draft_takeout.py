"""Owns how it looks when somebody takes a draft's photos and captions out; pure functions, send nothing."""

import io

import discord
from discord import ui

from bot.takeouts import Takeout
from bot.texts import _, ngettext
from cogs.ui.controls import Layout

MIB = 1024 * 1024


def draw_takeout(takeout: Takeout, part: int = 0) -> tuple[Layout, list[discord.File]]:
    """Return one part of what is taken out, the first with what it is, or the link to all of it."""
    text = ui.TextDisplay[Layout](_told(takeout) if part == 0 else _part(takeout, part))
    if takeout.link is not None:
        button: ui.Button[Layout] = ui.Button(label=_("Download"), url=takeout.link)
        return Layout(text, ui.ActionRow(button)), []
    name, data = takeout.files[part]
    return Layout(text, ui.File(f"attachment://{name}")), [discord.File(io.BytesIO(data), filename=name)]


def _told(takeout: Takeout) -> str:
    told = ngettext(
        "The {count} photo of **{name}** and its caption, as a trainer gets them.",
        "The {count} photos of **{name}** and their captions, as a trainer gets them.",
        takeout.photo_count,
    ).format(count=takeout.photo_count, name=takeout.draft.name)
    size = f"{takeout.size / MIB:.1f}"
    if takeout.link is not None:
        more = _("The zip has {size} MiB, more than Discord takes here, so it waits behind this link for a day.")
        return f"{told}\n{more.format(size=size)}"
    if len(takeout.files) > 1:
        more = _("They have {size} MiB, more than Discord takes in one file here, so they come in {parts} zips.")
        return f"{told}\n{more.format(size=size, parts=len(takeout.files))}"
    return told


def _part(takeout: Takeout, part: int) -> str:
    text = _("**{name}**, zip {number} of {parts}.")
    return text.format(name=takeout.draft.name, number=part + 1, parts=len(takeout.files))
