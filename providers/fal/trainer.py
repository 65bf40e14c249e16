"""Owns fal's trainers: one adapter for each entry of the table in endpoints.py."""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import aiohttp
from pydantic import BaseModel, ConfigDict

from providers.artifacts import Caps
from providers.base import (
    Estimate,
    LoraFormat,
    Prepared,
    Progress,
    TrainedLora,
    TrainerCapabilities,
    TrainingOrder,
)
from providers.errors import Refused
from providers.fal.adapter import FalAdapter
from providers.fal.api import FalSettings, FalStatus
from providers.fal.endpoints import TrainerEndpoint
from providers.prices import Unit
from providers.progress import training_progress
from providers.recipe import Recipe
from providers.weights import inspect_weights
from providers.wording import Sentence, in_a_row

#: LoRAs of FLUX.2 with a high rank come near one GiB.
_CAPS = Caps(bytes=2 * 1024**3, seconds=1800)


class _File(BaseModel):
    model_config = ConfigDict(extra="ignore")

    url: str


class _Trained(BaseModel):
    model_config = ConfigDict(extra="ignore")

    diffusers_lora_file: _File


class FalTrainer(FalAdapter[TrainingOrder, TrainedLora]):
    """Trains LoRAs at one of fal's trainers; see `FalAdapter` for the other arguments."""

    def __init__(
        self, settings: FalSettings, session: aiohttp.ClientSession, trainer: TrainerEndpoint, **others: Any
    ) -> None:
        super().__init__(settings, session, **others)
        self._trainer = trainer

    @property
    def name(self) -> str:
        """Return the short name."""
        return self._trainer.name

    @property
    def title(self) -> str:
        """Return the name for people."""
        return self._trainer.title

    @property
    def capabilities(self) -> TrainerCapabilities:
        """Return what it can do."""
        return TrainerCapabilities(
            findable=False,
            settle_seconds=60,
            cancelable=True,
            poll_seconds=10,
            max_run_seconds=4 * 3600,
            notice="Photos go to fal for the training, which decides on rank and resolution itself.",
            base_models=frozenset({self._trainer.base_model}),
            produces=LoraFormat.DIFFUSERS,
            photos=self._trainer.photos,
            steps=self._trainer.steps,
            rank=None,
            learning_rate=self._trainer.learning_rate,
            # It has no use for a number.
            resolutions=(1024, 768, 512),
            autocaption=self._trainer.autocaption,
        )

    def estimate(self, recipe: Recipe, photo_count: int) -> Estimate:
        """Return what the steps cost."""
        price = self._prices.find(f"fal/{self._trainer.endpoint}", Unit.STEP)
        usd = round(price.usd * recipe.steps, 2) if price else 0.0
        known = price.basis if price else Sentence("no price of this trainer is known here")
        basis = in_a_row([known, Sentence("the minutes are a guess")])
        minutes = 2 + self._trainer.minutes_per_1000_steps * recipe.steps / 1000
        return Estimate(low_usd=usd, high_usd=usd, minutes=minutes, basis=basis)

    @property
    def _endpoints(self) -> Sequence[str]:
        return [self._trainer.endpoint]

    def _refuse_unfit(self, order: TrainingOrder) -> None:
        trainer, recipe = self._trainer, order.recipe
        named = {"provider": trainer.title}
        if recipe.base_model is not trainer.base_model:
            raise Refused(
                "{provider} can't train for {base_model}.", values={**named, "base_model": recipe.base_model.label}
            )
        if order.photo_count not in trainer.photos:
            raise Refused("{provider} takes {low} to {high} photos.", values={**named, **trainer.photos.ends})
        if recipe.steps not in trainer.steps:
            raise Refused("{provider} takes {low} to {high} steps.", values={**named, **trainer.steps.ends})
        if trainer.learning_rate is not None and recipe.learning_rate not in trainer.learning_rate:
            ends = trainer.learning_rate.ends
            raise Refused("{provider} takes a learning rate of {low} to {high}.", values={**named, **ends})

    async def _urls(self, order: TrainingOrder) -> Sequence[str]:
        return [await self._fetchable(order.archive, f"{order.marker}.zip", "application/zip")]

    def _request(self, order: TrainingOrder, urls: Sequence[str]) -> tuple[str, Mapping[str, Any]]:
        return self._trainer.endpoint, {self._trainer.archive: urls[0], **self._trainer.inputs(order.recipe)}

    def _usd(self, order: TrainingOrder) -> float | None:
        price = self._prices.find(f"fal/{self._trainer.endpoint}", Unit.STEP)
        return round(price.usd * order.recipe.steps, 4) if price else None

    def _hidden(self, order: TrainingOrder) -> Sequence[str]:
        return (order.recipe.trigger_word,)

    def _progress(self, status: FalStatus, prepared: Prepared) -> Progress:
        text = "\n".join(line.message for line in status.logs or [])
        return training_progress(text, total=int(prepared["steps"])) or Progress(phase="getting ready")

    async def prepare(self, order: TrainingOrder) -> Prepared:
        """Bring the archive to where fal can fetch it."""
        return {**await super().prepare(order), "steps": order.recipe.steps}

    async def _gather(self, body: Any, prepared: Prepared, into: Path) -> TrainedLora:
        url = _Trained.model_validate(body).diffusers_lora_file.url
        fetched = await self._artifacts.fetch(url, into / "lora.safetensors", _CAPS)
        weights = await asyncio.to_thread(inspect_weights, fetched.path)
        return TrainedLora(
            path=fetched.path,
            format=weights.format or LoraFormat.DIFFUSERS,
            base_model=self._trainer.base_model,
            facts={"trainer": self._trainer.endpoint, "tensors": weights.tensors},
        )
