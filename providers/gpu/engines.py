"""Owns what an engine on a GPU machine can train and how long that takes, and what its agent is told of a job.

The engines themselves are in agent/engines/; this is the bot's side of them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from providers.base import LoraFormat, TrainingOrder
from providers.recipe import BaseModelName, Limits, Recipe
from providers.wording import Wording

#: Pictures that an engine draws at the end, where that is switched on; as many as any training shows.
SAMPLES = 4
#: Seed of the first of them, and of the training; picture n has seed + n with either engine.
SEED = 42
#: Steps of training that drawing one picture is reckoned as. A guess, and no low one: there is no way back in them.
_STEPS_A_PICTURE = 25


@dataclass(frozen=True, kw_only=True)
class Pace:
    """How long a training takes, in seconds, from the machine's start to its end; each a low and a high figure."""

    #: Whatever the number of steps: image pulled, weights loaded, latents cached, result sent.
    before: tuple[float, float]
    #: Each step at 1024 pixels.
    step: tuple[float, float]
    #: Where the figures come from.
    basis: Wording

    def of(self, steps: int) -> tuple[float, float]:
        """Return the seconds that this many steps take."""
        return self.before[0] + steps * self.step[0], self.before[1] + steps * self.step[1]


@dataclass(frozen=True, kw_only=True)
class EngineOffer:
    """One engine as it is set up on one kind of machine."""

    #: As in `agent.engines.ENGINES`.
    name: str
    title: str
    #: The base models whose weights it can get at, with its pace for each.
    paces: Mapping[BaseModelName, Pace]
    produces: LoraFormat
    photos: Limits
    steps: Limits
    rank: Limits
    learning_rate: Limits
    #: Longest sides in pixels, the default first.
    resolutions: Sequence[int]
    #: None where it has no use for it.
    caption_dropout: Limits | None = None
    #: What the engine has to know beside the recipe, for each base model: paths, VRAM, where weights are.
    settings: Mapping[BaseModelName, Mapping[str, Any]] = field(default_factory=dict)
    #: It draws sample pictures when it has trained.
    draws: bool = False

    @property
    def base_models(self) -> frozenset[BaseModelName]:
        """Return what it can train for."""
        return frozenset(self.paces)

    def seconds(self, recipe: Recipe) -> tuple[float, float]:
        """Return how long such a training keeps its machine, a low and a high figure."""
        drawing = SAMPLES * _STEPS_A_PICTURE if self.draws else 0
        return self.paces[recipe.base_model].of(recipe.steps + drawing)

    def spec(self, order: TrainingOrder) -> dict[str, Any]:
        """Return what the agent is told, as `agent.job.Spec.from_json` reads it."""
        recipe = order.recipe
        return {
            "marker": order.marker,
            "engine": self.name,
            "recipe": asdict(recipe) | {"base_model": recipe.base_model.value, "kind": recipe.kind.value},
            "settings": {**self.settings.get(recipe.base_model, {}), **self._drawing(recipe)},
            "sample_prompts": [self.sample_prompt(recipe)] * SAMPLES if self.draws else [],
        }

    def sample_prompt(self, recipe: Recipe) -> str:
        """Return what sample pictures are drawn from; empty where none are drawn."""
        return f"a photo of {recipe.trigger_word}" if self.draws else ""

    def _drawing(self, recipe: Recipe) -> Mapping[str, Any]:
        # Every so many steps as there are is once, at the end.
        return {"sample_every": recipe.steps, "seed": SEED} if self.draws else {}
