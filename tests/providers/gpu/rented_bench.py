"""Owns the benches of rented GPUs: RunPod's pods and serverless endpoint, Paperspace's machines, each played here.

A machine that is ordered really starts, fetches the real agent from the bot's real routes, and trains with a stand-in
for an engine. What was said to the provider is held to its OpenAPI file at the end, and nothing may be left over there.
"""

import asyncio
import logging
import re
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import aiohttp
from pydantic import SecretStr

from bot.clock import SystemClock
from bot.store.database import Database
from playground.engine_script import Mood
from playground.engines import lay_out_sd_scripts
from providers.base import TrainedLora, TrainingOrder
from providers.gpu.box import Box
from providers.gpu.paperspace import PaperspaceMachines, PaperspaceSettings
from providers.gpu.runpod import RunPodPods, RunPodSettings
from providers.gpu.runpod_serverless import RunPodServerless, RunPodServerlessSettings
from providers.gpu.trainer import GpuTrainer
from providers.recipe import BaseModelName
from tests.box_files import paperspace_complaints, runpod_complaints
from tests.fakes import paperspace as paperspace_fake
from tests.fakes import runpod as runpod_fake
from tests.fakes.paperspace import FakePaperspace
from tests.fakes.runpod import FakeRunPod
from tests.fresh_database import lay_database
from tests.providers.contract import Fault
from tests.providers.gpu.yard import Ground, Site
from tests.providers.gpu.yard_bench import YardBench
from tests.providers.hosted_bench import HostedBench

HANDLER = Path(__file__).resolve().parents[3] / "deploy" / "worker" / "handler.py"
#: Seconds that one call to a provider may take here.
PATIENCE = 1.0


class RentedBench(HostedBench):
    """A provider of machines; subclasses play it as `server`, and make its box."""

    not_applicable: ClassVar = {
        Fault.TRUNCATED_DOWNLOAD: "what a machine delivers is judged when it arrives: see tests/bot/web/test_agent.py",
    }
    #: These providers are told neither a prompt nor the trigger word, which the agent fetches from the bot.
    told = "DARKROOM_JOB"
    key: ClassVar[str]
    server: FakeRunPod | FakePaperspace
    ground: Ground

    @abstractmethod
    def make_box(self) -> Box:
        """Return a fresh box at the server."""

    async def start(self) -> None:
        # As bot/logs.py has it: the database's driver would tell every value.
        logging.getLogger("aiosqlite").setLevel(logging.INFO)
        self._stack = AsyncExitStack()
        await self._stack.enter_async_context(self.server)
        self.session = await self._stack.enter_async_context(aiohttp.ClientSession())
        database = await self._stack.enter_async_context(Database.opened(await lay_database(self.tmp_path)))
        site = Site(folder=self.tmp_path, clock=SystemClock())
        site.bind(database)
        await site.open()
        self._stack.push_async_callback(site.close)
        engine = lay_out_sd_scripts(self.tmp_path / "engine", Mood(seconds_a_step=0.002))
        self.ground = Ground(folder=self.tmp_path, yard=self.make_box(), site=site, mood_folder=engine)

    async def stop(self) -> None:
        if self.server.left_over:
            await self.give_back()
        left_over = self.server.left_over
        await self._stack.aclose()
        assert self.complaints() == []
        assert left_over == []

    async def give_back(self) -> None:
        """Do what the reaper does, for what a test did not clean up."""
        box = self.make_box()
        for owned in await box.list_owned():
            await box.destroy(owned.id)

    @abstractmethod
    def complaints(self) -> list[str]:
        """List what was said that doesn't fit the provider's OpenAPI file."""

    def make_adapter(self) -> GpuTrainer:
        return GpuTrainer(self.make_box(), self.ground.offer(), self.ground.site.desk)

    def make_order(self, marker: str) -> TrainingOrder:
        return self.ground.order(marker)

    def make_long_order(self, marker: str) -> TrainingOrder:
        return self.ground.order(marker, steps=4000)

    def unfit_orders(self) -> Sequence[TrainingOrder]:
        order = self.make_order("unfit")
        return [
            replace(order, photo_count=1),
            replace(order, recipe=replace(order.recipe, steps=3)),
            replace(order, recipe=replace(order.recipe, base_model=BaseModelName.SKETCH)),
            replace(order, marker="../elsewhere"),
        ]

    @contextmanager
    def busy(self) -> Iterator[None]:
        self.server.busy = True
        yield
        self.server.busy = False

    @property
    def accepted_jobs(self) -> int:
        return len(self.server.bill)

    @property
    def secrets(self) -> Sequence[str]:
        tokens = [re.findall(r"DARKROOM_TOKEN\W+([\w-]{20,})", str(one.request)) for one in self.server.exchanges]
        return [self.key, *(token for found in tokens for token in found)]

    def check_output(self, output: TrainedLora, order: TrainingOrder, into: Path) -> None:
        YardBench.check_output(self, output, order, into)


