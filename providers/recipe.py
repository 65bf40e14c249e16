"""Owns what any trainer must be told about a LoRA; never decides who may train or what it costs."""

from dataclasses import dataclass
from enum import StrEnum


class BaseModelName(StrEnum):
    """A model that a LoRA is trained for and can be used with; the value is stored, so never rename one."""

    # In the order in which they are offered: the small one last.
    FLUX_1_DEV = "flux.1-dev"
    FLUX_2_DEV = "flux.2-dev"
    SKETCH = "sketch"

    @property
    def label(self) -> str:
        """Return the name that people know."""
        return {"sketch": "Sketch", "flux.1-dev": "FLUX.1 [dev]", "flux.2-dev": "FLUX.2 [dev]"}[self.value]


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
