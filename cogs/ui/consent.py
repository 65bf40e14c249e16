"""Owns the question who is in the photos and how its answer reads; pure functions, send nothing."""

from typing import Any

import discord
from discord import ui

from bot.consent import Depicted, child_warning, statement
from bot.draft import Draft
from bot.texts import N_, _, ngettext
from cogs.ui.controls import Layout, button
from providers.recipe import SubjectKind

#: What the buttons say; Discord's commands offer the same as choices.
ANSWERS = {
    Depicted.ME: N_("Me"),
    Depicted.ADULT: N_("Another adult who agreed"),
    Depicted.CHILD: N_("A child"),
    Depicted.NOBODY: N_("No person"),
}
_READS = {
    Depicted.ME: N_("In the photos: you."),
    Depicted.ADULT: N_("In the photos: another adult, who agreed."),
    Depicted.NOBODY: N_("In the photos: no person."),
}


def draw_consent_question(draft: Draft) -> Layout:
    """Return the question who is in a draft's photos, for an answer that can be changed."""
    parts: list[ui.Item[Any]] = [ui.TextDisplay(question(draft, waiting=0)), consent_row(draft)]
    if draft.depicted is not None:
        parts.insert(0, ui.TextDisplay(answer_line(draft.depicted)))
    return Layout(*parts)


def question(draft: Draft, *, waiting: int) -> str:
    """Return the question, what is confirmed with an answer, and how many photos wait for it."""
    lines = [_("**Who is in the photos of {name}?**").format(name=draft.name), statement()]
    if waiting:
        text = ngettext("**{count} photo waits** for your answer.", "**{count} photos wait** for your answer.", waiting)
        lines.insert(0, text.format(count=waiting))
    return "\n".join(lines)


def consent_row(draft: Draft) -> ui.ActionRow[Layout]:
    """Return a button for each answer; the usual one for this kind of subject stands out."""
    usual = Depicted.ME if draft.kind is SubjectKind.PERSON else Depicted.NOBODY
    return ui.ActionRow(
        *(
            button(
                "draft.consent",
                draft.id,
                depicted.value,
                label=_(label),
                style=discord.ButtonStyle.primary if depicted is usual else discord.ButtonStyle.secondary,
            )
            for depicted, label in sorted(ANSWERS.items(), key=lambda answer: answer[0] is not usual)
        )
    )


def answer_line(depicted: Depicted) -> str:
    """Return an answer as a draft and a model show it."""
    return child_warning() if depicted is Depicted.CHILD else _(_READS[depicted])
