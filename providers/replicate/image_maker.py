"""Owns the ImageMaker that has pictures made at Replicate; never trusts a picture from there."""

import asyncio
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from providers.artifacts import MIB, Caps
from providers.base import (
    Aspect,
    Estimate,
    ImageCapabilities,
    ImageOrder,
    LoraFile,
    LoraFormat,
    MadeImage,
    MadeImages,
    Prepared,
)
from providers.errors import ArtifactBroken, Refused
from providers.image_files import inspect_image
from providers.picture_orders import all_loras, refuse_unfit
from providers.prices import Unit
from providers.recipe import BaseModelName, Limits
from providers.replicate.adapter import ReplicateAdapter, refuse_marker
from providers.replicate.answers import Model, RemoteJob
from providers.replicate.pictures import picture_inputs
from providers.replicate.schema import InputSchema
from providers.wording import Sentence, Wording

_PICTURE = Caps(bytes=40 * MIB, seconds=180, types=frozenset({"image/png", "image/webp", "image/jpeg"}))
#: Trained versions run on H100s (replicate.com/pricing). Seconds for one call at best, warm, and at worst, from cold;
#: our own guess, as Replicate publishes none.
_NEEDS_URL = (
    "The operator of this bot has to set PUBLIC_URL; single models that were trained at Replicate work without."
)
_VERSION_HARDWARE = "gpu-h100"
_VERSION_SECONDS = (8.0, 120.0)

_CAPABILITIES = ImageCapabilities(
    findable=True,
    settle_seconds=60,
    cancelable=True,
    poll_seconds=2,
    # Replicate itself ends a prediction that has run for 30 minutes; waiting for a GPU comes before.
    max_run_seconds=3600,
    notice="Pictures of one order share its seed: the order can be repeated, a single picture can't.",
    base_models=frozenset({BaseModelName.FLUX_1_DEV}),
    accepts=frozenset({LoraFormat.DIFFUSERS, LoraFormat.KOHYA}),
    aspects=frozenset(Aspect),
    count=Limits(low=1, high=4, default=1),
    strength=Limits(low=0.0, high=2.0, default=1.0),
    uses_prompt=True,
    # `lora_weights`, or what a version was trained to, and `extra_lora`.
    max_loras=2,
)


