"""Owns sane numbers for a recipe: what fits the subject and the hurry, within what the trainer takes; asks nobody."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from bot.draft import Draft
from bot.errors import BadInput
from bot.texts import N_, _, either
from providers.base import Trainer, TrainerCapabilities
from providers.recipe import Limits, Recipe, SubjectKind


class Preset(StrEnum):
    """A set of numbers with a name; the value is stored with quotes, so never rename one."""

    USUAL = "usual"
    PORTRAIT_FAST = "portrait-fast"
    PORTRAIT_THOROUGH = "portrait-thorough"
    ANIMAL_FAST = "animal-fast"
    ANIMAL_THOROUGH = "animal-thorough"
    OBJECT_FAST = "object-fast"
    OBJECT_THOROUGH = "object-thorough"
    STYLE_FAST = "style-fast"
    STYLE_THOROUGH = "style-thorough"


@dataclass(frozen=True, kw_only=True)
class Tuning:
    """What a preset means: factors on the trainer's own defaults, which its makers found to work."""

    title: str
    #: What one gets, a sentence; Discord shows 100 characters of it in a menu.
    meaning: str
    steps: float
    learning_rate: float
    rank: float = 1.0
    #: Learn from the largest pictures that the trainer takes, rather than from its default size.
    finest: bool = False


#: Where nobody chose: styles need more steps and gentler learning than one face.
_USUAL: Mapping[SubjectKind, tuple[float, float]] = {SubjectKind.STYLE: (1.5, 0.5)}

PRESETS: Mapping[Preset, Tuning] = {
    Preset.USUAL: Tuning(
        title=N_("Usual"),
        meaning=N_("The trainer's own numbers, fitted to what your photos show."),
        steps=1,
        learning_rate=1,
    ),
    Preset.PORTRAIT_FAST: Tuning(
        title=N_("Portrait, fast"),
        meaning=N_("A likeness soon, with half the steps; good for a first look."),
        steps=0.5,
        learning_rate=1.25,
    ),
    Preset.PORTRAIT_THOROUGH: Tuning(
        title=N_("Portrait, thorough"),
        meaning=N_("More steps and gentler learning: the face holds in other light and poses."),
        steps=1.6,
        learning_rate=0.75,
        finest=True,
    ),
    Preset.ANIMAL_FAST: Tuning(
        title=N_("Animal, fast"),
        meaning=N_("Shape and colours of the fur soon; poses stay close to the photos."),
        steps=0.5,
        learning_rate=1.25,
    ),
    Preset.ANIMAL_THOROUGH: Tuning(
        title=N_("Animal, thorough"),
        meaning=N_("More steps and gentler learning: the markings hold in new poses."),
        steps=1.5,
        learning_rate=0.75,
        finest=True,
    ),
    Preset.OBJECT_FAST: Tuning(
        title=N_("Object, fast"),
        meaning=N_("The fewest steps and a small LoRA: plain shapes are learned quickly."),
        steps=0.4,
        learning_rate=1.25,
        rank=0.5,
    ),
    Preset.OBJECT_THOROUGH: Tuning(
        title=N_("Object, thorough"),
        meaning=N_("Keeps small details such as edges and labels; takes longer."),
        steps=1.3,
        learning_rate=0.8,
        finest=True,
    ),
    Preset.STYLE_FAST: Tuning(
        title=N_("Style, fast"),
        meaning=N_("Gentle learning: colours and strokes, and little of the subjects."),
        steps=1,
        learning_rate=0.6,
    ),
    Preset.STYLE_THOROUGH: Tuning(
        title=N_("Style, thorough"),
        meaning=N_("The most steps and a large LoRA: the style takes over whole pictures."),
        steps=2,
        learning_rate=0.5,
        rank=2,
        finest=True,
    ),
}


@dataclass(frozen=True, kw_only=True)
class Wishes:
    """What a person asked for; None wherever they leave it to the preset."""

    preset: Preset = Preset.USUAL
    steps: int | None = None
    rank: int | None = None
    learning_rate: float | None = None
    resolution: int | None = None
    autocaption: bool | None = None
    caption_dropout: float | None = None

    @property
    def own_numbers(self) -> bool:
        """Tell whether a number differs from what the preset says."""
        numbers = (self.steps, self.rank, self.learning_rate, self.resolution, self.caption_dropout)
        return any(number is not None for number in numbers)


