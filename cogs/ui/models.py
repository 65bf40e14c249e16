"""Owns how trained models look: in a list, on a card, in suggestions; pure functions, send nothing."""

from collections.abc import Sequence

import discord
from discord import app_commands, ui

from bot.library import CardChange, LoraDetails
from bot.lora import Lora
from bot.place import Place
from bot.routing import AUTO
from bot.texts import _, ngettext
from bot.transfers import Offered
from bot.words import LONGEST_DESCRIPTION, LONGEST_NAME, LONGEST_TRIGGER_WORD
from cogs.ui import words
from cogs.ui.controls import Answers, Form, Layout, button, menu
from cogs.ui.gallery import plain
from cogs.ui.quote import draw_note
from cogs.ui.sharing import told_shares
from cogs.ui.sheet import compare_buttons
from providers.base import ImageMaker

#: Lines of a list; Discord takes 4000 characters a message and 25 options a menu.
MOST_LISTED = 20
SUGGESTIONS = 25
#: Offers below a list; each takes four of a message's forty components.
MOST_OFFERED = 5


def draw_models(loras: Sequence[Lora], viewer_id: int, *, offered: Sequence[Offered] = ()) -> Layout:
    """Return a person's models, a line each, with a menu that opens one; what they were offered stands below."""
    if not loras and not offered:
        return draw_note(_("You have no model yet. Begin with /draft new."))
    listed = loras[:MOST_LISTED]
    items: list[ui.Item[Layout]] = []
    if listed:
        lines = [_("### Models you can use here"), *(_line(lora, viewer_id, loras) for lora in listed)]
        if len(loras) > len(listed):
            more = len(loras) - len(listed)
            told = ngettext(
                "{count} more: type a part of the name in /models show.",
                "{count} more: type a part of the name in /models show.",
                more,
            )
            lines.append(f"-# {told.format(count=more)}")
        options = [
            discord.SelectOption(
                label=words.versioned(lora, loras), value=lora.id, description=_description(lora, viewer_id)
            )
            for lora in listed
        ]
        items.append(ui.TextDisplay("\n".join(lines)))
        items.append(ui.ActionRow(menu("model.show", options=options, placeholder=_("Open a model"))))
    items += [item for one in offered[:MOST_OFFERED] for item in _offer(one)]
    return Layout(*items)


def _offer(offered: Offered) -> list[ui.Item[Layout]]:
    lora = offered.lora
    told = _("{giver} offers you **{model}**.").format(giver=f"<@{offered.transfer.from_id}>", model=plain(lora.name))
    return [
        ui.TextDisplay(told),
        ui.ActionRow(
            button("transfer.accept", lora.id, label=_("Accept"), style=discord.ButtonStyle.primary),
            button("transfer.decline", lora.id, label=_("Decline")),
        ),
    ]


def draw_model(details: LoraDetails, *, viewer_id: int, place: Place) -> Layout:
    """Return a model's card as this person sees it there."""
    lora, own = details.lora, details.lora.owner_id == viewer_id
    lines = [
        f"### {plain(words.versioned(lora))}",
        _facts(lora),
        *([f"> {plain(lora.description)}"] if lora.description else []),
        _history(lora),
        *_defaults(details),
        told_shares(details.shares, place)
        if own
        else _("Shared with you by {person}.").format(person=f"<@{lora.owner_id}>"),
    ]
    if details.transfer is not None:
        lines.append(_("You offered it to {person}.").format(person=f"<@{details.transfer.to_id}>"))
    row: ui.ActionRow[Layout] = ui.ActionRow(
        button("model.generate", lora.id, label=_("Generate"), style=discord.ButtonStyle.primary)
    )
    if own:
        row.add_item(button("model.edit", lora.id, label=_("Edit")))
        row.add_item(button("model.sharing", lora.id, label=_("Sharing")))
        row.add_item(button("model.download", lora.id, label=_("Download")))
        row.add_item(button("model.delete", lora.id, label=_("Delete"), style=discord.ButtonStyle.danger))
    comparing = compare_buttons(lora.id, checkpoints=details.checkpoints, job_id=lora.job_id if own else None)
    return Layout(ui.Container(ui.TextDisplay("\n".join(lines)), row, comparing))


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


def told_deleted(lora: Lora, left: str | None) -> str:
    """Return what became of a model; `left` says why a provider still has a copy."""
    name = plain(lora.name)
    if left is None:
        return _("**{model}** is deleted for ever.").format(model=name)
    here = _("**{model}** is deleted here.").format(model=name)
    return " ".join([here, left, _("I try it again by myself for some days.")])


