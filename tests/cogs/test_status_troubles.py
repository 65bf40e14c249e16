"""Cards that Discord does not take: they rest, and nobody waits behind them."""

import asyncio

from bot.store import cards as card_rows
from bot.training.job import JobState
from cogs.status import MOST_REFUSALS
from tests.cogs.photos import foxes
from tests.factories import ended
from tests.fakes.till import QUEUED, RUNNING, USUAL, Till
from tests.fakes.till_adapter import till_registry
from tests.house import running_bot
from tests.playing import running_playground


async def begin_training(place, name):
    await place.slash("draft new", name=name, trigger_word="rustyfox", kind="animal", who="nobody")
    [draft, *_] = await place.autocomplete("draft add", "draft", name)
    await place.slash("draft add", photo1=foxes(2)[0], photo2=foxes(2)[1], draft=draft.value)
    return await place.press(await place.slash("train", draft=draft.value), "Train it")


async def test_card_that_discord_refuses_does_not_flood_it(tmp_path):
    async with running_playground() as discord, Till() as till:
        till.script = USUAL
        async with running_bot(discord, tmp_path / "data", registry=till_registry(till.url)) as house:
            alice = discord.person("alice")
            discord.faults.answer(400, method="POST", path="/channels/*/messages", times=10_000)
            await begin_training(alice.in_channel(), "Rusty")
            [job] = await house.services.training.jobs(alice.id)
            job = await ended(house, job.id)
        tried = discord.requests("POST", "/channels/*/messages")

    assert job.state is JobState.SUCCEEDED
    assert 1 <= len(tried) <= 2


async def test_card_that_discord_refuses_does_not_keep_others_waiting(tmp_path, monkeypatch):
    monkeypatch.setattr("cogs.status.TROUBLE_SECONDS", 0.05)
    async with running_playground() as discord, Till() as till:
        till.script = (QUEUED, RUNNING)
        registry = till_registry(till.url, poll_seconds=0.2)
        async with running_bot(discord, tmp_path / "data", registry=registry):
            alice = discord.person("alice").in_channel()
            await begin_training(alice, "Rusty")
            broken = await alice.wait_for(lambda m: "Training Rusty" in m.text and "step 1 of 3" in m.text)
            discord.faults.answer(400, method="PATCH", path=f"/channels/*/messages/{broken.id}", times=10_000)
            [first] = till.jobs.values()
            first.looks[0].step = 2
            await begin_training(alice, "Bella")
            shown = await alice.wait_for(lambda m: "Training Bella" in m.text and "step 1 of 3" in m.text)

    assert shown.id != broken.id


async def card_given_up(house, job_id):
    async with asyncio.timeout(40):
        while True:
            async with house.services.database.begin() as connection:
                card = await card_rows.get(connection, job_id)
            if card is not None and card.given_up:
                return card
            await asyncio.sleep(0.02)


def invalid_form_body(discord, path, method="PATCH"):
    body = {"message": "Invalid Form Body", "code": 50035}
    return discord.faults.answer(400, method=method, path=path, times=10_000, body=body)


async def test_card_that_discord_refuses_for_good_is_given_up_and_its_job_goes_on(tmp_path, monkeypatch):
    monkeypatch.setattr("cogs.status.TROUBLE_SECONDS", 0.02)
    monkeypatch.setattr("cogs.status.LONGEST_REST", 0.04)
    async with running_playground() as discord, Till() as till:
        till.script = (QUEUED, RUNNING)
        async with running_bot(discord, tmp_path / "data", registry=till_registry(till.url)) as house:
            alice = discord.person("alice")
            invalid_form_body(discord, "/channels/*/messages", "POST")
            await begin_training(alice.in_channel(), "Rusty")
            [job] = await house.services.training.jobs(alice.id)
            card = await card_given_up(house, job.id)
            # Not the letter that tells of the end, which goes to a direct message.
            posts = f"/channels/{discord.channel.id}/messages"
            tried = len(discord.requests("POST", posts))
            [order] = till.jobs.values()
            order.looks = list(USUAL)
            job = await ended(house, job.id)
            listed = await alice.in_channel().slash("jobs")

    assert "50035" in card.given_up
    assert tried == MOST_REFUSALS
    assert len(discord.requests("POST", posts)) == tried
    assert job.state is JobState.SUCCEEDED
    assert "Rusty" in listed.text


async def test_card_that_is_given_up_leaves_its_channel_to_the_others(tmp_path, monkeypatch):
    monkeypatch.setattr("cogs.status.TROUBLE_SECONDS", 0.02)
    monkeypatch.setattr("cogs.status.LONGEST_REST", 0.04)
    async with running_playground() as discord, Till() as till:
        till.script = (QUEUED, RUNNING)
        async with running_bot(discord, tmp_path / "data", registry=till_registry(till.url)) as house:
            alice = discord.person("alice")
            await begin_training(alice.in_channel(), "Rusty")
            broken = await alice.in_channel().wait_for(lambda m: "Training Rusty" in m.text and "step 1" in m.text)
            [first] = await house.services.training.jobs(alice.id)
            invalid_form_body(discord, f"/channels/*/messages/{broken.id}")
            [order] = till.jobs.values()
            order.looks[0].step = 2
            card = await card_given_up(house, first.id)
            await begin_training(alice.in_channel(), "Bella")
            await alice.in_channel().wait_for(lambda m: "Training Bella" in m.text and "step 1 of 3" in m.text)

    assert card.message_id == broken.id


async def test_card_in_a_long_outage_is_not_given_up(tmp_path, monkeypatch):
    monkeypatch.setattr("cogs.status.TROUBLE_SECONDS", 0.02)
    monkeypatch.setattr("cogs.status.LONGEST_REST", 0.04)
    monkeypatch.setattr("cogs.status.MOST_REFUSALS", 1)
    async with running_playground() as discord, Till() as till:
        till.script = (QUEUED, RUNNING)
        async with running_bot(discord, tmp_path / "data", registry=till_registry(till.url)):
            alice = discord.person("alice").in_channel()
            discord.faults.answer(503, method="POST", path="/channels/*/messages", times=5)
            await begin_training(alice, "Rusty")
            await alice.wait_for(lambda m: "Training Rusty" in m.text and "step 1 of 3" in m.text)

    assert len(discord.requests("POST", "/channels/*/messages")) > 5
