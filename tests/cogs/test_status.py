"""The cards of jobs: drawn while it matters, once, and somewhere else when their place is gone."""

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass

from bot.store import cards
from bot.training.job import JobState
from cogs import status
from playground.permissions import Permission
from playground.person import Person, Place
from tests.cogs.photos import foxes
from tests.fakes.till import QUEUED, RUNNING, SUCCEEDED, Look, Till
from tests.fakes.till_adapter import till_registry
from tests.house import House, running_bot
from tests.playing import running_playground


@dataclass(frozen=True, kw_only=True)
class Stage:
    house: House
    till: Till
    alice: Person
    place: Place

    @property
    def public(self):
        """What everybody sees of the bot in the channel."""
        watcher = self.house.discord.person("watcher").in_channel()
        return [message for message in watcher.sees() if message.author_is_bot]

    async def train(self):
        """Let alice train from two photos, up to the card."""
        await self.place.slash("draft new", name="Rusty", trigger_word="rustyfox", kind="animal", who="nobody")
        await self.place.slash("draft add", photo1=foxes(2)[0], photo2=foxes(2)[1])
        return await self.place.press(await self.place.slash("train"), "Train it")

    def let_it_end(self):
        """Let every job at the till succeed at its next look."""
        self.till.script = (SUCCEEDED,)
        for job in self.till.jobs.values():
            job.looks[:] = [SUCCEEDED]


@asynccontextmanager
async def stage(tmp_path, *, looks=(QUEUED, RUNNING)):
    """Open a house whose only provider is the till, where jobs stay as `looks` leaves them."""
    async with running_playground() as discord, Till() as till:
        till.script = looks
        async with running_bot(discord, tmp_path / "data", registry=till_registry(till.url)) as house:
            alice = discord.person("alice")
            yield Stage(house=house, till=till, alice=alice, place=alice.in_channel())


async def test_card_follows_its_job_in_one_message(tmp_path):
    async with stage(tmp_path) as s:
        await s.train()
        card = await s.place.wait_for(lambda m: "step 1 of 3" in m.text)
        assert "loss 0.9" in card.text
        assert card.has_button("Cancel")
        s.let_it_end()
        ready = await s.place.wait_for(lambda m: "**Ready**" in m.text)
        assert ready.id == card.id
        assert not ready.has_button("Cancel")


async def test_card_is_not_edited_while_nothing_changes(tmp_path):
    async with stage(tmp_path) as s:
        await s.train()
        await s.place.wait_for(lambda m: "step 1 of 3" in m.text)
        polls, edits = s.till.asked["poll"], len(s.house.discord.requests("PATCH", "/channels/*/messages/*"))
        while s.till.asked["poll"] < polls + 20:
            await _breath()
        assert len(s.house.discord.requests("PATCH", "/channels/*/messages/*")) <= edits + 1


async def test_last_word_is_posted_once(tmp_path):
    async with stage(tmp_path, looks=(QUEUED, SUCCEEDED)) as s:
        await s.train()
        last_word = await s.place.wait_for(lambda m: "Rusty is ready" in m.text)
        assert len(last_word.images) == 4
        assert len([m for m in s.public if "Rusty is ready" in m.text]) == 1


async def test_last_word_is_not_said_twice_when_discord_loses_its_own_answer(tmp_path, monkeypatch):
    monkeypatch.setattr(status, "TROUBLE_SECONDS", 0.01)
    async with stage(tmp_path) as s:
        await s.train()
        await s.place.wait_for(lambda m: "step 1 of 3" in m.text)
        s.house.discord.faults.reset(method="POST", path="/channels/*/messages", when="after")
        s.let_it_end()
        await s.place.wait_for(lambda m: "Rusty is ready" in m.text)
        await _cards_true(s)
        assert len([m for m in s.public if "Rusty is ready" in m.text]) == 1