def draw_rename_form(lora: Lora) -> Form:
    """Return the form for another name; cards of earlier versions open it."""
    return Form("model.rename", lora.id, title=_("Rename your model"), labels=[_name_field(lora)])


def draw_edit_form(lora: Lora, makers: Sequence[ImageMaker]) -> Form:
    """Return the form for all that an owner may change about a model; `makers` are those that can use it."""
    strength = "" if lora.strength is None else f"{lora.strength:g}"
    labels = [
        _name_field(lora),
        ui.Label(
            text=_("Description"),
            description=_("What others should know about it."),
            component=_field("description", lora.description, LONGEST_DESCRIPTION, style=discord.TextStyle.paragraph),
        ),
        ui.Label(
            text=_("Strength"),
            description=_("What is taken when nobody says one; empty for what works best."),
            component=_field("strength", strength, 8),
        ),
        ui.Label(text=_("Provider"), component=_providers(lora, makers)),
    ]
    if lora.job_id is None:
        word = _field("trigger_word", lora.trigger_word, LONGEST_TRIGGER_WORD)
        labels.append(ui.Label(text=_("Trigger word"), description=_("Empty if it needs none."), component=word))
    return Form("model.edit", lora.id, title=_("Edit your model"), labels=labels)


def read_edit_form(answers: Answers) -> CardChange:
    """Return what somebody filled in."""
    texts = answers.texts
    return CardChange(
        name=texts.get("name"),
        description=texts.get("description"),
        trigger_word=texts.get("trigger_word"),
        strength=texts.get("strength"),
        provider=next(iter(answers.choices.get("provider", ())), None),
    )


def _name_field(lora: Lora) -> ui.Label[Form]:
    field: ui.TextInput[Form] = ui.TextInput(custom_id="name", default=lora.name, max_length=LONGEST_NAME)
    return ui.Label(text=_("Name"), component=field)


def _field(
    name: str, value: str, longest: int, *, style: discord.TextStyle = discord.TextStyle.short
) -> ui.TextInput[Form]:
    return ui.TextInput(custom_id=name, style=style, default=value or None, required=False, max_length=longest)


def _providers(lora: Lora, makers: Sequence[ImageMaker]) -> ui.Select[Form]:
    options = [discord.SelectOption(label=_("auto: whoever fits best"), value=AUTO, default=lora.provider is None)]
    options += [
        discord.SelectOption(label=maker.title[:100], value=maker.name, default=maker.name == lora.provider)
        for maker in makers[: SUGGESTIONS - 1]
    ]
    return ui.Select(custom_id="provider", options=options)


def model_choices(loras: Sequence[Lora], viewer_id: int) -> list[app_commands.Choice[str]]:
    """Return models to choose from while somebody types; the value is the model's id."""
    return [
        app_commands.Choice(
            name=f"{words.versioned(lora, loras)} · {_description(lora, viewer_id)}"[:100], value=lora.id
        )
        for lora in loras[:SUGGESTIONS]
    ]


def _line(lora: Lora, viewer_id: int, among: Sequence[Lora]) -> str:
    text = (
        f"**{plain(words.versioned(lora, among))}** · {plain(lora.trigger_word)} · {lora.base_model.label} · "
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
    when = words.moment(lora.created_at, "D")
    parts = [(_("Imported {when}") if lora.job_id is None else _("Trained {when}")).format(when=when)]
    if isinstance(photos := facts.get("photos"), int):
        parts.append(ngettext("{count} photo", "{count} photos", photos).format(count=photos))
    if isinstance(steps := facts.get("steps"), int):
        parts.append(ngettext("{count} step", "{count} steps", steps).format(count=steps))
    if isinstance(loss := facts.get("loss"), int | float):
        parts.append(_("loss {loss}").format(loss=f"{loss:.3g}"))
    return " · ".join([*parts, size(lora.size)])


def size(count: int) -> str:
    """Return a number of bytes as people say it."""
    return f"{count / 1024:.0f} KiB" if count < 1024 * 1024 else f"{count / 1024 / 1024:.1f} MiB"


def _facts(lora: Lora) -> str:
    parts = [_("Trigger word **{word}**").format(word=plain(lora.trigger_word))] if lora.trigger_word else []
    return " · ".join([*parts, lora.base_model.label, _(lora.kind.value)])


def _defaults(details: LoraDetails) -> list[str]:
    lora, parts = details.lora, []
    if lora.strength is not None:
        parts.append(_("strength {strength}").format(strength=f"{lora.strength:g}"))
    if details.provider_title:
        parts.append(details.provider_title)
    return [_("Unless you say otherwise: {settings}").format(settings=" · ".join(parts))] if parts else []
