"""Trainings as people see them: quotes, presses, lists, ends; the real Sketch works behind them."""

import asyncio

import pytest

from bot.training.job import JobState
from playground.errors import PersonError
from playground.permissions import Permission
from tests.cogs.photos import foxes
from tests.house import House, open_house

QUICK = 12


async def drafted(house: House, *, name: str = "Rusty", who: str = "alice", photos: int = 4):
    """Let a person begin a draft and fill it by direct message."""
    place = house.discord.person(who).in_channel()
    await place.slash("draft new", name=name, trigger_word="rustyfox", kind="animal", who="nobody")
    if photos:
        dm = house.discord.person(who).dm()
        await dm.say("", foxes(photos))
        await dm.wait_for(lambda m: m.author_is_bot and f"Added {photos} photo" in m.text)
    return place


def cards(house: House):
    """Return what everybody sees of the bot in the channel."""
    place = house.discord.person("watcher").in_channel()
    return [message for message in place.sees() if message.author_is_bot]


async def test_train_shows_a_quote_with_price_and_time(tmp_path):
    async with open_house(tmp_path / "data") as house:
        place = await drafted(house)
        quote = await place.slash("train", steps=QUICK)
        assert quote.ephemeral
        assert "Train Rusty with Sketch" in quote.text
        assert "4 photos · 12 steps · 128 px" in quote.text
        assert "Free" in quote.text
        assert not cards(house)


async def test_train_suggests_drafts_providers_and_steps(tmp_path):
    async with open_house(tmp_path / "data") as house:
        place = await drafted(house, photos=0)
        assert [c.name for c in await place.autocomplete("train", "draft", "ru")] == ["Rusty (rustyfox)"]
        assert [c.value for c in await place.autocomplete("train", "provider")] == ["auto", "sketch"]
        assert "balanced: 48 steps" in [c.name for c in await place.autocomplete("train", "steps")]
        assert [c.value for c in await place.autocomplete("train", "resolution")] == [128, 256]


async def test_train_with_a_number_outside_its_limits_says_them(tmp_path):
    async with open_house(tmp_path / "data") as house:
        place = await drafted(house)
        answer = await place.slash("train", steps=5000)
        assert answer.ephemeral
        assert answer.text == "`steps` goes from 12 to 240 here, and 5000 is outside of it. 48 is a good value."


async def test_train_with_a_resolution_that_is_not_offered_says_which_are(tmp_path):
    async with open_house(tmp_path / "data") as house:
        place = await drafted(house)
        answer = await place.slash("train", resolution=1000)
        assert "trains at 128 or 256 pixels, not at 1000" in answer.text


async def test_train_says_which_options_the_trainer_has_no_use_for(tmp_path):
    async with open_house(tmp_path / "data") as house:
        place = await drafted(house)
        quote = await place.slash("train", rank=32, learning_rate=0.001)
        assert "has no use for `rank` and `learning_rate`" in quote.text


async def test_train_with_one_photo_is_refused(tmp_path):
    async with open_house(tmp_path / "data") as house:
        place = await drafted(house, photos=1)
        answer = await place.slash("train")
        assert answer.ephemeral
        assert answer.text.startswith("Sketch (this machine) needs at least 2 photos and this draft has 1.")
        assert not await house.services.training.jobs(place.person.id)


async def test_train_with_an_unknown_draft_is_refused(tmp_path):
    async with open_house(tmp_path / "data") as house:
        place = await drafted(house, photos=0)
        answer = await place.slash("train", draft="nosuchdraft0")
        assert answer.ephemeral
        assert "There is no such draft." in answer.text


async def test_train_with_an_unknown_provider_names_those_that_can(tmp_path):
    async with open_house(tmp_path / "data") as house:
        place = await drafted(house)
        answer = await place.slash("train", provider="moonbase")
        assert answer.text == "That provider cannot train this draft here. `sketch` can train for Sketch."


async def test_train_of_somebody_elses_draft_is_refused(tmp_path):
    async with open_house(tmp_path / "data") as house:
        await drafted(house)
        [draft] = await house.services.drafts.open_drafts(house.discord.person("alice").id)
        answer = await house.discord.person("bob").in_channel().slash("train", draft=draft.id)
        assert answer.ephemeral
        assert "belongs to somebody else" in answer.text


async def test_quote_can_be_dropped_and_begins_nothing(tmp_path):
    async with open_house(tmp_path / "data") as house:
        place = await drafted(house)
        answer = await place.press(await place.slash("train", steps=QUICK), "Not now")
        assert "Nothing was begun" in answer.text
        assert not await house.services.training.jobs(place.person.id)


async def test_two_presses_on_train_at_once_begin_one_training(tmp_path):
    async with open_house(tmp_path / "data") as house:
        place = await drafted(house)
        quotes = [await place.slash("train", steps=QUICK) for _ in range(2)]
        answers = await asyncio.gather(*(place.press(quote, "Train it") for quote in quotes))
        jobs = await house.services.training.jobs(place.person.id)
        assert len(jobs) == 1
        texts = sorted(text for answer in answers for text in [answer.text, *(f.text for f in answer.followups)])
        assert any("is being trained. Its card is in this channel." in text for text in texts)
        assert any("is being trained already" in text for text in texts)


