"""Owns who is in the photos of a model, what is confirmed with that answer, and what follows from it; stores nothing.

An answer is asked for before the first photo is kept, and goes with the draft into the model. What must never be asked
of a model of a child, or of nobody knows whom, is decided here, once for all doors.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.errors import BadInput
from bot.texts import N_, _


class Depicted(StrEnum):
    """Who is in the photos; the value is stored, so never rename one."""

    ME = "me"
    #: Another adult, who agreed to a model of themselves.
    ADULT = "adult"
    CHILD = "child"
    #: No real person: an animal, a thing, a style.
    NOBODY = "nobody"


#: The text that people confirm now; a changed text gets a new number and leaves the older ones as they are.
TEXT_VERSION = 1
_TEXTS = {
    1: N_(
        "Your answer is kept with the model. With it you confirm:\n"
        "- you may use these photos, and any adult in them agreed to a model of themselves;\n"
        "- for photos of a child, you are a parent or a parent agreed. "
        "If a child is among several people, choose *A child*. A model of a child makes no adult pictures."
    ),
}


@dataclass(frozen=True, kw_only=True)
class Consent:
    """One answer, as it was given; never changed, a later answer is a row of its own."""

    id: str
    #: None for a model that came from elsewhere.
    draft_id: str | None
    #: Who answered.
    owner_id: int
    depicted: Depicted
    text_version: int
    #: The language that the text was shown in.
    language: str
    created_at: datetime


def statement(version: int = TEXT_VERSION) -> str:
    """Return the text that is confirmed with an answer."""
    return _(_TEXTS[version])


def child_warning() -> str:
    """Return what somebody has to know about a model of a child."""
    return _("A child is in it: this model makes no adult pictures, anywhere.")


def adult_allowed(depicted: Depicted | None) -> bool:
    """Tell whether adult pictures may be made of this at all; where they may be shown is another question.

    False as well where nobody has said who it is, as with models of before the question.
    """
    return depicted not in {None, Depicted.CHILD}


def refuse_adult(depicted: Depicted | None, *texts: str) -> None:
    """Do nothing if these prompts may be drawn with a model of this.

    It finds plain words, so it is a first line only: the providers' own filters stay on for such models.

    Raises:
        BadInput: one asks for an adult picture, and there may be none.
    """
    if adult_allowed(depicted) or not any(is_adult(text) for text in texts):
        return
    if depicted is Depicted.CHILD:
        raise BadInput(_("A model of a child makes no adult pictures."), advice=_("Ask for something else."))
    raise BadInput(
        _("Nobody has said who is in the photos of this model, so it makes no adult pictures."),
        advice=_("Ask for something else."),
    )


def is_adult(prompt: str) -> bool:
    """Tell whether a prompt asks for nudity or sex in plain words, of the languages that are spoken here."""
    return _ADULT.search(prompt) is not None


#: Beginnings of words, so that their forms are found too; whole words where a beginning would find harmless ones.
_BEGINNINGS = (
    "nude", "nudity", "nudis", "naked", "nsfw", "porn", "erotic", "erotik", "erotis", "érotique", "sexual", "sexuel",
    "sexy", "topless", "bottomless", "lingerie", "undress", "striptease", "hentai", "bdsm", "fetish", "orgasm",
    "masturbat",
    "genital", "nipple", "vagina", "penis", "blowjob", "cumshot", "seductive", "underwear", "panties", "thong",
    "bikini", "swimsuit", "cleavage", "onlyfans", "nackt", "entblößt", "reizwäsche", "unterwäsche", "brustwarz",
    "desnud", "seins nus", "sous-vêtement",
)  # fmt: skip
_WHOLE = (
    "sex",
    "bare breasts?",
    "bare chest",
    "breasts?",
    "boobs?",
    "butt",
    "ass",
    "akt",
    "nue?s?",
    "lewd",
    "xxx",
    "18\\+",
)
_ADULT = re.compile(rf"(?<!\w)(?:(?:{'|'.join(_BEGINNINGS)})|(?:{'|'.join(_WHOLE)})(?!\w))", re.IGNORECASE)
