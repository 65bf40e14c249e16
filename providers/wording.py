"""Owns a sentence of which the values are still apart, so that whoever shows it can translate it; never a translation.

Adapters write plain English. What a provider itself said is a value; what is a word of ours among the values is a
sentence too, so that it is translated with the rest.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias, Union

#: What may stand in a sentence: text and numbers as they are, sentences as they are translated.
Value: TypeAlias = Union[str, int, float, "Sentence"]


@dataclass(frozen=True)
class Sentence:
    """A sentence, or a part of one, with what stands in it."""

    #: In English, with the names of the values in braces; the catalogues have it like this.
    template: str
    values: Mapping[str, Value] = field(default_factory=dict, kw_only=True)

    def __str__(self) -> str:
        """Return it in English."""
        return self.template.format(**self.values) if self.values else self.template


def either(words: Sequence[object]) -> Value:
    """Return words as a choice: "512 or 768 or 1024"."""
    first, *others = words
    return Sentence("{one} or {other}", values={"one": str(first), "other": either(others)}) if others else str(first)


def in_a_row(parts: Sequence["Wording"]) -> Sentence:
    """Return several remarks as one: "a price; another price"."""
    first, *others = [part if isinstance(part, Sentence) else Sentence(part) for part in parts]
    return Sentence("{one}; {other}", values={"one": first, "other": in_a_row(others)}) if others else first


def in_turn(parts: Sequence["Wording"]) -> Sentence:
    """Return several sentences as one text: "It is open. It is free."."""
    first, *others = [part if isinstance(part, Sentence) else Sentence(part) for part in parts]
    return Sentence("{one} {other}", values={"one": first, "other": in_turn(others)}) if others else first


#: A sentence with values, or one that needs none.
Wording: TypeAlias = str | Sentence
