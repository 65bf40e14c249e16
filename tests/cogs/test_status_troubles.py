"""Cards that Discord does not take: they rest, and nobody waits behind them."""

from bot.training.job import JobState
from cogs import status
from tests.cogs.photos import foxes
from tests.factories import ended
from tests.fakes.till import QUEUED, RUNNING, USUAL, Till
from tests.fakes.till_adapter import till_registry
from tests.house import running_bot
from tests.playing import running_playground


async def begin_training(place, name):
    await place.slash("draft new", name=name, trigger_word="rustyfox", kind="animal")
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
    monkeypatch.setattr(status, "TROUBLE_SECONDS", 0.05)
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
