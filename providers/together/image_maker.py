"""Owns Together: pictures with FLUX.2 LoRAs by one synchronous call; never trains, see `TOGETHER_TRAINS_NOT`.

Together has no job to ask for: its answer is the pictures themselves. `submit` keeps them in a spool before it returns,
and every later call reads the spool. A process that dies before that leaves a call of which nobody can tell whether it
was answered; `findable` is false, so a None of `find` proves nothing, while an id that it returns does.
"""

import asyncio
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from providers.base import (
    Aspect,
    Estimate,
    FileLinks,
    Health,
    ImageCapabilities,
    ImageOrder,
    LoraFormat,
    MadeImages,
    Prepared,
    RemoteState,
    Snapshot,
)
from providers.disk import is_marker
from providers.errors import ProviderError, Refused, SubmitUnsure, Unavailable, UnexpectedAnswer
from providers.picture_orders import all_loras, private_words, refuse_unfit
from providers.picture_size import PIXELS, megapixels
from providers.prices import PriceList, Unit
from providers.recipe import BaseModelName, Limits
from providers.together.api import TogetherApi, TogetherSettings
from providers.together.spool import Spooled, TogetherSpool
from providers.trains_not import TrainsNot
from providers.wording import Sentence, in_a_row

P = ParamSpec("P")
R = TypeVar("R")

_NO_PRICE = Sentence("no price of {provider}'s is known here", values={"provider": "Together"})
TOGETHER_TRAINS_NOT = TrainsNot(
    title="Together",
    why=Sentence("its fine-tuning takes language and vision-language models only, there is none for FLUX"),
    source="https://docs.together.ai/docs/quickstart-flux-lora: fine-tuning for FLUX LoRA is not yet available",
    seen=date(2026, 11, 23),
)


@dataclass(frozen=True, kw_only=True)
class TogetherModel:
    """A model of Together's that takes LoRAs."""

    id: str
    base_model: BaseModelName
    steps: int
    guidance_scale: float


#: The only models that take `image_loras`. FLUX.1-dev and FLUX.1-dev-lora were removed on 2026-02-25, with two to three
#: weeks' notice, so `check` holds this table against the catalogue.
MODELS: Sequence[TogetherModel] = (
    TogetherModel(
        id="black-forest-labs/FLUX.2-dev",
        base_model=BaseModelName.FLUX_2_DEV,
        steps=28,
        guidance_scale=3.5,
    ),
)


