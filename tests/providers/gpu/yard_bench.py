"""Owns the bench of the trainer over any box: machines that are processes here, the real agent, a stand-in engine."""

import logging
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

from safetensors import safe_open

from providers.base import LoraFormat, TrainedLora, TrainingOrder
from providers.errors import BadCredentials, OutOfCredit, RateLimited, Refused, SubmitUnsure, Unavailable
from providers.gpu.trainer import GpuTrainer
from providers.recipe import BaseModelName
from tests.providers.contract import RETRY_AFTER, TRIGGER_WORD, Bench, Fault
from tests.providers.gpu.yard import Ground, opened_ground

_OWN = "what a box's answer to the paid call means is the box's own matter: see those of RunPod and Paperspace"
_REFUSALS = {
    Fault.UNREACHABLE: Unavailable,
    Fault.BAD_KEY: BadCredentials,
    Fault.NO_CREDIT: OutOfCredit,
    Fault.REFUSED: Refused,
    Fault.RATE_LIMITED: RateLimited,
}


class YardBench(Bench):
    not_applicable: ClassVar = {
        Fault.CUT_AFTER_ACCEPTING: _OWN,
        Fault.UNREADABLE_AFTER_ACCEPTING: _OWN,
        Fault.SILENT_AFTER_ACCEPTING: _OWN,
        Fault.BUSY_READ: "reads are tried again by the box",
        Fault.TRUNCATED_DOWNLOAD: "what a machine delivers is judged when it arrives: see tests/bot/web/test_agent.py",
    }
    ground: Ground

    @property
    def secrets(self) -> list[str]:
        return self.ground.yard.tokens

    async def start(self) -> None:
        # As bot/logs.py has it: the database's driver would tell every value.
        logging.getLogger("aiosqlite").setLevel(logging.INFO)
        self._stack = AsyncExitStack()
        self.ground = await self._stack.enter_async_context(opened_ground(self.tmp_path))

    async def stop(self) -> None:
        await self._stack.aclose()

    def make_adapter(self) -> GpuTrainer:
        return self.ground.trainer()

    def make_order(self, marker: str) -> TrainingOrder:
        return self.ground.order(marker)

    def make_long_order(self, marker: str) -> TrainingOrder:
        return self.ground.order(marker, steps=4000)

    def unfit_orders(self) -> list[TrainingOrder]:
        order = self.make_order("unfit")
        return [
            replace(order, photo_count=1),
            replace(order, recipe=replace(order.recipe, steps=3)),
            replace(order, recipe=replace(order.recipe, rank=500)),
            replace(order, recipe=replace(order.recipe, resolution=99)),
            replace(order, recipe=replace(order.recipe, base_model=BaseModelName.SKETCH)),
            replace(order, marker="../elsewhere"),
            replace(order, archive=self.tmp_path / "work" / "missing.zip"),
        ]

    @contextmanager
    def busy(self) -> Iterator[None]:
        self.ground.yard.busy = True
        yield
        self.ground.yard.busy = False

    async def inject(self, fault: Fault) -> None:
        yard = self.ground.yard
        if fault in _REFUSALS:
            yard.refusal = _REFUSALS[fault]("The yard is closed.", retry_after=RETRY_AFTER)
        elif fault is Fault.BROKEN_AFTER_ACCEPTING:
            yard.doubt = SubmitUnsure("The yard's clerk fell asleep.")
        elif fault is Fault.UNKNOWN_STATUS:
            yard.word = "pondering"
        else:
            raise NotImplementedError

    @property
    def accepted_jobs(self) -> int:
        return len(self.ground.yard.built)

    def check_output(self, output: TrainedLora, order: TrainingOrder, into: Path) -> None:
        assert output.path.parent == into
        assert [path for path in into.rglob("*") if path.is_file()] == [output.path]
        assert output.format is LoraFormat.KOHYA
        assert output.base_model is BaseModelName.FLUX_1_DEV
        assert output.facts["loss"] < output.facts["first_loss"]
        with safe_open(output.path, framework="np") as file:
            assert TRIGGER_WORD not in str(file.metadata())
