"""Two providers that can do the same: who gets a job, why, and what happens when one is out of order."""

from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

from bot.budget import disagreements
from bot.place import Place
from bot.training import stepper
from playground import person
from providers.base import Health
from providers.registry import Registry
from tests.cogs.photos import foxes
from tests.fakes.till import SUCCEEDED, Till
from tests.fakes.till_adapter import TillImageMaker, TillTrainer
from tests.house import House, running_bot
from tests.playing import running_playground


class OtherTrainer(TillTrainer):
    """The same in another shop."""

    title = "The other till"
    name = "other"


class OtherImageMaker(TillImageMaker):
    """The same in another shop."""

    title = "The other till"
    name = "other"


class DearTrainer(OtherTrainer):
    """The other shop when it asks for more."""

    def estimate(self, recipe, photo_count):
        return replace(super().estimate(recipe, photo_count), low_usd=3.0, high_usd=4.0)


@dataclass(frozen=True, kw_only=True)
class Street:
    house: House
    first: Till
    other: Till
    place: person.Place

    async def train(self, **options):
        await self.place.slash("draft new", name="Rusty", trigger_word="rustyfox", kind="animal", who="nobody")
        await self.place.slash("draft add", photo1=foxes(2)[0], photo2=foxes(2)[1])
        quote = await self.place.slash("train", **options)
        return quote, await self.place.press(quote, "Train it")

    async def ready(self):
        return await self.place.wait_for(lambda m: "Rusty is ready" in m.text)

    def trainings(self, till):
        return [job for job in till.jobs.values() if job.kind == "trainings"]


@asynccontextmanager
async def street(tmp_path, *, other=OtherTrainer, **settings):
    async with running_playground() as discord, Till() as first, Till() as second:
        first.script = second.script = (SUCCEEDED,)
        registry = Registry(
            trainers={"till": TillTrainer(first.url), "other": other(second.url)},
            image_makers={"till": TillImageMaker(first.url), "other": OtherImageMaker(second.url)},
        )
        async with running_bot(discord, tmp_path / "data", registry=registry, **settings) as house:
            yield Street(house=house, first=first, other=second, place=discord.person("alice").in_channel())


async def test_auto_takes_the_cheapest_and_says_so(tmp_path):
    async with street(tmp_path, other=DearTrainer) as s:
        quote, _ = await s.train()
        assert "the cheapest of 2" in quote.text
        await s.ready()
        assert len(s.trainings(s.first)) == 1
        assert not s.trainings(s.other)


async def test_auto_takes_the_preferred_one_though_it_is_dear(tmp_path):
    async with street(tmp_path, other=DearTrainer, darkroom_preferred_providers="other") as s:
        quote, _ = await s.train(provider="auto")
        assert "preferred here" in quote.text
        await s.ready()
        assert len(s.trainings(s.other)) == 1


async def test_chosen_provider_is_taken_and_the_card_says_whose_choice_it_was(tmp_path):
    async with street(tmp_path) as s:
        await s.train(provider="other")
        card = await s.place.wait_for(lambda m: "your choice" in m.text)
        assert "The other till" in card.text
        await s.ready()
        assert len(s.trainings(s.other)) == 1


async def test_only_who_is_allowed_in_the_server_is_offered(tmp_path):
    async with street(tmp_path) as s:
        guild_id = s.house.discord.guild.id
        manager = Place(channel_id=s.house.discord.channel.id, guild_id=guild_id, manages=True)
        await s.house.services.guilds.change(1, manager, allowed_providers=("other",))
        for command in ("train", "generate"):
            offered = await s.place.autocomplete(command, "provider")
            assert [choice.value for choice in offered] == ["auto", "other"]


async def test_who_can_do_nothing_is_not_offered(tmp_path):
    async with street(tmp_path) as s:
        maker = s.house.services.router.registry.image_makers["till"]
        maker.capabilities = replace(maker.capabilities, base_models=frozenset())
        offered = await s.place.autocomplete("generate", "provider")
        assert [choice.value for choice in offered] == ["auto", "other"]


async def test_provider_that_is_not_well_gets_no_job(tmp_path):
    async with street(tmp_path) as s:
        s.house.services.router.circuits._failures["till"] = 99
        await s.train()
        await s.ready()
        assert not s.trainings(s.first)
        assert len(s.trainings(s.other)) == 1


async def test_job_goes_to_another_provider_when_the_first_cannot_be_paid(tmp_path):
    async with street(tmp_path) as s:
        s.first.plan("submit", status=402)
        await s.train()
        await s.place.wait_for(lambda m: "till is out of order" in m.text)
        await s.ready()
        assert not s.trainings(s.first)
        assert len(s.trainings(s.other)) == 1
        async with s.house.services.database.begin() as connection:
            assert not await disagreements(connection)


async def test_job_goes_to_another_provider_when_the_first_stays_out_of_reach(tmp_path, monkeypatch):
    monkeypatch.setattr(stepper, "FIRST_PAUSE", 0.01)
    async with street(tmp_path) as s:
        s.first.plan("upload", status=503, times=50)
        await s.train()
        await s.ready()
        assert len(s.trainings(s.other)) == 1


async def test_job_of_a_chosen_provider_never_goes_elsewhere(tmp_path):
    async with street(tmp_path) as s:
        s.first.plan("submit", status=402)
        await s.train(provider="till")
        await s.place.wait_for(lambda m: "Rusty: failed" in m.text)
        assert not s.other.jobs


async def test_job_never_goes_to_a_provider_that_costs_more_than_was_quoted(tmp_path):
    async with street(tmp_path, other=DearTrainer) as s:
        s.first.plan("submit", status=402)
        await s.train()
        await s.place.wait_for(lambda m: "Rusty: failed" in m.text)
        assert not s.other.jobs


async def test_unsure_submission_never_goes_elsewhere(tmp_path):
    async with street(tmp_path) as s:
        s.first.plan("submit", after=True)
        await s.train()
        await s.ready()
        assert len(s.trainings(s.first)) == 1
        assert not s.trainings(s.other)


async def test_pictures_go_to_another_provider_before_anything_is_sent(tmp_path):
    async with street(tmp_path) as s:
        await s.train(provider="till")
        await s.ready()
        s.first.plan("submit", status=402)
        await s.place.slash("generate", model="Rusty", count=2)
        gallery = await s.place.wait_for(lambda m: len(m.images) == 2)
        assert "The other till" in gallery.text


async def test_generate_offers_the_providers_that_can_use_the_model(tmp_path):
    async with street(tmp_path) as s:
        await s.train()
        await s.ready()
        offered = await s.place.autocomplete("generate", "provider", model="Rusty")
        assert [choice.value for choice in offered] == ["auto", "till", "other"]


class SickImageMaker(TillImageMaker):
    """The first shop's image maker on a bad day."""

    async def check(self):
        return Health(ok=False, wording="The printer is broken.")


async def test_image_maker_that_is_not_well_gets_no_pictures_though_its_trainer_is(tmp_path):
    async with street(tmp_path) as s:
        await s.train(provider="till")
        await s.ready()
        s.house.services.registry.image_makers["till"] = SickImageMaker(s.first.url)
        await s.house.services.router.check_all()
        await s.place.slash("generate", model="Rusty", count=2)
        gallery = await s.place.wait_for(lambda m: len(m.images) == 2)
        assert "The other till" in gallery.text
