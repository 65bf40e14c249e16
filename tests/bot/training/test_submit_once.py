"""The one paid call: whatever becomes of its answer, the till's bill has one line a job."""

import asyncio
from datetime import timedelta

import pytest

from bot.draft import DraftState
from bot.store import drafts as draft_rows
from bot.training.job import JobState
from providers.registry import Registry
from tests.bot.training.rails import OWNER, laid_rails
from tests.fakes.till_adapter import TillTrainer


async def submitted(rails, **trouble):
    """Bring a training to its paid call, which meets this trouble; return the row after it."""
    job = await rails.run_to((await rails.begin()).id, JobState.SUBMITTING)
    if trouble:
        rails.till.plan("submit", **trouble)
    return await rails.step(job.id)


SURE = {
    "402": {"status": 402},
    "422": {"status": 422},
    "401": {"status": 401},
}
UNSURE_AND_TAKEN = {
    "500 after": {"status": 500, "after": True},
    "502 after": {"status": 502, "after": True},
    "reset after": {"after": True},
    "html after": {"text": "<html>Bad gateway</html>", "after": True},
    "nonsense after": {"text": '{"job": 1}', "after": True},
    "half an answer": {"half": True},
}
UNSURE_AND_LOST = {
    "500 before": {"status": 500},
    "503 before": {"status": 503},
    "reset before": {"times": 1},
    "html before": {"text": "<html>Maintenance</html>"},
}


@pytest.mark.parametrize("trouble", SURE.values(), ids=SURE)
async def test_sure_refusal_ends_the_job_and_gives_the_draft_back(tmp_path, trouble):
    async with laid_rails(tmp_path) as rails:
        job = await submitted(rails, **trouble)
        async with rails.database.begin() as connection:
            draft = await draft_rows.get(connection, job.draft_id)

    assert job.state is JobState.FAILED
    assert job.failure.reason.startswith("The till")
    assert job.failure.advice
    assert job.submitting_since is None
    assert draft.state is DraftState.OPEN
    assert rails.till.bill == []


async def test_rate_limit_waits_as_long_as_it_asks_and_sends_again(tmp_path):
    async with laid_rails(tmp_path) as rails:
        job = await submitted(rails, status=429, headers={"Retry-After": "17"})
        waits, state, since = job.next_at - rails.clock.now(), job.state, job.submitting_since
        job = await rails.run_to(job.id, JobState.QUEUED)

    assert waits == timedelta(seconds=17)
    assert (state, since) == (JobState.SUBMITTING, None)
    assert rails.till.bill == [job.marker]


async def test_provider_out_of_reach_is_tried_again(tmp_path):
    async with laid_rails(tmp_path) as rails:
        job = await rails.run_to((await rails.begin()).id, JobState.SUBMITTING)
        url, trainer = rails.till.url, rails.registry.trainers["till"]
        trainer._url = "http://127.0.0.1:9/trainings"
        job = await rails.step(job.id)
        state, since = job.state, job.submitting_since
        trainer._url = f"{url}/trainings"
        job = await rails.run_to(job.id, JobState.QUEUED)

    assert (state, since) == (JobState.SUBMITTING, None)
    assert rails.till.bill == [job.marker]


@pytest.mark.parametrize("trouble", UNSURE_AND_TAKEN.values(), ids=UNSURE_AND_TAKEN)
async def test_unsure_answer_to_an_order_that_was_taken_is_found_and_adopted(tmp_path, trouble):
    async with laid_rails(tmp_path) as rails:
        job = await submitted(rails, **trouble)
        state, since = job.state, job.submitting_since
        job = await rails.run_to(job.id, JobState.QUEUED)
        remote_id = rails.till.job(job.marker).id
        job = await rails.run_out(job.id)

    assert state is JobState.SUBMITTING
    assert since is not None
    assert job.remote_id == remote_id
    assert job.state is JobState.SUCCEEDED
    assert rails.till.bill.count(job.marker) == 1


@pytest.mark.parametrize("trouble", UNSURE_AND_LOST.values(), ids=UNSURE_AND_LOST)
async def test_unsure_answer_to_an_order_that_was_not_taken_is_sent_again(tmp_path, trouble):
    async with laid_rails(tmp_path) as rails:
        job = await submitted(rails, **trouble)
        looks_before = rails.till.asked.get("find", 0)
        job = await rails.run_to(job.id, JobState.QUEUED)

    assert looks_before == 0
    assert rails.till.asked["find"] == 2
    assert job.attempt == 2
    assert rails.till.bill == [job.marker]


async def test_answer_that_never_comes_is_unsure(tmp_path):
    async with laid_rails(tmp_path, patience=0.1) as rails:
        job = await submitted(rails, hang=True)
        rails.till.release()
        state, since = job.state, job.submitting_since
        job = await rails.run_to(job.id, JobState.QUEUED)

    assert state is JobState.SUBMITTING
    assert since is not None
    assert rails.till.bill == [job.marker]


