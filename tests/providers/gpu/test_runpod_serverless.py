"""RunPod's serverless endpoints: a job from the queue to its end, by the worker's real handler, and what may go wrong.

No OpenAPI file has these calls: what plays them follows docs.runpod.io. What asks about the endpoint itself is in the
file, and is held to it.
"""

import logging
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio
from pydantic import SecretStr

from providers.errors import BadCredentials, OutOfCredit, RateLimited, Refused, SubmitUnsure
from providers.gpu.box import BoxOrder, BoxState
from providers.gpu.runpod_serverless import PRICE_KEY, RunPodServerless, RunPodServerlessSettings
from providers.prices import PriceList
from tests.box_files import runpod_complaints
from tests.fakes.runpod import ENDPOINT, KEY, FakeRunPod
from tests.providers.contract import until

HANDLER = Path(__file__).resolve().parents[3] / "deploy" / "worker" / "handler.py"
TOKEN = "a-token-that-nobody-may-see"
HOUR_MS = 3_600_000


@pytest_asyncio.fixture
async def runpod():
    """RunPod, at which nothing of ours may be left at the end of any test, whatever went wrong in it."""
    async with FakeRunPod(handler=HANDLER) as server:
        yield server
        assert server.left_over == []
        assert runpod_complaints(server.exchanges) == []


@pytest_asyncio.fixture
async def session():
    async with aiohttp.ClientSession() as session:
        yield session


def serverless_at(runpod, session, *, prices=None, **changes):
    settings = {
        "key": SecretStr(KEY),
        "endpoint": ENDPOINT,
        "queue_url": runpod.serverless_url,
        "base_url": runpod.base_url,
        "timeout_seconds": 0.5,
    }
    return RunPodServerless(RunPodServerlessSettings(**settings | changes), session, prices=prices)


def order(script="sleep 600", max_seconds=3600.0):
    return BoxOrder(name="darkroom-job1", env={"DARKROOM_TOKEN": TOKEN}, script=script, max_seconds=max_seconds)


async def ended(box, job_id):
    """Look until the job is over; the stand-in moves it on with each look."""
    seen = await box.status(job_id)
    while seen.state in {BoxState.STARTING, BoxState.RUNNING}:
        seen = await box.status(job_id)
    return seen


async def test_serverless_worker_runs_the_script_with_its_environment_and_knows_its_job(runpod, session):
    box = serverless_at(runpod, session)
    job_id = await box.create(order('echo "token $DARKROOM_TOKEN in $DARKROOM_BOX_ID"'))
    seen = await ended(box, job_id)
    assert (seen.state, seen.raw_state, seen.failure) == (BoxState.ENDED, "COMPLETED", None)
    assert f"token {TOKEN} in {job_id}\n" in runpod.jobs[job_id].machine.log


async def test_serverless_worker_whose_script_fails_is_a_failed_job(runpod, session):
    box = serverless_at(runpod, session)
    seen = await ended(box, await box.create(order("exit 3")))
    assert (seen.state, seen.raw_state) == (BoxState.ENDED, "FAILED")
    assert seen.failure


async def test_serverless_job_may_run_as_long_as_its_agent_and_wait_besides(runpod, session):
    box = serverless_at(runpod, session)
    await box.destroy(await box.create(order()))
    policy = runpod.asked("run")[0].request["policy"]
    assert policy["executionTimeout"] > HOUR_MS
    assert policy["ttl"] > policy["executionTimeout"] + HOUR_MS


async def test_serverless_job_is_never_told_more_than_runpod_takes(runpod, session):
    box = serverless_at(runpod, session)
    await box.destroy(await box.create(order(max_seconds=30 * 24 * 3600.0)))
    assert set(runpod.asked("run")[0].request["policy"].values()) == {7 * 24 * HOUR_MS}


async def test_serverless_job_in_the_queue_is_starting_and_can_be_taken_out(runpod, session):
    runpod.busy = True
    box = serverless_at(runpod, session)
    job_id = await box.create(order())
    assert (await box.status(job_id)).state is BoxState.STARTING
    await box.destroy(job_id)
    await box.destroy(job_id)
    assert (await box.status(job_id)).raw_state == "CANCELLED"


async def test_serverless_job_that_runs_is_stopped_with_everything_on_it(runpod, session):
    box = serverless_at(runpod, session)
    job_id = await box.create(order("echo begun; sleep 600"))
    await until(lambda: "begun" in runpod.jobs[job_id].machine.log)
    assert (await box.status(job_id)).state is BoxState.RUNNING
    await box.destroy(job_id)
    assert (await box.status(job_id)).state is BoxState.ENDED


