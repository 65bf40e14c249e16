"""Owns the benches of fal's trainers and image maker, on a fake fal."""

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import aiohttp
from PIL import Image
from pydantic import SecretStr

from providers.artifacts import Artifacts
from providers.base import ImageOrder, LoraFormat, MadeImages, TrainedLora, TrainingOrder
from providers.fal.api import FalSettings
from providers.fal.endpoints import FLUX_1_TRAINER, FLUX_2_TRAINER, TrainerEndpoint
from providers.fal.image_maker import FalImageMaker
from providers.fal.trainer import FalTrainer
from providers.recipe import BaseModelName
from tests.fakes.fal import KEY, FakeFal
from tests.providers.contract import TRIGGER_WORD
from tests.providers.hosted_bench import HostedBench, Links, make_flux_pictures, make_flux_recipe, make_flux_training


class FalBench(HostedBench):
    not_applicable: ClassVar = {
        "a_job_that_was_cleaned_up_is_not_found": (
            "fal keeps the status of a request; its inputs and outputs are deleted"
        )
    }
    unknown_status = '{"status": "PONDERING"}'
    secrets = (KEY, KEY.split(":")[1])

    def __init__(self, tmp_path: Path) -> None:
        super().__init__(tmp_path)
        self.server = self.fal = FakeFal()

    async def start(self) -> None:
        await super().start()
        self.session = aiohttp.ClientSession()

    async def stop(self) -> None:
        await self.session.close()
        await super().stop()

    @property
    def accepted_jobs(self) -> int:
        return len(self.fal.bill)

    @contextmanager
    def busy(self) -> Iterator[None]:
        self.fal.busy = True
        yield
        self.fal.busy = False

    def webhook(self, remote_id: str) -> tuple[dict[str, str], bytes]:
        body = json.dumps({"request_id": remote_id, "status": "OK", "payload": {}}).encode()
        return self.fal.signed(body, at=int(time.time())), body

    def settings(self) -> FalSettings:
        url = self.server.url
        return FalSettings(
            key=SecretStr(KEY),
            queue_url=f"{url}/queue",
            rest_url=f"{url}/rest",
            platform_url=f"{url}/platform/v1",
            timeout_seconds=1.0,
        )

    def parts(self, **changes: Any) -> dict[str, Any]:
        return {"links": Links(), "artifacts": Artifacts(loopback=True)} | changes


class FalTrainerBench(FalBench):
    trainer: TrainerEndpoint = FLUX_1_TRAINER
    told = TRIGGER_WORD

    def make_adapter(self, **changes: Any) -> FalTrainer:
        return FalTrainer(self.settings(), self.session, self.trainer, **self.parts(**changes))

    def make_order(self, marker: str) -> TrainingOrder:
        return make_flux_training(self.archive(), marker, base_model=self.trainer.base_model)

    def make_long_order(self, marker: str) -> TrainingOrder:
        return make_flux_training(self.archive(), marker, base_model=self.trainer.base_model, steps=4000)

    def unfit_orders(self) -> Sequence[TrainingOrder]:
        order = self.make_order("unfit")
        return [
            replace(order, photo_count=1),
            replace(order, recipe=replace(order.recipe, steps=0)),
            replace(order, recipe=make_flux_recipe(base_model=BaseModelName.SKETCH)),
        ]

    def check_output(self, output: TrainedLora, order: TrainingOrder, into: Path) -> None:
        assert output.path == into / "lora.safetensors"
        assert output.format is LoraFormat.DIFFUSERS
        assert output.base_model is order.recipe.base_model

    def archive(self) -> Path:
        path = self.tmp_path / "photos.zip"
        path.write_bytes(b"PK\x05\x06" + bytes(18))
        return path


class FalFlux2TrainerBench(FalTrainerBench):
    trainer = FLUX_2_TRAINER


class FalImageMakerBench(FalBench):
    def make_adapter(self, **changes: Any) -> FalImageMaker:
        return FalImageMaker(self.settings(), self.session, **self.parts(**changes))

    def make_order(self, marker: str) -> ImageOrder:
        return make_flux_pictures(self.lora(), marker)

    def make_long_order(self, marker: str) -> ImageOrder:
        return replace(self.make_order(marker), count=4)

    def unfit_orders(self) -> Sequence[ImageOrder]:
        order = self.make_order("unfit")
        return [
            replace(order, count=0),
            replace(order, strength=7.0),
            replace(order, seed=-1),
            replace(order, prompt=""),
            replace(order, lora=replace(order.lora, format=LoraFormat.SKETCH)),
        ]

    def check_output(self, output: MadeImages, order: ImageOrder, into: Path) -> None:
        assert [made.seed for made in output.images] == [order.seed + n for n in range(order.count)]
        assert output.withheld == 0
        for made in output.images:
            assert made.path.parent == into
            with Image.open(made.path) as image:
                assert (image.format, image.size) == ("PNG", (made.width, made.height)) == ("PNG", (720, 1280))

    def lora(self) -> Path:
        path = self.tmp_path / "lora.safetensors"
        path.write_bytes(bytes(100))
        return path