async def test_deleted_card_is_made_anew(tmp_path):
    async with stage(tmp_path) as s:
        await s.train()
        card = await s.place.wait_for(lambda m: "step 1 of 3" in m.text)
        s.house.discord.delete_message(s.house.discord.world.messages[card.id])
        s.let_it_end()
        ready = await s.place.wait_for(lambda m: "**Ready**" in m.text)
        assert ready.id != card.id


async def test_card_goes_on_as_direct_message_when_its_channel_is_deleted(tmp_path):
    async with stage(tmp_path) as s:
        await s.train()
        await s.place.wait_for(lambda m: "step 1 of 3" in m.text)
        s.house.discord.delete_channel(s.house.discord.channel)
        s.let_it_end()
        dm = s.alice.dm()
        await dm.wait_for(lambda m: "**Ready**" in m.text)
        await dm.wait_for(lambda m: "Rusty is ready" in m.text)


async def test_card_goes_on_as_direct_message_when_the_bot_may_no_longer_post(tmp_path):
    async with stage(tmp_path) as s:
        await s.train()
        await s.place.wait_for(lambda m: "step 1 of 3" in m.text)
        s.house.discord.deny_bot(Permission.VIEW_CHANNEL)
        s.let_it_end()
        await s.alice.dm().wait_for(lambda m: "Rusty is ready" in m.text)


async def test_card_is_given_up_when_direct_messages_are_blocked_too(tmp_path):
    async with stage(tmp_path) as s:
        await s.train()
        await s.place.wait_for(lambda m: "step 1 of 3" in m.text)
        s.alice.block_dms()
        s.house.discord.delete_channel(s.house.discord.channel)
        s.let_it_end()
        [job] = await s.house.services.training.jobs(s.alice.id)
        while not (await s.house.services.training.job(job.id)).state.terminal:
            await _breath()
        await _cards_true(s)
        assert (await s.house.services.training.job(job.id)).state is JobState.SUCCEEDED
        async with s.house.services.database.begin() as connection:
            card = await cards.get(connection, job.id)
        assert card.given_up


async def test_card_survives_a_rate_limit(tmp_path):
    async with stage(tmp_path) as s:
        await s.train()
        await s.place.wait_for(lambda m: "step 1 of 3" in m.text)
        s.house.discord.faults.rate_limit(0.05, method="PATCH", path="/channels/*/messages/*")
        s.let_it_end()
        await s.place.wait_for(lambda m: "Rusty is ready" in m.text)


async def test_card_is_redrawn_after_a_restart(tmp_path, monkeypatch):
    monkeypatch.setattr(status, "TROUBLE_SECONDS", 0.01)
    async with running_playground() as discord, Till() as till:
        till.script = (QUEUED, RUNNING)
        registry, place = till_registry(till.url), discord.person("alice").in_channel()
        async with running_bot(discord, tmp_path / "data", registry=registry) as house:
            await Stage(house=house, till=till, alice=discord.person("alice"), place=place).train()
            card = await place.wait_for(lambda m: "step 1 of 3" in m.text)
        await discord.bot_gone()
        [job] = till.jobs.values()
        job.looks[:] = [Look(status="running", step=2, total=3, loss=0.4)]
        async with running_bot(discord, tmp_path / "data", registry=registry):
            later = await place.wait_for(lambda m: "step 2 of 3" in m.text)
            assert later.id == card.id
            job.looks[:] = [SUCCEEDED]
            till.script = (SUCCEEDED,)
            await place.wait_for(lambda m: "Rusty is ready" in m.text)
        assert len(till.bill) == 2  # the training, and its sample pictures


async def test_failed_training_says_why_and_what_to_do(tmp_path):
    failed = Look(status="failed", error="The GPU ran out of memory.")
    async with stage(tmp_path, looks=(QUEUED, failed)) as s:
        await s.train()
        told = await s.place.wait_for(lambda m: "Rusty: failed" in m.text)
        assert "/train tries again" in told.text
        card = s.place.look(s.public[0])
        assert "**Failed**" in card.text


async def _cards_true(s):
    """Wait until no card is stale."""
    while await s.house.services.cards.stale():
        await _breath()


async def _breath():
    await asyncio.sleep(0.01)
