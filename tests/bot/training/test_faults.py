"""What a provider can do wrong after it took the order, and what the row says afterwards."""

from datetime import timedelta

import pytest

from bot.training.job import JobState
from tests.bot.training.rails import OWNER, laid_rails
from tests.fakes.till import QUEUED, RUNNING, SUCCEEDED, Look

PASSING = {
    "429": {"status": 429, "headers": {"Retry-After": "7"}},
    "500": {"status": 500},
    "503": {"status": 503},
    "401": {"status": 401},
    "reset": {"times": 1},
    "html": {"text": "<html>Bad gateway</html>"},
    "half": {"half": True},
    "not ours": {"text": '{"hello": "world"}'},
}


@pytest.mark.parametrize("route", ["poll", "collect"])
@pytest.mark.parametrize("trouble", PASSING.values(), ids=PASSING)
async def test_passing_trouble_is_outlived(tmp_path, route, trouble):
    if route == "collect" and "text" in trouble:
        trouble = {"status": 502, **trouble}
    async with laid_rails(tmp_path) as rails:
        rails.till.plan(route, **trouble)
        job = await rails.run_out((await rails.begin()).id)

    assert job.state is JobState.SUCCEEDED
    assert rails.till.bill.count(job.marker) == 1


async def test_rate_limit_is_waited_out(tmp_path):
    async with laid_rails(tmp_path) as rails:
        job = await rails.run_to((await rails.begin()).id, JobState.QUEUED)
        rails.till.plan("poll", status=429, headers={"Retry-After": "17"})
        job = await rails.step(job.id)
        waits = job.next_at - rails.clock.now()

    assert waits == timedelta(seconds=17)


async def test_tries_come_ever_later(tmp_path):
    async with laid_rails(tmp_path) as rails:
        job = await rails.run_to((await rails.begin()).id, JobState.QUEUED)
        rails.till.plan("poll", status=503, times=12)
        waits = []
        for _ in range(12):
            job = await rails.step(job.id)
            waits.append((job.next_at - rails.clock.now()).total_seconds())
        job = await rails.run_out(job.id)

    assert waits[:4] == [1, 2, 4, 8]
    assert max(waits) == waits[-1] == 300
    assert job.state is JobState.SUCCEEDED


async def test_status_that_goes_backwards_undoes_nothing(tmp_path):
    async with laid_rails(tmp_path) as rails:
        rails.till.script = (RUNNING, QUEUED, SUCCEEDED)
        job = await rails.run_to((await rails.begin()).id, JobState.RUNNING)
        job = await rails.step(job.id)
        state = job.state
        job = await rails.run_out(job.id)

    assert state is JobState.RUNNING
    assert job.state is JobState.SUCCEEDED


async def test_unknown_status_keeps_the_last_one_and_is_logged_once(tmp_path, caplog):
    async with laid_rails(tmp_path) as rails:
        pondering = Look(status="pondering")
        rails.till.script = (RUNNING, pondering, pondering, pondering, SUCCEEDED)
        job = await rails.run_to((await rails.begin()).id, JobState.RUNNING)
        states = [(await rails.step(job.id)).state for _ in range(3)]
        job = await rails.run_out(job.id)

    assert states == [JobState.RUNNING] * 3
    assert job.state is JobState.SUCCEEDED
    assert caplog.text.count("'pondering'") == 1


async def test_job_that_the_provider_forgot_is_lost(tmp_path):
    async with laid_rails(tmp_path) as rails:
        job = await rails.run_to((await rails.begin()).id, JobState.RUNNING)
        rails.till.job(job.marker).removed = True
        job = await rails.run_out(job.id)

    assert job.state is JobState.LOST
    assert job.failure.reason == "The provider no longer knows this job."


async def test_result_that_is_gone_is_lost(tmp_path):
    async with laid_rails(tmp_path) as rails:
        job = await rails.run_to((await rails.begin()).id, JobState.COLLECTING)
        rails.till.job(job.marker).removed = True
        job = await rails.run_out(job.id)

    assert job.state is JobState.LOST
    assert list((tmp_path / "work").iterdir()) == []


async def test_result_that_stays_broken_ends_the_job(tmp_path):
    async with laid_rails(tmp_path) as rails:
        rails.till.plan("collect", half=True, times=1000)
        job = await rails.run_out((await rails.begin()).id)

    assert job.state is JobState.FAILED
    assert job.failure.reason == "The till's file broke off."


@pytest.mark.parametrize("state", [JobState.QUEUED, JobState.RUNNING])
async def test_cancel_is_done_at_the_provider(tmp_path, state):
    async with laid_rails(tmp_path) as rails:
        rails.till.script = (QUEUED, QUEUED, RUNNING)
        job = await rails.run_to((await rails.begin()).id, state)
        await rails.training.cancel(OWNER, job.id)
        job = await rails.run_out(job.id)
        order = rails.till.job(job.marker)

    assert job.state is JobState.CANCELED
    assert order.canceled
    assert rails.till.uploads == set()


async def test_cancel_that_the_provider_cannot_take_now_is_asked_again(tmp_path):
    async with laid_rails(tmp_path) as rails:
        rails.till.script = (QUEUED, RUNNING)
        job = await rails.run_to((await rails.begin()).id, JobState.RUNNING)
        rails.till.plan("cancel", status=503, times=2)
        await rails.training.cancel(OWNER, job.id)
        job = await rails.run_out(job.id)

    assert job.state is JobState.CANCELED


async def test_job_that_ends_while_it_cannot_be_stopped_is_brought_home(tmp_path):
    async with laid_rails(tmp_path) as rails:
        job = await rails.run_to((await rails.begin()).id, JobState.RUNNING)
        rails.till.plan("cancel", status=503, times=1000)
        await rails.training.cancel(OWNER, job.id)
        job = await rails.run_out(job.id)

    assert job.state is JobState.SUCCEEDED


async def test_cancel_while_preparing_pays_nothing(tmp_path):
    async with laid_rails(tmp_path) as rails:
        job = await rails.begin()
        await rails.training.cancel(OWNER, job.id)
        job = await rails.run_out(job.id)

    assert job.state is JobState.CANCELED
    assert rails.till.bill == []


async def test_cancel_while_collecting_brings_home_what_was_paid(tmp_path):
    async with laid_rails(tmp_path) as rails:
        job = await rails.run_to((await rails.begin()).id, JobState.COLLECTING)
        await rails.training.cancel(OWNER, job.id)
        job = await rails.run_out(job.id)

    assert job.state is JobState.SUCCEEDED


async def test_cleanup_that_fails_is_tried_again(tmp_path):
    async with laid_rails(tmp_path) as rails:
        rails.till.plan("remove", status=503, times=3)
        job = await rails.run_out((await rails.begin()).id)

    assert job.state is JobState.SUCCEEDED
    assert job.marker not in rails.till.uploads
