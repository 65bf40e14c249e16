"""Owns how a model's file looks when it goes out, and the form by which one comes in; pure functions, send nothing."""

from typing import Any

import discord
from discord import ui

from bot.consent import statement
from bot.lora import Lora
from bot.lora_files import HandedOut
from bot.texts import _
from bot.words import LONGEST_TRIGGER_WORD
from cogs.ui.consent import ANSWERS
from cogs.ui.controls import Form, Layout, button
from cogs.ui.gallery import plain
from cogs.ui.models import size
from providers.base import LoraFormat
from providers.recipe import BaseModelName, SubjectKind

LONGEST_LINK = 2000


def draw_lora_file(handed: HandedOut) -> Layout:
    """Return the message with a model's file, or with the link to it."""
    lora = handed.lora
    lines = [
        _("### The file of {model}").format(model=plain(lora.name)),
        _("{size} for {base_model}, in the layout of {layout}.").format(
            size=size(handed.size), base_model=lora.base_model.label, layout=lora.format.value
        ),
    ]
    if lora.format is LoraFormat.SKETCH:
        lines.append(_("A model of Sketch holds small copies of its photos: whoever has the file can see them."))
    else:
        lines.append(_("Captions and other private words were taken out of it."))
    if handed.link is None:
        return Layout(
            ui.TextDisplay("\n".join(lines)),
            ui.File[Layout](discord.UnfurledMediaItem(f"attachment://{handed.file_name}")),
        )
    lines.append(_("The link works for a day, or until I am restarted. Whoever has it can download the file."))
    link: ui.Button[Any] = ui.Button(label=_("Download"), style=discord.ButtonStyle.link, url=handed.link)
    return Layout(ui.TextDisplay("\n".join(lines)), ui.ActionRow(link))


def draw_import_form(kind: SubjectKind, base_model: str) -> Form:
    """Return the form for a LoRA's file or link; what was chosen before goes along."""
    upload: ui.FileUpload[Form] = ui.FileUpload(custom_id="file", min_values=0, max_values=1, required=False)
    link: ui.TextInput[Form] = ui.TextInput(custom_id="link", required=False, max_length=LONGEST_LINK)
    options = [discord.SelectOption(label=_(label), value=one.value) for one, label in ANSWERS.items()]
    word: ui.TextInput[Form] = ui.TextInput(custom_id="trigger_word", required=False, max_length=LONGEST_TRIGGER_WORD)
    labels = [
        ui.Label(text=_("File"), description=_("A .safetensors file. Or leave it out, and:"), component=upload),
        ui.Label(text=_("Link"), description=_("https, straight to a .safetensors file."), component=link),
        ui.Label(text=_("Who is in it?"), component=ui.Select(custom_id="depicted", options=options)),
        ui.Label(
            text=_("Trigger word"),
            description=_("Empty if the file says it, or if it needs none."),
            component=word,
        ),
    ]
    return Form("model.import", kind.value, base_model, title=_("Import a LoRA"), text=statement(), labels=labels)


def draw_imported(lora: Lora) -> Layout:
    """Return what came in, and what to do with it."""
    lines = [
        _("### {model} is in your library").format(model=plain(lora.name)),
        _("It is for {base_model} and yours alone until you share it.").format(base_model=lora.base_model.label),
    ]
    if lora.trigger_word:
        lines.append(_("Its trigger word is **{word}**.").format(word=plain(lora.trigger_word)))
    elif lora.base_model is not BaseModelName.SKETCH:
        lines.append(_("No trigger word is known. If it needs one, press Edit and type it."))
    row: ui.ActionRow[Layout] = ui.ActionRow(
        button("model.generate", lora.id, label=_("Generate"), style=discord.ButtonStyle.primary),
        button("model.edit", lora.id, label=_("Edit")),
    )
    return Layout(ui.Container(ui.TextDisplay("\n".join(lines)), row))
