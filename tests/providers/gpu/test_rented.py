"""Trainings on rented machines that go wrong: what becomes of the job, and that no machine is left over.

Every test ends with a count of what still exists at the provider, which has to be none.
"""

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest

from playground.engine_script import Mood
from providers.base import RemoteState
from providers.errors import NotFound, OutOfCredit, ProviderError, SubmitUnsure, Unavailable
from tests.providers.contract import wait_for
from tests.providers.gpu.rented_bench import PaperspaceBench, RentedBench, RunPodBench, RunPodServerlessBench

SINCE = datetime(2020, 1, 1, tzinfo=UTC)
everywhere = pytest.mark.parametrize(
    "kind", [RunPodBench, RunPodServerlessBench, PaperspaceBench], ids=["runpod", "runpod-serverless", "paperspace"]
)
#: Those whose machines can be listed.
with_machines = pytest.mark.parametrize("kind", [RunPodBench, PaperspaceBench], ids=["runpod", "paperspace"])


@dataclass(kw_only=True)
class Job:
    """One training, as the bot would take it through."""

    bench: RentedBench
    adapter: Any
    order: Any
    prepared: Any
    remote_id: str | None = None

    async def submit(self):
        self.remote_id = await self.adapter.submit(self.order, self.prepared)
        return self.remote_id

    async def poll(self):
        return await self.adapter.poll(self.remote_id, self.prepared)

    async def until(self, *states):
        return await wait_for(self.adapter, self.remote_id, self.prepared, *states)

    async def clean_up(self):
        await self.adapter.cleanup(self.remote_id, self.prepared)


@asynccontextmanager
async def opened(kind, tmp_path, **order):
    """Prepare a training; at the end, count what is left over before anything but the adapter could tidy up."""
    bench = kind(tmp_path)
    await bench.start()
    adapter, wanted = bench.make_adapter(), bench.ground.order("darkroom-j0b1", **order)
    try:
        yield Job(bench=bench, adapter=adapter, order=wanted, prepared=await adapter.prepare(wanted))
        left_over = bench.server.left_over
    finally:
        await bench.stop()
    assert left_over == []


@everywhere
async def test_rented_machine_trains_delivers_and_is_given_back(kind, tmp_path):
    async with opened(kind, tmp_path) as job:
        await job.submit()
        seen = await job.until()
        assert seen.state is RemoteState.SUCCEEDED
        into = tmp_path / "out"
        into.mkdir()
        job.bench.check_output(await job.adapter.collect(job.remote_id, job.prepared, into), job.order, into)
        await job.clean_up()


async def test_runpod_pod_deletes_itself_when_its_work_is_done(tmp_path):
    async with opened(RunPodBench, tmp_path) as job:
        await job.submit()
        machine = job.bench.server.pods[job.remote_id].machine
        await job.until()
        # Nobody cleans up here: it is the agent, with the key that RunPod put into its pod.
        await machine.ended.wait()
        assert job.bench.server.left_over == []


async def test_paperspace_machine_shuts_itself_down_when_its_work_is_done(tmp_path):
    async with opened(PaperspaceBench, tmp_path) as job:
        await job.submit()
        await job.until()
        machine = job.bench.server.machines[job.remote_id]
        async for _ in looks(lambda: machine.state == "off"):
            pass
        # It is off, and would go on to cost its storage.
        assert len(job.bench.server.left_over) == 2
        await job.clean_up()


async def looks(done):
    async with asyncio.timeout(40):
        while not done():
            yield
            await asyncio.sleep(0.02)


async def test_rented_gpu_that_is_refused_for_capacity_is_followed_by_the_next(tmp_path):
    async with opened(RunPodBench, tmp_path) as job:
        job.bench.server.full = {"NVIDIA GeForce RTX 4090"}
        await job.submit()
        assert job.bench.server.pods[job.remote_id].body["gpu"]["id"] == "NVIDIA L40S"
        assert (await job.until()).state is RemoteState.SUCCEEDED
        await job.clean_up()


async def test_rented_gpu_above_the_price_is_given_back_and_nothing_is_accepted(tmp_path):
    async with opened(RunPodBench, tmp_path) as job:
        job.bench.server.billed = 7.0
        with pytest.raises(Unavailable):
            await job.submit()
        await job.clean_up()


@everywhere
async def test_rented_machine_that_the_account_can_t_pay_leaves_nothing(kind, tmp_path):
    async with opened(kind, tmp_path) as job:
        job.bench.server.plan("run" if kind is RunPodServerlessBench else "order", status=402)
        with pytest.raises(OutOfCredit):
            await job.submit()
        await job.clean_up()


@with_machines
async def test_rented_machine_that_came_twice_trains_once(kind, tmp_path):
    async with opened(kind, tmp_path) as job:
        job.bench.server.plan("order", after=True)
        with pytest.raises(SubmitUnsure):
            await job.submit()
        # It was looked for and not seen, so that it is ordered again.
        second = await job.submit()
        assert len(job.bench.server.bill) == 2
        assert (await job.until()).state is RemoteState.SUCCEEDED
        assert (await job.adapter._leases.report("darkroom-j0b1")).box_id in {second, None}
        await job.clean_up()


