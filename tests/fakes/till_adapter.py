"""The adapters that speak to the till, as those of real providers do; only tests use them."""

import asyncio
from collections.abc import Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar

import aiohttp

from providers.base import (
    Aspect,
    Estimate,
    Health,
    ImageCapabilities,
    ImageOrder,
    LoraFormat,
    MadeImage,
    MadeImages,
    Prepared,
    Progress,
    RemoteState,
    Snapshot,
    TrainedLora,
    TrainerCapabilities,
    TrainingOrder,
)
from providers.errors import (
    ArtifactBroken,
    BadCredentials,
    NotFound,
    OutOfCredit,
    ProviderError,
    RateLimited,
    Refused,
    SubmitUnsure,
    Unavailable,
    UnexpectedAnswer,
)
from providers.picture_orders import all_loras
from providers.recipe import BaseModelName, Limits, Recipe
from providers.registry import Registry

_COMMON: Mapping[str, Any] = {
    "findable": True,
    "settle_seconds": 0.02,
    "cancelable": True,
    "poll_seconds": 0.01,
    "max_run_seconds": 3600,
    "base_models": frozenset({BaseModelName.FLUX_1_DEV}),
}
_STATES = {state.value: state for state in RemoteState}


class _TillAdapter:
    """All that both adapters do alike; `patience` is in seconds."""

    kind: ClassVar[str]
    capabilities: Any

    def __init__(self, url: str, *, patience: float = 10.0, **capabilities: Any) -> None:
        self._url = f"{url}/{self.kind}"
        self._uploads = f"{url}/uploads"
        self._patience = patience
        self.capabilities = replace(self.capabilities, **capabilities)

    @property
    def name(self) -> str:
        return "till"

    @property
    def title(self) -> str:
        return "Till"

    async def check(self) -> Health:
        return Health(ok=True, wording="open")

    async def find(self, marker: str, prepared: Prepared, since: datetime) -> str | None:
        if not self.capabilities.findable:
            return None
        if not self.capabilities.findable:
            return None
        listed = await self._ask("GET", self._url, params={"since": since.isoformat()})
        return next((job["id"] for job in listed if job["marker"] == marker), None)

    async def poll(self, remote_id: str, prepared: Prepared) -> Snapshot:
        seen = await self._ask("GET", f"{self._url}/{remote_id}")
        try:
            progress = Progress(step=seen["step"], total=seen["total"], loss=seen["loss"])
            return Snapshot(
                state=_STATES.get(seen["status"]),
                raw_state=seen["status"],
                progress=progress,
                failure=seen["error"],
                cost_usd=seen["cost_usd"],
            )
        except (KeyError, TypeError) as error:
            raise UnexpectedAnswer("The till's answer lacks what it promises.") from error

    async def cancel(self, remote_id: str, prepared: Prepared) -> None:
        await self._ask("POST", f"{self._url}/{remote_id}/cancel")

    async def cleanup(self, remote_id: str | None, prepared: Prepared) -> None:
        for name in prepared.get("uploads", ()):
            await self._ask("DELETE", f"{self._uploads}/{name}")

    async def _upload(self, name: str, path: Path) -> Prepared:
        await self._ask("PUT", f"{self._uploads}/{name}", data=await asyncio.to_thread(path.read_bytes))
        return {"uploads": [name]}

    async def _submit(self, order: Mapping[str, Any]) -> str:
        try:
            async with self._asked("POST", self._url, json=order) as answer:
                if answer.status >= 500:
                    raise SubmitUnsure("The till was in trouble while it took the order.")
                _raise_for(answer)
                return str((await answer.json())["id"])
        except aiohttp.ClientConnectorError as error:
            raise Unavailable("The till cannot be reached.") from error
        except (aiohttp.ClientError, TimeoutError, ValueError, KeyError, TypeError) as error:
            raise SubmitUnsure("The till took the order and gave no clear answer.") from error

    async def _fetch(self, remote_id: str, number: int, into: Path) -> None:
        try:
            async with self._asked("GET", f"{self._url}/{remote_id}/result/{number}") as answer:
                _raise_for(answer)
                data = await answer.read()
        except aiohttp.ClientPayloadError as error:
            raise ArtifactBroken("The till's file broke off.") from error
        except (aiohttp.ClientError, TimeoutError) as error:
            raise Unavailable("The till cannot be reached.") from error
        await asyncio.to_thread(into.write_bytes, data)

    async def _ask(self, method: str, url: str, **more: Any) -> Any:
        try:
            async with self._asked(method, url, **more) as answer:
                _raise_for(answer)
                return await answer.json()
        except (aiohttp.ContentTypeError, ValueError) as error:
            raise UnexpectedAnswer("The till answered with no JSON.") from error
        except (aiohttp.ClientError, TimeoutError) as error:
            raise Unavailable("The till cannot be reached.") from error

    @asynccontextmanager
    async def _asked(self, method: str, url: str, **more: Any) -> Any:
        timeout = aiohttp.ClientTimeout(total=self._patience)
        async with aiohttp.ClientSession(timeout=timeout) as session, session.request(method, url, **more) as answer:
            yield answer


