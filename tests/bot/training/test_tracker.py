"""The loop that takes due jobs: beside others like it, past jobs that misbehave, and when it is told to stop."""

import asyncio
from contextlib import asynccontextmanager

from bot.clock import SystemClock
from bot.training import submitter, tracker
from bot.training.job import JobState
from cogs import status
from providers.registry import Registry
from tests.bot.training.rails import laid_rails
from tests.fakes.till_adapter import TillTrainer


@asynccontextmanager
async def tracking(rails, how_many=1):
    """Run trackers of as many processes on one database."""
    trackers = [rails.tracker() for _ in range(how_many)]
    tasks = [asyncio.create_task(one.run()) for one in trackers]
    try:
        yield trackers
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def until(rails, job_id, wanted):
    async with asyncio.timeout(40):
        while not wanted(job := await rails.job(job_id)):
            rails.clock.time = max(rails.clock.time, SystemClock().now())
            await asyncio.sleep(0.01)
    return job


async def test_two_trackers_on_one_database_never_pay_a_job_twice(tmp_path):
    async with laid_rails(tmp_path) as rails:
        jobs = [await rails.begin() for _ in range(6)]
        async with tracking(rails, how_many=2):
            ended = [await until(rails, job.id, lambda j: j.cleaned) for job in jobs]

    assert {job.state for job in ended} == {JobState.SUCCEEDED}
    assert all(rails.till.bill.count(job.marker) == 1 for job in jobs)


class Buggy(TillTrainer):
    """A trainer that trips over one of its jobs."""

    bad_marker = ""

    async def poll(self, remote_id, prepared):
        if self.bad_marker in prepared["uploads"]:
            raise KeyError("status")
        return await super().poll(remote_id, prepared)


def buggy(registry: Registry) -> Registry:
    trainer = Buggy(registry.trainers["till"]._url.rpartition("/")[0])
    return Registry(trainers={"till": trainer}, image_makers=registry.image_makers)


async def test_bug_in_one_job_never_stops_the_others(tmp_path):
    async with laid_rails(tmp_path, dress=buggy) as rails:
        bad, good = await rails.begin(), await rails.begin()
        rails.registry.trainers["till"].bad_marker = bad.marker
        async with tracking(rails):
            good = await until(rails, good.id, lambda j: j.cleaned)
            bad = await until(rails, bad.id, lambda j: j.tries > 0)

    assert good.state is JobState.SUCCEEDED
    assert bad.state is JobState.QUEUED
    assert bad.remote_id is not None


async def test_stop_lets_a_paid_call_come_to_its_end(tmp_path):
    async with laid_rails(tmp_path) as rails:
        job = await rails.begin()
        held = rails.till.plan("submit", hang=True)
        async with tracking(rails):
            await held.met.wait()
            asyncio.get_running_loop().call_later(0.05, rails.till.release)
        job = await rails.job(job.id)

    assert job.state is JobState.QUEUED
    assert job.remote_id == rails.till.job(job.marker).id


async def test_stop_parks_a_paid_call_that_does_not_end(tmp_path, monkeypatch):
    monkeypatch.setattr(tracker, "DRAIN_SECONDS", 0.05)
    monkeypatch.setattr(submitter, "LAST_WORD_SECONDS", 0.05)
    async with laid_rails(tmp_path) as rails:
        job = await rails.begin()
        held = rails.till.plan("submit", hang=True)
        async with tracking(rails):
            await held.met.wait()
        parked = await rails.job(job.id)
        rails.till.release()

    assert parked.state is JobState.SUBMITTING
    assert parked.submitting_since is not None


def test_stop_fits_into_ten_seconds():
    # Two more for what closes after them: the connection, the web server, the photo threads, the database.
    assert status.DRAIN_SECONDS + tracker.DRAIN_SECONDS + submitter.LAST_WORD_SECONDS <= 8


async def test_lease_of_a_step_that_is_gone_is_not_renewed(tmp_path):
    async with laid_rails(tmp_path) as rails:
        await rails.begin()
        one = rails.tracker()
        [_claimed] = await one._claim()
        rails.clock.move(50)
        await one._renew_leases()
        rails.clock.move(11)

        assert len(await rails.claim("another")) == 1