async def test_looks_are_a_settling_time_apart(tmp_path):
    async with laid_rails(tmp_path, settle_seconds=60) as rails:
        job = await submitted(rails)
        job = await submitted(rails, status=500)
        sent = rails.clock.now()
        job = await rails.step(job.id)
        first = rails.clock.now()
        await rails.step(job.id)
        second = rails.clock.now()

    assert first - sent >= timedelta(seconds=60)
    assert second - first >= timedelta(seconds=60)


async def test_order_that_shows_up_late_is_found_at_the_second_look(tmp_path):
    async with laid_rails(tmp_path, settle_seconds=60) as rails:
        rails.till.listed.clear()
        job = await submitted(rails, status=500, after=True)
        job = await rails.step(job.id)
        rails.till.listed.set()
        job = await rails.step(job.id)

    assert job.state is JobState.QUEUED
    assert rails.till.bill == [job.marker]


async def test_pressing_cancel_does_not_hurry_the_looks(tmp_path):
    async with laid_rails(tmp_path, settle_seconds=60) as rails:
        rails.till.listed.clear()
        job = await submitted(rails, status=500, after=True)
        for _ in range(3):
            await rails.training.cancel(OWNER, job.id)
            for claimed in await rails.claim():
                await rails.stepper.take(claimed)
        job = await rails.job(job.id)
        hurried = job.state
        rails.till.listed.set()
        job = await rails.run_out(job.id)
        order = rails.till.job(job.marker)

    assert hurried is JobState.SUBMITTING
    assert job.state is JobState.CANCELED
    assert order.canceled


async def test_providers_slow_clock_does_not_hide_an_order(tmp_path):
    async with laid_rails(tmp_path) as rails:
        rails.till.behind = timedelta(seconds=45)
        job = await submitted(rails, status=500, after=True)
        job = await rails.run_to(job.id, JobState.QUEUED)

    assert rails.till.bill == [job.marker]


async def test_look_that_fails_is_no_proof_of_absence(tmp_path):
    async with laid_rails(tmp_path) as rails:
        job = await submitted(rails, status=500, after=True)
        rails.till.plan("find", status=503, times=2)
        rails.till.plan("find", text="<html>", times=2)
        rails.till.plan("find", status=429, headers={"Retry-After": "3"})
        job = await rails.run_to(job.id, JobState.QUEUED)

    assert rails.till.asked["find"] == 6
    assert rails.till.bill == [job.marker]


async def test_provider_that_cannot_look_leaves_the_decision_to_a_person(tmp_path):
    async with laid_rails(tmp_path, findable=False) as rails:
        job = await submitted(rails, status=500, after=True)
        job = await rails.step(job.id)
        claimed = await rails.claim()

    assert job.state is JobState.UNCERTAIN
    assert job.ended_at is None
    assert job.next_at is None
    assert claimed == []
    assert rails.till.bill == [job.marker]


async def test_uncertain_job_can_be_given_up_by_its_person(tmp_path):
    async with laid_rails(tmp_path, findable=False) as rails:
        job = await submitted(rails, status=500)
        job = await rails.step(job.id)
        await rails.training.cancel(OWNER, job.id)
        job = await rails.run_out(job.id)

    assert job.state is JobState.CANCELED
    assert rails.till.bill == []


async def test_crash_before_the_call_left_is_found_out_and_sent(tmp_path):
    async with laid_rails(tmp_path) as rails:
        job = await submitted(rails, status=500)
        assert rails.till.bill == []
        job = await rails.run_out(job.id)

    assert job.state is JobState.SUCCEEDED
    assert rails.till.bill.count(job.marker) == 1


class Clumsy(TillTrainer):
    """A trainer with a bug after the order was taken."""

    async def _submit(self, order):
        await super()._submit(order)
        raise KeyError("id")


def clumsy(registry: Registry) -> Registry:
    trainer = registry.trainers["till"]
    return Registry(trainers={"till": Clumsy(trainer._url.rpartition("/")[0])}, image_makers=registry.image_makers)


async def test_bug_in_an_adapter_does_not_lose_the_paid_call(tmp_path):
    async with laid_rails(tmp_path, dress=clumsy) as rails:
        job = await rails.run_out((await rails.begin()).id)

    assert job.state is JobState.SUCCEEDED
    assert rails.till.bill.count(job.marker) == 1


async def test_cancel_before_the_call_sends_nothing(tmp_path):
    async with laid_rails(tmp_path) as rails:
        job = await rails.run_to((await rails.begin()).id, JobState.SUBMITTING)
        await rails.training.cancel(OWNER, job.id)
        job = await rails.run_out(job.id)

    assert job.state is JobState.CANCELED
    assert rails.till.bill == []
    assert rails.till.uploads == set()


async def test_cancel_during_the_call_is_done_at_the_provider(tmp_path):
    async with laid_rails(tmp_path) as rails:
        job = await rails.run_to((await rails.begin()).id, JobState.SUBMITTING)
        held = rails.till.plan("submit", hang=True)
        step = asyncio.create_task(rails.step(job.id))
        await held.met.wait()
        await rails.training.cancel(OWNER, job.id)
        rails.till.release()
        job = await step
        due = job.next_at
        job = await rails.run_out(job.id)
        order = rails.till.job(job.marker)

    assert due <= rails.clock.now()
    assert job.state is JobState.CANCELED
    assert order.canceled
