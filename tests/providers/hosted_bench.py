"""Owns what the benches of hosted providers share: links to our files, orders for FLUX, faults of a fake server."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from providers.base import Aspect, ImageOrder, LoraFile, LoraFormat, TrainingOrder
from providers.recipe import BaseModelName, Recipe, SubjectKind
from tests.fakes.faulty import FaultyServer
from tests.providers.contract import PROMPT, RETRY_AFTER, TRIGGER_WORD, Bench, Fault


class Links:
    """Links that nobody fetches; a name gives each file another URL."""

    def link(self, path: Path, *, name: str) -> str | None:
        return f"https://darkroom.example/files/t0k3n/{name}"


def make_flux_recipe(**changes: Any) -> Recipe:
    recipe = Recipe(
        base_model=BaseModelName.FLUX_1_DEV,
        trigger_word=TRIGGER_WORD,
        kind=SubjectKind.PERSON,
        steps=900,
        rank=16,
        learning_rate=1e-4,
        resolution=1024,
        autocaption=True,
    )
    return replace(recipe, **changes)


def make_flux_training(archive: Path, marker: str = "job-1", **changes: Any) -> TrainingOrder:
    return TrainingOrder(marker=marker, recipe=make_flux_recipe(**changes), archive=archive, photo_count=8)


def make_flux_pictures(path: Path, marker: str = "job-1", **changes: Any) -> ImageOrder:
    lora = LoraFile(
        path=path, base_model=BaseModelName.FLUX_2_DEV, format=LoraFormat.DIFFUSERS, trigger_word=TRIGGER_WORD
    )
    order = ImageOrder(marker=marker, lora=lora, prompt=PROMPT, count=2, seed=5, aspect=Aspect.TALL, strength=0.8)
    return replace(order, **changes)


class HostedBench(Bench):
    """A fake server; subclasses give it as `server` and build adapters for it."""

    server: FaultyServer
    #: A whole answer to a look at a job, with a state that nobody documented.
    unknown_status = ""
    #: What an order tells the provider that it could repeat.
    told = f"{PROMPT} {TRIGGER_WORD}"

    async def start(self) -> None:
        await self.server.__aenter__()

    async def stop(self) -> None:
        await self.server.__aexit__(None, None, None)

    @contextmanager
    def busy(self) -> Iterator[None]:
        raise NotImplementedError
        yield

    async def inject(self, fault: Fault) -> None:
        if fault is Fault.UNREACHABLE:
            await self.server.stop_listening()
            return
        route, how = self._misfortunes()[fault]
        self.server.plan(route, **how)

    def _misfortunes(self) -> dict[Fault, tuple[str, dict[str, Any]]]:
        json = {"Content-Type": "application/json"}
        refused = f'{{"detail": "wrong: {self.told}", "error": {{"message": "wrong: {self.told}"}}}}'
        return {
            Fault.BAD_KEY: ("order", {"status": 401}),
            Fault.NO_CREDIT: ("order", {"status": 402}),
            Fault.REFUSED: ("order", {"status": 422, "text": refused, "headers": json}),
            Fault.RATE_LIMITED: ("order", {"status": 429, "headers": {"Retry-After": f"{RETRY_AFTER:g}"}}),
            Fault.BROKEN_AFTER_ACCEPTING: ("order", {"after": True, "status": 500}),
            Fault.SILENT_AFTER_ACCEPTING: ("order", {"after": True, "hang": True}),
            Fault.CUT_AFTER_ACCEPTING: ("order", {"after": True}),
            Fault.UNREADABLE_AFTER_ACCEPTING: ("order", {"after": True, "text": "<html>"}),
            Fault.BUSY_READ: ("poll", {"status": 503}),
            Fault.UNKNOWN_STATUS: ("poll", {"text": self.unknown_status, "headers": json}),
            Fault.TRUNCATED_DOWNLOAD: ("download", {"half": True}),
        }