class TogetherImageMaker:
    """Makes pictures with FLUX.2 LoRAs.

    With several pictures in one job only the first one's seed is known to be right: Together doesn't say how it seeds
    the others.

    Args:
        settings: The key and where to find Together.
        folder: The spool, made when needed; a job's pictures stay in it until `cleanup`.
        links: Where Together can fetch a LoRA; None without a public URL, and then no job can be done.
        prices: What the operator knows better than our table.
    """

    def __init__(
        self,
        settings: TogetherSettings,
        folder: Path,
        *,
        links: FileLinks | None = None,
        prices: PriceList | None = None,
    ) -> None:
        self._api = TogetherApi(settings)
        self._spool = TogetherSpool(folder)
        self._links = links
        self._prices = prices or PriceList()
        self._catalogue: frozenset[str] | None = None

    @property
    def name(self) -> str:
        """Return the short name."""
        return "together"

    @property
    def title(self) -> str:
        """Return the name for people."""
        return "Together"

    @property
    def capabilities(self) -> ImageCapabilities:
        """Return what it can do: nothing without links; after `check`, only what the catalogue still lists."""
        return ImageCapabilities(
            findable=False,
            settle_seconds=0,
            cancelable=False,
            poll_seconds=1,
            max_run_seconds=600,
            notice="Together answers in one go: no progress is shown, and it can't be stopped once it is sent.",
            base_models=frozenset(model.base_model for model in self._listed() if self._links is not None),
            accepts=frozenset({LoraFormat.DIFFUSERS, LoraFormat.KOHYA}),
            aspects=frozenset(Aspect),
            count=Limits(low=1, high=4, default=1),
            # The range that Together's page about LoRAs calls good.
            strength=Limits(low=0.3, high=1.2, default=1.0),
            uses_prompt=True,
            # Its API has a `negative_prompt`; that FLUX.2 [dev] heeds it is written nowhere.
            max_loras=2,
            trains_not=TOGETHER_TRAINS_NOT,
        )

    def estimate(self, count: int) -> Estimate:
        """Return what these pictures cost at about one megapixel each, from the cheapest model to the dearest."""
        found = [self._prices.find(f"together/{model.id}", Unit.MEGAPIXEL) for model in self._listed()]
        prices = sorted((price for price in found if price), key=lambda price: price.usd)
        usd = [round(megapixels(Aspect.SQUARE, count) * price.usd, 3) for price in prices] or [0.0]
        basis = in_a_row([price.basis for price in prices] or [_NO_PRICE])
        return Estimate(low_usd=usd[0], high_usd=usd[-1], minutes=0.2 + 0.1 * count, basis=basis)

    async def check(self) -> Health:
        """Read the catalogue."""
        try:
            await _off_loop(self._spool.open)
            self._catalogue = await self._api.catalogue()
        except ProviderError as error:
            return Health(ok=False, wording=error.sentence)
        if not self._listed():
            gone = ", ".join(model.id for model in MODELS)
            stopped = Sentence(
                "{provider} no longer offers {what}. Update Darkroom.", values={"provider": self.title, "what": gone}
            )
            return Health(ok=False, wording=stopped)
        if self._links is None:
            return Health(ok=False, wording="Together has to fetch LoRAs from this bot: set PUBLIC_URL.")
        listed = ", ".join(model.id for model in self._listed())
        answers = Sentence("{provider} answers and offers {what}.", values={"provider": self.title, "what": listed})
        return Health(ok=True, wording=answers)

    async def prepare(self, order: ImageOrder) -> Prepared:
        """Refuse what can't be done; there is nothing to upload."""
        self._refuse_unfit(order)
        self._links_of(order)
        return {"marker": order.marker}

    async def submit(self, order: ImageOrder, prepared: Prepared) -> str:
        """Send the one call and keep its pictures."""
        model = self._refuse_unfit(order)
        if await _off_loop(self._spool.has, order.marker):
            return order.marker
        request = self._request(order, model)
        pictures = await self._api.generate(request, hide=private_words(order))
        price = self._prices.find(f"together/{model.id}", Unit.MEGAPIXEL)
        cost = round(megapixels(order.aspect, len(pictures)) * price.usd, 4) if price else None
        spooled = Spooled(count=max(order.count, len(pictures)), seed=order.seed, cost_usd=cost)
        try:
            await asyncio.to_thread(self._spool.put, order.marker, pictures, spooled)
        except OSError as error:
            raise SubmitUnsure("Together made the pictures, but this machine could not keep them.") from error
        return order.marker

    async def find(self, marker: str, prepared: Prepared, since: datetime) -> str | None:
        """Look into the spool; None proves nothing, see the module."""
        return marker if await _off_loop(self._spool.has, marker) else None

    async def poll(self, remote_id: str, prepared: Prepared) -> Snapshot:
        """Say that it is done: a job has an id only when it is."""
        notes = await _off_loop(self._spool.notes, remote_id)
        return Snapshot(state=RemoteState.SUCCEEDED, raw_state="answered", cost_usd=notes.cost_usd)

    async def cancel(self, remote_id: str, prepared: Prepared) -> None:
        """Do nothing: a job with an id has ended."""

    async def collect(self, remote_id: str, prepared: Prepared, into: Path) -> MadeImages:
        """Copy the pictures out of the spool."""
        return await _off_loop(self._spool.collect, remote_id, into)

    async def cleanup(self, remote_id: str | None, prepared: Prepared) -> None:
        """Empty the spool of this job; Together itself keeps nothing."""
        await _off_loop(self._spool.remove, remote_id or str(prepared.get("marker", "")))

    def _listed(self) -> Sequence[TogetherModel]:
        return [model for model in MODELS if self._catalogue is None or model.id in self._catalogue]

    def _refuse_unfit(self, order: ImageOrder) -> TogetherModel:
        if self._links is None:
            raise _unreachable()
        refuse_unfit(order, self.capabilities, title=self.title)
        model = next(one for one in self._listed() if one.base_model is order.lora.base_model)
        if not is_marker(order.marker):
            raise Refused("The job's marker can't name a folder.")
        return model

    def _links_of(self, order: ImageOrder) -> Sequence[str]:
        # Together takes a URL for a LoRA only when it ends in .safetensors, so a query would spoil it.
        links = [self._links.link(one.lora.path, name="lora.safetensors") for one in all_loras(order) if self._links]
        found = [link for link in links if link and link.endswith(".safetensors")]
        if len(found) < len(all_loras(order)):
            raise _unreachable()
        return found

    def _request(self, order: ImageOrder, model: TogetherModel) -> dict[str, Any]:
        width, height = PIXELS[order.aspect]
        return {
            "model": model.id,
            "prompt": order.prompt,
            "n": order.count,
            "seed": order.seed,
            "width": width,
            "height": height,
            "steps": model.steps,
            "guidance_scale": model.guidance_scale,
            "response_format": "base64",
            "output_format": "png",
            "image_loras": [
                {"path": link, "scale": one.strength}
                for link, one in zip(self._links_of(order), all_loras(order), strict=True)
            ],
        }


def _unreachable() -> Refused:
    advice = "The operator of this bot has to set PUBLIC_URL."
    return Refused("Together can't fetch the LoRA from this bot.", advice=advice)


async def _off_loop(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Read or clear the spool in a thread; a file system's trouble becomes a provider's."""
    try:
        return await asyncio.to_thread(function, *args, **kwargs)
    except (ValueError, TypeError) as error:
        raise UnexpectedAnswer("The notes about Together's answer are damaged.", advice="Order it again.") from error
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else type(error).__name__
        advice = "The operator of this bot has to look at its data folder."
        raise Unavailable(
            "The folder of Together's answers can't be used ({reason}).", values={"reason": reason}, advice=advice
        ) from error
