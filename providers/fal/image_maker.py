"""Owns fal's image maker: one adapter for FLUX.1 and FLUX.2, which differ by the LoRA that an order brings."""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from providers.artifacts import Caps
from providers.base import Aspect, Estimate, ImageCapabilities, ImageOrder, MadeImage, MadeImages, Prepared
from providers.fal.adapter import FalAdapter
from providers.fal.endpoints import (
    ACCEPTED,
    IMAGE_MAKERS,
    MOST_LORAS,
    UPSCALE,
    UPSCALER,
    ImageEndpoint,
    image_inputs,
    upscale_inputs,
)
from providers.image_files import inspect_image
from providers.picture_orders import all_loras, private_words, refuse_unfit
from providers.picture_size import megapixels
from providers.prices import Unit
from providers.recipe import Limits
from providers.wording import Sentence, in_a_row

_NO_PRICE = Sentence("no price of {provider}'s is known here", values={"provider": "fal"})
_CAPS = Caps(bytes=40 * 1024**2, seconds=300)
_TYPES = {".png": "image/png", ".jpg": "image/jpeg", ".webp": "image/webp"}
#: Seconds of computing for one enlarged picture, at best and at worst; our own guess, fal publishes none.
_UPSCALE_SECONDS = (2.0, 30.0)


class _Picture(BaseModel):
    model_config = ConfigDict(extra="ignore")

    url: str


class _Made(BaseModel):
    model_config = ConfigDict(extra="ignore")

    images: list[_Picture]
    seed: int | None = None
    has_nsfw_concepts: list[bool] = Field(default_factory=list)


class _Enlarged(BaseModel):
    model_config = ConfigDict(extra="ignore")

    image: _Picture


class FalImageMaker(FalAdapter[ImageOrder, MadeImages]):
    """Makes pictures with LoRAs of FLUX.1 and FLUX.2, and enlarges pictures, wherever they were made.

    With several pictures in one job fal tells one seed for all of them, so only the whole set can be made again.
    """

    @property
    def name(self) -> str:
        """Return the short name."""
        return "fal"

    @property
    def title(self) -> str:
        """Return the name for people."""
        return "fal"

    @property
    def capabilities(self) -> ImageCapabilities:
        """Return what it can do."""
        return ImageCapabilities(
            findable=False,
            settle_seconds=30,
            cancelable=True,
            poll_seconds=2,
            max_run_seconds=1800,
            base_models=frozenset(maker.base_model for maker in IMAGE_MAKERS),
            accepts=ACCEPTED,
            aspects=frozenset(Aspect),
            count=Limits(low=1, high=4, default=1),
            strength=Limits(low=0.1, high=2.0, default=1.0),
            uses_prompt=True,
            max_loras=MOST_LORAS,
            upscale=UPSCALE,
        )

    def estimate(self, count: int) -> Estimate:
        """Return what these pictures cost, from the cheaper base model to the dearer one."""
        found = [self._prices.find(f"fal/{maker.endpoint}", Unit.MEGAPIXEL) for maker in IMAGE_MAKERS]
        prices = sorted((price for price in found if price), key=lambda price: price.usd)
        usd = [round(megapixels(Aspect.SQUARE, count) * price.usd, 3) for price in prices] or [0.0]
        basis = in_a_row([price.basis for price in prices] or [_NO_PRICE])
        return Estimate(low_usd=usd[0], high_usd=usd[-1], minutes=0.3 + 0.1 * count, basis=basis)

    def estimate_upscale(self) -> Estimate:
        """Return what one enlarged picture costs; fal bills the seconds that it computes."""
        price = self._prices.find(f"fal/{UPSCALER}", Unit.SECOND)
        low, high = (round(seconds * price.usd, 4) if price else 0.0 for seconds in _UPSCALE_SECONDS)
        basis = in_a_row([price.basis if price else _NO_PRICE, Sentence("the seconds are our guess")])
        return Estimate(low_usd=low, high_usd=high, minutes=0.5, basis=basis)

    @property
    def _endpoints(self) -> Sequence[str]:
        return [maker.endpoint for maker in IMAGE_MAKERS]

    def _refuse_unfit(self, order: ImageOrder) -> None:
        refuse_unfit(order, self.capabilities, title=self.title)

    async def _urls(self, order: ImageOrder) -> Sequence[str]:
        if order.enlarge is not None:
            path = order.enlarge.picture
            return [await self._fetchable(path, f"{order.marker}{path.suffix}", _TYPES[path.suffix])]
        paths = [one.lora.path for one in all_loras(order)]
        names = [f"{order.marker}{f'-{number}' if number else ''}.safetensors" for number in range(len(paths))]
        return [
            await self._fetchable(path, name, "application/octet-stream")
            for path, name in zip(paths, names, strict=True)
        ]

    def _request(self, order: ImageOrder, urls: Sequence[str]) -> tuple[str, Mapping[str, Any]]:
        if order.enlarge is not None:
            return UPSCALER, upscale_inputs(order.enlarge, urls[0])
        maker = _maker(order)
        return maker.endpoint, image_inputs(maker, order, urls)

    def _usd(self, order: ImageOrder) -> float | None:
        if order.enlarge is not None:
            return None
        price = self._prices.find(f"fal/{_maker(order).endpoint}", Unit.MEGAPIXEL)
        return round(price.usd * megapixels(order.aspect, order.count), 4) if price else None

    def _hidden(self, order: ImageOrder) -> Sequence[str]:
        return private_words(order)

    async def prepare(self, order: ImageOrder) -> Prepared:
        """Bring the LoRA, or the picture that shall be larger, to where fal can fetch it."""
        prepared = {**await super().prepare(order), "seed": order.seed}
        price = self._prices.find(f"fal/{UPSCALER}", Unit.SECOND) if order.enlarge is not None else None
        return {**prepared, "usd_a_second": price.usd} if price else prepared

    async def _gather(self, body: Any, prepared: Prepared, into: Path) -> MadeImages:
        if prepared["endpoint"] == UPSCALER:
            url = _Enlarged.model_validate(body).image.url
            return MadeImages(images=[await self._picture(url, into, 0, prepared["seed"])])
        made = _Made.model_validate(body)
        seed = prepared["seed"] if made.seed is None else made.seed
        # fal leaves a flagged picture in the list, blackened.
        flagged = {number for number, is_flagged in enumerate(made.has_nsfw_concepts) if is_flagged}
        kept = [(number, file.url) for number, file in enumerate(made.images) if number not in flagged]
        images = [await self._picture(url, into, number, seed) for number, url in kept]
        return MadeImages(images=images, withheld=len(made.images) - len(kept))

    async def _picture(self, url: str, into: Path, number: int, seed: int) -> MadeImage:
        fetched = await self._artifacts.fetch(url, into / str(number), _CAPS)
        image = await asyncio.to_thread(inspect_image, fetched.path)
        path = await asyncio.to_thread(fetched.path.rename, fetched.path.with_suffix(image.suffix))
        return MadeImage(path=path, seed=seed + number, width=image.width, height=image.height)


def _maker(order: ImageOrder) -> ImageEndpoint:
    return next(maker for maker in IMAGE_MAKERS if maker.base_model is order.lora.base_model)
