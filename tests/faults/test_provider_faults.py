"""What a person sees, and what holds, when a provider or the way to it fails; how the rails meet it is tested there."""

import asyncio
from datetime import timedelta
from functools import partial

import pytest

from bot.store import ledger
from bot.store.ledger import EntryKind
from bot.training import stepper
from bot.training.job import JobKind, JobState
from bot.training.stepper import LOOKS_BEFORE_LOST
from tests.factories import NOWHERE
from tests.fakes.till import QUEUED, SUCCEEDED, Look
from tests.fakes.till_adapter import till_registry
from tests.faults.careful_till import careful_registry, tar_of
from tests.faults.stage import SkippingClock, breath, met, stage

HTML = "<html><body><h1>502 Bad Gateway</h1></body></html>"
EVER = 10_000
#: What the till's estimate says, and what it takes for an order that it began, in millionths of a dollar.
TRAINING = 250_000

impatient = partial(till_registry, patience=0.2)


async def booked(s):
    async with s.services.database.begin() as connection:
        return await ledger.totals(connection)


async def polled(s, times):
    """Wait until the till was asked so many times more how a job stands."""
    before = s.till.asked["poll"]
    async with asyncio.timeout(40):
        while s.till.asked["poll"] < before + times:
            await breath()


async def drafts_open(s):
    return [draft.name for draft in await s.services.drafts.open_drafts(s.alice.id)]


# ---------------------------------------------------------------------- the paid call
@pytest.mark.parametrize(
    "trouble",
    [
        pytest.param({"status": 500}, id="500 before"),
        pytest.param({"status": 503, "after": True}, id="503 after"),
        pytest.param({}, id="reset before"),
        pytest.param({"after": True}, id="reset after"),
        pytest.param({"half": True}, id="half an answer"),
        pytest.param({"text": HTML}, id="HTML before"),
        pytest.param({"text": HTML, "after": True}, id="HTML after"),
        pytest.param({"hang": True, "after": True}, id="accepted and silent"),
    ],
)
async def test_unclear_answer_to_the_order_is_paid_once(tmp_path, trouble):
    async with stage(tmp_path, registry=impatient) as s:
        trouble = s.till.plan("submit", **trouble)
        await s.running()
        assert trouble.met.is_set()
        s.go_on()
        await s.assert_sound()


async def test_order_that_is_rate_limited_waits_as_long_as_the_provider_asks(tmp_path, monkeypatch):
    monkeypatch.setattr(stepper, "LONGEST_PAUSE", 300.0)
    clock = SkippingClock()
    async with stage(tmp_path, clock=clock) as s:
        s.till.plan("submit", status=429, headers={"Retry-After": "30"})
        await s.train()
        [job] = await s.until(lambda jobs: jobs[0].tries == 1)
        assert job.next_at - clock.now() > timedelta(seconds=25)
        assert s.till.asked["submit"] == 1
        assert not any("Failed" in m.text for m in s.bot_says())
        clock.ahead += timedelta(seconds=31)
        await s.place.wait_for(lambda m: "step 1 of 3" in m.text)
        s.go_on()
        await s.assert_sound()


async def test_look_that_is_rate_limited_waits_as_long_as_the_provider_asks(tmp_path, monkeypatch):
    monkeypatch.setattr(stepper, "LONGEST_PAUSE", 300.0)
    clock = SkippingClock()
    async with stage(tmp_path, clock=clock) as s:
        await s.running()
        s.till.plan("poll", status=429, headers={"Retry-After": "30"})
        [job] = await s.until(lambda jobs: jobs[0].tries == 1)
        assert job.next_at - clock.now() > timedelta(seconds=25)
        s.go_on()
        clock.ahead += timedelta(seconds=31)
        await s.assert_sound()


