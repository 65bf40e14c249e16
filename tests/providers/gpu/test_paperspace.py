"""Paperspace's machines: the script before the machine, both gone after it, and what is left when one of two fails."""

import logging
import re
from datetime import timedelta

import aiohttp
import pytest
import pytest_asyncio
from pydantic import SecretStr

from providers.errors import (
    BadCredentials,
    OutOfCredit,
    RateLimited,
    Refused,
    SubmitUnsure,
    Unavailable,
    UnexpectedAnswer,
)
from providers.gpu.box import BoxOrder, BoxState
from providers.gpu.paperspace import PaperspaceMachines, PaperspaceSettings
from tests.box_files import MISSING, have_files, paperspace_complaints
from tests.fakes.paperspace import KEY, TEMPLATE, FakePaperspace
from tests.providers.contract import until

TOKEN = "a token that 'nobody' may see"
FOREVER = "sleep 600"


@pytest_asyncio.fixture
async def paperspace():
    """Paperspace, at which nothing of ours may be left at the end of any test, whatever went wrong in it."""
    async with FakePaperspace() as server:
        yield server
        assert server.left_over == []
        assert paperspace_complaints(server.exchanges) == []


@pytest_asyncio.fixture
async def session():
    async with aiohttp.ClientSession() as session:
        yield session


def machines_at(paperspace, session, **changes):
    settings = {
        "key": SecretStr(KEY),
        "base_url": paperspace.base_url,
        "machine_type": "A6000",
        "template_id": TEMPLATE,
        "image": "ostris/aitoolkit:latest",
        "timeout_seconds": 0.5,
    }
    return PaperspaceMachines(PaperspaceSettings(**settings | changes), session)


def order(script=FOREVER, name="darkroom-job1", max_seconds=3 * 3600 + 1):
    return BoxOrder(name=name, env={"DARKROOM_TOKEN": TOKEN}, script=script, max_seconds=max_seconds)


async def destroy_all(machines):
    for owned in await machines.list_owned():
        await machines.destroy(owned.id)


@pytest.mark.parametrize("image", ["", "ostris/aitoolkit:latest"], ids=["bare", "container"])
async def test_paperspace_machine_runs_the_script_with_its_environment_and_shuts_down_after_it(
    paperspace, session, tmp_path, image
):
    machines = machines_at(paperspace, session, image=image)
    told = tmp_path / "told"
    machine_id = await machines.create(order(f'echo "$DARKROOM_TOKEN" > {told}'))
    machine = paperspace.machines[machine_id].machine
    await until(lambda: machine.shut_down)
    assert told.read_text() == f"{TOKEN}\n"
    seen = await machines.status(machine_id)
    assert (seen.state, seen.raw_state) == (BoxState.ENDED, "off")
    await machines.destroy(machine_id)
    await machines.destroy(machine_id)
    assert (await machines.status(machine_id)).state is BoxState.GONE


async def test_paperspace_machine_goes_from_starting_to_running_and_tells_its_price(paperspace, session):
    machines = machines_at(paperspace, session)
    paperspace.busy = True
    machine_id = await machines.create(order())
    assert (await machines.status(machine_id)).state is BoxState.STARTING
    paperspace.busy = False
    await machines.status(machine_id)
    seen = await machines.status(machine_id)
    assert (seen.state, seen.raw_state, seen.usd_an_hour) == (BoxState.RUNNING, "ready", 1.89)
    assert await machines.find("darkroom-job1") == machine_id
    await machines.destroy(machine_id)
    assert await machines.find("darkroom-job1") is None


async def test_paperspace_shuts_a_machine_down_by_itself_later_than_its_agent_does(paperspace, session):
    machines = machines_at(paperspace, session)
    await machines.create(order())
    wanted = paperspace.asked("order")[0].request
    assert (wanted["autoShutdownEnabled"], wanted["autoShutdownTimeout"], wanted["autoShutdownForce"]) == (
        True,
        4,
        True,
    )
    await destroy_all(machines)


