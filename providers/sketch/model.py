"""Owns the model's one file: small copies of the photos and the fitted plan; never a prompt, a caption or a file name.

Format "darkroom-sketch-1": safetensors with one uint8 tensor (height, width, 3) for each photo, its shortest side a
quarter more than the model's resolution, and in the header the base model, the trigger word, the plan and plain facts
of the training. The photos are in it because the model *is* its photos and how they are compared: who has the file can
look at them, small.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from providers.disk import write_bytes
from providers.sketch.errors import ModelBroken
from providers.sketch.pictures import Photo
from providers.sketch.plan import Plan
from providers.weights_header import SKETCH_FORMAT

FORMAT = SKETCH_FORMAT
_MAX_PHOTOS = 100
_MAX_SIDE = 1024
_BROKEN = "This model file is damaged or not one of Sketch; train the model again."


@dataclass(frozen=True, kw_only=True)
class SketchModel:
    """A trained model."""

    trigger_word: str
    resolution: int
    photos: Sequence[Photo]
    plan: Plan
    facts: Mapping[str, Any] = field(default_factory=dict)


def save_model(model: SketchModel, path: Path) -> None:
    """Write the file; it is there whole or not at all."""
    header = {
        "format": FORMAT,
        "base_model": "sketch",
        "trigger_word": model.trigger_word,
        "resolution": str(model.resolution),
        "plan": json.dumps(model.plan.to_json()),
        "facts": json.dumps(dict(model.facts)),
    }
    tensors = {f"photo.{i:03}": np.ascontiguousarray(photo) for i, photo in enumerate(model.photos)}
    write_bytes(path, save(tensors, metadata=header))


def load_model(path: Path) -> SketchModel:
    """Read the file.

    Raises:
        ModelBroken: it is missing, damaged or not one of ours.
    """
    try:
        with safe_open(path, framework="numpy") as opened:
            header = opened.metadata() or {}
            if header.get("format") != FORMAT:
                raise ModelBroken(_BROKEN)
            names = sorted(opened.keys())
            if not 1 <= len(names) <= _MAX_PHOTOS:
                raise ModelBroken(_BROKEN)
            photos = [_sound(opened.get_tensor(name)) for name in names]
        return SketchModel(
            trigger_word=header["trigger_word"],
            resolution=int(header["resolution"]),
            photos=photos,
            plan=Plan.from_json(json.loads(header["plan"])),
            facts=json.loads(header["facts"]),
        )
    except (SafetensorError, OSError, ValueError, KeyError, TypeError) as error:
        raise ModelBroken(_BROKEN) from error


def _sound(photo: Photo) -> Photo:
    sides_fit = (
        photo.ndim == 3 and photo.shape[2] == 3 and 8 <= min(photo.shape[:2]) <= max(photo.shape[:2]) <= _MAX_SIDE
    )
    if photo.dtype != np.uint8 or not sides_fit:
        raise ModelBroken(_BROKEN)
    return photo
