"""RunPod's pods: which GPU is asked for next and when nothing more is, what a pod runs, and what is left behind."""

import asyncio
import logging
from datetime import timedelta

import aiohttp
import pytest
import pytest_asyncio
from pydantic import SecretStr

from providers.errors import BadCredentials, OutOfCredit, RateLimited, Refused, SubmitUnsure, Unavailable
from providers.gpu.box import BoxOrder, BoxState
from providers.gpu.runpod import RunPodPods, RunPodSettings
from tests.box_files import MISSING, have_files, runpod_complaints
from tests.fakes.runpod import KEY, FakeRunPod
from tests.providers.contract import until

RTX_4090, L40S, A100, H100 = (
    "NVIDIA GeForce RTX 4090",
    "NVIDIA L40S",
    "NVIDIA A100 80GB PCIe",
    "NVIDIA H100 80GB HBM3",
)
TOKEN = "a-token-that-nobody-may-see"
FOREVER = "sleep 600"


@pytest_asyncio.fixture
async def runpod():
    """RunPod, at which nothing of ours may be left at the end of any test, whatever went wrong in it."""
    async with FakeRunPod() as server:
        yield server
        assert server.left_over == []
        assert runpod_complaints(server.exchanges) == []


@pytest_asyncio.fixture
async def session():
    async with aiohttp.ClientSession() as session:
        yield session


def pods_at(runpod, session, **changes):
    settings = {
        "key": SecretStr(KEY),
        "base_url": runpod.base_url,
        "gpus": (RTX_4090, L40S, A100),
        "most_usd_an_hour": 2.0,
        "image": "ostris/aitoolkit:latest",
        "timeout_seconds": 0.5,
    }
    return RunPodPods(RunPodSettings(**settings | changes), session)


def order(script=FOREVER, name="darkroom-job1"):
    return BoxOrder(name=name, env={"DARKROOM_TOKEN": TOKEN}, script=script, max_seconds=3600)


def kinds_asked_for(runpod):
    return [one.request["gpu"]["id"] for one in runpod.asked("order")]


async def test_runpod_pod_runs_the_script_with_its_environment_until_it_is_destroyed(runpod, session):
    pods = pods_at(runpod, session)
    pod_id = await pods.create(order('echo "token $DARKROOM_TOKEN in $RUNPOD_POD_ID"'))
    machine = runpod.pods[pod_id].machine
    await until(lambda: machine.log)
    assert machine.log == f"token {TOKEN} in {pod_id}\n"
    assert await pods.find("darkroom-job1") == pod_id
    assert [owned.id for owned in await pods.list_owned()] == [pod_id]
    await pods.destroy(pod_id)
    await pods.destroy(pod_id)
    assert await pods.find("darkroom-job1") is None
    assert (await pods.status(pod_id)).state is BoxState.GONE


async def test_runpod_pod_whose_script_ends_is_not_started_again(runpod, session):
    pods = pods_at(runpod, session)
    pod_id = await pods.create(order("echo once"))
    machine = runpod.pods[pod_id].machine
    await until(lambda: machine.log)
    await asyncio.sleep(0.4)
    assert (machine.starts, machine.log) == (1, "once\n")
    await pods.destroy(pod_id)


async def test_runpod_pod_goes_from_starting_to_running_and_tells_its_price(runpod, session):
    pods = pods_at(runpod, session)
    runpod.busy = True
    pod_id = await pods.create(order())
    assert (await pods.status(pod_id)).state is BoxState.STARTING
    runpod.busy = False
    await pods.status(pod_id)
    seen = await pods.status(pod_id)
    assert (seen.state, seen.raw_state, seen.usd_an_hour) == (BoxState.RUNNING, "RUNNING", 0.69)
    assert seen.usd >= 0
    await pods.destroy(pod_id)


async def test_runpod_asks_for_the_next_gpu_when_there_is_no_capacity(runpod, session):
    runpod.full = {RTX_4090, L40S}
    pods = pods_at(runpod, session)
    pod_id = await pods.create(order())
    assert kinds_asked_for(runpod) == [RTX_4090, L40S, A100]
    assert runpod.bill == [pod_id]
    await pods.destroy(pod_id)