class ReplicateImageMaker(ReplicateAdapter[ImageOrder]):
    """Makes pictures with the official model and a link of our LoRA, or else with the version that was trained there.

    The official model is always warm and priced by the picture; a trained version is private and billed by the second,
    but needs no public URL of ours.
    """

    kind = "predictions"

    @property
    def capabilities(self) -> ImageCapabilities:
        """Return what it can do."""
        return _CAPABILITIES

    def estimate(self, count: int) -> Estimate:
        """Return what these pictures would cost."""
        each = self._prices.find(f"replicate/{self._settings.generator}", Unit.IMAGE)
        if self._links is not None and each is not None:
            usd = round(each.usd * count, 4)
            return Estimate(low_usd=usd, high_usd=usd, minutes=0.2 + 0.1 * count, basis=each.basis)
        low, high = (self._by_the_second(_VERSION_HARDWARE, seconds * count) or 0.0 for seconds in _VERSION_SECONDS)
        basis = Sentence(
            "a trained version on {hardware}, warm to cold; our guess", values={"hardware": _VERSION_HARDWARE}
        )
        return Estimate(low_usd=low, high_usd=high, minutes=1 + 0.2 * count, basis=basis)

    async def prepare(self, order: ImageOrder) -> Prepared:
        """Choose between the official model and the trained version, and check every input against it."""
        self._refuse_unfit(order)
        # The name is the job's own, so that the URL in the inputs tells whose prediction it is.
        url, extra = self._link(order.lora, order.marker), None
        if order.extra_loras:
            extra = self._link(order.extra_loras[0].lora, f"{order.marker}-1")
            if extra is None:
                raise Refused("Replicate can't fetch the second LoRA from this bot.", advice=_NEEDS_URL)
        plan = await self._official(order, url, extra) if url else await self._trained(order)
        return {"marker": order.marker, **plan}

    async def collect(self, remote_id: str, prepared: Prepared, into: Path) -> MadeImages:
        """Fetch the pictures that passed the filter, in their order."""
        job = await self._succeeded(remote_id)
        urls = _urls(job.output)
        if not urls or job.data_removed:
            raise ArtifactBroken("Replicate no longer has the pictures of this job; it keeps them for an hour.")
        made = [await self._picture(url, into, number, prepared["input"]["seed"]) for number, url in enumerate(urls)]
        return MadeImages(images=made, withheld=max(0, int(prepared["input"]["num_outputs"]) - len(made)))

    async def _picture(self, url: str, into: Path, number: int, seed: int) -> MadeImage:
        fetched = await self._artifacts.fetch(url, into / f"{number}.part", _PICTURE)
        try:
            path, width, height = await asyncio.to_thread(_named_by_content, fetched.path)
        finally:
            await asyncio.to_thread(fetched.path.unlink, missing_ok=True)
        return MadeImage(path=path, seed=seed, width=width, height=height)

    async def _able(self) -> Wording:
        model = await self._api.get(f"/v1/models/{self._settings.generator}", Model)
        if model.latest_version is not None and model.latest_version.openapi_schema:
            InputSchema(model.latest_version, "Input")
        if self._links is None:
            return Sentence("It makes pictures with models trained there alone; set PUBLIC_URL for all others.")
        return Sentence("It makes pictures with {generator}.", values={"generator": self._settings.generator})

    def _refuse_unfit(self, order: ImageOrder) -> None:
        refuse_unfit(order, self.capabilities, title=self.title)
        if order.seed >= 2**31:
            raise Refused("Replicate takes seeds from 0 to 2147483647.")
        refuse_marker(order.marker)

    def _trigger_words(self, order: ImageOrder) -> Sequence[str]:
        return [one.lora.trigger_word for one in all_loras(order)]

    def _link(self, lora: LoraFile, stem: str) -> str | None:
        return self._links.link(lora.path, name=f"{stem}.safetensors") if self._links else None

    async def _official(self, order: ImageOrder, url: str, extra: str | None) -> dict[str, Any]:
        model = await self._api.get(f"/v1/models/{self._settings.generator}", Model)
        latest = model.latest_version
        # Official models may keep their schema to themselves; then only our own limits hold.
        schema = InputSchema(latest, "Input") if latest is not None and latest.openapi_schema else None
        inputs = picture_inputs(order, schema, url, extra)
        if schema is not None:
            schema.check(inputs)
        return {"path": f"/v1/models/{self._settings.generator}/predictions", "input": inputs}

    async def _trained(self, order: ImageOrder) -> dict[str, Any]:
        known = order.lora.facts.get("replicate_version")
        if not isinstance(known, str) or not re.fullmatch(r"[\w.-]+/[\w.-]+:\w{8,80}", known):
            raise Refused("Replicate can't reach this model: it has to fetch it from us.", advice=_NEEDS_URL)
        model, _, number = known.partition(":")
        version = await self._version(model, number)
        schema = InputSchema(version, "Input")
        inputs = picture_inputs(order, schema, None)
        schema.check(inputs)
        return {"path": "/v1/predictions", "version": version.id, "input": inputs}

    def _destination_of(self, prepared: Prepared) -> dict[str, Any]:
        return {"version": prepared["version"]} if "version" in prepared else {}

    def _since_filter(self, earliest: datetime) -> Mapping[str, str]:
        return {"created_after": earliest.isoformat().replace("+00:00", "Z")}

    def _is_ours(self, job: RemoteJob, prepared: Prepared) -> bool:
        """Compare what was sent; with a link of ours that is unique, else a twin is one with the same pictures."""
        ours: Mapping[str, Any] = prepared["input"]
        if "lora_weights" in ours:
            return bool(job.input.get("lora_weights") == ours["lora_weights"])
        return job.version == prepared["version"] and all(job.input.get(name) == ours[name] for name in ours)

    def _cost(self, job: RemoteJob, prepared: Prepared) -> float | None:
        if "version" in prepared:
            return self._by_the_second(_VERSION_HARDWARE, job.metrics.predict_time if job.metrics else None)
        each = self._prices.find(f"replicate/{self._settings.generator}", Unit.IMAGE)
        if job.status != "succeeded" or each is None:
            return None
        return round(each.usd * len(_urls(job.output)), 4)


def _urls(output: Any) -> Sequence[str]:
    outputs = output if isinstance(output, list) else [output]
    return [one for one in outputs if isinstance(one, str)]


def _named_by_content(path: Path) -> tuple[Path, int, int]:
    """Give a picture the name of what it really is; blocks."""
    image = inspect_image(path)
    return path.replace(path.with_suffix(image.suffix)), image.width, image.height
