"""Owns the ImageMaker that draws with Sketch models on this machine; never computes in the bot's own process."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from providers.base import Aspect, Estimate, ImageCapabilities, ImageOrder, LoraFormat, MadeImage, MadeImages
from providers.errors import Refused
from providers.picture_orders import refuse_unfit
from providers.recipe import BaseModelName, Limits
from providers.sketch.adapter import SketchAdapter
from providers.sketch.order_folder import OrderFolder

_CAPABILITIES = ImageCapabilities(
    findable=True,
    settle_seconds=0,
    cancelable=True,
    poll_seconds=1,
    max_run_seconds=3600,
    notice="Sketch ignores the prompt: seed, aspect and strength decide. Drawn at 128 or 256 px, enlarged four times.",
    base_models=frozenset({BaseModelName.SKETCH}),
    accepts=frozenset({LoraFormat.SKETCH}),
    aspects=frozenset(Aspect),
    count=Limits(low=1, high=4, default=1),
    strength=Limits(low=0.2, high=1.0, default=0.8),
    uses_prompt=False,
)


class SketchImageMaker(SketchAdapter[ImageOrder, MadeImages]):
    """Draws pictures with Sketch models.

    A high strength takes over whole parts of a photo, a low one mixes many photos freely, down to dreamlike. A PNG
    has four times the side of what was drawn, by interpolation.
    """

    kind = "pictures"

    @property
    def capabilities(self) -> ImageCapabilities:
        """Return what it can do."""
        return _CAPABILITIES

    def estimate(self, count: int) -> Estimate:
        """Return what these pictures take; they are free."""
        # Measured on one core of a small server for a model of 128 px and 8 photos; one of 256 px takes twice as long.
        return Estimate(low_usd=0, high_usd=0, minutes=(1 + 1.3 * count) / 60, basis="runs on this machine: free")

    def _refuse_unfit(self, order: ImageOrder) -> None:
        can = self.capabilities
        if order.lora.base_model not in can.base_models or order.lora.format not in can.accepts:
            raise Refused("Sketch can only draw with models that Sketch trained.", advice="Choose another model.")
        refuse_unfit(order, can, title=self.title)

    def _inputs(self, order: ImageOrder) -> Mapping[str, Path]:
        return {"sketch.safetensors": order.lora.path}

    def _request(self, order: ImageOrder) -> Mapping[str, Any]:
        return {
            "count": order.count,
            "seed": order.seed,
            "aspect": order.aspect.value,
            "strength": order.strength,
        }

    def _gather(self, order: OrderFolder, into: Path) -> MadeImages:
        count = int(order.request()["count"])
        return MadeImages(images=[_copied(order.results, number, into) for number in range(count)])


def _copied(results: Path, number: int, into: Path) -> MadeImage:
    told = json.loads((results / f"{number}.json").read_bytes())
    path = into / f"{number}.png"
    shutil.copyfile(results / path.name, path)
    return MadeImage(path=path, seed=told["seed"], width=told["width"], height=told["height"])
