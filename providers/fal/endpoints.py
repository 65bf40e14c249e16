"""Owns the table of fal's endpoints: what each takes and gives; never sends anything.

The inputs are those of the types that fal's own JavaScript client carries (fal-ai/fal-js, libs/client/src/types) and of
fal.ai/models/<endpoint>/llms.txt, read on 2026-11-23; the upscaler's are those of its llms.txt and of the crate
`fal` 0.3.6, which is generated from fal's own schemas, read on 2026-11-26.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from providers.base import Enlargement, ImageOrder, LoraFormat
from providers.picture_orders import all_loras
from providers.picture_size import PIXELS
from providers.recipe import BaseModelName, Limits, Recipe, SubjectKind


@dataclass(frozen=True, kw_only=True)
class TrainerEndpoint:
    """One of fal's trainers."""

    #: The adapter's name and title.
    name: str
    title: str
    endpoint: str
    base_model: BaseModelName
    photos: Limits
    steps: Limits
    learning_rate: Limits | None
    autocaption: bool
    #: The input that takes the archive's URL.
    archive: str
    #: All other inputs.
    inputs: Callable[[Recipe], Mapping[str, Any]]
    #: A guess from what people report, to be replaced by what was measured.
    minutes_per_1000_steps: float


@dataclass(frozen=True, kw_only=True)
class ImageEndpoint:
    """One of fal's image makers that take LoRAs."""

    endpoint: str
    base_model: BaseModelName
    guidance_scale: float


def _flux_1(recipe: Recipe) -> Mapping[str, Any]:
    style = recipe.kind is SubjectKind.STYLE
    # For a style fal writes no captions and makes no masks; otherwise it captions the photos that have none.
    return {
        "trigger_word": recipe.trigger_word,
        "steps": recipe.steps,
        "is_style": style,
        "create_masks": not style,
        "data_archive_format": "zip",
    }


def _flux_2(recipe: Recipe) -> Mapping[str, Any]:
    # There is no trigger word: what it stands for is learnt from captions, and a photo without one ends the training.
    return {
        "steps": recipe.steps,
        "learning_rate": recipe.learning_rate,
        "default_caption": f"a photo of {recipe.trigger_word}",
        "output_lora_format": "fal",
    }


FLUX_1_TRAINER = TrainerEndpoint(
    name="fal",
    title="fal (FLUX.1)",
    endpoint="fal-ai/flux-lora-fast-training",
    base_model=BaseModelName.FLUX_1_DEV,
    photos=Limits(low=4, high=200, default=12),
    steps=Limits(low=1, high=10_000, default=1000),
    learning_rate=None,
    autocaption=True,
    archive="images_data_url",
    inputs=_flux_1,
    minutes_per_1000_steps=5,
)
FLUX_2_TRAINER = TrainerEndpoint(
    name="fal-flux2",
    title="fal (FLUX.2)",
    endpoint="fal-ai/flux-2-trainer",
    base_model=BaseModelName.FLUX_2_DEV,
    photos=Limits(low=4, high=200, default=12),
    steps=Limits(low=100, high=10_000, default=1000),
    # fal tells the default alone; the ends are ours, a factor of twenty around it.
    learning_rate=Limits(low=2.5e-6, high=1e-3, default=5e-5),
    autocaption=False,
    archive="image_data_url",
    inputs=_flux_2,
    minutes_per_1000_steps=20,
)

TRAINERS: Sequence[TrainerEndpoint] = (FLUX_1_TRAINER, FLUX_2_TRAINER)
IMAGE_MAKERS: Sequence[ImageEndpoint] = (
    ImageEndpoint(endpoint="fal-ai/flux-lora", base_model=BaseModelName.FLUX_1_DEV, guidance_scale=3.5),
    ImageEndpoint(endpoint="fal-ai/flux-2/lora", base_model=BaseModelName.FLUX_2_DEV, guidance_scale=2.5),
)
#: What enlarges pictures, and by what factors.
UPSCALER = "fal-ai/esrgan"
UPSCALE = Limits(low=1, high=8, default=2)
#: The layouts of weights that fal's image makers load.
ACCEPTED = frozenset({LoraFormat.DIFFUSERS, LoraFormat.KOHYA})
#: The most that FLUX.2's page allows in one request; FLUX.1's names no number.
MOST_LORAS = 3


def image_inputs(maker: ImageEndpoint, order: ImageOrder, lora_urls: Sequence[str]) -> Mapping[str, Any]:
    """Return the inputs of an image maker; both take the same, and neither a negative prompt."""
    width, height = PIXELS[order.aspect]
    return {
        "prompt": order.prompt,
        "loras": [{"path": url, "scale": one.strength} for url, one in zip(lora_urls, all_loras(order), strict=True)],
        "num_images": order.count,
        "seed": order.seed,
        "image_size": {"width": width, "height": height},
        "num_inference_steps": 28,
        "guidance_scale": maker.guidance_scale,
        "enable_safety_checker": True,
        "output_format": "png",
    }


def upscale_inputs(picture: Enlargement, url: str) -> Mapping[str, Any]:
    """Return the inputs of the upscaler."""
    # A photo of four megapixels as PNG may be more than Discord takes in one message.
    return {"image_url": url, "scale": picture.factor, "model": "RealESRGAN_x4plus", "output_format": "jpeg"}


def app_of(endpoint: str) -> str:
    """Return owner and app, which address a request once it is in the queue; the path behind them is for submitting."""
    return "/".join(endpoint.split("/")[:2])
