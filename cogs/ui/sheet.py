"""Owns how a sheet of compared pictures looks, and the question before one that costs; pure functions, send nothing."""

import io

import discord
from discord import ui

from bot.lora import StoredCheckpoint
from bot.sheets import SheetPlan, SheetView
from bot.texts import N_, _, listed
from bot.training.job import SheetKind
from bot.training.sheets import column_label
from cogs.ui import words
from cogs.ui.controls import Layout, button
from cogs.ui.gallery import plain

_FILE = "sheet.jpg"
_TITLES = {
    SheetKind.CHECKPOINTS: N_("**{model}** at {columns}"),
    SheetKind.STRENGTHS: N_("**{model}** at the strengths {columns}"),
}
_HELP = {
    SheetKind.CHECKPOINTS: N_("Each column is the model at one step of its training, each row one seed."),
    SheetKind.STRENGTHS: N_("Each column is one strength, each row one seed."),
}


def draw_sheet(view: SheetView) -> tuple[Layout, list[discord.File]]:
    """Return a finished sheet with the buttons that take one of its columns."""
    spec, name = view.job.sheet, plain(view.lora.name if view.lora else view.job.title)
    columns = listed([column_label(column) for column in spec.columns])
    title = _(_TITLES[spec.kind]).format(model=name, columns=columns)
    if view.picture is None:
        return Layout(ui.TextDisplay(_("{title}: the pictures were deleted.").format(title=title))), []
    seeds = listed([f"`{spec.seed + row}`" for row in range(spec.rows)])
    lines = [
        f"{title} · " + _("for {person}").format(person=f"<@{view.job.owner_id}>"),
        f"-# {_(_HELP[spec.kind])} " + _("Seeds: {seeds}.").format(seeds=seeds),
        *(_("Some pictures are lacking: {reason}").format(reason=failure.told) for failure in view.failures),
    ]
    gallery: ui.MediaGallery[Layout] = ui.MediaGallery()
    alt = _("A table of pictures of {model}. The columns are {columns}; each row has the same seed.")
    gallery.add_item(media=f"attachment://{_FILE}", description=alt.format(model=name, columns=columns)[:1024])
    container: ui.Container[Layout] = ui.Container(ui.TextDisplay("\n".join(lines)), gallery)
    for row in _rows(view):
        container.add_item(row)
    return Layout(container), [discord.File(io.BytesIO(view.picture), _FILE)]


def draw_sheet_question(plan: SheetPlan) -> Layout:
    """Return what a sheet costs, with the button that begins it."""
    text = _("This makes {pictures} with {provider}: {price}, {duration}.").format(
        pictures=words.pictures(plan.pictures),
        provider=plan.choice.maker.title,
        price=words.price(plan.estimate),
        duration=words.duration(plan.estimate.minutes),
    )
    return Layout(
        ui.TextDisplay(text),
        ui.ActionRow(
            button("sheet.make", plan.kind, plan.lora.id, label=_("Make them"), style=discord.ButtonStyle.success)
        ),
    )


def compare_buttons(lora_id: str, *, checkpoints: int, job_id: str | None) -> ui.ActionRow[Layout]:
    """Return the buttons that compare what a model could be, and the one that trains it again."""
    row: ui.ActionRow[Layout] = ui.ActionRow(
        button("sheet.ask", SheetKind.STRENGTHS, lora_id, label=_("Compare strengths"))
    )
    if checkpoints > 1:
        row.add_item(button("sheet.ask", SheetKind.CHECKPOINTS, lora_id, label=_("Compare checkpoints")))
    if job_id is not None:
        row.add_item(button("train.again", job_id, label=_("Train again")))
    return row


def _rows(view: SheetView) -> list[ui.ActionRow[Layout]]:
    usable = view.lora is not None and view.lora.deleted_at is None
    choices: ui.ActionRow[Layout] = ui.ActionRow()
    if usable and view.job.sheet.kind is SheetKind.STRENGTHS:
        for column in view.job.sheet.columns:
            choices.add_item(_strength_button(view, column.strength))
    elif usable:
        for checkpoint in view.checkpoints:
            choices.add_item(_checkpoint_button(view, checkpoint))
    last: ui.ActionRow[Layout] = ui.ActionRow()
    if usable and view.lora is not None and len(view.checkpoints) > 1:
        last.add_item(button("checkpoint.drop", view.lora.id, label=_("Delete the other checkpoints")))
    last.add_item(button("sheet.delete", view.job.id, label=_("Delete"), style=discord.ButtonStyle.danger))
    return [row for row in (choices, last) if row.children]


def _strength_button(view: SheetView, strength: float) -> ui.Button[Layout]:
    in_use = view.lora is not None and view.lora.strength == strength
    label = _("{strength} is used") if in_use else _("Use {strength}")
    lora_id = view.lora.id if view.lora else ""
    return button(
        "sheet.strength",
        lora_id,
        f"{strength:g}",
        label=label.format(strength=f"{strength:g}"),
        disabled=in_use,
    )


def _checkpoint_button(view: SheetView, checkpoint: StoredCheckpoint) -> ui.Button[Layout]:
    in_use = view.lora is not None and view.lora.blob_key == checkpoint.blob_key
    label = _("Step {step} is used") if in_use else _("Use step {step}")
    return button("checkpoint.use", checkpoint.id, label=label.format(step=checkpoint.step), disabled=in_use)
