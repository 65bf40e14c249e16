"""Owns what can go wrong inside Sketch; never leaves a worker process except as a sentence for the person.

SketchError
├── PhotosUnusable  the archive doesn't hold photos to learn from
└── ModelBroken     the model file is not one of ours, or damaged
"""


class SketchError(Exception):
    """Base of all errors of Sketch; `str(error)` is a sentence for the person."""


class PhotosUnusable(SketchError):
    """The archive doesn't hold photos to learn from."""


class ModelBroken(SketchError):
    """The model file is not one of ours, or damaged."""
