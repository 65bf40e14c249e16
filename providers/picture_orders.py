"""Owns the check of an order for pictures against what an image maker declares; never asks anybody."""

from collections.abc import Sequence

from providers.base import Enlargement, ExtraLora, ImageCapabilities, ImageOrder
from providers.errors import Refused


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
    base = order.lora.base_model
    if base not in can.base_models:
        raise Refused(f"{title} can't use a {base.label} LoRA of this kind.", advice="Choose another provider.")
    if order.count not in can.count:
        raise Refused(f"{title} makes {can.count.low:g} to {can.count.high:g} pictures at once.")
    if order.aspect not in can.aspects:
        raise Refused(f"{title} can't make {order.aspect} pictures.")
    if order.seed < 0:
        raise Refused("A seed can't be negative.")
    if can.uses_prompt and not order.prompt.strip():
        raise Refused(f"{title} needs a prompt.")
    if order.negative_prompt.strip() and base not in can.negative_prompts:
        raise Refused(f"{title} takes no negative prompt with {base.label} LoRAs.", advice="Leave it out.")
    _refuse_unfit_loras(order, can, title)


def _refuse_unfit_enlargement(wanted: Enlargement, can: ImageCapabilities, title: str) -> None:
    if can.upscale is None:
        raise Refused(f"{title} can't enlarge pictures.", advice="Choose another provider.")
    if wanted.factor not in can.upscale:
        raise Refused(f"{title} enlarges pictures {can.upscale.low:g} to {can.upscale.high:g} times.")


def _refuse_unfit_loras(order: ImageOrder, can: ImageCapabilities, title: str) -> None:
    loras = all_loras(order)
    if len(loras) > can.max_loras:
        most = "one LoRA" if can.max_loras == 1 else f"up to {can.max_loras} LoRAs"
        raise Refused(f"{title} takes {most} at once.", advice="Leave some out, or choose another provider.")
    for one in loras:
        if one.lora.base_model is not order.lora.base_model:
            raise Refused("LoRAs of different base models don't mix.", advice="Choose models of one kind.")
        if one.lora.format not in can.accepts:
            label = one.lora.base_model.label
            raise Refused(f"{title} can't use a {label} LoRA of this kind.", advice="Choose another provider.")
        if can.strength is not None and one.strength not in can.strength:
            raise Refused(f"{title} takes a strength of {can.strength.low:g} to {can.strength.high:g}.")
