"""Owns which letters can be drawn into a picture, and what stands in for the others; draws nothing itself.

The font that Pillow brings has the letters of English alone; without this a name such as Émile would begin with a box.
"""

import unicodedata

#: Letters that have no plain one inside them.
_SPELLED = str.maketrans(
    {"ß": "ss", "æ": "ae", "Æ": "AE", "œ": "oe", "Œ": "OE", "ø": "o", "Ø": "O", "ł": "l", "Ł": "L", "đ": "d", "ı": "i"}
    | dict(zip("–—·’‘“”\N{NO-BREAK SPACE}", "---''\"\" ", strict=True))
    | {"…": "..."}
)


def drawable(text: str) -> str:
    """Return a text in letters that the font has: without accents, and with a question mark for what is beyond help."""
    return "".join(letter if letter.isascii() else _plain(letter) for letter in text.translate(_SPELLED))


def _plain(letter: str) -> str:
    if unicodedata.combining(letter):
        return ""
    return "".join(part for part in unicodedata.normalize("NFKD", letter) if part.isascii()) or "?"
