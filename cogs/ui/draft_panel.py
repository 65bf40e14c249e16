"""Owns how a draft looks: its panel with the contact sheet, the hints and the buttons; pure functions, send nothing."""

import io
from collections.abc import Sequence

import discord
from discord import ui

from bot.draft import MOST_PHOTOS, DraftState
from bot.drafts import DraftView
from cogs.ui.controls import Layout, button
from cogs.ui.words import counted

SHEET_NAME = "contact-sheet.jpg"
#: More hints than these fill a phone's screen, and nobody acts on the ninth.
MOST_HINTS = 8


def draw_panel(view: DraftView, *, note: str = "") -> Layout:
    """Return a draft's panel; its picture travels beside it, see `sheet_files`.

    Args:
        view: The draft.
        note: What has just been done to it, shown above the panel.
    """
    panel: ui.Container[Layout] = ui.Container(accent_colour=discord.Colour.brand_green() if _trainable(view) else None)
    panel.add_item(ui.TextDisplay(_heading(view)))
    if view.sheet is not None:
        panel.add_item(ui.MediaGallery(discord.MediaGalleryItem(f"attachment://{SHEET_NAME}", description=_alt(view))))
    panel.add_item(ui.TextDisplay("\n".join([_count(view), *_hint_lines(view.hints), _next_step(view)])))
    panel.add_item(_buttons(view))
    return Layout(ui.TextDisplay(note), panel) if note else Layout(panel)


def sheet_files(view: DraftView) -> list[discord.File]:
    """Return the panel's picture for one sending; discord.py closes it then."""
    if view.sheet is None:
        return []
    return [discord.File(io.BytesIO(view.sheet), filename=SHEET_NAME, description=_alt(view))]


def _heading(view: DraftView) -> str:
    draft = view.draft
    return f"## {draft.name}\nTrigger word `{draft.trigger_word}` · {draft.kind.value} · {draft.base_model.label}"


def _alt(view: DraftView) -> str:
    return f"Contact sheet of {view.draft.name}: {counted(len(view.photos), 'numbered photo')}"


def _count(view: DraftView) -> str:
    return f"**{counted(len(view.photos), 'photo')}** ({view.fewest}–{MOST_PHOTOS})"


def _hint_lines(hints: Sequence[str]) -> list[str]:
    lines = [f"- {hint}" for hint in hints[:MOST_HINTS]]
    return lines if len(hints) <= MOST_HINTS else [*lines, f"- and {len(hints) - MOST_HINTS} more"]


def _next_step(view: DraftView) -> str:
    if view.draft.state is DraftState.TRAINING:
        return "It is being trained now, so its photos stay as they are. /jobs shows how far it is."
    if view.draft.state is not DraftState.OPEN:
        return "It has been trained. /models list shows the model."
    if view.ready:
        return "Ready to train."
    return f"Add {counted(view.fewest - len(view.photos), 'more photo' if view.photos else 'photo')} to train."


def _trainable(view: DraftView) -> bool:
    return view.ready and view.draft.state is DraftState.OPEN


def _buttons(view: DraftView) -> ui.ActionRow[Layout]:
    draft_id, closed = view.draft.id, view.draft.state is not DraftState.OPEN
    nothing_there = closed or not view.photos
    full = closed or len(view.photos) >= MOST_PHOTOS
    danger, success = discord.ButtonStyle.danger, discord.ButtonStyle.success
    return ui.ActionRow(
        button("draft.add", draft_id, label="Add photos", disabled=full),
        button("draft.captions", draft_id, label="Captions", disabled=nothing_there),
        button("draft.remove", draft_id, label="Remove", disabled=nothing_there),
        button("draft.train", draft_id, label="Train", style=success, disabled=not _trainable(view)),
        button("draft.discard", draft_id, label="Discard", style=danger, disabled=closed),
    )
