"""Owns a sentence of which the values are still apart, so that whoever shows it can translate it; never a translation.

Adapters write plain English. What a provider itself said is a value; what is a word of ours among the values is a
sentence too, so that it is translated with the rest.
"""

from collections.abc import Mapping
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


#: A sentence with values, or one that needs none.
Wording: TypeAlias = str | Sentence
