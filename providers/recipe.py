"""Owns what any trainer must be told about a LoRA; never decides who may train or what it costs."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class BaseModelName(StrEnum):
    """A model that a LoRA is trained for and can be used with; the value is stored, so never rename one."""

    # In the order in which they are offered: the small one last.
    FLUX_1_DEV = "flux.1-dev"
    FLUX_2_DEV = "flux.2-dev"
    SDXL = "sdxl"
    SD_1_5 = "sd-1.5"
    SKETCH = "sketch"

    @property
    def label(self) -> str:
        """Return the name that people know."""
        return _LABELS[self]


_LABELS = {
    BaseModelName.FLUX_1_DEV: "FLUX.1 [dev]",
    BaseModelName.FLUX_2_DEV: "FLUX.2 [dev]",
    BaseModelName.SDXL: "Stable Diffusion XL",
    BaseModelName.SD_1_5: "Stable Diffusion 1.5",
    BaseModelName.SKETCH: "Sketch",
}


class SubjectKind(StrEnum):
    """What the photos show."""

    PERSON = "person"
    ANIMAL = "animal"
    OBJECT = "object"
    STYLE = "style"


@dataclass(frozen=True, kw_only=True)
class Limits:
    """The values that a trainer takes for one number of a recipe, both ends included."""

    low: float
    high: float
    default: float

    @property
    def ends(self) -> Mapping[str, str]:
        """Return both ends as sentences have them, `low` and `high`."""
        return {"low": f"{self.low:g}", "high": f"{self.high:g}"}

    def __contains__(self, value: float) -> bool:
        return self.low <= value <= self.high


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How one LoRA is trained.

    A trainer that has no use for a number says so in its capabilities and ignores it.
    """

    base_model: BaseModelName
    trigger_word: str
    kind: SubjectKind
    steps: int
    rank: int
    learning_rate: float
    #: Longest side of a training picture, in pixels.
    resolution: int
    #: Let the provider write captions for the photos that have none.
    autocaption: bool
    #: Share of the steps that see a photo without its caption, 0 to 1; None for the trainer's own.
    caption_dropout: float | None = None
