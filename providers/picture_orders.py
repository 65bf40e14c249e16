"""Owns the check of an order for pictures against what an image maker declares; never asks anybody."""

from collections.abc import Sequence

from providers.base import Enlargement, ExtraLora, ImageCapabilities, ImageOrder
from providers.errors import Refused

_CANT_USE = "{provider} can't use a {base_model} LoRA of this kind."
_FEWER = "Leave some out, or choose another provider."


def all_loras(order: ImageOrder) -> Sequence[ExtraLora]:
    """Return every LoRA of an order with its strength, its own first."""
    return [ExtraLora(lora=order.lora, strength=order.strength), *order.extra_loras]


def private_words(order: ImageOrder) -> Sequence[str]:
    """Return what no error and no log line may repeat."""
    return [w for w in (order.prompt, order.negative_prompt, *(one.lora.trigger_word for one in all_loras(order))) if w]


def refuse_unfit(order: ImageOrder, can: ImageCapabilities, *, title: str) -> None:
    """Check an order before anything is paid for it.

    Args:
        order: What is wanted.
        can: What the image maker declares.
        title: Its name for people.

    Raises:
        Refused: it can't be done there.
    """
    if order.enlarge is not None:
        _refuse_unfit_enlargement(order.enlarge, can, title)
        return
    base, named = order.lora.base_model, {"provider": title}
    if base not in can.base_models:
        raise Refused(_CANT_USE, values={**named, "base_model": base.label}, advice="Choose another provider.")
    if order.count not in can.count:
        raise Refused("{provider} makes {low} to {high} pictures at once.", values={**named, **can.count.ends})
    if order.aspect not in can.aspects:
        raise Refused("{provider} can't make {shape} pictures.", values={**named, "shape": order.aspect.value})
    if order.seed < 0:
        raise Refused("A seed can't be negative.")
    if can.uses_prompt and not order.prompt.strip():
        raise Refused("{provider} needs a prompt.", values=named)
    if order.negative_prompt.strip() and base not in can.negative_prompts:
        raise Refused(
            "{provider} takes no negative prompt with {base_model} LoRAs.",
            values={**named, "base_model": base.label},
            advice="Leave it out.",
        )
    _refuse_unfit_loras(order, can, title)


def _refuse_unfit_enlargement(wanted: Enlargement, can: ImageCapabilities, title: str) -> None:
    named = {"provider": title}
    if can.upscale is None:
        raise Refused("{provider} can't enlarge pictures.", values=named, advice="Choose another provider.")
    if wanted.factor not in can.upscale:
        raise Refused("{provider} enlarges pictures {low} to {high} times.", values={**named, **can.upscale.ends})


def _refuse_unfit_loras(order: ImageOrder, can: ImageCapabilities, title: str) -> None:
    loras, named = all_loras(order), {"provider": title}
    if len(loras) > can.max_loras == 1:
        raise Refused("{provider} takes one LoRA at once.", values=named, advice=_FEWER)
    if len(loras) > can.max_loras:
        raise Refused(
            "{provider} takes up to {most} LoRAs at once.", values={**named, "most": can.max_loras}, advice=_FEWER
        )
    for one in loras:
        if one.lora.base_model is not order.lora.base_model:
            raise Refused("LoRAs of different base models don't mix.", advice="Choose models of one kind.")
        if one.lora.format not in can.accepts:
            label = one.lora.base_model.label
            raise Refused(_CANT_USE, values={**named, "base_model": label}, advice="Choose another provider.")
        if can.strength is not None and one.strength not in can.strength:
            raise Refused("{provider} takes a strength of {low} to {high}.", values={**named, **can.strength.ends})