async def test_provider_that_wants_money_first_is_told_and_costs_nothing(tmp_path):
    async with stage(tmp_path) as s:
        s.till.plan("submit", status=402)
        await s.train()
        told = await s.place.wait_for(lambda m: "Rusty: failed" in m.text)
        assert "The till wants money first. The operator of this bot has to top up the account" in told.text
        await s.assert_sound(training=JobState.FAILED)
        assert not s.till.bill
        assert await booked(s) == {EntryKind.RESERVE: TRAINING, EntryKind.RELEASE: 0}
        assert await drafts_open(s) == ["Rusty"]


# ---------------------------------------------------------------------- while it runs
@pytest.mark.parametrize(
    "trouble",
    [
        pytest.param({"status": 500}, id="500"),
        pytest.param({}, id="reset"),
        pytest.param({"text": HTML}, id="HTML"),
        pytest.param({"text": '{"state": "running"}'}, id="other JSON"),
        pytest.param({"half": True}, id="half an answer"),
        pytest.param({"hang": True}, id="hang"),
    ],
)
async def test_trouble_while_it_runs_is_outlived(tmp_path, trouble):
    async with stage(tmp_path, registry=impatient) as s:
        card = await s.running()
        trouble = s.till.plan("poll", **trouble)
        await met(trouble.met)
        s.go_on()
        ready = await s.place.wait_for(lambda m: "**Ready**" in m.text)
        assert ready.id == card.id
        await s.assert_sound()


@pytest.mark.parametrize(
    "look",
    [
        pytest.param(Look(status="warming the flux capacitor", step=2, total=3, loss=0.4), id="unknown"),
        pytest.param(QUEUED, id="backwards"),
    ],
)
async def test_strange_status_leaves_the_card_running(tmp_path, look):
    async with stage(tmp_path) as s:
        await s.running()
        s.go_on(look)
        await polled(s, 5)
        [card] = s.bot_says()
        assert "**Training**" in card.text
        s.go_on()
        await s.assert_sound()


async def test_lost_provider_is_said_on_the_card_and_once_in_the_log(tmp_path, caplog):
    async with stage(tmp_path) as s:
        await s.running()
        outage = s.till.plan("poll", status=503, times=EVER)
        note = "Till does not answer right now. It goes on by itself once it does."
        await s.place.wait_for(lambda m: note in m.text)
        await polled(s, 3)
        outage.times = 0
        back = await s.place.wait_for(lambda m: "step 1 of 3" in m.text and note not in m.text)
        assert back.has_button("Cancel")
        assert caplog.text.count("till is lost") == 1
        assert caplog.text.count("till is back") == 1
        s.go_on()
        await s.assert_sound()


async def test_cancel_while_the_provider_is_lost_is_done_when_it_is_back(tmp_path):
    async with stage(tmp_path) as s:
        card = await s.running()
        outages = [s.till.plan(route, status=503, times=EVER) for route in ("poll", "cancel")]
        await s.place.wait_for(lambda m: "does not answer right now" in m.text)
        assert "Stopping" in (await s.place.press(card, "Cancel")).text
        for outage in outages:
            outage.times = 0
        await s.place.wait_for(lambda m: "**Stopped**" in m.text)
        [order] = s.till.jobs.values()
        assert order.canceled
        assert len(s.till.bill) == 1


# ---------------------------------------------------------------------- what it delivers
async def test_result_that_is_not_found_once_is_looked_for_again(tmp_path):
    async with stage(tmp_path) as s:
        await s.running()
        s.till.plan("collect", status=404, times=LOOKS_BEFORE_LOST - 1)
        s.go_on()
        await s.place.wait_for(lambda m: "Rusty is ready" in m.text)
        await s.assert_sound()