async def test_serverless_job_that_was_removed_is_gone(runpod, session):
    box = serverless_at(runpod, session)
    assert (await box.status("c80ffee4-f315-4e25-a146-000000000009-u1")).state is BoxState.GONE


@pytest.mark.parametrize("job_id", ["", "../..", "a/b"])
async def test_serverless_id_that_can_be_none_is_gone_and_fine_to_destroy(runpod, session, job_id):
    box = serverless_at(runpod, session)
    assert (await box.status(job_id)).state is BoxState.GONE
    await box.destroy(job_id)
    assert runpod.exchanges == []


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("IN_QUEUE", BoxState.STARTING),
        ("IN_PROGRESS", BoxState.RUNNING),
        ("RUNNING", BoxState.RUNNING),
        ("COMPLETED", BoxState.ENDED),
        ("FAILED", BoxState.ENDED),
        ("CANCELLED", BoxState.ENDED),
        ("TIMED_OUT", BoxState.ENDED),
        ("DREAMING", None),
    ],
)
async def test_serverless_statuses_are_all_known_and_an_unknown_one_is_passed_on(runpod, session, word, state):
    runpod.plan("status", text=f'{{"id": "x", "status": "{word}"}}')
    seen = await serverless_at(runpod, session).status("x")
    assert (seen.state, seen.raw_state) == (state, word)


async def test_serverless_job_that_timed_out_says_why(runpod, session):
    runpod.plan("status", text='{"id": "x", "status": "TIMED_OUT"}')
    assert "took too long" in str((await serverless_at(runpod, session).status("x")).failure)


@pytest.mark.parametrize(
    ("status", "kind"),
    [(400, Refused), (401, BadCredentials), (402, OutOfCredit), (404, Refused), (429, RateLimited)],
)
async def test_serverless_job_that_was_surely_not_taken(runpod, session, status, kind):
    runpod.plan("run", status=status, headers={"Retry-After": "7"})
    with pytest.raises(kind):
        await serverless_at(runpod, session).create(order())
    assert len(runpod.asked("run")) == 1
    assert runpod.bill == []


@pytest.mark.parametrize("how", [{"status": 500}, {"hang": True}, {}, {"text": "<html>"}, {"text": '{"id": "a/b"}'}])
async def test_serverless_job_whose_answer_is_unclear_is_not_sent_again(runpod, session, how):
    runpod.plan("run", after=True, **how)
    box = serverless_at(runpod, session)
    with pytest.raises(SubmitUnsure):
        await box.create(order())
    assert len(runpod.bill) == 1
    assert await box.find("darkroom-job1") is None
    await box.destroy(runpod.bill[0])


async def test_serverless_lists_nothing_since_nothing_can_be_listed(runpod, session):
    assert await serverless_at(runpod, session).list_owned() == ()


async def test_serverless_check_learns_the_price_of_the_endpoint_s_workers(runpod, session):
    box = serverless_at(runpod, session, hf_token=SecretStr("hf_x"))
    assert "not known yet" in str(box.price().basis)
    health = await box.check()
    assert (health.ok, health.detail) == (True, "RunPod serverless answers; the endpoint darkroom takes jobs.")
    assert (box.price().low_usd, box.price().high_usd) == (1.1, 1.9)


async def test_serverless_price_is_the_operator_s_if_they_set_one(runpod, session):
    box = serverless_at(runpod, session, prices=PriceList(overrides={PRICE_KEY: 0.5}))
    await box.check()
    assert (box.price().low_usd, box.price().high_usd) == (0.5, 0.5)


async def test_serverless_check_says_when_there_is_no_such_endpoint(runpod, session):
    health = await serverless_at(runpod, session, endpoint="nowhere").check()
    assert not health.ok
    assert "RUNPOD_ENDPOINT_ID" in health.detail


async def test_serverless_check_says_when_the_endpoint_may_have_no_workers(runpod, session):
    runpod.workers = 0
    health = await serverless_at(runpod, session).check()
    assert not health.ok
    assert "no workers" in health.detail


async def test_serverless_check_says_when_the_key_is_wrong(runpod, session):
    health = await serverless_at(runpod, session, key=SecretStr("wrong")).check()
    assert not health.ok
    assert "didn't take our key" in health.detail


async def test_serverless_keeps_the_token_out_of_log_and_errors(runpod, session, caplog):
    caplog.set_level(logging.DEBUG)
    runpod.plan("run", status=400, text=f'{{"error": "input {TOKEN}"}}')
    with pytest.raises(Refused) as refused:
        await serverless_at(runpod, session).create(order())
    assert TOKEN not in f"{refused.value}{caplog.text}"
    assert KEY not in caplog.text