async def test_training_ends_with_a_last_word_and_four_pictures(tmp_path):
    async with open_house(tmp_path / "data") as house:
        place = await drafted(house)
        await place.press(await place.slash("train", steps=QUICK), "Train it")
        last_word = await place.wait_for(lambda m: "Rusty is ready" in m.text, timeout=40)
        assert len(set(last_word.images)) == 4
        assert [button.label for button in last_word.buttons] == [
            "Generate",
            "More",
            "Share",
            "Compare strengths",
            "Compare checkpoints",
            "Train again",
        ]
        card = place.look(cards(house)[0])
        assert "Ready" in card.text
        assert not card.has_button("Cancel")
        details = await place.press(card, "Details")
        assert details.ephemeral
        assert "Sketch (this machine) (the only one here for Sketch)" in details.text
        [alt] = details.message.alts
        assert alt.startswith("A curve of the loss: ")
        assert f"at step {QUICK}" in alt


async def test_cancel_button_ends_a_training_and_gives_the_draft_back(tmp_path):
    async with open_house(tmp_path / "data") as house:
        place = await drafted(house)
        await place.press(await place.slash("train", steps=240), "Train it")
        card = await place.wait_for(lambda m: m.has_button("Cancel"))
        answer = await place.press(card, "Cancel")
        assert answer.ephemeral
        stopped = await place.wait_for(lambda m: "Stopped" in m.text, timeout=20)
        assert stopped.id == card.id
        assert "Your draft is as it was, with every photo and caption. /train tries again." in stopped.text
        assert "Nothing was charged." in stopped.text
        [draft] = await house.services.drafts.open_drafts(place.person.id)
        view = await house.services.drafts.view(place.person.id, draft.id, with_sheet=False)
        assert len(view.photos) == 4


async def test_training_that_is_begun_in_a_direct_message_has_its_card_there(tmp_path):
    async with open_house(tmp_path / "data") as house:
        await drafted(house)
        dm = house.discord.person("alice").dm()
        answer = await dm.press(await dm.slash("train", steps=QUICK), "Train it")
        assert answer.text == "**Rusty** is being trained. Its card is in this conversation."
        await dm.wait_for(lambda m: "Training Rusty" in m.text)


async def test_cancel_button_of_somebody_else_is_refused(tmp_path):
    async with open_house(tmp_path / "data") as house:
        place = await drafted(house)
        await place.press(await place.slash("train", steps=240), "Train it")
        bob = house.discord.person("bob").in_channel()
        card = await bob.wait_for(lambda m: m.has_button("Cancel"))
        answer = await bob.press(card, "Cancel")
        assert answer.ephemeral
        assert answer.text == "That job belongs to somebody else, so only they can stop it."
        [job] = await house.services.training.jobs(place.person.id)
        assert not job.cancel_requested
        await place.slash("cancel")


async def test_cancel_command_stops_the_only_job(tmp_path):
    async with open_house(tmp_path / "data") as house:
        place = await drafted(house)
        await place.press(await place.slash("train", steps=240), "Train it")
        assert "Rusty: training" in (await place.autocomplete("cancel", "job"))[0].name
        assert (await place.slash("cancel")).text.startswith("Stopping **Rusty**.")
        [job] = await house.services.training.jobs(place.person.id)
        assert job.cancel_requested


async def test_cancel_command_without_jobs_says_so(tmp_path):
    async with open_house(tmp_path / "data") as house:
        answer = await house.discord.person("alice").in_channel().slash("cancel")
        assert answer.text == "Nothing of yours is under way. /jobs lists what has ended."


async def test_jobs_lists_only_ones_own(tmp_path):
    async with open_house(tmp_path / "data") as house:
        place = await drafted(house)
        await place.press(await place.slash("train", steps=240), "Train it")
        assert "**Rusty** · training" in (await place.slash("jobs")).text
        bobs = await house.discord.person("bob").in_channel().slash("jobs")
        assert bobs.text == "You have no jobs yet. Begin with /draft new."
        await place.slash("cancel")


async def test_training_is_refused_where_the_bot_may_not_post(tmp_path):
    async with open_house(tmp_path / "data") as house:
        place = await drafted(house)
        house.discord.deny_bot(Permission.ATTACH_FILES)
        answer = await place.press(await place.slash("train", steps=QUICK), "Train it")
        told = [answer.text, *(f.text for f in answer.followups)]
        assert any("I lack Attach Files in this channel" in text for text in told)
        assert not await house.services.training.jobs(place.person.id)


@pytest.mark.parametrize("option", ["steps", "rank", "resolution"])
async def test_train_takes_whole_numbers_only(tmp_path, option):
    async with open_house(tmp_path / "data") as house:
        place = house.discord.person("alice").in_channel()
        with pytest.raises(PersonError):
            await place.slash("train", **{option: "many"})


async def test_training_that_fails_gives_the_draft_back_and_says_why(tmp_path):
    async with open_house(tmp_path / "data") as house:
        place = await drafted(house)
        [draft] = await house.services.drafts.open_drafts(place.person.id)
        quote = await place.slash("train", steps=QUICK)
        for blob in (tmp_path / "data" / "blobs" / "photos").iterdir():
            blob.unlink()
        await place.press(quote, "Train it")
        told = await place.wait_for(lambda m: "Rusty: failed" in m.text)
        assert "no longer stored" in told.text
        assert "/train tries again" in told.text
        [job] = await house.services.training.jobs(place.person.id)
        assert job.state is JobState.FAILED
        assert [d.id for d in await house.services.drafts.open_drafts(place.person.id)] == [draft.id]
