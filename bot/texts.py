"""Owns the language that is spoken to a person now, and the catalogues of sentences; never a sentence itself.

A sentence is written in English where it is said: `_("… {name} …").format(name=…)`, or `ngettext` when a number decides
about its form. Tables that are made at import mark theirs with `N_` and look them up with `_` when they are drawn. What
adapters and work in the background say has its values apart, and `told` puts them in when a person reads it. The
catalogues are `bot/locale/<language>.po`; what one lacks is said in English.
"""

import gettext
import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from pathlib import Path

from babel.lists import format_list
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from providers.wording import Sentence, Value, Wording

#: Where the catalogues are.
CATALOGUES = Path(__file__).parent / "locale"
#: The language that sentences are written in.
ENGLISH = "en"

_spoken: ContextVar[str] = ContextVar("spoken", default=ENGLISH)


@cache
def languages() -> tuple[str, ...]:
    """Return the languages that there are, English first."""
    return (ENGLISH, *sorted(path.stem for path in CATALOGUES.glob("*.po")))


def language_of(locale: str) -> str:
    """Return the language for one of Discord's locales, such as `de` or `en-US`; English for those we lack."""
    language = locale.partition("-")[0].lower()
    return language if language in languages() else ENGLISH


def spoken() -> str:
    """Return the language that is spoken now."""
    return _spoken.get()


def speak(locale: str) -> None:
    """Speak the language of this locale for the rest of the current task."""
    _spoken.set(language_of(locale))


@contextmanager
def speaking(locale: str) -> Iterator[None]:
    """Speak the language of this locale inside the block."""
    token = _spoken.set(language_of(locale))
    try:
        yield
    finally:
        _spoken.reset(token)


def _(text: str) -> str:
    """Return a sentence in the language that is spoken now."""
    # gettext answers an empty text with the catalogue's header.
    return _catalogue(_spoken.get()).gettext(text) if text else ""


def ngettext(one: str, many: str, number: int) -> str:
    """Return the form of a sentence that fits a number, in the language that is spoken now."""
    return _catalogue(_spoken.get()).ngettext(one, many, number)


def N_(text: str) -> str:  # noqa: N802 - gettext's own name for it, which extractors know
    """Mark a sentence for the catalogues and return it as it is."""
    return text


def told(wording: Wording, values: Mapping[str, Value] | None = None) -> str:
    """Return what was worded before anybody's language was known, in the language that is spoken now.

    Args:
        wording: As the catalogues have it; what they lack is said as it is.
        values: What stands in a plain template; without any, braces are no more than braces.
    """
    if isinstance(wording, Sentence):
        return told(wording.template, wording.values)
    if not values:
        return _(wording)
    said = {name: told(value) if isinstance(value, Sentence) else value for name, value in values.items()}
    return _(wording).format(**said)


def listed(names: Sequence[str]) -> str:
    """Return names as the language that is spoken now lists them: "A", "A and B", "A, B, and C"."""
    return format_list(names, locale=_spoken.get())


def either(names: Sequence[str]) -> str:
    """Return names as the language that is spoken now offers a choice of them: "A", "A or B", "A, B, or C"."""
    return format_list(names, style="or", locale=_spoken.get())


@cache
def _catalogue(language: str) -> gettext.NullTranslations:
    if language == ENGLISH:
        return gettext.NullTranslations()
    compiled = io.BytesIO()
    with (CATALOGUES / f"{language}.po").open("rb") as file:
        write_mo(compiled, read_po(file, locale=language))
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)
