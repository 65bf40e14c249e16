"""Owns how trained models look: in a list, on a card, in suggestions; pure functions, send nothing."""

from collections.abc import Sequence

import discord
from discord import app_commands, ui

from bot.library import LoraDetails
from bot.lora import Lora
from bot.texts import _, ngettext
from bot.words import LONGEST_NAME
from cogs.ui import words
from cogs.ui.controls import Form, Layout, button, menu
from cogs.ui.gallery import plain
from cogs.ui.quote import draw_note

#: Lines of a list; Discord takes 4000 characters a message and 25 options a menu.
MOST_LISTED = 20
SUGGESTIONS = 25


def draw_models(loras: Sequence[Lora], viewer_id: int) -> Layout:
    """Return a person's models, a line each, with a menu that opens one."""
    if not loras:
        return draw_note(_("You have no model yet. Begin with /draft new."))
    listed = loras[:MOST_LISTED]
    lines = [_("### Models you can use here"), *(_line(lora, viewer_id) for lora in listed)]
    if len(loras) > len(listed):
        more = len(loras) - len(listed)
        told = ngettext(
            "{count} more: type a part of the name in /models show.",
            "{count} more: type a part of the name in /models show.",
            more,
        )
        lines.append(f"-# {told.format(count=more)}")
    options = [
        discord.SelectOption(label=lora.name, value=lora.id, description=_description(lora, viewer_id))
        for lora in listed
    ]
    return Layout(
        ui.TextDisplay("\n".join(lines)),
        ui.ActionRow(menu("model.show", options=options, placeholder=_("Open a model"))),
    )


def draw_model(details: LoraDetails, *, viewer_id: int, guild_id: int | None) -> Layout:
    """Return a model's card as this person sees it here."""
    lora, own = details.lora, details.lora.owner_id == viewer_id
    text = "\n".join(
        [
            f"### {plain(lora.name)}",
            _("Trigger word **{word}** · {base_model} · {kind}").format(
                word=plain(lora.trigger_word), base_model=lora.base_model.label, kind=_(lora.kind.value)
            ),
            _history(lora),
            _sharing(details, guild_id)
            if own
            else _("Shared with this server by {person}.").format(person=f"<@{lora.owner_id}>"),
        ]
    )
    row: ui.ActionRow[Layout] = ui.ActionRow(
        button("model.generate", lora.id, label=_("Generate"), style=discord.ButtonStyle.primary)
    )
    if own and guild_id is not None:
        shared = guild_id in details.guild_ids
        row.add_item(
            button("model.toggle", lora.id, "off" if shared else "on", label=_("Unshare") if shared else _("Share"))
        )
    if own:
        row.add_item(button("model.rename", lora.id, label=_("Rename")))
        row.add_item(button("model.delete", lora.id, label=_("Delete"), style=discord.ButtonStyle.danger))
    return Layout(ui.Container(ui.TextDisplay(text), row))


def draw_delete_question(lora: Lora) -> Layout:
    """Return the question that stands before the end of a model."""
    text = "\n".join(
        [
            _("### Delete {model}?").format(model=plain(lora.name)),
            _("The model is gone for ever, for everybody it is shared with too. Pictures made with it stay."),
        ]
    )
    return Layout(
        ui.Container(
            ui.TextDisplay(text),
            ui.ActionRow(
                button("model.erase", lora.id, label=_("Delete for ever"), style=discord.ButtonStyle.danger),
                button("model.keep", lora.id, label=_("Keep it")),
            ),
        )
    )


def draw_rename_form(lora: Lora) -> Form:
    """Return the form for another name."""
    field: ui.TextInput[Form] = ui.TextInput(custom_id="name", default=lora.name, max_length=LONGEST_NAME)
    return Form(
        "model.rename", lora.id, title=_("Rename your model"), labels=[ui.Label(text=_("Name"), component=field)]
    )


def model_choices(loras: Sequence[Lora], viewer_id: int) -> list[app_commands.Choice[str]]:
    """Return models to choose from while somebody types; the value is the model's id."""
    return [
        app_commands.Choice(name=f"{lora.name} · {_description(lora, viewer_id)}"[:100], value=lora.id)
        for lora in loras[:SUGGESTIONS]
    ]


def told_sharing(lora: Lora, *, shared: bool) -> str:
    """Return what is true now, and how to undo it."""
    name = plain(lora.name)
    if shared:
        return _(
            "**{model}** is shared with this server now: everybody here can make pictures with it. "
            "To take it back, press Unshare in /models show."
        ).format(model=name)
    return _(
        "**{model}** is no longer shared with this server. /models share lets everybody here use it again."
    ).format(model=name)


def _line(lora: Lora, viewer_id: int) -> str:
    text = (
        f"**{plain(lora.name)}** · {plain(lora.trigger_word)} · {lora.base_model.label} · "
        f"{words.moment(lora.created_at, 'D')}"
    )
    if lora.owner_id == viewer_id:
        return text
    return f"{text} · {_('shared by {person}').format(person=f'<@{lora.owner_id}>')}"


def _description(lora: Lora, viewer_id: int) -> str:
    text = f"{lora.trigger_word}, {lora.base_model.label}"
    return text if lora.owner_id == viewer_id else _("{model}, shared here").format(model=text)


def _history(lora: Lora) -> str:
    facts = lora.facts
    parts = [_("Trained {when}").format(when=words.moment(lora.created_at, "D"))]
    if isinstance(photos := facts.get("photos"), int):
        parts.append(ngettext("{count} photo", "{count} photos", photos).format(count=photos))
    if isinstance(steps := facts.get("steps"), int):
        parts.append(ngettext("{count} step", "{count} steps", steps).format(count=steps))
    if isinstance(loss := facts.get("loss"), int | float):
        parts.append(_("loss {loss}").format(loss=f"{loss:.3g}"))
    return " · ".join([*parts, _size(lora.size)])


def _size(count: int) -> str:
    return f"{count / 1024:.0f} KiB" if count < 1024 * 1024 else f"{count / 1024 / 1024:.1f} MiB"


def _sharing(details: LoraDetails, guild_id: int | None) -> str:
    elsewhere = len([one for one in details.guild_ids if one != guild_id])
    if not details.guild_ids:
        return _("Yours alone.")
    if guild_id is None:
        told = ngettext("Shared with {count} server.", "Shared with {count} servers.", elsewhere)
    elif guild_id not in details.guild_ids:
        told = ngettext(
            "Not shared here, but with {count} other server.",
            "Not shared here, but with {count} other servers.",
            elsewhere,
        )
    elif elsewhere:
        told = ngettext(
            "Shared with this server and {count} other server.",
            "Shared with this server and {count} other servers.",
            elsewhere,
        )
    else:
        told = _("Shared with this server.")
    return told.format(count=elsewhere)