def recipe_for(draft: Draft, trainer: Trainer, wishes: Wishes) -> Recipe:
    """Return the recipe with every number filled in.

    Raises:
        BadInput: a number is outside of what the trainer takes.
    """
    can, usual = trainer.capabilities, usual_numbers(draft.kind, trainer.capabilities, wishes.preset)
    resolution = usual.resolution if wishes.resolution is None else wishes.resolution
    if resolution not in can.resolutions:
        raise BadInput(
            _("{trainer} trains at {sizes} pixels, not at {size}.").format(
                trainer=trainer.title, sizes=either([str(size) for size in can.resolutions]), size=resolution
            ),
            advice=_("Choose one of these, or leave `resolution` out."),
        )
    dropout = can.caption_dropout
    return Recipe(
        base_model=draft.base_model,
        trigger_word=draft.trigger_word,
        kind=draft.kind,
        steps=int(_within(wishes.steps, can.steps, "steps", usual=usual.steps)),
        rank=int(_within(wishes.rank, can.rank, "rank", usual=usual.rank)),
        learning_rate=_within(wishes.learning_rate, can.learning_rate, "learning_rate", usual=usual.learning_rate),
        resolution=resolution,
        autocaption=bool(wishes.autocaption) and can.autocaption,
        caption_dropout=(
            _within(wishes.caption_dropout, dropout, "caption_dropout", usual=dropout.default) if dropout else None
        ),
    )


@dataclass(frozen=True, kw_only=True)
class Numbers:
    """The numbers of one preset at one trainer; 0 for those that it has no use for."""

    steps: int
    rank: int
    learning_rate: float
    resolution: int


def usual_numbers(kind: SubjectKind, can: TrainerCapabilities, preset: Preset) -> Numbers:
    """Return what a preset means at a trainer, for photos of this kind."""
    tuning = PRESETS[preset]
    steps, rate = _USUAL.get(kind, (1.0, 1.0)) if preset is Preset.USUAL else (tuning.steps, tuning.learning_rate)
    return Numbers(
        steps=round(_clipped(can.steps, steps)),
        rank=round(_clipped(can.rank, tuning.rank)) if can.rank else 0,
        # Two digits say all; more would look measured.
        learning_rate=float(f"{_clipped(can.learning_rate, rate):.2g}") if can.learning_rate else 0.0,
        resolution=max(can.resolutions) if tuning.finest else can.resolutions[0],
    )


def same_again(recipe: Recipe, *, preset: Preset = Preset.USUAL) -> Wishes:
    """Return the wishes that lead to this recipe again, at a trainer that takes all its numbers."""
    return Wishes(
        preset=preset,
        steps=recipe.steps,
        rank=recipe.rank or None,
        learning_rate=recipe.learning_rate or None,
        resolution=recipe.resolution,
        autocaption=recipe.autocaption,
        caption_dropout=recipe.caption_dropout,
    )


def ignored_wishes(trainer: Trainer, wishes: Wishes) -> list[str]:
    """Return the names of the options that this trainer has no use for, though they were given."""
    can = trainer.capabilities
    unused = {
        "rank": can.rank is None and wishes.rank is not None,
        "learning_rate": can.learning_rate is None and wishes.learning_rate is not None,
        "autocaption": not can.autocaption and bool(wishes.autocaption),
        "caption_dropout": can.caption_dropout is None and wishes.caption_dropout is not None,
    }
    return [name for name, ignored in unused.items() if ignored]


def _clipped(limits: Limits, factor: float) -> float:
    return min(max(limits.default * factor, limits.low), limits.high)


def _within(wish: float | None, limits: Limits | None, name: str, *, usual: float) -> float:
    if wish is None or limits is None:
        return usual
    if wish not in limits:
        raise BadInput(
            _("`{option}` goes from {low} to {high} here, and {wish} is outside of it.").format(
                option=name, low=f"{limits.low:g}", high=f"{limits.high:g}", wish=f"{wish:g}"
            ),
            advice=_("{value} is a good value.").format(value=f"{limits.default:g}"),
        )
    return wish
