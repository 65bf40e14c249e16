"""Owns what can go wrong inside Sketch; never leaves a worker process except as a sentence for the person.

SketchError
├── PhotosUnusable  the archive doesn't hold photos to learn from
└── ModelBroken     the model file is not one of ours, or damaged
"""

from collections.abc import Mapping

from providers.wording import Sentence, Value


class SketchError(Exception):
    """Base of all errors of Sketch; `error.sentence` is for the person."""

    def __init__(self, message: str, *, values: Mapping[str, Value] | None = None) -> None:
        self.sentence = Sentence(message, values=dict(values or {}))
        super().__init__(str(self.sentence))


class PhotosUnusable(SketchError):
    """The archive doesn't hold photos to learn from."""


class ModelBroken(SketchError):
    """The model file is not one of ours, or damaged."""
