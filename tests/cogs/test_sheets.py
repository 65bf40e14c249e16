"""Strengths and checkpoints side by side, and the column that somebody takes."""

import io

from PIL import Image

from bot.store import checkpoints as checkpoint_rows
from bot.training.job import JobState
from tests.cogs.test_money import drafted, market
from tests.factories import NOWHERE, ended, house_with_easel, house_with_model


async def compared(scene, what):
    """Let the owner compare; return their channel and the sheet's message."""
    ada = scene.owner.in_channel()
    answer = await ada.press(await ada.slash("models show", model="Rusty"), what)
    if any(button.label == "Make them" for button in answer.buttons):
        answer = await ada.press(answer, "Make them")
    assert answer.text == "Comparing **Rusty**. The sheet appears in this channel."
    return ada, await ada.wait_for(lambda m: "each row one seed" in m.text and len(m.images) == 1, timeout=60)


async def model(scene):
    [lora] = await scene.house.services.library.usable(scene.owner.id, NOWHERE)
    return lora


def told(answer):
    return " ".join([answer.text, *(followup.text for followup in answer.followups)])


async def test_strengths_are_laid_side_by_side_and_one_becomes_the_default(trained_folder, tmp_path):
    async with house_with_easel(trained_folder, tmp_path / "data") as scene:
        ada, sheet = await compared(scene, "Compare strengths")
        assert "**Rusty** at the strengths 0.6, 0.8, and 1" in sheet.text
        [alt] = sheet.alts
        assert alt.startswith("A table of pictures of Rusty. The columns are 0.6, 0.8, and 1")
        assert Image.open(io.BytesIO(sheet.images[0])).width == 1200
        answer = await ada.press(sheet, "Use 0.6")
        assert "**Rusty** is used at strength 0.6 from now on" in answer.text
        assert (await model(scene)).strength == 0.6
        await ada.wait_for(lambda m: m.has_button("0.6 is used"))


async def test_checkpoint_that_is_chosen_is_what_the_model_uses(trained_folder, tmp_path):
    async with house_with_easel(trained_folder, tmp_path / "data") as scene:
        before = await model(scene)
        ada, sheet = await compared(scene, "Compare checkpoints")
        assert "**Rusty** at step 4, step 8, and step 12" in sheet.text
        assert sheet.find_button("Step 12 is used").disabled
        answer = await ada.press(sheet, "Use step 4")
        assert "**Rusty** is what it was at step 4 from now on." in answer.text
        after = await model(scene)
        assert after.sha256 != before.sha256
        assert after.facts["steps"] == 4
        redrawn = await ada.wait_for(lambda m: m.has_button("Step 4 is used"))
        assert redrawn.id == sheet.id
        gallery = await ada.slash("generate", model="Rusty")
        assert "Drawing" in gallery.text


async def test_columns_of_a_sheet_show_different_models_with_the_same_seeds(trained_folder, tmp_path):
    async with house_with_model(trained_folder, tmp_path / "data") as scene:
        _ada, _sheet = await compared(scene, "Compare checkpoints")
        [job] = [j for j in await scene.house.services.training.jobs(scene.owner.id) if j.kind == "sheet"]
        galleries = [
            await scene.house.services.generating.gallery(c.job_id, with_files=True) for c in job.sheet.columns
        ]
        assert len({tuple(picture.seed for picture in gallery.pictures) for gallery in galleries}) == 1
        assert len({gallery.files[0] for gallery in galleries}) == 3


async def test_other_checkpoints_are_deleted_on_request_and_the_chosen_one_stays(trained_folder, tmp_path):
    async with house_with_easel(trained_folder, tmp_path / "data") as scene:
        ada, sheet = await compared(scene, "Compare checkpoints")
        await ada.press(sheet, "Use step 8")
        answer = await ada.press(ada.look(sheet), "Delete the other checkpoints")
        assert answer.text == "2 checkpoints are deleted for ever."
        kept = await model(scene)
        models = [path.name for path in (tmp_path / "data" / "blobs" / "loras").iterdir()]
        assert models == [kept.blob_key.removeprefix("loras/")]
        assert not (await ada.slash("models show", model="Rusty")).message.has_button("Compare checkpoints")


async def test_checkpoints_are_the_owners_alone(trained_folder, tmp_path):
    async with house_with_easel(trained_folder, tmp_path / "data") as scene:
        ada, sheet = await compared(scene, "Compare checkpoints")
        await ada.slash("models share", model="Rusty")
        bob = scene.house.discord.person("bob").in_channel()
        for label in ("Use step 4", "Delete the other checkpoints"):
            assert "belongs to somebody else" in told(await bob.press(bob.look(sheet), label))
        assert "Only the person who asked" in told(await bob.press(bob.look(sheet), "Delete"))


async def test_sheet_is_deleted_with_the_pictures_that_it_was_made_of(trained_folder, tmp_path):
    async with house_with_easel(trained_folder, tmp_path / "data") as scene:
        pictures = tmp_path / "data" / "blobs" / "pictures"
        before = {path for path in pictures.rglob("*") if path.is_file()}
        ada, sheet = await compared(scene, "Compare strengths")
        assert len({path for path in pictures.rglob("*") if path.is_file()} - before) == 7
        await ada.press(sheet, "Delete")
        assert sheet.id not in [message.id for message in ada.sees()]
        assert {path for path in pictures.rglob("*") if path.is_file()} == before


async def test_model_that_is_deleted_takes_its_checkpoints_along(trained_folder, tmp_path):
    async with house_with_easel(trained_folder, tmp_path / "data") as scene:
        lora = await model(scene)
        await scene.house.services.library.delete(scene.owner.id, lora.id)
        assert list((tmp_path / "data" / "blobs" / "loras").iterdir()) == []
        async with scene.house.services.database.begin() as connection:
            assert not await checkpoint_rows.of_lora(connection, lora.id)


async def test_sheet_that_costs_says_its_price_first_and_is_paid_once(tmp_path):
    async with market(tmp_path) as (house, till, place):
        await place.press(await place.slash("train", draft=await drafted(place, "Rusty")), "Train it")
        last_word = await place.wait_for(lambda m: "Rusty is ready" in m.text)
        paid = len(till.bill)
        question = await place.press(last_word, "Compare strengths")
        assert question.ephemeral
        assert question.text == "This makes 6 pictures with Till: $0.06, about 20 seconds."
        assert len(till.bill) == paid
        await place.press(question, "Make them")
        await place.wait_for(lambda m: "each row one seed" in m.text and len(m.images) == 1)
        assert len(till.bill) == paid + 3
        [sheet] = [job for job in await house.services.training.jobs(place.person.id) if job.kind == "sheet"]
        assert (await ended(house, sheet.id)).state is JobState.SUCCEEDED
