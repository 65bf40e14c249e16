"""Owns the sentences about what was just done to a draft, and how one begins; pure functions, send nothing."""

from bot.draft import Draft
from bot.intake import Intake
from cogs.ui.words import counted

#: A panel with its hints has this much room above it for each of ten refused files.
LONGEST_REFUSAL = 180


def summarise(intake: Intake) -> str:
    """Return what became of some files: how many were taken, and a line for each that was not."""
    lines = [_taken(intake)]
    lines += [f"- {_short(reason)}" for reason in intake.refused]
    return "\n".join(lines)


def begun(draft: Draft, *, by_message: bool) -> str:
    """Return how to fill a draft that was just opened.

    Args:
        draft: The new one.
        by_message: Photos are taken in direct messages here.
    """
    ways = ["press *Add photos*", "use /draft add", "choose Apps, Add to draft on a message with photos"]
    ways += ["send them to me in a direct message"] if by_message else []
    return f"Now give **{draft.name}** its photos: {', '.join(ways[:-1])}, or {ways[-1]}."


def hello(*, by_message: bool) -> str:
    """Return how to begin, for somebody who just writes to the bot."""
    how = "then send me your photos right here" if by_message else "then add your photos with /draft add"
    return f"I train image models from photos. Make a draft with /draft new, {how}. /draft show shows how far you are."


def no_photos_by_message() -> str:
    """Return why photos in a direct message are not taken."""
    return (
        "Photos in direct messages are switched off here. "
        "Use /draft add instead, or press *Add photos* on the panel that /draft show brings."
    )


def _taken(intake: Intake) -> str:
    photos = counted(len(intake.added), "photo")
    if intake.draft is not None:
        return f"Added {photos} to **{intake.draft.name}**." if intake.added else _none_added(intake.draft)
    return f"I have {photos} from you." if intake.added else "None of these files can be used."


def _none_added(draft: Draft) -> str:
    return f"Nothing was added to **{draft.name}**."


def _short(reason: str) -> str:
    return reason if len(reason) <= LONGEST_REFUSAL else f"{reason[: LONGEST_REFUSAL - 1]}…"