class TillTrainer(_TillAdapter):
    kind = "trainings"
    capabilities = TrainerCapabilities(
        **_COMMON,
        produces=LoraFormat.DIFFUSERS,
        photos=Limits(low=2, high=30, default=8),
        steps=Limits(low=10, high=4000, default=1000),
        rank=Limits(low=4, high=64, default=16),
        learning_rate=Limits(low=1e-5, high=1e-3, default=4e-4),
        resolutions=(512, 1024),
        autocaption=True,
    )

    def estimate(self, recipe: Recipe, photo_count: int) -> Estimate:
        return Estimate(low_usd=0.25, high_usd=0.25, minutes=1, basis="what the till takes")

    async def prepare(self, order: TrainingOrder) -> Prepared:
        return await self._upload(order.marker, order.archive)

    async def submit(self, order: TrainingOrder, prepared: Prepared) -> str:
        return await self._submit({"marker": order.marker, "steps": order.recipe.steps, "archive": order.marker})

    async def collect(self, remote_id: str, prepared: Prepared, into: Path) -> TrainedLora:
        path = into / "lora.safetensors"
        await self._fetch(remote_id, 0, path)
        return TrainedLora(path=path, format=LoraFormat.DIFFUSERS, base_model=BaseModelName.FLUX_1_DEV)


class TillImageMaker(_TillAdapter):
    kind = "pictures"
    capabilities = ImageCapabilities(
        **_COMMON,
        accepts=frozenset({LoraFormat.DIFFUSERS}),
        aspects=frozenset(Aspect),
        count=Limits(low=1, high=4, default=1),
        strength=Limits(low=0.0, high=1.5, default=1.0),
        uses_prompt=True,
    )

    def estimate(self, count: int) -> Estimate:
        return Estimate(low_usd=0.01 * count, high_usd=0.01 * count, minutes=0.1, basis="what the till takes")

    async def prepare(self, order: ImageOrder) -> Prepared:
        prepared = await self._upload(order.marker, order.lora.path)
        return {**prepared, "count": order.count, "seed": order.seed}

    async def submit(self, order: ImageOrder, prepared: Prepared) -> str:
        loras = [[one.lora.trigger_word, one.strength] for one in all_loras(order)]
        wanted = {"prompt": order.prompt, "negative_prompt": order.negative_prompt, "loras": loras}
        return await self._submit({"marker": order.marker, "count": order.count, **wanted})

    async def collect(self, remote_id: str, prepared: Prepared, into: Path) -> MadeImages:
        images = []
        for number in range(prepared["count"]):
            path = into / f"{number}.png"
            await self._fetch(remote_id, number, path)
            images.append(MadeImage(path=path, seed=prepared["seed"] + number, width=16, height=16))
        return MadeImages(images=images)


def till_registry(url: str, **changes: Any) -> Registry:
    """Return a registry that holds nothing but the till."""
    return Registry(
        trainers={"till": TillTrainer(url, **changes)}, image_makers={"till": TillImageMaker(url, **changes)}
    )


def _raise_for(answer: aiohttp.ClientResponse) -> None:
    errors: dict[int, ProviderError] = {
        401: BadCredentials("The till does not take our key."),
        402: OutOfCredit("The till wants money first."),
        404: NotFound("The till does not know this job."),
        422: Refused("The till does not take this order."),
    }
    if answer.status in errors:
        raise errors[answer.status]
    if answer.status == 429:
        raise RateLimited("The till is busy.", retry_after=float(answer.headers.get("Retry-After", "1")))
    if answer.status >= 500:
        raise Unavailable("The till is out of order.")
