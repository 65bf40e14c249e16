"""Owns the questions around a draft: which one, which captions, really discard; pure functions, send nothing."""

from collections.abc import Sequence

import discord
from discord import ui

from bot.draft import Draft, DraftPhoto
from bot.drafts import DraftView
from bot.intake import Intake
from cogs.ui.controls import Layout, button, menu
from cogs.ui.draft_forms import MOST_FIELDS
from cogs.ui.draft_notes import summarise
from cogs.ui.words import counted


def draw_draft_choice(drafts: Sequence[Draft]) -> Layout:
    """Return the question which draft to show."""
    text = f"You have {len(drafts)} open drafts. The one you choose also gets the photos that you send next."
    options = _draft_options(drafts)
    return Layout(
        ui.TextDisplay(text), ui.ActionRow(menu("draft.choose", options=options, placeholder="Choose a draft"))
    )


def draw_unassigned(intake: Intake) -> Layout:
    """Return what became of photos that belong to no draft yet, and the question which one they are for."""
    if intake.batch_id is None:
        return Layout(ui.TextDisplay(summarise(intake)))
    options = _draft_options(intake.choices)
    return Layout(
        ui.TextDisplay(f"{summarise(intake)}\nWhich draft are these for?"),
        ui.ActionRow(menu("draft.assign", intake.batch_id, options=options, placeholder="Choose a draft")),
    )


def draw_caption_groups(view: DraftView, *, note: str = "") -> Layout:
    """Return the question which five captions to write."""
    groups = caption_groups(len(view.photos))
    options = [
        discord.SelectOption(label=group_name(group), value=str(page), description=_written(view.photos, group))
        for page, group in enumerate(groups)
    ]
    text = f"Captions of **{view.draft.name}**: a form takes {MOST_FIELDS} at a time."
    return Layout(
        ui.TextDisplay(f"{note}\n{text}".strip()),
        ui.ActionRow(menu("draft.captions", view.draft.id, options=options, placeholder="Choose photos")),
    )


def draw_discard_question(view: DraftView) -> Layout:
    """Return the question whether a draft shall really go."""
    photos = f" and its {counted(len(view.photos), 'photo')}" if view.photos else ""
    return Layout(
        ui.TextDisplay(f"Throw **{view.draft.name}**{photos} away? There is no way back."),
        ui.ActionRow(
            button("draft.discard_it", view.draft.id, label="Discard it", style=discord.ButtonStyle.danger),
            button("draft.keep_it", view.draft.id, label="Keep it"),
        ),
    )


def draw_sentence(text: str) -> Layout:
    """Return one sentence, where it takes the place of a question."""
    return Layout(ui.TextDisplay(text))


def caption_groups(count: int) -> list[range]:
    """Return the numbers of so many photos, from 1, in groups that fit one form."""
    return [range(first, min(first + MOST_FIELDS, count + 1)) for first in range(1, count + 1, MOST_FIELDS)]


def group_name(group: range) -> str:
    """Return what a group of photos is called."""
    return f"Photo {group[0]}" if len(group) == 1 else f"Photos {group[0]}–{group[-1]}"


def _written(photos: Sequence[DraftPhoto], group: range) -> str:
    written = sum(bool(photos[number - 1].caption) for number in group)
    return f"{written} of {len(group)} written"


def _draft_options(drafts: Sequence[Draft]) -> list[discord.SelectOption]:
    return [
        discord.SelectOption(
            label=draft.name,
            value=draft.id,
            description=f"{draft.trigger_word} · {draft.kind.value} · {draft.base_model.label}",
        )
        for draft in drafts
    ]