async def test_runpod_doesnt_ask_for_what_the_catalogue_has_none_of(runpod, session):
    runpod.stock = {RTX_4090: "NONE"}
    pods = pods_at(runpod, session)
    await pods.destroy(await pods.create(order()))
    assert kinds_asked_for(runpod) == [L40S]


async def test_runpod_without_any_capacity_accepts_nothing_and_says_why(runpod, session):
    runpod.full = {RTX_4090, L40S, A100}
    with pytest.raises(Unavailable, match="no instances currently available") as refused:
        await pods_at(runpod, session).create(order())
    assert refused.value.retry_after == 60
    assert runpod.bill == []


async def test_runpod_never_asks_for_a_gpu_above_the_price_that_was_set(runpod, session):
    runpod.full = {RTX_4090}
    with pytest.raises(Unavailable):
        await pods_at(runpod, session, most_usd_an_hour=0.7, gpus=(H100, RTX_4090, L40S)).create(order())
    assert kinds_asked_for(runpod) == [RTX_4090]


async def test_runpod_gives_a_pod_back_that_is_billed_above_the_price_that_was_set(runpod, session, caplog):
    runpod.billed = 9.0
    with pytest.raises(Unavailable):
        await pods_at(runpod, session, gpus=(RTX_4090, L40S)).create(order())
    assert len(runpod.bill) == 2
    assert runpod.left_over == []
    assert "more than the $2 that were set" in caplog.text


async def test_runpod_too_dear_a_pod_that_it_doesnt_take_back_stays_findable(runpod, session):
    runpod.billed = 9.0
    runpod.plan("destroy", status=500, times=3)
    pods = pods_at(runpod, session)
    with pytest.raises(SubmitUnsure):
        await pods.create(order())
    pod_id = await pods.find("darkroom-job1")
    assert runpod.bill == [pod_id]
    await pods.destroy(pod_id)


@pytest.mark.parametrize(
    ("status", "kind"), [(401, BadCredentials), (402, OutOfCredit), (422, Refused), (429, RateLimited)]
)
async def test_runpod_stops_at_what_is_the_same_for_every_gpu(runpod, session, status, kind):
    runpod.plan("order", status=status, headers={"Retry-After": "7"})
    with pytest.raises(kind):
        await pods_at(runpod, session).create(order())
    assert len(runpod.asked("order")) == 1
    assert runpod.bill == []


async def test_runpod_skips_a_gpu_that_this_account_may_not_rent(runpod, session):
    runpod.plan("order", status=403)
    pods = pods_at(runpod, session)
    await pods.destroy(await pods.create(order()))
    assert kinds_asked_for(runpod)[1:] == [L40S]


async def test_runpod_that_lets_us_rent_nothing_says_that_it_is_the_account(runpod, session):
    runpod.plan("order", status=403, times=3)
    with pytest.raises(BadCredentials, match="any of the GPUs"):
        await pods_at(runpod, session).create(order())


@pytest.mark.parametrize(
    "how",
    [
        {"status": 500},
        {"status": 502},
        {"hang": True},
        {},
        {"text": "<html>"},
        {"text": '{"id": "../x", "status": "RUNNING", "createdAt": "2026-01-01T00:00:00Z"}'},
    ],
    ids=["500", "502", "silence", "cut", "garbage", "id"],
)
async def test_runpod_asks_for_nothing_more_when_an_answer_is_unclear(runpod, session, how):
    runpod.plan("order", after=True, **how)
    pods = pods_at(runpod, session)
    with pytest.raises(SubmitUnsure):
        await pods.create(order())
    assert len(runpod.bill) == 1
    await pods.destroy(await pods.find("darkroom-job1"))


async def test_runpod_finds_the_younger_of_two_pods_of_one_name(runpod, session):
    pods = pods_at(runpod, session)
    first, second = [await pods.create(order()) for _ in range(2)]
    runpod.pods[first].created_at += timedelta(minutes=1)
    assert await pods.find("darkroom-job1") == first
    assert {owned.id for owned in await pods.list_owned()} == {first, second}
    for pod_id in (first, second):
        await pods.destroy(pod_id)


