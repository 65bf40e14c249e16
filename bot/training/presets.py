"""Owns sane numbers for a recipe: what fits the subject, within what the trainer takes; never asks anybody."""

from dataclasses import dataclass

from bot.draft import Draft
from bot.errors import BadInput
from bot.texts import _, either
from providers.base import Trainer
from providers.recipe import Limits, Recipe, SubjectKind

#: Styles need more steps and gentler learning than one face; as factors on the trainer's own defaults.
_STEPS = {SubjectKind.STYLE: 1.5}
_LEARNING_RATE = {SubjectKind.STYLE: 0.5}


@dataclass(frozen=True, kw_only=True)
class Wishes:
    """What a person asked for; None wherever they leave it to us."""

    steps: int | None = None
    rank: int | None = None
    learning_rate: float | None = None
    resolution: int | None = None
    autocaption: bool | None = None


def recipe_for(draft: Draft, trainer: Trainer, wishes: Wishes) -> Recipe:
    """Return the recipe with every number filled in.

    Raises:
        BadInput: a number is outside of what the trainer takes.
    """
    can = trainer.capabilities
    steps_default = min(can.steps.default * _STEPS.get(draft.kind, 1), can.steps.high)
    rate_default = can.learning_rate.default * _LEARNING_RATE.get(draft.kind, 1) if can.learning_rate else 0
    resolution = can.resolutions[0] if wishes.resolution is None else wishes.resolution
    if resolution not in can.resolutions:
        raise BadInput(
            _("{trainer} trains at {sizes} pixels, not at {size}.").format(
                trainer=trainer.title, sizes=either([str(size) for size in can.resolutions]), size=resolution
            ),
            advice=_("Choose one of these, or leave `resolution` out."),
        )
    return Recipe(
        base_model=draft.base_model,
        trigger_word=draft.trigger_word,
        kind=draft.kind,
        steps=int(_within(wishes.steps, can.steps, "steps", default=steps_default)),
        rank=int(_within(wishes.rank, can.rank, "rank", default=can.rank.default if can.rank else 0)),
        learning_rate=_within(wishes.learning_rate, can.learning_rate, "learning_rate", default=rate_default),
        resolution=resolution,
        autocaption=bool(wishes.autocaption) and can.autocaption,
    )


def ignored_wishes(trainer: Trainer, wishes: Wishes) -> list[str]:
    """Return the names of the options that this trainer has no use for, though they were given."""
    can = trainer.capabilities
    unused = {
        "rank": can.rank is None and wishes.rank is not None,
        "learning_rate": can.learning_rate is None and wishes.learning_rate is not None,
        "autocaption": not can.autocaption and bool(wishes.autocaption),
    }
    return [name for name, ignored in unused.items() if ignored]


def _within(wish: float | None, limits: Limits | None, name: str, *, default: float) -> float:
    if wish is None or limits is None:
        return default
    if wish not in limits:
        raise BadInput(
            _("`{option}` goes from {low} to {high} here, and {wish} is outside of it.").format(
                option=name, low=f"{limits.low:g}", high=f"{limits.high:g}", wish=f"{wish:g}"
            ),
            advice=_("{value} is a good value.").format(value=f"{limits.default:g}"),
        )
    return wish
