"""*Train again*: from an ended training to the quote of the next, and the versions that come of it."""

from bot.training.job import JobState
from tests.cogs.test_money import drafted, market
from tests.cogs.test_sheets import told
from tests.factories import house_with_model
from tests.fakes.till import QUEUED, RUNNING, SUCCEEDED, Look


async def test_trained_model_is_trained_again_as_version_two(tmp_path):
    async with market(tmp_path) as (_house, _till, place):
        await place.press(await place.slash("train", draft=await drafted(place, "Rusty"), steps=70), "Train it")
        last_word = await place.wait_for(lambda m: "Rusty is ready" in m.text)
        quote = await place.press(last_word, "Train again")
        assert quote.ephemeral
        assert "Your own numbers." in quote.text
        assert "2 photos · 70 steps" in quote.text
        assert "Its photos are a copy of those of the earlier draft" in quote.text
        assert "It becomes version 2 of the model." in quote.text
        await place.press(quote, "Train it")
        await place.wait_for(lambda m: "Rusty, version 2 is ready" in m.text)
        listed = await place.slash("models list")
        assert 0 < listed.text.index("**Rusty, version 2**") < listed.text.index("**Rusty, version 1**")
        card = await place.slash("models show", model="Rusty")
        assert "### Rusty, version 2" in card.text


async def test_pressing_twice_copies_the_photos_once(tmp_path):
    async with market(tmp_path) as (house, _till, place):
        await place.press(await place.slash("train", draft=await drafted(place, "Rusty")), "Train it")
        last_word = await place.wait_for(lambda m: "Rusty is ready" in m.text)
        for _ in range(2):
            await place.press(last_word, "Train again")
        assert len(await house.services.drafts.open_drafts(place.person.id)) == 1


async def test_failed_training_is_begun_again_with_the_same_draft(tmp_path):
    async with market(tmp_path, looks=(Look(status="failed", error="Out of memory."),)) as (house, till, place):
        draft_id = await drafted(place, "Rusty")
        await place.press(await place.slash("train", draft=draft_id), "Train it")
        await place.wait_for(lambda m: "Rusty: failed" in m.text)
        card = await place.wait_for(lambda m: "**Failed**" in m.text)
        till.script = (QUEUED, SUCCEEDED)
        quote = await place.press(card, "Train again")
        assert "copy" not in quote.text
        await place.press(quote, "Train it")
        await place.wait_for(lambda m: "Rusty is ready" in m.text)
        jobs = await house.services.training.jobs(place.person.id)
        assert {job.draft_id for job in jobs} == {draft_id}


async def test_stopped_training_can_be_begun_again(tmp_path):
    async with market(tmp_path, looks=(QUEUED, RUNNING)) as (house, _till, place):
        await place.press(await place.slash("train", draft=await drafted(place, "Rusty")), "Train it")
        card = await place.wait_for(lambda m: "step 1 of 3" in m.text)
        await place.press(card, "Cancel")
        stopped = await place.wait_for(lambda m: m.has_button("Train again"))
        await place.press(await place.press(stopped, "Train again"), "Train it")
        await job_in_any(house, place, JobState.RUNNING)


async def job_in_any(house, place, state):
    await place.wait_for(lambda m: "step 1 of 3" in m.text and m.has_button("Cancel"))
    assert state in {job.state for job in await house.services.training.jobs(place.person.id)}


async def test_training_of_somebody_else_is_theirs_to_begin_again(trained_folder, tmp_path):
    async with house_with_model(trained_folder, tmp_path / "data") as scene:
        bob = scene.house.discord.person("bob").in_channel()
        last_word = await bob.wait_for(lambda m: "Rusty is ready" in m.text)
        assert "Only the person who asked for this training" in told(await bob.press(last_word, "Train again"))


async def test_training_whose_photos_are_gone_cannot_be_begun_again(trained_folder, tmp_path):
    async with house_with_model(trained_folder, tmp_path / "data") as scene:
        for blob in (tmp_path / "data" / "blobs" / "photos").iterdir():
            blob.unlink()
        ada = scene.owner.in_channel()
        last_word = await ada.wait_for(lambda m: "Rusty is ready" in m.text)
        assert "The photos of **Rusty** are no longer kept." in told(await ada.press(last_word, "Train again"))