class RunPodBench(RentedBench):
    key = runpod_fake.KEY
    unknown_status = '{"id": "x", "status": "PONDERING", "createdAt": "2026-01-01T00:00:00Z"}'

    def __init__(self, tmp_path: Path) -> None:
        super().__init__(tmp_path)
        self.server = FakeRunPod()

    def make_box(self) -> RunPodPods:
        settings = RunPodSettings(
            key=SecretStr(self.key),
            base_url=self.server.base_url,
            gpus=("NVIDIA GeForce RTX 4090", "NVIDIA L40S"),
            most_usd_an_hour=1.0,
            image="ostris/aitoolkit:latest",
            timeout_seconds=PATIENCE,
        )
        return RunPodPods(settings, self.session)

    def complaints(self) -> list[str]:
        return runpod_complaints(self.server.exchanges)


class PaperspaceBench(RentedBench):
    key = paperspace_fake.KEY
    unknown_status = '{"id": "x", "state": "pondering", "dtCreated": "2026-01-01T00:00:00Z"}'

    def __init__(self, tmp_path: Path) -> None:
        super().__init__(tmp_path)
        self.server = FakePaperspace()

    def make_box(self) -> PaperspaceMachines:
        settings = PaperspaceSettings(
            key=SecretStr(self.key),
            base_url=self.server.base_url,
            machine_type="A6000",
            template_id=paperspace_fake.TEMPLATE,
            image="ostris/aitoolkit:latest",
            timeout_seconds=PATIENCE,
        )
        return PaperspaceMachines(settings, self.session)

    def complaints(self) -> list[str]:
        return paperspace_complaints(self.server.exchanges)


class SettledTrainer(GpuTrainer):
    """Is asked to find a job only when its settling time is over; here, when a worker has claimed it."""

    bill: Sequence[str] = ()

    async def find(self, marker: str, *others: Any) -> str | None:
        for _ in range(200 if self.bill and marker else 1):
            found = await super().find(marker, *others)
            if found is not None:
                return found
            await asyncio.sleep(0.02)
        return None


class RunPodServerlessBench(RentedBench):
    """There is no OpenAPI file of these calls: they follow docs.runpod.io."""

    key = runpod_fake.KEY
    unknown_status = '{"id": "x", "status": "PONDERING"}'

    def __init__(self, tmp_path: Path) -> None:
        super().__init__(tmp_path)
        self.server = FakeRunPod(handler=HANDLER)

    def make_box(self) -> RunPodServerless:
        settings = RunPodServerlessSettings(
            key=SecretStr(self.key),
            endpoint=runpod_fake.ENDPOINT,
            queue_url=self.server.serverless_url,
            base_url=self.server.base_url,
            timeout_seconds=PATIENCE,
        )
        return RunPodServerless(settings, self.session)

    def make_adapter(self) -> GpuTrainer:
        trainer = SettledTrainer(self.make_box(), self.ground.offer(), self.ground.site.desk)
        trainer.bill = self.server.bill
        return trainer

    async def give_back(self) -> None:
        """Stop the jobs, which nobody can list."""
        for job_id in self.server.bill:
            await self.make_box().destroy(job_id)

    def _misfortunes(self) -> dict[Fault, tuple[str, dict[str, Any]]]:
        routes = {"order": "run", "poll": "status"}
        return {fault: (routes.get(route, route), how) for fault, (route, how) in super()._misfortunes().items()}

    def complaints(self) -> list[str]:
        return runpod_complaints(self.server.exchanges)
