"""Limits, the ledger, and orders of which nobody knows whether they were taken; the till is the provider."""

import asyncio
from contextlib import asynccontextmanager

from bot.budget import disagreements
from bot.store import ledger
from bot.store.ledger import EntryKind
from bot.training.job import JobState
from tests.cogs.photos import foxes
from tests.fakes.till import QUEUED, RUNNING, SUCCEEDED, Look, Till
from tests.fakes.till_adapter import till_registry
from tests.house import running_bot
from tests.playing import running_playground

#: What the till says a training and its four sample pictures will cost, in millionths of a dollar.
TRAINING, SAMPLES = 250_000, 40_000
#: What it takes in the end for any order that it began.
TAKEN = 250_000


@asynccontextmanager
async def market(tmp_path, *, looks=(QUEUED, SUCCEEDED), findable=True, **settings):
    async with running_playground() as discord, Till() as till:
        till.script = looks
        registry = till_registry(till.url, findable=findable)
        async with running_bot(discord, tmp_path / "data", registry=registry, **settings) as house:
            yield house, till, discord.person("alice").in_channel()


async def drafted(place, name):
    await place.slash("draft new", name=name, trigger_word="rustyfox", kind="animal", who="nobody")
    [draft] = [c for c in await place.autocomplete("train", "draft") if c.name.startswith(f"{name} ")]
    await place.slash("draft add", photo1=foxes(2)[0], photo2=foxes(2)[1], draft=draft.value)
    return draft.value


def told(answer):
    return " ".join([answer.text, *(followup.text for followup in answer.followups)])


async def money(house):
    async with house.services.database.begin() as connection:
        return await ledger.totals(connection), await disagreements(connection)


async def job_in(house, place, state):
    while True:
        [job] = await house.services.training.jobs(place.person.id)
        if job.state is state:
            return job
        await asyncio.sleep(0.01)


async def test_finished_training_is_settled_with_its_samples(tmp_path):
    async with market(tmp_path) as (house, _till, place):
        await place.press(await place.slash("train", draft=await drafted(place, "Rusty")), "Train it")
        await place.wait_for(lambda m: "Rusty is ready" in m.text)
        totals, wrong = await money(house)
        assert not wrong
        assert totals == {EntryKind.RESERVE: TRAINING + SAMPLES, EntryKind.SETTLE: 2 * TAKEN}


async def test_failed_training_is_settled_at_what_the_provider_took(tmp_path):
    failed = Look(status="failed", error="Out of memory.")
    async with market(tmp_path, looks=(failed,)) as (house, _till, place):
        await place.press(await place.slash("train", draft=await drafted(place, "Rusty")), "Train it")
        await place.wait_for(lambda m: "Rusty: failed" in m.text)
        card = await place.wait_for(lambda m: "**Failed**" in m.text)
        assert "$0.25 of $0.25 was used." in card.text
        totals, wrong = await money(house)
        assert not wrong
        assert totals == {EntryKind.RESERVE: TRAINING, EntryKind.SETTLE: TAKEN}


async def test_refused_order_is_released(tmp_path):
    async with market(tmp_path) as (house, till, place):
        till.plan("submit", status=422)
        await place.press(await place.slash("train", draft=await drafted(place, "Rusty")), "Train it")
        await place.wait_for(lambda m: "Rusty: failed" in m.text)
        totals, wrong = await money(house)
        assert not wrong
        assert totals == {EntryKind.RESERVE: TRAINING, EntryKind.RELEASE: 0}


async def test_training_over_the_day_limit_is_refused_with_the_sums(tmp_path):
    async with market(tmp_path, darkroom_person_usd_a_day=0.4) as (house, till, place):
        await place.press(await place.slash("train", draft=await drafted(place, "Rusty")), "Train it")
        await place.wait_for(lambda m: "Rusty is ready" in m.text)
        answer = await place.press(await place.slash("train", draft=await drafted(place, "Ruby")), "Train it")
        assert "This would cost up to $0.25; you may spend $0.40 a day here and $0.50 of it is spent" in told(answer)
        assert len(till.bill) == 2
        assert not (await money(house))[1]