async def test_result_that_is_gone_is_told_with_its_cost(tmp_path):
    async with stage(tmp_path) as s:
        await s.running()
        s.till.plan("collect", status=404, times=EVER)
        s.go_on()
        told = await s.place.wait_for(lambda m: "tries again" in m.text)
        assert "The provider no longer knows this job." in told.text
        assert "$0.25" in (await s.place.wait_for(lambda m: "Training Rusty" in m.text)).text
        await s.assert_sound(training=JobState.LOST)
        assert await booked(s) == {EntryKind.RESERVE: TRAINING, EntryKind.SETTLE: TRAINING}
        assert await drafts_open(s) == ["Rusty"]


@pytest.mark.parametrize(
    ("trouble", "adapter", "reason"),
    [
        pytest.param({"status": 403}, {}, "it may have expired", id="expired link"),
        pytest.param({"half": True}, {}, "was cut off on its way", id="truncated"),
        pytest.param({"text": "no LoRA at all"}, {}, "is not a safetensors file", id="garbage"),
        pytest.param({"text": HTML * 40_000}, {}, "is larger than 1 MiB", id="far too large"),
        pytest.param({"times": 0}, {"sha256": "0" * 64}, "its checksum differs", id="wrong checksum"),
        pytest.param({"text": tar_of("../../evil.safetensors")}, {"packed": True}, "archive", id="tar with .."),
    ],
)
async def test_bad_result_is_never_kept_and_its_reason_told(tmp_path, trouble, adapter, reason):
    async with stage(tmp_path, registry=partial(careful_registry, **adapter)) as s:
        await s.running()
        s.till.plan("collect", **{"times": EVER, **trouble})
        s.go_on()
        told = await s.place.wait_for(lambda m: "Rusty: failed" in m.text)
        assert reason in told.text
        await s.assert_sound(training=JobState.FAILED)
        assert await booked(s) == {EntryKind.RESERVE: TRAINING, EntryKind.SETTLE: TRAINING}
        assert await drafts_open(s) == ["Rusty"]
        assert not await s.services.library.usable(s.alice.id, NOWHERE)
        assert not list(tmp_path.rglob("*.safetensors"))


@pytest.mark.parametrize(
    "trouble",
    [
        pytest.param({"half": True}, id="truncated"),
        pytest.param({"text": "no LoRA at all"}, id="garbage"),
        pytest.param({"status": 503}, id="503"),
        pytest.param({}, id="reset"),
    ],
)
async def test_result_that_is_bad_once_is_fetched_again(tmp_path, trouble):
    async with stage(tmp_path, registry=careful_registry) as s:
        await s.running()
        trouble = s.till.plan("collect", **trouble)
        s.go_on()
        await s.assert_sound()
        assert trouble.met.is_set()


async def test_samples_that_fail_leave_the_model_and_say_so(tmp_path):
    async with stage(tmp_path) as s:
        await s.running()
        for job in s.till.jobs.values():
            job.looks[:] = [SUCCEEDED]
        s.till.script = (Look(status="failed", error="The GPU ran out of memory."),)
        told = await s.place.wait_for(lambda m: "Rusty is ready" in m.text)
        assert "There are no first pictures: The GPU ran out of memory." in told.text
        await s.settled()
        assert [job.state for job in await s.jobs()] == [JobState.SUCCEEDED, JobState.FAILED]
        assert len(s.till.bill) == 2


async def test_unclear_answer_to_an_order_of_pictures_is_paid_once(tmp_path):
    async with stage(tmp_path) as s:
        await s.running()
        s.go_on()
        await s.assert_sound()
        s.till.plan("submit", after=True)
        await s.place.slash("generate", model="Rusty", prompt="rustyfox in the snow", count=2)
        gallery = await s.place.wait_for(lambda m: len(m.images) == 2)
        await s.settled()
        assert len([m for m in s.bot_says() if len(m.images) == 2]) == 1
        assert gallery.has_button("Try again") is False
        pictures = [job for job in await s.jobs() if job.kind is JobKind.PICTURES and job.parent_id is None]
        assert [job.state for job in pictures] == [JobState.SUCCEEDED]
        assert len(s.till.bill) == 3