async def test_paperspace_keeps_the_token_out_of_the_order_log_and_errors(paperspace, session, caplog):
    caplog.set_level(logging.DEBUG)
    paperspace.plan("order", status=400, text=f'{{"code": "bad", "message": "script {TOKEN}"}}')
    machines = machines_at(paperspace, session)
    with pytest.raises(Refused) as refused:
        await machines.create(order())
    assert TOKEN not in f"{refused.value}{caplog.text}{order()!r}{paperspace.asked('order')[0].request}"
    assert KEY not in caplog.text


@pytest.mark.parametrize(
    ("status", "kind"), [(400, Refused), (401, BadCredentials), (402, OutOfCredit), (429, RateLimited)]
)
async def test_paperspace_that_refuses_the_machine_keeps_no_script(paperspace, session, status, kind):
    paperspace.plan("order", status=status, headers={"Retry-After": "7"})
    with pytest.raises(kind):
        await machines_at(paperspace, session).create(order())
    assert paperspace.bill == []
    assert len(paperspace.asked("make_script")) == 1


async def test_paperspace_without_capacity_accepts_nothing_and_says_why(paperspace, session):
    paperspace.full = True
    with pytest.raises(Unavailable, match="Out of capacity for A6000 in ny2") as refused:
        await machines_at(paperspace, session).create(order())
    assert refused.value.retry_after == 60


async def test_paperspace_script_that_stays_without_a_machine_is_listed_and_destroyed(paperspace, session):
    paperspace.plan("order", status=400)
    paperspace.plan("drop_script", status=500, times=3)
    machines = machines_at(paperspace, session)
    with pytest.raises(Refused):
        await machines.create(order())
    (owned,) = await machines.list_owned()
    assert re.fullmatch(r"script:ss\d+", owned.id)
    assert owned.name == "darkroom-job1"
    await machines.destroy(owned.id)


async def test_paperspace_script_whose_answer_got_lost_is_replaced_by_the_next_try(paperspace, session):
    paperspace.plan("make_script", after=True)
    machines = machines_at(paperspace, session)
    with pytest.raises(Unavailable):
        await machines.create(order())
    assert paperspace.bill == []
    machine_id = await machines.create(order())
    assert len(paperspace.scripts) == 1
    await machines.destroy(machine_id)


@pytest.mark.parametrize(
    "how",
    [{"status": 500}, {"hang": True}, {}, {"text": "<html>"}, {"text": '{"id": "../x", "dtCreated": "2026-01-01"}'}],
    ids=["500", "silence", "cut", "garbage", "id"],
)
async def test_paperspace_machine_is_looked_for_when_the_answer_is_unclear(paperspace, session, how):
    paperspace.plan("order", after=True, **how)
    machines = machines_at(paperspace, session)
    with pytest.raises(SubmitUnsure):
        await machines.create(order())
    machine_id = await machines.find("darkroom-job1")
    assert paperspace.bill == [machine_id]
    await machines.destroy(machine_id)


async def test_paperspace_doubled_machines_are_listed_and_the_youngest_is_found(paperspace, session):
    machines = machines_at(paperspace, session)
    first, second, third = [await machines.create(order()) for _ in range(3)]
    paperspace.machines[second].created_at += timedelta(minutes=1)
    assert await machines.find("darkroom-job1") == second
    assert {first, second, third} <= {owned.id for owned in await machines.list_owned()}
    await destroy_all(machines)
    await destroy_all(machines)


async def test_paperspace_lists_only_what_carries_our_name(paperspace, session):
    machines = machines_at(paperspace, session)
    ours, theirs = await machines.create(order()), await machines.create(order(name="somebody-elses"))
    assert [owned.id for owned in await machines.list_owned()] == [ours]
    await machines.destroy(ours)
    await machines.destroy(theirs)
    for script_id in list(paperspace.scripts):
        await machines.destroy(f"script:{script_id}")


