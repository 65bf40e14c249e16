"""Owns the bench of training on this machine: the real box and agent, with a stand-in for sd-scripts."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

from playground.engine_script import Mood
from playground.engines import lay_out_ai_toolkit, lay_out_sd_scripts, lay_out_weights
from providers.base import LoraFormat, TrainedLora, TrainingOrder
from providers.disk import try_lock
from providers.gpu.local import LocalBox
from providers.gpu.local_engine import LocalEngine
from providers.gpu.local_folder import BoxFolder
from providers.gpu.mailbox import MailboxLeases
from providers.gpu.trainer import GpuTrainer, box_name
from providers.recipe import BaseModelName
from tests.providers.contract import TRIGGER_WORD, Bench, Fault
from tests.providers.sketch_bench import make_archive, make_training_order

LAYERS = {"sd-scripts": lay_out_sd_scripts, "ai-toolkit": lay_out_ai_toolkit}


def make_engine(folder: Path, name: str = "sd-scripts", *, mood: Mood | None = None, **changes: Any) -> LocalEngine:
    """Lay a stand-in out and return it as an operator would name it."""
    known = {
        "folder": LAYERS[name](folder / name, mood),
        "python": sys.executable,
        "weights": {BaseModelName.FLUX_1_DEV: lay_out_weights(folder / "weights")},
    }
    return LocalEngine(name=name, **{**known, **changes})


class LocalBench(Bench):
    not_applicable = dict.fromkeys(Fault, "a training on this machine goes by files and processes here alone")
    engine = "sd-scripts"

    @cached_property
    def installed(self) -> LocalEngine:
        """Lay the engine out, once: one may be reading its script just now."""
        return make_engine(self.tmp_path, self.engine)

    def behave(self, mood: Mood) -> None:
        """Have the stand-in behave so from its next start on."""
        mood.save(self.installed.folder)

    @property
    def folder(self) -> Path:
        return self.tmp_path / "local"

    @property
    def slots(self) -> Path:
        return self.tmp_path / "gpus"

    async def stop(self) -> None:
        box = self.make_box()
        for owned in await box.list_owned():
            await box.destroy(owned.id)

    def make_box(self, **more: Any) -> LocalBox:
        return LocalBox(self.folder, self.installed, slots=self.slots, **more)

    def make_adapter(self) -> GpuTrainer:
        leases = MailboxLeases.in_folder(self.folder / "jobs")
        return GpuTrainer(self.make_box(), self.installed.offer(), leases)

    def box_folder(self, marker: str) -> BoxFolder:
        return self.make_box().folder_of(box_name(marker))

    def make_order(self, marker: str, **changes: Any) -> TrainingOrder:
        archive = self.tmp_path / "photos.zip"
        if not archive.exists():
            make_archive(archive)
        recipe = {"base_model": BaseModelName.FLUX_1_DEV, "resolution": 512, "steps": 40, "rank": 4}
        return make_training_order(archive, marker, **recipe | changes)

    def make_long_order(self, marker: str) -> TrainingOrder:
        return self.make_order(marker, steps=6000)

    def unfit_orders(self) -> list[TrainingOrder]:
        order = self.make_order("unfit")
        return [
            replace(order, photo_count=1),
            replace(order, recipe=replace(order.recipe, steps=3)),
            replace(order, recipe=replace(order.recipe, base_model=BaseModelName.SKETCH)),
            replace(order, marker="../elsewhere"),
            replace(order, archive=self.tmp_path / "missing.zip"),
        ]

    @contextmanager
    def busy(self) -> Iterator[None]:
        self.slots.mkdir(parents=True, exist_ok=True)
        held = try_lock(self.slots / "0.lock")
        assert held is not None
        try:
            yield
        finally:
            os.close(held)

    def check_output(self, output: TrainedLora, order: TrainingOrder, into: Path) -> None:
        assert output.path.parent == into
        assert output.format is (LoraFormat.KOHYA if self.engine == "sd-scripts" else LoraFormat.DIFFUSERS)
        assert output.base_model is BaseModelName.FLUX_1_DEV
        assert output.facts["loss"] < output.facts["first_loss"]
        assert TRIGGER_WORD.encode() not in output.path.read_bytes()


class LocalAiToolkitBench(LocalBench):
    engine = "ai-toolkit"
