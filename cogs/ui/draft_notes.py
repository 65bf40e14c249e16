"""Owns the sentences about what was just done to a draft, and how one begins; pure functions, send nothing."""

from bot.draft import Draft
from bot.intake import Intake
from bot.texts import _, ngettext

#: A panel with its hints has this much room above it for each of ten refused files.
LONGEST_REFUSAL = 180
MOST_REFUSALS = 10


def summarise(intake: Intake) -> str:
    """Return what became of some files: how many were taken, and a line for each that was not."""
    lines = [_taken(intake)]
    lines += [f"- {_short(reason)}" for reason in intake.refused[:MOST_REFUSALS]]
    more = len(intake.refused) - MOST_REFUSALS
    if more > 0:
        text = ngettext("- and {count} more file was not taken", "- and {count} more files were not taken", more)
        lines.append(text.format(count=more))
    return "\n".join(lines)


def begun(draft: Draft, *, by_message: bool) -> str:
    """Return how to fill a draft that was just opened.

    Args:
        draft: The new one.
        by_message: Photos are taken in direct messages here.
    """
    if by_message:
        text = _(
            "Now give **{name}** its photos: press *Add photos*, use /draft add, choose Apps, Add to draft on a "
            "message with photos, or send them to me in a direct message."
        )
    else:
        text = _(
            "Now give **{name}** its photos: press *Add photos*, use /draft add, "
            "or choose Apps, Add to draft on a message with photos."
        )
    return text.format(name=draft.name)


def hello(*, by_message: bool) -> str:
    """Return how to begin, for somebody who just writes to the bot."""
    if by_message:
        return _(
            "I train image models from photos. Make a draft with /draft new, then send me your photos right here. "
            "/draft show shows how far you are."
        )
    return _(
        "I train image models from photos. Make a draft with /draft new, then add your photos with /draft add. "
        "/draft show shows how far you are."
    )


def no_photos_by_message() -> str:
    """Return why photos in a direct message are not taken."""
    return _(
        "Photos in direct messages are switched off here. "
        "Use /draft add instead, or press *Add photos* on the panel that /draft show brings."
    )


def answered_note(intake: Intake) -> str:
    """Return that it is kept who is in the photos, and what became of those that waited for it."""
    kept = _("Your answer is kept with **{name}**.").format(name=intake.draft.name if intake.draft else "")
    return f"{kept}\n{summarise(intake)}" if intake.added or intake.refused else kept


def copied(source: Draft, made: Draft) -> str:
    """Return that a draft was made from an earlier one, and that the answer to who is in it came along."""
    if made.depicted is None:
        text = _("**{name}** is a copy of **{source}**; its photos wait until you say who is in them.")
    else:
        text = _("**{name}** is a copy of **{source}**: photos, captions and your answer to who is in them came along.")
    return text.format(name=made.name, source=source.name)


def _taken(intake: Intake) -> str:
    count = len(intake.added)
    if intake.draft is not None and not count:
        return _("Nothing was added to **{name}**.").format(name=intake.draft.name)
    if intake.draft is not None and not intake.unanswered:
        text = ngettext("Added {count} photo to **{name}**.", "Added {count} photos to **{name}**.", count)
        return text.format(count=count, name=intake.draft.name)
    if not count:
        return _("None of these files can be used.")
    return ngettext("I have {count} photo from you.", "I have {count} photos from you.", count).format(count=count)


def _short(reason: str) -> str:
    return reason if len(reason) <= LONGEST_REFUSAL else f"{reason[: LONGEST_REFUSAL - 1]}…"
