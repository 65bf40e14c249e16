"""Owns how a word of a list is found in what somebody wrote; never decides what happens then.

Whole words only, so that a list with "ass" leaves "class" alone. Case, accents, widths and invisible signs make no
difference. What is written with other letters, digits or spaces in between is not found: a list of words stops slips
and plain intent, not somebody who tries.
"""

import re
import unicodedata
from collections.abc import Iterable

_WORD = re.compile(r"[^\W_]+")


def found_in(words: Iterable[str], *texts: str) -> str | None:
    """Return the first word or phrase of a list that stands in one of the texts."""
    read = [f" {' '.join(tokens(text))} " for text in texts]
    for word in words:
        wanted = " ".join(tokens(word))
        if wanted and any(f" {wanted} " in text for text in read):
            return word
    return None


def tokens(text: str) -> list[str]:
    """Return the words of a text, each in one form for all ways of writing it."""
    apart = unicodedata.normalize("NFKD", text)
    # Cf: invisible signs such as the zero-width space; Mn: accents, which NFKD has set apart from their letters.
    bare = "".join(sign for sign in apart if unicodedata.category(sign) not in ("Cf", "Mn"))
    return _WORD.findall(unicodedata.normalize("NFKC", bare).casefold())
