"""Deleted models at the provider that trained them: forgotten at once, tried again, and given up in the end."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from bot.blobs import Blobs
from bot.library import Library
from bot.remote_models import RESTS, RemoteModels
from bot.store import jobs as job_rows
from bot.store import loras as rows
from bot.store.database import Database
from providers.errors import Refused, Unavailable
from providers.recipe import BaseModelName
from providers.registry import Registry
from tests.factories import make_lora, make_picture_job
from tests.fakes.till_adapter import TillTrainer
from tests.faults.stage import SkippingClock
from tests.fresh_database import lay_database


class KeepingTrainer(TillTrainer):
    """Keeps models, and answers with these errors before it forgets one."""

    def __init__(self, *errors: Exception) -> None:
        super().__init__("http://127.0.0.1:9")
        self.errors = list(errors)
        self.forgotten: list[Any] = []

    async def forget_model(self, facts: Any) -> None:
        if self.errors:
            raise self.errors.pop(0)
        self.forgotten.append(facts["version"])


@dataclass(frozen=True, kw_only=True)
class Setting:
    database: Database
    library: Library
    remote: RemoteModels
    clock: SkippingClock
    trainer: KeepingTrainer

    async def due(self) -> int:
        async with self.database.begin() as connection:
            return len(await rows.to_forget(connection, at=self.clock.now()))


@asynccontextmanager
async def setting(folder, *errors: Exception, **registry: Any) -> AsyncIterator[Setting]:
    trainer, clock = KeepingTrainer(*errors), SkippingClock()
    async with Database.opened(await lay_database(folder)) as database:
        adapters = Registry(trainers=registry.get("trainers", {"till": trainer}), image_makers={})
        remote = RemoteModels(database=database, registry=adapters, clock=clock)
        blobs = await Blobs.opened(folder / "blobs")
        library = Library(database=database, blobs=blobs, registry=adapters, remote_models=remote, clock=clock)
        # The rows of a training are read for their provider alone, so that of pictures will do.
        job = make_picture_job(id="trainingj0b0", provider="till")
        lora = make_lora(base_model=BaseModelName.FLUX_1_DEV, facts={"version": "v1"})
        async with database.begin() as connection:
            await job_rows.insert(connection, job)
            await rows.insert(connection, lora)
        yield Setting(database=database, library=library, remote=remote, clock=clock, trainer=trainer)


async def test_deleted_model_is_forgotten_by_its_provider_at_once(tmp_path):
    async with setting(tmp_path) as s:
        _, left = await s.library.delete(4242, "1orarvsty000")
        due = await s.due()

    assert s.trainer.forgotten == ["v1"]
    assert (left, due) == (None, 0)


async def test_model_that_a_provider_keeps_is_told_and_tried_again(tmp_path):
    async with setting(tmp_path, Unavailable("Till is out of order.")) as s:
        _, left = await s.library.delete(4242, "1orarvsty000")
        await s.remote.make_round()
        at_once = list(s.trainer.forgotten)
        s.clock.ahead += RESTS[0] + timedelta(seconds=1)
        await s.remote.make_round()
        due = await s.due()

    assert left == "Till did not delete its copy of **Rusty**: Till is out of order."
    assert at_once == []
    assert s.trainer.forgotten == ["v1"]
    assert due == 0


async def test_model_that_a_provider_always_keeps_is_given_up(tmp_path):
    tries = len(RESTS) + 1
    async with setting(tmp_path, *[Refused("No.") for _ in range(tries + 5)]) as s:
        await s.library.delete(4242, "1orarvsty000")
        for _ in range(tries + 2):
            s.clock.ahead += timedelta(days=2)
            await s.remote.make_round()
        due = await s.due()

    assert len(s.trainer.errors) == 5
    assert due == 0


async def test_model_whose_deletion_was_cut_off_is_due_after_a_restart(tmp_path):
    async with setting(tmp_path) as s:
        async with s.database.begin() as connection:
            await rows.mark_deleted(connection, "1orarvsty000", at=s.clock.now())
        await s.remote.make_round()

    assert s.trainer.forgotten == ["v1"]


async def test_model_of_a_provider_that_is_gone_is_told(tmp_path):
    async with setting(tmp_path, trainers={}) as s:
        _, left = await s.library.delete(4242, "1orarvsty000")

    assert left == "**Rusty** was trained at `till`, which is no longer set up here."
