"""Owns what a person is told who wants to train with a provider that can't."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from providers.wording import Sentence


@dataclass(frozen=True, kw_only=True)
class TrainsNot:
    """Why a provider that people ask for has no trainer here."""

    title: str
    #: What follows "can't train image models:", without a full stop.
    why: Sentence
    #: Where that stands, and the day it was read.
    source: str
    seen: date

    def answer(self, trainers: Sequence[str]) -> Sentence:
        """Return what a person is told who asks for it; `trainers` are the titles of those that can train here."""
        instead = Sentence("No trainer is set up here.")
        if trainers:
            instead = Sentence("Here you can train with {trainers}.", values={"trainers": ", ".join(trainers)})
        return Sentence(
            "{provider} can't train image models: {why} (as of {day}). {instead}",
            values={"provider": self.title, "why": self.why, "day": f"{self.seen:%Y-%m-%d}", "instead": instead},
        )
