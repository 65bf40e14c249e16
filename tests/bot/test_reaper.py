"""Machines that no job owns: who is one, when it goes, and who hears of it. RunPod and Paperspace are played, the rest
is real; only the clock is turned."""

import asyncio
import logging
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import aiohttp
import pytest
from pydantic import SecretStr

from bot import reaper as reaping
from bot.app import opened_services
from bot.background import Background
from bot.events import News, StrayFate, StrayMachine
from bot.reaper import GRACE, NOBODYS_AFTER, Reaper
from bot.settings import Settings
from bot.store import jobs as rows
from bot.store.database import Database
from bot.training.job import JobState
from providers.gpu.box import BoxOrder
from providers.gpu.paperspace import PaperspaceMachines, PaperspaceSettings
from providers.gpu.runpod import RunPodPods, RunPodSettings
from providers.registry import Registry
from tests.factories import make_picture_job
from tests.fakes import paperspace as paperspace_fake
from tests.fakes import runpod as runpod_fake
from tests.fresh_database import lay_database

JOB = "j0b000000001"
RUNNING = {"state": JobState.RUNNING, "ended_at": None}
OVER = {"state": JobState.FAILED, "cleaned": True}


class TurnedClock:
    def __init__(self):
        self.moment = datetime.now(UTC)

    def now(self):
        return self.moment

    def turn(self, by):
        self.moment += by


@dataclass(frozen=True, kw_only=True)
class Yard:
    """A bot that rents at RunPod and at Paperspace."""

    reaper: Reaper
    clock: TurnedClock
    database: Database
    runpod: runpod_fake.FakeRunPod
    paperspace: paperspace_fake.FakePaperspace
    pods: RunPodPods
    machines: PaperspaceMachines
    heard: list[StrayMachine]

    async def job(self, job_id=JOB, **changes):
        async with self.database.begin() as connection:
            await rows.insert(connection, make_picture_job(**{"id": job_id, "provider": "runpod"} | changes))

    async def pod(self, job_id=JOB):
        return await self.pods.create(order(job_id))

    @property
    def fates(self):
        return [notice.fate for notice in self.heard]


def order(job_id):
    return BoxOrder(name=f"darkroom-{job_id}", env={}, script="sleep 600", max_seconds=3600)


@asynccontextmanager
async def open_yard(tmp_path, *, clean=True):
    clock, news, heard = TurnedClock(), News(), []
    news.subscribe_operator(heard.append)
    async with (
        runpod_fake.FakeRunPod() as runpod,
        paperspace_fake.FakePaperspace() as paperspace,
        aiohttp.ClientSession() as session,
        Database.opened(await lay_database(tmp_path)) as database,
    ):
        pods = RunPodPods(
            RunPodSettings(
                key=SecretStr(runpod_fake.KEY),
                base_url=runpod.base_url,
                gpus=("NVIDIA L40S",),
                most_usd_an_hour=2.0,
                image="worker",
            ),
            session,
        )
        machines = PaperspaceMachines(
            PaperspaceSettings(
                key=SecretStr(paperspace_fake.KEY),
                base_url=paperspace.base_url,
                machine_type="A6000",
                template_id=paperspace_fake.TEMPLATE,
                image="worker",
            ),
            session,
        )
        registry = Registry(trainers={"runpod": pods, "paperspace": machines})
        yard = Yard(
            reaper=Reaper(database=database, registry=registry, clock=clock, news=news),
            clock=clock,
            database=database,
            runpod=runpod,
            paperspace=paperspace,
            pods=pods,
            machines=machines,
            heard=heard,
        )
        yield yard
        if clean:
            assert (runpod.left_over, paperspace.left_over) == ([], [])


async def test_reaper_gives_a_machine_back_whose_job_is_over_after_a_grace(tmp_path, caplog):
    caplog.set_level(logging.WARNING)
    async with open_yard(tmp_path) as yard:
        await yard.job(**OVER)
        pod_id = await yard.pod()
        assert await yard.reaper.make_round() == 0
        yard.clock.turn(GRACE - timedelta(seconds=1))
        assert await yard.reaper.make_round() == 0
        assert yard.runpod.left_over == [pod_id]
        yard.clock.turn(timedelta(seconds=2))
        assert await yard.reaper.make_round() == 1
        expected = StrayMachine(provider="RunPod", name=f"darkroom-{JOB}", box_id=pod_id, fate=StrayFate.DESTROYED)
        assert yard.heard == [expected]
    assert f"RunPod has the machine {pod_id} (darkroom-{JOB}), which no job owns: destroyed" in caplog.text


@pytest.mark.parametrize(
    "job",
    [
        RUNNING | {"remote_id": "pod00000001"},
        RUNNING | {"state": JobState.SUBMITTING, "remote_id": None},
        {"state": JobState.FAILED, "cleaned": False, "remote_id": "pod00000001"},
    ],
    ids=["running", "in doubt", "cleaning up"],
)
async def test_reaper_leaves_a_machine_alone_that_a_job_owns(tmp_path, job):
    async with open_yard(tmp_path, clean=False) as yard:
        await yard.job(**job)
        pod_id = await yard.pod()
        for _ in range(3):
            assert await yard.reaper.make_round() == 0
            yard.clock.turn(NOBODYS_AFTER)
        assert yard.runpod.left_over == [pod_id]
        assert yard.heard == []


