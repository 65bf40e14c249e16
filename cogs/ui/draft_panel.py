"""Owns how a draft looks: its panel with the contact sheet, the hints and the buttons; pure functions, send nothing."""

import io
from collections.abc import Sequence

import discord
from discord import ui

from bot.draft import MOST_PHOTOS, DraftState
from bot.drafts import DraftView
from bot.texts import _, listed, ngettext
from cogs.ui.consent import answer_line, consent_row, question
from cogs.ui.controls import Layout, button
from cogs.ui.subjects import kind_name

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
    if view.photos or view.draft.depicted is not None:
        panel.add_item(ui.TextDisplay("\n".join([_count(view), *_hint_lines(view.hints), _next_step(view)])))
    if view.draft.depicted is None and view.draft.state is DraftState.OPEN:
        panel.add_item(ui.TextDisplay(question(view.draft, waiting=view.waiting)))
        panel.add_item(consent_row(view.draft))
    for row in _buttons(view):
        panel.add_item(row)
    return Layout(ui.TextDisplay(note), panel) if note else Layout(panel)


def sheet_files(view: DraftView) -> list[discord.File]:
    """Return the panel's picture for one sending; discord.py closes it then."""
    if view.sheet is None:
        return []
    return [discord.File(io.BytesIO(view.sheet), filename=SHEET_NAME, description=_alt(view))]


def _heading(view: DraftView) -> str:
    draft = view.draft
    heading = _("## {name}\nTrigger word `{trigger_word}` · {kind} · {base_model}").format(
        name=draft.name,
        trigger_word=draft.trigger_word,
        kind=kind_name(draft.kind),
        base_model=draft.base_model.label,
    )
    return heading if draft.depicted is None else f"{heading}\n{answer_line(draft.depicted)}"


def _alt(view: DraftView) -> str:
    text = ngettext(
        "Contact sheet of {name}: {count} numbered photo",
        "Contact sheet of {name}: {count} numbered photos",
        len(view.photos),
    )
    said = text.format(name=view.draft.name, count=len(view.photos))
    if not view.marked:
        return said
    numbers = ", ".join(str(number) for number in sorted(view.marked))
    return _("{sheet}; marked with an exclamation mark: {numbers}").format(sheet=said, numbers=numbers)


def _count(view: DraftView) -> str:
    """Return how many photos there are, what is known of them, and how many each trainer takes."""
    text = ngettext("**{count} photo**", "**{count} photos**", len(view.photos)).format(count=len(view.photos))
    parts = [text, *_takers(view)]
    captioned = sum(bool(photo.caption) for photo in view.photos)
    if view.marked:
        marked = ngettext("{count} marked with !", "{count} marked with !", len(view.marked))
        parts.append(marked.format(count=len(view.marked)))
    if captioned:
        parts.append(ngettext("{count} with a caption", "{count} with captions", captioned).format(count=captioned))
    return " · ".join(parts)


def _takers(view: DraftView) -> list[str]:
    by_limits: dict[tuple[int, int], list[str]] = {}
    for taker in view.takers:
        by_limits.setdefault((taker.low, taker.high), []).append(taker.title)
    text = _("{low} to {high} for {trainers}")
    return [text.format(low=low, high=high, trainers=listed(titles)) for (low, high), titles in by_limits.items()]


def _hint_lines(hints: Sequence[str]) -> list[str]:
    lines = [f"- {hint}" for hint in hints[:MOST_HINTS]]
    more = len(hints) - MOST_HINTS
    return (
        lines if more <= 0 else [*lines, ngettext("- and {count} more", "- and {count} more", more).format(count=more)]
    )


def _next_step(view: DraftView) -> str:
    if view.draft.state is DraftState.TRAINING:
        return _("It is being trained now, so its photos stay as they are. /jobs shows how far it is.")
    if view.draft.state is not DraftState.OPEN:
        return _("It has been trained. /models list shows the model.")
    if view.ready:
        return _("Ready to train.")
    if view.draft.depicted is None:
        return _("Say who is in the photos to train.")
    lacking = view.fewest - len(view.photos)
    if view.photos:
        text = ngettext("Add {count} more photo to train.", "Add {count} more photos to train.", lacking)
    else:
        text = ngettext("Add {count} photo to train.", "Add {count} photos to train.", lacking)
    return text.format(count=lacking)


def _trainable(view: DraftView) -> bool:
    return view.ready and view.draft.state is DraftState.OPEN


def _buttons(view: DraftView) -> list[ui.ActionRow[Layout]]:
    draft_id, closed = view.draft.id, view.draft.state is not DraftState.OPEN
    nothing_there = closed or not view.photos
    full = closed or len(view.photos) >= MOST_PHOTOS
    danger, success = discord.ButtonStyle.danger, discord.ButtonStyle.success
    work: ui.ActionRow[Layout] = ui.ActionRow(
        button("draft.add", draft_id, label=_("Add photos"), disabled=full),
        button("draft.captions", draft_id, label=_("Captions"), disabled=nothing_there),
        button("draft.remove", draft_id, label=_("Remove"), disabled=nothing_there),
        button("draft.train", draft_id, label=_("Train"), style=success, disabled=not _trainable(view)),
        button("draft.discard", draft_id, label=_("Discard"), style=danger, disabled=closed),
    )
    if view.draft.depicted is None:
        return [work]
    return [
        work,
        ui.ActionRow(
            button("draft.caption_all", draft_id, label=_("Caption all"), disabled=nothing_there),
            button("draft.export", draft_id, label=_("Download"), disabled=not view.photos),
            button("draft.who", draft_id, label=_("Who is in it")),
        ),
    ]