async def test_server_limit_counts_what_everybody_spends(tmp_path):
    async with market(tmp_path, looks=(QUEUED, RUNNING), darkroom_server_usd_a_month=0.4) as (house, till, place):
        await place.press(await place.slash("train", draft=await drafted(place, "Rusty")), "Train it")
        bob = house.discord.person("bob").in_channel()
        answer = await bob.press(await bob.slash("train", draft=await drafted(bob, "Bobby")), "Train it")
        assert "this server may spend $0.40 a month here and $0.25 of it is spent or set aside" in told(answer)
        await place.wait_for(lambda m: "step 1 of 3" in m.text)
        assert len(till.bill) == 1


async def test_two_presses_at_once_do_not_pass_a_limit_for_one(tmp_path):
    async with market(tmp_path, looks=(QUEUED, RUNNING), darkroom_person_usd_a_day=0.3) as (house, till, place):
        quotes = [await place.slash("train", draft=await drafted(place, name)) for name in ("Rusty", "Ruby")]
        answers = await asyncio.gather(*(place.press(quote, "Train it") for quote in quotes))
        assert sum("is being trained" in told(answer) for answer in answers) == 1
        assert sum("you may spend $0.30 a day" in told(answer) for answer in answers) == 1
        await place.wait_for(lambda m: "step 1 of 3" in m.text)
        assert len(till.bill) == 1
        assert not (await money(house))[1]


async def test_more_jobs_at_once_than_allowed_are_refused(tmp_path):
    async with market(tmp_path, looks=(QUEUED, RUNNING), darkroom_jobs_at_once=1) as (_house, till, place):
        await place.press(await place.slash("train", draft=await drafted(place, "Rusty")), "Train it")
        answer = await place.press(await place.slash("train", draft=await drafted(place, "Ruby")), "Train it")
        assert "You have 1 job under way. 1 at once is allowed here." in told(answer)
        await place.wait_for(lambda m: "step 1 of 3" in m.text)
        assert len(till.bill) == 1


async def test_order_in_doubt_goes_on_when_its_person_names_its_id(tmp_path):
    async with market(tmp_path, findable=False) as (house, till, place):
        till.plan("submit", after=True)
        await place.press(await place.slash("train", draft=await drafted(place, "Rusty")), "Train it")
        card = await place.wait_for(lambda m: m.has_button("It ran"))
        assert "Nobody knows yet" in card.text
        [order] = till.jobs.values()
        form = await place.press(card, "It ran")
        await place.submit(form, remote=f"https://till.example/jobs/{order.id}/")
        await place.wait_for(lambda m: "Rusty is ready" in m.text)
        assert len([line for line in till.bill if line == order.marker]) == 1
        assert not (await money(house))[1]


async def test_order_in_doubt_is_sent_again_when_it_did_not_run(tmp_path):
    async with market(tmp_path, findable=False) as (house, till, place):
        till.plan("submit")
        await place.press(await place.slash("train", draft=await drafted(place, "Rusty")), "Train it")
        card = await place.wait_for(lambda m: m.has_button("It did not run"))
        assert not till.bill
        await place.press(card, "It did not run")
        await place.wait_for(lambda m: "Rusty is ready" in m.text)
        assert len(till.bill) == 2  # the training and its samples
        assert not (await money(house))[1]


async def test_order_in_doubt_is_nobody_elses_to_settle(tmp_path):
    async with market(tmp_path, findable=False) as (house, till, place):
        till.plan("submit", after=True)
        await place.press(await place.slash("train", draft=await drafted(place, "Rusty")), "Train it")
        await place.wait_for(lambda m: m.has_button("It did not run"))
        bob = house.discord.person("bob").in_channel()
        card = await bob.wait_for(lambda m: m.has_button("It did not run"))
        assert "Only the person who asked for it, or an admin" in told(await bob.press(card, "It did not run"))
        assert (await job_in(house, place, JobState.UNCERTAIN)).remote_id is None
        admin = house.discord.person("mia", manage_guild=True).in_channel()
        assert "It is sent once more" in told(await admin.press(card, "It did not run"))
