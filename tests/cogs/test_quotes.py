"""Quotes as people change them: presets, own numbers, captions; each change draws the same message anew."""

from contextlib import asynccontextmanager
from dataclasses import replace

from providers.recipe import Limits
from tests.cogs.photos import foxes
from tests.cogs.test_training import drafted
from tests.fakes.till import Till
from tests.fakes.till_adapter import till_registry
from tests.house import open_house, running_bot
from tests.playing import running_playground

GENEROUS = {
    "steps": Limits(low=1, high=100, default=10),
    "rank": Limits(low=1, high=32, default=16),
    "learning_rate": Limits(low=1e-6, high=1e-2, default=4e-4),
    "caption_dropout": Limits(low=0, high=1, default=0.05),
    "autocaption": True,
}


@asynccontextmanager
async def counter(tmp_path):
    """Let alice stand before a quote of a provider that takes every number."""
    async with running_playground() as discord, Till() as till:
        registry = till_registry(till.url)
        trainer = registry.trainers["till"]
        trainer.capabilities = replace(trainer.capabilities, **GENEROUS)
        async with running_bot(discord, tmp_path / "data", registry=registry) as house:
            place = house.discord.person("alice").in_channel()
            await place.slash("draft new", name="Rusty", trigger_word="rustyfox", kind="animal", who="nobody")
            await place.slash("draft add", photo1=foxes(2)[0], photo2=foxes(2)[1])
            yield house, place, await place.slash("train")


def told(answer):
    return " ".join([answer.text, *(followup.text for followup in answer.followups)])


async def test_preset_redraws_the_quote_with_its_numbers_price_and_time(tmp_path):
    async with open_house(tmp_path / "data") as house:
        place = await drafted(house)
        quote = await place.slash("train")
        assert "**Usual**" in quote.text
        assert "48 steps · 128 px" in quote.text
        await place.select(quote, "What it is, and how thorough", "Style, thorough")
        redrawn = place.look(quote.message)
        assert "**Style, thorough** · The most steps and a large LoRA" in redrawn.text
        assert "96 steps · 256 px" in redrawn.text
        assert "about 5 seconds" in quote.text
        assert "about 10 seconds" in redrawn.text


async def test_preset_option_of_train_is_what_the_quote_begins_with(tmp_path):
    async with open_house(tmp_path / "data") as house:
        place = await drafted(house)
        quote = await place.slash("train", preset="object-fast", steps=30)
        assert "**Object, fast** · Your own numbers." in quote.text
        assert "30 steps" in quote.text


async def test_advanced_form_has_what_the_trainer_uses_and_changes_the_quote(tmp_path):
    async with counter(tmp_path) as (house, place, quote):
        form = await place.press(quote, "Advanced")
        await place.submit(form, steps="20", rank="8", learning_rate="0,0002", caption_dropout="0.1")
        redrawn = place.look(quote.message)
        assert "Your own numbers." in redrawn.text
        assert "20 steps" in redrawn.text
        assert "rank 8 · learning rate 0.0002" in redrawn.text
        await place.press(redrawn, "Train it")
        [job] = await house.services.training.jobs(place.person.id)
        recipe = job.training.recipe
        assert (recipe.steps, recipe.rank, recipe.learning_rate, recipe.caption_dropout) == (20, 8, 2e-4, 0.1)


async def test_advanced_number_outside_of_its_reach_is_refused_and_the_quote_stays(tmp_path):
    async with counter(tmp_path) as (_house, place, quote):
        answer = await place.submit(await place.press(quote, "Advanced"), steps="5000")
        assert "`steps` goes from 1 to 100 here, and 5000 is outside of it. 10 is a good value." in told(answer)
        assert "10 steps" in place.look(quote.message).text


async def test_advanced_answer_that_is_no_number_is_refused(tmp_path):
    async with counter(tmp_path) as (_house, place, quote):
        answer = await place.submit(await place.press(quote, "Advanced"), rank="lots")
        assert "`rank` is a number, and `lots` is none." in told(answer)
        answer = await place.submit(await place.press(quote, "Advanced"), rank="2.5")
        assert "`rank` is a whole number." in told(answer)


async def test_captions_are_written_where_the_trainer_can_and_the_person_wants(tmp_path):
    async with counter(tmp_path) as (_house, place, quote):
        await place.press(quote, "Write missing captions")
        assert "captions written for you" in place.look(quote.message).text
        await place.press(place.look(quote.message), "Leave captions as they are")
        assert "captions written for you" not in place.look(quote.message).text


async def test_preset_keeps_the_captions_and_drops_own_numbers(tmp_path):
    async with counter(tmp_path) as (_house, place, quote):
        await place.press(quote, "Write missing captions")
        await place.submit(await place.press(place.look(quote.message), "Advanced"), steps="20")
        await place.select(place.look(quote.message), "What it is, and how thorough", "Style, thorough")
        redrawn = place.look(quote.message)
        assert "20 steps" in redrawn.text  # twice the trainer's own ten
        assert "rank 32 · learning rate 0.0002 · captions written for you" in redrawn.text
