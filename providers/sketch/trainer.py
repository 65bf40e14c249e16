"""Owns the Trainer that fits Sketch models on this machine; never computes in the bot's own process."""

import json
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from providers.base import Checkpoint, Estimate, LoraFormat, TrainedLora, TrainerCapabilities, TrainingOrder
from providers.errors import Refused
from providers.recipe import BaseModelName, Limits, Recipe
from providers.sketch.adapter import SketchAdapter
from providers.sketch.order_folder import OrderFolder
from providers.wording import either

_CAPABILITIES = TrainerCapabilities(
    findable=True,
    settle_seconds=0,
    cancelable=True,
    poll_seconds=1,
    max_run_seconds=3600,
    notice="Sketch learns from the photos alone: captions and the trigger word change nothing.",
    base_models=frozenset({BaseModelName.SKETCH}),
    produces=LoraFormat.SKETCH,
    photos=Limits(low=2, high=60, default=8),
    steps=Limits(low=12, high=240, default=48),
    rank=None,
    learning_rate=None,
    resolutions=(128, 256),
    autocaption=False,
    checkpoints=True,
)


class SketchTrainer(SketchAdapter[TrainingOrder, TrainedLora]):
    """Fits Sketch models; `recipe.resolution` is the longest side, in pixels, of the pictures a model will make."""

    kind = "trainings"

    @property
    def capabilities(self) -> TrainerCapabilities:
        """Return what it can do."""
        return replace(_CAPABILITIES, at_once=self._workshop.slots)

    def estimate(self, recipe: Recipe, photo_count: int) -> Estimate:
        """Return what this training takes; it is free."""
        large = recipe.resolution > 128
        # Measured on one core of a small server with 8 photos; more than ten photos don't make a candidate dearer.
        seconds = 1 + recipe.steps * (0.17 if large else 0.09) * min(photo_count, 10) / 8
        return Estimate(low_usd=0, high_usd=0, minutes=seconds / 60, basis="runs on this machine: free")

    def _refuse_unfit(self, order: TrainingOrder) -> None:
        can, recipe, named = self.capabilities, order.recipe, {"provider": "Sketch"}
        if recipe.base_model not in can.base_models:
            raise Refused(
                "{provider} can't train for {base_model}.", values={**named, "base_model": recipe.base_model.label}
            )
        if order.photo_count < can.photos.low:
            raise Refused(
                "{provider} needs at least {low} photos.",
                values={**named, **can.photos.ends},
                advice="Send some more photos.",
            )
        if order.photo_count > can.photos.high:
            raise Refused(
                "{provider} takes at most {high} photos.",
                values={**named, **can.photos.ends},
                advice="Take some photos out.",
            )
        if recipe.steps not in can.steps:
            raise Refused("{provider} takes {low} to {high} steps.", values={**named, **can.steps.ends})
        if recipe.resolution not in can.resolutions:
            raise Refused(
                "{provider} takes a resolution of {resolutions}.",
                values={**named, "resolutions": either(can.resolutions)},
            )

    def _inputs(self, order: TrainingOrder) -> Mapping[str, Path]:
        return {"archive.zip": order.archive}

    def _request(self, order: TrainingOrder) -> Mapping[str, Any]:
        return {
            "steps": order.recipe.steps,
            "resolution": order.recipe.resolution,
            "trigger_word": order.recipe.trigger_word,
            "least_photos": int(self.capabilities.photos.low),
            "most_photos": int(self.capabilities.photos.high),
        }

    def _gather(self, order: OrderFolder, into: Path) -> TrainedLora:
        path = into / "sketch.safetensors"
        shutil.copyfile(order.results / path.name, path)
        facts = json.loads((order.results / "sketch.json").read_bytes())
        return TrainedLora(
            path=path,
            format=LoraFormat.SKETCH,
            base_model=BaseModelName.SKETCH,
            facts=facts,
            checkpoints=[_copied(earlier, into) for earlier in sorted(order.results.glob("step-*.safetensors"))],
        )


def _copied(earlier: Path, into: Path) -> Checkpoint:
    path = into / earlier.name
    shutil.copyfile(earlier, path)
    facts = json.loads(earlier.with_suffix(".json").read_bytes())
    return Checkpoint(path=path, step=facts["steps"], facts=facts)
