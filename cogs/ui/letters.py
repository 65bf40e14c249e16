"""Owns how letters read, the direct messages that nobody waits for; pure functions, send nothing."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import discord
from discord import ui

from bot.erasing import STAYS
from bot.store.letters import Addressed, LetterKind
from bot.texts import _, ngettext
from bot.training.job import JobState
from cogs.ui import words
from cogs.ui.controls import Layout, button
from cogs.ui.gallery import plain


def draw_letter(addressed: Addressed) -> Layout:
    """Return a letter in the language that is spoken now."""
    body = addressed.letter.body
    match addressed.letter.kind:
        case LetterKind.DONE:
            return _draw_done(body, addressed.told_at)
        case LetterKind.DELETION:
            return _draw_deletion(body)
        case LetterKind.ERASED:
            return Layout(ui.TextDisplay(told_erasure(body)))


def told_erasure(report: Mapping[str, Any]) -> str:
    """Return what became of a wish to be forgotten."""
    gone = report.get("gone") or {}
    parts = [
        words.photos(gone.get("photos", 0)),
        ngettext("{count} model", "{count} models", gone.get("loras", 0)).format(count=gone.get("loras", 0)),
        words.pictures(gone.get("pictures", 0)),
    ]
    lines = [_("### You are forgotten"), _("Deleted: {things}.").format(things=", ".join(parts))]
    failed = report.get("failed") or []
    if failed:
        lines += [_("What could not be removed, and why:"), *(f"- {reason}" for reason in failed)]
    lines += [_("What stays:"), *(f"- {_(sentence)}" for sentence in STAYS)]
    return "\n".join(lines)[:4000]


def _draw_done(body: Mapping[str, Any], told_at: tuple[int, int, int] | None) -> Layout:
    name = plain(str(body["name"]))
    ready = body["state"] == JobState.SUCCEEDED
    text = _("**{model}** is ready.") if ready else _("The training of **{model}** has ended without a model.")
    stop: ui.ActionRow[Layout] = ui.ActionRow(button("letters.off", "done", label=_("No more such messages")))
    if told_at is not None:
        link = "https://discord.com/channels/{}/{}/{}".format(*told_at)
        stop.add_item(ui.Button(label=_("Show it"), style=discord.ButtonStyle.link, url=link))
    else:
        text = f"{text} {_('/jobs tells more.')}"
    return Layout(ui.TextDisplay(text.format(model=name)), stop)


def _draw_deletion(body: Mapping[str, Any]) -> Layout:
    end = words.moment(datetime.fromtimestamp(float(body["end"]), UTC))
    photos = words.photos(int(body["photos"]))
    if body["trained"]:
        text = _("The {photos} that **{model}** was trained from are deleted {when}. The model stays.")
    else:
        text = _("Nobody has touched the draft **{model}** for a while. It is deleted {when}, with its {photos}.")
    return Layout(
        ui.TextDisplay(text.format(photos=photos, model=plain(str(body["name"])), when=end)),
        ui.ActionRow(
            button("letters.keep", body["draft_id"], label=_("Keep them longer"), style=discord.ButtonStyle.primary),
            button("letters.off", "deletion", label=_("No more such messages")),
        ),
    )