async def test_reaper_gives_the_second_of_two_machines_of_one_job_back(tmp_path):
    async with open_yard(tmp_path, clean=False) as yard:
        first, second = await yard.pod(), await yard.pod()
        await yard.job(**RUNNING, remote_id=first)
        await yard.reaper.make_round()
        yard.clock.turn(GRACE)
        assert await yard.reaper.make_round() == 1
        assert yard.runpod.left_over == [first]
        assert yard.heard[0].box_id == second


async def test_reaper_gives_a_machine_back_whose_job_went_elsewhere(tmp_path):
    async with open_yard(tmp_path) as yard:
        await yard.pod()
        await yard.job(**RUNNING | {"provider": "fal"})
        await yard.reaper.make_round()
        yard.clock.turn(GRACE)
        assert await yard.reaper.make_round() == 1


async def test_reaper_leaves_a_stranger_with_our_name_alone_until_nobody_s_can_be_that_old(tmp_path):
    async with open_yard(tmp_path) as yard:
        pod_id = await yard.pod("an0therb0t00")
        for _ in range(2):
            assert await yard.reaper.make_round() == 0
            yard.clock.turn(GRACE * 2)
        assert yard.runpod.left_over == [pod_id]
        yard.clock.turn(NOBODYS_AFTER)
        assert await yard.reaper.make_round() == 1
        assert yard.fates == [StrayFate.LEFT_ALONE, StrayFate.DESTROYED]


async def test_reaper_doesnt_see_what_doesnt_carry_our_name(tmp_path):
    async with open_yard(tmp_path, clean=False) as yard:
        order_of_others = BoxOrder(name="notebook", env={}, script="sleep 600", max_seconds=3600)
        pod_id = await yard.pods.create(order_of_others)
        yard.clock.turn(NOBODYS_AFTER * 2)
        await yard.reaper.make_round()
        yard.clock.turn(NOBODYS_AFTER * 2)
        assert await yard.reaper.make_round() == 0
        assert yard.runpod.left_over == [pod_id]


async def test_reaper_goes_on_with_a_machine_that_its_provider_didnt_take_back(tmp_path):
    async with open_yard(tmp_path) as yard:
        await yard.job(**OVER)
        await yard.pod()
        await yard.reaper.make_round()
        yard.clock.turn(GRACE)
        yard.runpod.plan("destroy", status=500, times=6)
        assert await yard.reaper.make_round() == 0
        assert await yard.reaper.make_round() == 0
        assert await yard.reaper.make_round() == 1
        assert yard.fates == [StrayFate.STAYS, StrayFate.DESTROYED]


async def test_reaper_looks_at_the_others_when_one_provider_can_t_be_asked(tmp_path):
    async with open_yard(tmp_path) as yard:
        await yard.job(provider="paperspace", **OVER)
        await yard.machines.create(order(JOB))
        yard.runpod.plan("list", status=500, times=6)
        assert await yard.reaper.make_round() == 0
        yard.clock.turn(GRACE)
        assert await yard.reaper.make_round() == 1
        assert [notice.provider for notice in yard.heard] == ["Paperspace"]


async def test_reaper_removes_a_script_whose_machine_never_came_to_be(tmp_path):
    async with open_yard(tmp_path) as yard:
        await yard.job(provider="paperspace", **OVER)
        await yard.machines.create(order(JOB))
        await yard.paperspace.remove(yard.paperspace.bill[0])
        await yard.reaper.make_round()
        yard.clock.turn(GRACE)
        assert await yard.reaper.make_round() == 1


async def test_reaper_runs_as_a_task_that_outlives_its_troubles(tmp_path, monkeypatch):
    monkeypatch.setattr(reaping, "ROUND_SECONDS", 0.01)
    monkeypatch.setattr(reaping, "GRACE", timedelta(0))
    async with open_yard(tmp_path) as yard:
        await yard.job(**OVER)
        await yard.pod()
        background = Background()
        background.start("reaper", yard.reaper.run)
        async with asyncio.timeout(40):
            while yard.runpod.left_over:  # noqa: ASYNC110 - the task has no event to wait for
                await asyncio.sleep(0.01)
        await background.stop()


async def test_reaper_is_started_where_machines_are_rented(tmp_path):
    async with open_yard(tmp_path) as yard:
        settings = Settings(_env_file=None, darkroom_data_dir=tmp_path / "data", darkroom_sketch=False)
        async with opened_services(settings, registry=Registry(trainers={"runpod": LookedAfter(yard.pods)})):
            assert "reaper" in {task.get_name() for task in asyncio.all_tasks()}
        async with opened_services(settings, registry=Registry()):
            assert "reaper" not in {task.get_name() for task in asyncio.all_tasks()}


class LookedAfter:
    """As much of a trainer as a start needs."""

    def __init__(self, pods):
        self.list_owned, self.destroy, self.check, self.title = pods.list_owned, pods.destroy, pods.check, pods.title


async def test_news_of_strays_reach_the_others_when_one_listener_fails(caplog):
    news, heard = News(), []
    news.subscribe_operator(lambda _: 1 / 0)
    news.subscribe_operator(heard.append)
    news.warn_operator(StrayMachine(provider="RunPod", name="darkroom-x", box_id="1", fate=StrayFate.STAYS))
    assert len(heard) == 1
    assert "a listener failed" in caplog.text
