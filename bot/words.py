"""Owns the rules for words that people type and others read: names, trigger words, captions, prompts."""

import re

from bot.errors import BadInput
from bot.texts import _

LONGEST_NAME = 60
LONGEST_TRIGGER_WORD = 24
LONGEST_CAPTION = 300
LONGEST_PROMPT = 1000
LONGEST_DESCRIPTION = 300

#: Signs that Discord reads as a mention, a link or formatting.
_MARKUP = re.compile(r"[@<>`*~|\\\[\]#]|__|(?:^|\s)_|_(?:\s|$)|https?://", re.IGNORECASE)
_TRIGGER_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")


def model_name(text: str) -> str:
    """Return a name for a model, trimmed.

    Raises:
        BadInput: it is empty, too long, or would be read as markup.
    """
    name = " ".join(text.split())
    if not name:
        raise BadInput(_("A name needs at least one letter."), advice=_("Something like **Rusty** is fine."))
    if len(name) > LONGEST_NAME:
        raise BadInput(
            _("That name has {count} characters and at most {most} fit.").format(count=len(name), most=LONGEST_NAME),
            advice=_("Choose a shorter one."),
        )
    if _MARKUP.search(name) or not name.isprintable():
        raise BadInput(
            _("A name cannot hold mentions, links or formatting signs such as @ < > * # or backquotes."),
            advice=_("Use letters, digits, spaces and simple punctuation."),
        )
    return name


def trigger_word(text: str) -> str:
    """Return a trigger word.

    Raises:
        BadInput: it is not one plain word.
    """
    word = text.strip()
    if len(word.split()) > 1:
        joined = re.sub(r"[^A-Za-z0-9_-]", "", word).lstrip("_-")[:LONGEST_TRIGGER_WORD]
        hint = _("**{word}** would do.") if len(joined) > 1 else _("Something like **rustyfox** would do.")
        raise BadInput(_("A trigger word is one word, without spaces."), advice=hint.format(word=joined))
    if not 2 <= len(word) <= LONGEST_TRIGGER_WORD or not _TRIGGER_WORD.fullmatch(word):
        raise BadInput(
            _("A trigger word has 2 to {most} plain letters, digits, - or _.").format(most=LONGEST_TRIGGER_WORD),
            advice=_("An unusual one works best, such as **rustyfox**."),
        )
    return word


def caption(text: str) -> str:
    """Return a caption on one line, trimmed; empty is fine.

    Raises:
        BadInput: it is too long.
    """
    line = " ".join(text.split())
    if len(line) > LONGEST_CAPTION:
        sentence = _("A caption has at most {most} characters, this one has {count}.")
        raise BadInput(sentence.format(most=LONGEST_CAPTION, count=len(line)))
    return line


def description(text: str) -> str:
    """Return what an owner says about a model, on one line, trimmed; empty is fine.

    Raises:
        BadInput: it is too long.
    """
    line = " ".join(text.split())
    if len(line) > LONGEST_DESCRIPTION:
        raise BadInput(
            _("A description has at most {most} characters, this one has {count}.").format(
                most=LONGEST_DESCRIPTION, count=len(line)
            )
        )
    return line


def prompt(text: str) -> str:
    """Return a prompt, trimmed.

    Raises:
        BadInput: it is too long.
    """
    line = " ".join(text.split())
    if len(line) > LONGEST_PROMPT:
        sentence = _("A prompt has at most {most} characters, this one has {count}.")
        raise BadInput(sentence.format(most=LONGEST_PROMPT, count=len(line)))
    return line


def file_label(name: str) -> str:
    """Return a file's name so that it can be shown: short, and nothing in it is read as markup."""
    plain = "".join(sign for sign in name if sign.isprintable())
    # What is left may be markup again, such as a link that a sign stood in.
    while _MARKUP.search(plain):
        plain = _MARKUP.sub("", plain)
    plain = plain.strip()
    return plain if len(plain) <= 60 else f"{plain[:40]}…{plain[-15:]}"
