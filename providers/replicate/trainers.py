"""Owns the trainers at Replicate that we know, and how a recipe is told to these and to others; never sends it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from providers.base import LoraFormat
from providers.errors import Refused
from providers.recipe import BaseModelName, Limits, Recipe, SubjectKind
from providers.replicate.schema import InputSchema
from providers.replicate.settings import ReplicateSettings
from providers.wording import Wording


@dataclass(frozen=True, kw_only=True)
class Seconds:
    """How long a training runs: a fixed part and a part for each step, at best and at worst."""

    fixed: tuple[float, float]
    per_step: tuple[float, float]

    def of(self, steps: int) -> tuple[float, float]:
        """Return the least and the most that so many steps take."""
        low, high = (fixed + each * steps for fixed, each in zip(self.fixed, self.per_step, strict=True))
        return low, high


@dataclass(frozen=True, kw_only=True)
class KnownTrainer:
    """What we know of a trainer before it is asked."""

    base_model: BaseModelName = BaseModelName.FLUX_1_DEV
    produces: LoraFormat = LoraFormat.DIFFUSERS
    steps: Limits
    rank: Limits | None
    learning_rate: Limits | None
    resolutions: Sequence[int]
    autocaption: bool
    caption_dropout: Limits | None = None
    hardware: str
    seconds: Seconds
    #: Where `seconds` comes from.
    basis: Wording


#: Limits are those of train.py in github.com/replicate/flux-fine-tuner (2025-06). Times for 1,000 steps: at best the
#: 11 min 22 s that github.com/quinn-dev-public/lora-flux-demo reports for 20 photos on an H100, at worst about $3.
_OSTRIS = KnownTrainer(
    steps=Limits(low=3, high=6000, default=1000),
    rank=Limits(low=1, high=128, default=16),
    learning_rate=Limits(low=1e-6, high=1e-2, default=4e-4),
    resolutions=(1024, 768, 512),
    autocaption=True,
    caption_dropout=Limits(low=0, high=1, default=0.05),
    hardware="gpu-h100",
    seconds=Seconds(fixed=(120, 300), per_step=(0.56, 1.65)),
    basis="1,000 steps were reported to take 11 to 33 minutes",
)
#: Closed source; it is told to take about two minutes and $1.50, which is the price of eight H100 for that time.
_FAST = KnownTrainer(
    steps=Limits(low=100, high=2000, default=1000),
    rank=None,
    learning_rate=None,
    resolutions=(1024,),
    autocaption=False,
    hardware="gpu-h100-8x",
    seconds=Seconds(fixed=(60, 120), per_step=(0.06, 0.12)),
    basis="1,000 steps were reported to take 2 to 4 minutes",
)
_KNOWN: Mapping[str, KnownTrainer] = MappingProxyType(
    {"ostris/flux-dev-lora-trainer": _OSTRIS, "replicate/fast-flux-trainer": _FAST}
)

#: The names under which trainers take the same thing; the version's own schema decides which one it is.
_NAMES: Mapping[str, Sequence[str]] = MappingProxyType(
    {
        "images": ("input_images", "dataset", "images_zip"),
        "trigger_word": ("trigger_word", "token_string"),
        "steps": ("steps", "training_steps", "max_train_steps"),
        "rank": ("lora_rank", "rank"),
        "learning_rate": ("learning_rate",),
        "resolution": ("resolution",),
        "autocaption": ("autocaption",),
        "caption_dropout": ("caption_dropout_rate",),
        "batch_size": ("batch_size",),
        "optimizer": ("optimizer",),
    }
)


def known_trainer(settings: ReplicateSettings) -> KnownTrainer:
    """Return what we know of the trainer that is set; an unknown one is taken for one of ostris' kind."""
    known = _KNOWN.get(settings.trainer)
    if known is not None:
        return known
    return KnownTrainer(
        base_model=settings.trainer_base_model,
        steps=_OSTRIS.steps,
        rank=_OSTRIS.rank,
        learning_rate=_OSTRIS.learning_rate,
        resolutions=_OSTRIS.resolutions,
        autocaption=_OSTRIS.autocaption,
        caption_dropout=_OSTRIS.caption_dropout,
        hardware=_OSTRIS.hardware,
        seconds=_OSTRIS.seconds,
        basis="guessed from another trainer",
    )


def images_input(schema: InputSchema) -> str:
    """Return the input that takes the archive.

    Raises:
        Refused: it has none that we know.
    """
    name = schema.first(*_NAMES["images"])
    if name is None:
        advice = "The operator of this bot has to set another trainer."
        raise Refused("This trainer at Replicate takes photos in a way that this bot doesn't know.", advice=advice)
    return name


def training_inputs(recipe: Recipe, schema: InputSchema, settings: ReplicateSettings) -> dict[str, Any]:
    """Tell a recipe in the words of a trainer, all but the archive; what it has no input for is left out."""
    known = known_trainer(settings)
    wishes: dict[str, Any] = {
        "trigger_word": recipe.trigger_word,
        "steps": recipe.steps,
        "rank": recipe.rank if known.rank else None,
        "learning_rate": recipe.learning_rate if known.learning_rate else None,
        "resolution": recipe.resolution,
        "autocaption": recipe.autocaption,
        "caption_dropout": recipe.caption_dropout if known.caption_dropout else None,
        "batch_size": settings.batch_size,
        "optimizer": settings.optimizer,
    }
    inputs: dict[str, Any] = {}
    for wish, value in wishes.items():
        name = schema.first(*_NAMES[wish])
        if name is not None and value is not None:
            inputs[name] = value
    if "resolution" in inputs and schema.type_of("resolution") == "string":
        inputs["resolution"] = _buckets(recipe.resolution, known.resolutions)
    if "lora_type" in schema:
        inputs["lora_type"] = "style" if recipe.kind is SubjectKind.STYLE else "subject"
    if recipe.autocaption:
        inputs |= _caption_frame(recipe, schema, settings)
    return inputs


def _buckets(longest: int, sizes: Sequence[int]) -> str:
    """Return the sizes that each photo is trained at: all up to the longest side, as these trainers expect."""
    return ",".join(str(size) for size in sorted({*sizes, longest}) if size <= longest)


def _caption_frame(recipe: Recipe, schema: InputSchema, settings: ReplicateSettings) -> dict[str, str]:
    frame = {"autocaption_prefix": settings.autocaption_prefix, "autocaption_suffix": settings.autocaption_suffix}
    return {
        name: text.replace("{trigger_word}", recipe.trigger_word)
        for name, text in frame.items()
        if text and name in schema
    }