async def test_runpod_lists_only_what_carries_our_name(runpod, session):
    pods = pods_at(runpod, session)
    ours, theirs = await pods.create(order()), await pods.create(order(name="somebody-elses"))
    assert [owned.id for owned in await pods.list_owned()] == [ours]
    for pod_id in (ours, theirs):
        await pods.destroy(pod_id)


async def test_runpod_destroys_again_where_the_first_try_failed(runpod, session):
    pods = pods_at(runpod, session)
    pod_id = await pods.create(order())
    runpod.plan("destroy", status=503, times=2)
    await pods.destroy(pod_id)


async def test_runpod_pod_that_cannot_be_destroyed_is_an_error(runpod, session):
    pods = pods_at(runpod, session)
    pod_id = await pods.create(order())
    runpod.plan("destroy", status=409)
    with pytest.raises(Refused):
        await pods.destroy(pod_id)
    await pods.destroy(pod_id)


async def test_runpod_status_that_nobody_documented_is_passed_on(runpod, session):
    pods = pods_at(runpod, session)
    pod_id = await pods.create(order())
    runpod.plan("poll", text='{"id": "x", "status": "DREAMING", "createdAt": "2026-01-01T00:00:00Z"}')
    seen = await pods.status(pod_id)
    assert (seen.state, seen.raw_state) == (None, "DREAMING")
    await pods.destroy(pod_id)


@pytest.mark.parametrize("box_id", ["", "../..", "a/b", "never-was"])
async def test_runpod_id_that_nobody_knows_is_gone_and_fine_to_destroy(runpod, session, box_id):
    pods = pods_at(runpod, session)
    assert (await pods.status(box_id)).state is BoxState.GONE
    await pods.destroy(box_id)


async def test_runpod_check_tells_prices_and_stock(runpod, session):
    runpod.stock = {RTX_4090: "NONE", L40S: "LOW"}
    health = await pods_at(runpod, session).check()
    assert health.ok
    assert "RTX 4090 at $0.69 an hour (none free now); L40S at $0.86 an hour (stock low)" in health.detail
    assert "RUNPOD_HF_TOKEN" in health.detail


async def test_runpod_check_says_when_everything_is_too_dear(runpod, session):
    health = await pods_at(runpod, session, most_usd_an_hour=0.1).check()
    assert not health.ok
    assert "at up to $0.1 an hour" in health.detail


async def test_runpod_check_says_when_the_key_is_wrong(runpod, session):
    health = await pods_at(runpod, session, key=SecretStr("wrong")).check()
    assert not health.ok
    assert "didn't take our key" in health.detail


async def test_runpod_price_is_the_catalogue_s_once_it_was_read(runpod, session):
    pods = pods_at(runpod, session, cloud="COMMUNITY")
    before = pods.price()
    await pods.check()
    after = pods.price()
    assert before.low_usd > 0
    assert (after.low_usd, after.high_usd) == (0.34, 1.19)
    assert "RunPod's catalogue" in str(after.basis)


async def test_runpod_keeps_the_token_out_of_log_and_errors(runpod, session, caplog):
    caplog.set_level(logging.DEBUG)
    runpod.plan("order", status=422, text=f'{{"title": "no", "status": 422, "detail": "env {TOKEN}"}}')
    with pytest.raises(Refused) as refused:
        await pods_at(runpod, session).create(order())
    assert TOKEN not in f"{refused.value}{caplog.text}{order()!r}"
    assert KEY not in caplog.text


@pytest.mark.skipif(not have_files(), reason=MISSING)
async def test_runpod_requests_and_answers_that_dont_fit_its_file_are_complained_about(runpod, session):
    pods = pods_at(runpod, session)
    await pods.destroy(await pods.create(order()))
    good = runpod.asked("order")[0]
    wrong_request = type(good)(**vars(good) | {"request": good.request | {"gpuTypeIds": ["x"]}})
    wrong_answer = type(good)(**vars(good) | {"answer": {"id": "1"}})
    assert runpod_complaints([wrong_request])
    assert runpod_complaints([wrong_answer])