async def test_serverless_job_that_came_twice_trains_once(tmp_path):
    async with opened(RunPodServerlessBench, tmp_path) as job:
        server = job.bench.server
        server.busy = True
        server.plan("run", after=True)
        with pytest.raises(SubmitUnsure):
            await job.submit()
        await job.submit()
        server.busy = False
        first, second = server.bill
        assert (await job.until()).state is RemoteState.SUCCEEDED
        box = job.bench.make_box()
        async for _ in looks(lambda: server.left_over == []):
            await box.status(first)
            await box.status(second)
        assert "this job is not ours" in server.jobs[first].machine.log
        assert "the work has ended: done" in server.jobs[second].machine.log
        await job.clean_up()


@with_machines
async def test_rented_machine_that_never_starts_is_given_up_and_given_back(kind, tmp_path, monkeypatch):
    async with opened(kind, tmp_path) as job:
        job.bench.server.hostless = True
        await job.submit()
        assert (await job.poll()).state is RemoteState.QUEUED
        shorten_start(job.adapter, monkeypatch)
        seen = await job.until()
        assert seen.state is RemoteState.FAILED
        assert "didn't begin within" in str(seen.failure)
        await job.clean_up()


def shorten_start(adapter, monkeypatch):
    """Let the time be over within which a machine has to have begun."""
    terms = adapter._box.terms
    monkeypatch.setattr(
        type(adapter._box), "terms", property(lambda _: type(terms)(**vars(terms) | {"start_seconds": 0}))
    )


@everywhere
async def test_rented_machine_that_cannot_be_given_back_at_first_is_given_back_later(kind, tmp_path):
    async with opened(kind, tmp_path, steps=4000) as job:
        await job.submit()
        await job.until(RemoteState.RUNNING)
        # A call is tried three times, and the agent of a pod asks for its end once at the same time.
        job.bench.server.plan("cancel" if kind is RunPodServerlessBench else "destroy", status=500, times=4)
        with pytest.raises(ProviderError):
            await job.clean_up()
        assert job.bench.server.left_over != []
        await job.clean_up()


@everywhere
async def test_rented_machine_with_a_state_that_nobody_documented_goes_on(kind, tmp_path):
    async with opened(kind, tmp_path) as job:
        await job.submit()
        route = "status" if kind is RunPodServerlessBench else "poll"
        job.bench.server.plan(route, text=job.bench.unknown_status)
        assert (await job.poll()).state is None
        assert (await job.until()).state is RemoteState.SUCCEEDED
        await job.clean_up()


@with_machines
async def test_rented_machine_that_vanishes_before_it_began_is_not_found(kind, tmp_path):
    async with opened(kind, tmp_path) as job:
        job.bench.server.busy = True
        await job.submit()
        await job.bench.server.remove(job.remote_id)
        with pytest.raises(NotFound):
            await job.poll()
        await job.clean_up()


async def test_serverless_job_that_runpod_removed_before_it_began_is_not_found(tmp_path):
    async with opened(RunPodServerlessBench, tmp_path) as job:
        job.bench.server.busy = True
        await job.submit()
        # As its ttl does, whether it runs or not.
        job.bench.server.jobs.clear()
        with pytest.raises(NotFound):
            await job.poll()
        await job.clean_up()


async def test_serverless_job_that_timed_out_in_the_queue_says_so(tmp_path):
    async with opened(RunPodServerlessBench, tmp_path) as job:
        job.bench.server.busy = True
        await job.submit()
        job.bench.server.plan("status", text='{"id": "x", "status": "TIMED_OUT"}')
        seen = await job.poll()
        assert seen.state is RemoteState.FAILED
        assert "took too long" in str(seen.failure)
        await job.clean_up()


@with_machines
async def test_rented_machine_that_dies_in_the_middle_loses_its_job(kind, tmp_path, monkeypatch):
    monkeypatch.setattr("providers.gpu.trainer.LOST_SECONDS", 0.0)
    monkeypatch.setattr("providers.gpu.trainer.FRESH_SECONDS", 0.0)
    async with opened(kind, tmp_path, steps=4000) as job:
        await job.submit()
        await job.until(RemoteState.RUNNING)
        await job.bench.server.remove(job.remote_id)
        seen = await job.until()
        assert seen.state is RemoteState.LOST
        assert "in the middle of its work" in str(seen.failure)
        await job.clean_up()


async def test_serverless_job_that_runpod_removed_in_the_middle_is_lost(tmp_path, monkeypatch):
    monkeypatch.setattr("providers.gpu.trainer.LOST_SECONDS", 0.0)
    monkeypatch.setattr("providers.gpu.trainer.FRESH_SECONDS", 0.0)
    async with opened(RunPodServerlessBench, tmp_path, steps=4000) as job:
        await job.submit()
        await job.until(RemoteState.RUNNING)
        removed = job.bench.server.jobs.pop(job.remote_id)
        await removed.machine.destroy()
        assert (await job.until()).state is RemoteState.LOST
        await job.clean_up()


@everywhere
async def test_rented_machine_is_given_back_when_its_training_is_canceled(kind, tmp_path):
    async with opened(kind, tmp_path, steps=4000) as job:
        Mood(seconds_a_step=0.01).save(job.bench.ground.mood_folder)
        await job.submit()
        await job.until(RemoteState.RUNNING)
        await job.adapter.cancel(job.remote_id, job.prepared)
        assert (await job.until()).state is RemoteState.CANCELED
        await job.clean_up()
