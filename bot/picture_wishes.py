"""Owns what people ask of pictures, and what it comes to at an image maker; never begins any."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from secrets import randbelow

from bot import words
from bot.errors import BadInput
from bot.lora import Lora
from bot.texts import _, listed
from bot.training.job import MixedIn, PictureSpec
from bot.training.samples import SEEDS
from providers.base import Aspect, ImageMaker


@dataclass(frozen=True, kw_only=True)
class Mixing:
    """A further model that shall go in; its strength is None where it is left to us."""

    lora_id: str
    strength: float | None = None


@dataclass(frozen=True, kw_only=True)
class PictureWishes:
    """What a person asked for; None wherever they leave it to us."""

    prompt: str = ""
    #: What the pictures shall not show.
    negative_prompt: str = ""
    count: int = 1
    seed: int | None = None
    aspect: Aspect = Aspect.SQUARE
    strength: float | None = None
    #: Name of the image maker.
    provider: str | None = None
    mixed_in: Sequence[Mixing] = ()


def spec_for(maker: ImageMaker, wishes: PictureWishes, lora: Lora, mixed_in: Sequence[Lora]) -> PictureSpec:
    """Return what a maker is asked for, with every value filled in.

    Raises:
        BadInput: a value is outside of what the image maker takes.
    """
    can = maker.capabilities
    if wishes.count not in can.count:
        raise BadInput(
            _("{provider} makes {low} to {high} pictures at once.").format(
                provider=maker.title, low=f"{can.count.low:g}", high=f"{can.count.high:g}"
            )
        )
    if wishes.aspect not in can.aspects:
        raise BadInput(
            _("{provider} cannot make {shape} pictures.").format(provider=maker.title, shape=wishes.aspect),
            advice=_("It can make {shapes}.").format(shapes=", ".join(sorted(can.aspects))),
        )
    if wishes.seed is not None and not 0 <= wishes.seed < SEEDS:
        raise BadInput(
            _("A seed is a whole number from 0 to {most}.").format(most=SEEDS - 1),
            advice=_("Leave it out for a random one."),
        )
    return PictureSpec(
        prompt=words.prompt(wishes.prompt) or f"a photo of {lora.trigger_word or lora.kind}",
        negative_prompt=words.prompt(wishes.negative_prompt),
        count=wishes.count,
        seed=randbelow(SEEDS) if wishes.seed is None else wishes.seed,
        aspect=wishes.aspect,
        strength=_strength(maker, lora, wishes.strength),
        mixed_in=tuple(
            MixedIn(lora_id=one.id, strength=_strength(maker, one, wish.strength))
            for one, wish in zip(mixed_in, wishes.mixed_in, strict=True)
        ),
    )


def shapes_of(makers: Collection[ImageMaker]) -> Sequence[Aspect]:
    """Return the shapes that one of these makers can do, in their usual order."""
    return [aspect for aspect in Aspect if any(aspect in maker.capabilities.aspects for maker in makers)]


def heeds_negative_prompt(makers: Collection[ImageMaker], lora: Lora) -> bool:
    """Tell whether one of these makers heeds a negative prompt with this model."""
    return any(lora.base_model in maker.capabilities.negative_prompts for maker in makers)


def unlike(lora: Lora, mixed_in: Sequence[Lora]) -> None:
    """Refuse to mix a model with itself.

    Raises:
        BadInput: one of them is named twice.
    """
    ids = [lora.id, *(one.id for one in mixed_in)]
    twice = [one.name for one in (lora, *mixed_in) if ids.count(one.id) > 1]
    if twice:
        raise BadInput(
            _("{models} is named twice.").format(models=listed([f"**{name}**" for name in dict.fromkeys(twice)])),
            advice=_("Give it more strength instead."),
        )


def _strength(maker: ImageMaker, lora: Lora, wished: float | None) -> float:
    """Return the strength that was wished, or else the model's own if the maker takes it, or else the maker's."""
    takes = maker.capabilities.strength
    if takes is None:
        return 1.0 if wished is None else wished
    if wished is None:
        return lora.strength if lora.strength is not None and lora.strength in takes else takes.default
    if wished not in takes:
        raise BadInput(
            _("`strength` goes from {low} to {high} here.").format(low=f"{takes.low:g}", high=f"{takes.high:g}"),
            advice=_("{value} is a good value.").format(value=f"{takes.default:g}"),
        )
    return wished
