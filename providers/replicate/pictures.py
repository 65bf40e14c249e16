"""Owns how a picture order is told to Replicate's image models, the official one and our trained versions."""

from typing import Any

from providers.base import ImageOrder
from providers.replicate.schema import InputSchema

#: Denoising steps and guidance that FLUX.1 [dev] is meant for; the official model calls guidance so, fine-tunes
#: call it `guidance_scale` and weigh it on another scale. Source: the models' own schemas (2026-11).
_STEPS = 28
_GUIDANCE = {"guidance": 3.0, "guidance_scale": 3.5}


def picture_inputs(
    order: ImageOrder, schema: InputSchema | None, lora_url: str | None, extra_url: str | None = None
) -> dict[str, Any]:
    """Tell an order in the words of a model.

    Args:
        order: What is wanted.
        schema: Of the model; None when an official model keeps its own to itself.
        lora_url: Where the model fetches the LoRA; None for a version that has it inside.
        extra_url: Where it fetches the second one, if there is one.
    """
    wishes: dict[str, Any] = {
        "prompt": order.prompt,
        "num_outputs": order.count,
        "aspect_ratio": order.aspect.value,
        "seed": order.seed,
        "lora_scale": order.strength,
        "num_inference_steps": _STEPS,
        "output_format": "png",
        # The fast way rounds to 8 bits, so that the same seed would not give the same picture.
        "go_fast": False,
        "megapixels": "1",
    }
    wishes |= {name: value for name, value in _GUIDANCE.items() if (schema and name in schema) or name == "guidance"}
    if lora_url is None:
        wishes["model"] = "dev"
    else:
        wishes["lora_weights"] = lora_url
    if extra_url is not None:
        wishes |= {"extra_lora": extra_url, "extra_lora_scale": order.extra_loras[0].strength}
    needed = {"prompt", "num_outputs", "lora_weights", "extra_lora", "extra_lora_scale"}
    return {name: value for name, value in wishes.items() if schema is None or name in schema or name in needed}
