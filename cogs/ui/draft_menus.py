"""Owns the questions around a draft: which one, really discard; pure functions, send nothing."""

from collections.abc import Sequence

import discord
from discord import ui

from bot.draft import Draft
from bot.drafts import DraftView
from bot.intake import Intake
from bot.texts import _, ngettext
from cogs.ui.controls import Layout, button, menu
from cogs.ui.draft_notes import summarise
from cogs.ui.subjects import kind_name


def draw_draft_choice(drafts: Sequence[Draft]) -> Layout:
    """Return the question which draft to show."""
    text = ngettext(
        "You have {count} open draft. The one you choose also gets the photos that you send next.",
        "You have {count} open drafts. The one you choose also gets the photos that you send next.",
        len(drafts),
    ).format(count=len(drafts))
    options = _draft_options(drafts)
    return Layout(
        ui.TextDisplay(text), ui.ActionRow(menu("draft.choose", options=options, placeholder=_("Choose a draft")))
    )


def draw_unassigned(intake: Intake) -> Layout:
    """Return what became of photos that belong to no draft yet, and the question which one they are for."""
    if intake.batch_id is None:
        return Layout(ui.TextDisplay(summarise(intake)))
    options = _draft_options(intake.choices)
    return Layout(
        ui.TextDisplay("\n".join([summarise(intake), _("Which draft are these for?")])),
        ui.ActionRow(menu("draft.assign", intake.batch_id, options=options, placeholder=_("Choose a draft"))),
    )


def draw_discard_question(view: DraftView) -> Layout:
    """Return the question whether a draft shall really go."""
    if view.photos:
        question = ngettext(
            "Throw **{name}** and its {count} photo away? There is no way back.",
            "Throw **{name}** and its {count} photos away? There is no way back.",
            len(view.photos),
        )
    else:
        question = _("Throw **{name}** away? There is no way back.")
    return Layout(
        ui.TextDisplay(question.format(name=view.draft.name, count=len(view.photos))),
        ui.ActionRow(
            button("draft.discard_it", view.draft.id, label=_("Discard it"), style=discord.ButtonStyle.danger),
            button("draft.keep_it", view.draft.id, label=_("Keep it")),
        ),
    )


def draw_sentence(text: str) -> Layout:
    """Return one sentence, where it takes the place of a question."""
    return Layout(ui.TextDisplay(text))


def _draft_options(drafts: Sequence[Draft]) -> list[discord.SelectOption]:
    return [
        discord.SelectOption(
            label=draft.name,
            value=draft.id,
            description=f"{draft.trigger_word} · {kind_name(draft.kind)} · {draft.base_model.label}",
        )
        for draft in drafts
    ]