async def test_paperspace_machine_that_is_gone_by_itself_still_has_its_script_removed(paperspace, session):
    machines = machines_at(paperspace, session)
    machine_id = await machines.create(order())
    await paperspace.remove(machine_id)
    await machines.destroy(machine_id)
    await destroy_all(machines)


async def test_paperspace_machine_that_cannot_be_destroyed_at_first_keeps_its_script(paperspace, session):
    machines = machines_at(paperspace, session)
    machine_id = await machines.create(order())
    paperspace.plan("destroy", status=500, times=3)
    with pytest.raises(Unavailable):
        await machines.destroy(machine_id)
    assert len(paperspace.left_over) == 2
    await machines.destroy(machine_id)


async def test_paperspace_state_that_nobody_documented_is_passed_on(paperspace, session):
    machines = machines_at(paperspace, session)
    machine_id = await machines.create(order())
    paperspace.plan("poll", text='{"id": "x", "state": "dreaming", "dtCreated": "2026-01-01T00:00:00Z"}')
    seen = await machines.status(machine_id)
    assert (seen.state, seen.raw_state) == (None, "dreaming")
    await machines.destroy(machine_id)


async def test_paperspace_machine_that_is_told_to_be_deleted_is_gone(paperspace, session):
    machines = machines_at(paperspace, session)
    told = '{"id": "x", "state": "off", "dtCreated": "2026-01-01T00:00:00Z", "dtDeleted": "2026-01-02T00:00:00Z"}'
    paperspace.plan("poll", text=told)
    assert (await machines.status("psgone")).state is BoxState.GONE


@pytest.mark.parametrize("box_id", ["", "../..", "a/b", "never-was", "script:", "script:../x"])
async def test_paperspace_id_that_nobody_knows_is_gone_and_fine_to_destroy(paperspace, session, box_id):
    machines = machines_at(paperspace, session)
    assert (await machines.status(box_id)).state is BoxState.GONE
    await machines.destroy(box_id)


async def test_paperspace_check_says_what_is_rented(paperspace, session):
    health = await machines_at(paperspace, session, hf_token=SecretStr("hf_x")).check()
    assert (health.ok, health.detail) == (True, "Paperspace answers; machines are of type A6000 in ny2.")
    assert "PAPERSPACE_HF_TOKEN" in (await machines_at(paperspace, session).check()).detail


async def test_paperspace_check_says_when_the_key_is_wrong(paperspace, session):
    health = await machines_at(paperspace, session, key=SecretStr("wrong")).check()
    assert not health.ok
    assert "didn't take our key (The API key is not valid)" in health.detail


async def test_paperspace_price_is_that_of_the_machine_type(paperspace, session):
    price = machines_at(paperspace, session).price()
    assert (price.low_usd, price.high_usd) == (1.89, 1.89)
    assert "without storage" in str(price.basis)
    assert "no price" in str(machines_at(paperspace, session, machine_type="Z1").price().basis)


async def test_paperspace_list_without_end_is_an_unexpected_answer(paperspace, session):
    endless = '{"items": [], "hasMore": true, "nextPage": "again"}'
    paperspace.plan("list", text=endless, times=100)
    health = machines_at(paperspace, session)
    with pytest.raises(UnexpectedAnswer, match="has no end"):
        await health.list_owned()


@pytest.mark.skipif(not have_files(), reason=MISSING)
async def test_paperspace_requests_and_answers_that_dont_fit_its_file_are_complained_about(paperspace, session):
    machines = machines_at(paperspace, session)
    await destroy_all_made(machines)
    made = paperspace.asked("order")[0]
    assert paperspace_complaints([type(made)(**vars(made) | {"request": {"name": "x"}})])
    wrong = made.answer["data"] | {"state": "dreaming"}
    assert paperspace_complaints([type(made)(**vars(made) | {"answer": {"event": {}, "data": wrong}})])


async def destroy_all_made(machines):
    await machines.destroy(await machines.create(order()))
