"""Who is in the photos: asked before the first one is kept, at every door; kept with the model; never in the way."""

import pytest

from bot.consent import TEXT_VERSION, Depicted
from bot.draft import DraftState
from bot.errors import WrongMoment
from bot.store import consents, loras
from bot.store import drafts as rows
from bot.training.presets import Wishes
from cogs.ui.draft_panel import draw_panel
from playground.seen import Upload
from tests.cogs.photos import foxes, swatches
from tests.cogs.test_intake import send
from tests.factories import house_with_model
from tests.house import open_house, running_bot
from tests.playing import running_playground

RUSTY = {"name": "Rusty", "trigger_word": "rustyfox", "kind": "animal"}
ANSWERS = ["No person", "Me", "Another adult who agreed", "A child"]


async def current(house, person):
    draft = await house.services.drafts.current(person.id)
    return await house.services.drafts.view(person.id, draft.id, with_sheet=False)


async def answers_about(house, draft_id):
    async with house.services.database.begin() as connection:
        return await consents.of_draft(connection, draft_id)


async def test_new_draft_asks_who_is_in_the_photos_and_one_press_answers(tmp_path):
    async with open_house(tmp_path / "data") as house:
        alice = house.discord.person("alice")
        panel = await alice.in_channel().slash("draft new", **RUSTY)
        assert "**Who is in the photos of Rusty?**" in panel.text
        assert "you may use these photos, and any adult in them agreed" in panel.text
        assert [button.label for button in panel.buttons][:4] == ANSWERS
        answered = await alice.in_channel().press(panel, "No person")
        assert answered.message.id == panel.message.id
        assert "Your answer is kept with **Rusty**." in answered.text
        assert "In the photos: no person." in answered.text
        assert "Who is in the photos of" not in answered.text
        view = await current(house, alice)
        [kept] = await answers_about(house, view.draft.id)
        assert (kept.depicted, kept.text_version, kept.language) == (Depicted.NOBODY, TEXT_VERSION, "en")
        assert (kept.owner_id, kept.id) == (alice.id, view.draft.consent_id)


async def test_usual_answer_comes_first_for_each_kind(tmp_path):
    async with open_house(tmp_path / "data") as house:
        place = house.discord.person("alice").in_channel()
        panel = await place.slash("draft new", **RUSTY | {"kind": "person"})
        assert panel.buttons[0].label == "Me"


async def test_answer_given_with_the_command_is_not_asked_again(tmp_path):
    async with open_house(tmp_path / "data") as house:
        alice = house.discord.person("alice")
        panel = await alice.in_channel().slash("draft new", **RUSTY, who="adult")
        assert "In the photos: another adult, who agreed." in panel.text
        assert not panel.message.has_button("No person")
        assert len(await answers_about(house, (await current(house, alice)).draft.id)) == 1


async def test_photos_of_the_command_wait_for_the_answer(tmp_path):
    async with open_house(tmp_path / "data") as house:
        alice = house.discord.person("alice")
        place = alice.in_channel()
        await place.slash("draft new", **RUSTY)
        panel = await place.slash("draft add", photo1=swatches(2)[0], photo2=swatches(2)[1])
        assert "**2 photos wait** for your answer." in panel.text
        assert not panel.images
        assert not (await current(house, alice)).photos
        answered = await place.press(panel, "No person")
        assert "Added 2 photos to **Rusty**." in answered.text
        assert len(answered.images) == 1
        assert len((await current(house, alice)).photos) == 2


async def test_photos_of_the_form_wait_for_the_answer(tmp_path):
    async with open_house(tmp_path / "data") as house:
        alice = house.discord.person("alice")
        place = alice.in_channel()
        panel = await place.slash("draft new", **RUSTY)
        panel = await place.submit(await place.press(panel, "Add photos"), photos=list(swatches(3)))
        assert "**3 photos wait** for your answer." in panel.text
        assert "Added 3 photos" in (await place.press(panel, "No person")).text


async def test_photos_of_the_menu_wait_for_the_answer(tmp_path):
    async with open_house(tmp_path / "data") as house:
        place = house.discord.person("alice").in_channel()
        await place.slash("draft new", **RUSTY)
        panel = await place.context_menu("Add to draft", await place.say(files=swatches(1)))
        assert "**1 photo waits** for your answer." in panel.text
        assert "Added 1 photo" in (await place.press(panel, "No person")).text


async def test_photos_of_several_messages_wait_for_one_answer_in_their_order(tmp_path):
    async with open_house(tmp_path / "data") as house:
        alice = house.discord.person("alice")
        dm = alice.dm()
        await dm.slash("draft new", **RUSTY)
        first = await send(dm, swatches(2))
        second = await send(dm, swatches(4)[1:])
        assert "**4 photos wait** for your answer." in second.text
        assert "**swatch-02.png** is in the draft already, as photo 2." in second.text
        answered = await dm.press(first, "No person")
        assert "Added 4 photos to **Rusty**." in answered.text
        names = [photo.file_name for photo in (await current(house, alice)).photos]
        assert names == [upload.name for upload in swatches(4)]
        again = await dm.press(second, "No person")
        assert "**4 photos**" in again.text
        assert len(await answers_about(house, (await current(house, alice)).draft.id)) == 1


async def test_photos_wait_for_the_draft_first_and_for_the_answer_then(tmp_path):
    async with open_house(tmp_path / "data") as house:
        dm = house.discord.person("alice").dm()
        await dm.slash("draft new", **RUSTY)
        await dm.slash("draft new", **RUSTY | {"name": "Luna"})
        question = await send(dm, swatches(2))
        asked = await dm.select(question, "Choose a draft", "Luna")
        assert "**Who is in the photos of Luna?**" in asked.text
        assert "**2 photos wait** for your answer." in asked.text
        assert "Added 2 photos to **Luna**." in (await dm.press(asked, "No person")).text


async def test_photos_that_wait_are_still_there_after_a_restart(tmp_path):
    async with running_playground() as discord:
        dm = discord.person("alice").dm()
        async with running_bot(discord, tmp_path / "data"):
            await dm.slash("draft new", **RUSTY)
            question = await send(dm, swatches(2))
        async with running_bot(discord, tmp_path / "data"):
            assert "Added 2 photos to **Rusty**." in (await dm.press(question, "Me")).text


async def test_photo_number_thirty_one_finds_no_room_while_the_others_wait(tmp_path):
    async with open_house(tmp_path / "data") as house:
        dm = house.discord.person("alice").dm()
        await dm.slash("draft new", **RUSTY)
        for start in (0, 10, 20):
            await send(dm, swatches(31)[start : start + 10])
        panel = await send(dm, swatches(31)[30:])
        assert "**swatch-31.png** finds no room: a draft holds 30 photos." in panel.text
        assert "**30 photos wait** for your answer." in panel.text


async def test_nothing_is_trained_without_an_answer(tmp_path):
    async with open_house(tmp_path / "data") as house:
        alice = house.discord.person("alice")
        place = alice.in_channel()
        panel = await place.slash("draft new", **RUSTY)
        assert next(button for button in panel.buttons if button.label == "Train").disabled
        refused = await place.slash("train")
        assert refused.text.startswith("Nobody has said yet who is in the photos of **Rusty**. /draft show asks")


async def test_draft_of_before_the_question_keeps_its_photos_and_asks(tmp_path):
    async with open_house(tmp_path / "data") as house:
        alice = house.discord.person("alice")
        place = alice.in_channel()
        await place.slash("draft new", **RUSTY, who="nobody")
        await place.slash("draft add", photo1=foxes(2)[0], photo2=foxes(2)[1])
        async with house.services.database.begin() as connection:
            await connection.exec_driver_sql("UPDATE drafts SET depicted = NULL, consent_id = NULL")
        panel = await place.slash("draft show")
        assert "**2 photos**" in panel.text
        assert "Say who is in the photos to train." in panel.text
        assert "Ready to train." in (await place.press(panel, "No person")).text


async def test_quote_of_before_a_lost_answer_trains_nothing(tmp_path):
    async with open_house(tmp_path / "data") as house:
        alice = house.discord.person("alice")
        place = alice.in_channel()
        await place.slash("draft new", **RUSTY, who="nobody")
        await place.slash("draft add", photo1=foxes(2)[0], photo2=foxes(2)[1])
        quote = await place.slash("train")
        async with house.services.database.begin() as connection:
            await connection.exec_driver_sql("UPDATE drafts SET depicted = NULL")
        assert "Nobody has said yet" in (await place.press(quote, "Train it")).text


async def test_answer_about_a_child_warns_on_the_panel_and_in_the_quote(tmp_path):
    async with open_house(tmp_path / "data") as house:
        place = house.discord.person("alice").in_channel()
        panel = await place.slash("draft new", **RUSTY | {"kind": "person"})
        warned = await place.press(panel, "A child")
        assert "A child is in it: this model makes no adult pictures, anywhere." in warned.text
        await place.slash("draft add", photo1=foxes(2)[0], photo2=foxes(2)[1])
        assert "A child is in it" in (await place.slash("train")).text


async def test_answer_is_changed_and_each_one_stays_on_record(tmp_path):
    async with open_house(tmp_path / "data") as house:
        alice = house.discord.person("alice")
        place = alice.in_channel()
        panel = await place.slash("draft new", **RUSTY, who="me")
        question = await place.press(panel, "Who is in it")
        assert question.ephemeral
        assert question.text.startswith("In the photos: you.")
        assert "In the photos: no person." in (await place.press(question, "No person")).text
        kept = await answers_about(house, (await current(house, alice)).draft.id)
        assert [answer.depicted for answer in kept] == [Depicted.ME, Depicted.NOBODY]


async def test_somebody_else_answers_nothing(tmp_path):
    async with open_house(tmp_path / "data") as house:
        alice, bob = house.discord.person("alice"), house.discord.person("bob").in_channel()
        await alice.in_channel().slash("draft new", **RUSTY)
        view = await current(house, alice)
        sent = await house.bot.get_channel(house.discord.channel.id).send(view=draw_panel(view))
        panel = next(message for message in bob.sees() if message.id == sent.id)
        assert "That draft belongs to somebody else." in (await bob.press(panel, "Me")).text
        assert (await current(house, alice)).draft.depicted is None


async def test_discarded_draft_takes_its_waiting_photos_along(tmp_path):
    async with open_house(tmp_path / "data") as house:
        place = house.discord.person("alice").in_channel()
        await place.slash("draft new", **RUSTY)
        panel = await place.slash("draft add", photo1=swatches(1)[0])
        await place.press(await place.press(panel, "Discard"), "Discard it")
        assert list((tmp_path / "data" / "blobs").rglob("*.png")) == []


async def test_bad_files_alone_wait_for_nothing(tmp_path):
    async with open_house(tmp_path / "data") as house:
        dm = house.discord.person("alice").dm()
        await dm.slash("draft new", **RUSTY)
        answer = await send(dm, [Upload("notes.jpg", b"only words")])
        assert "- notes.jpg is a text file" in answer.text
        assert "for your answer" not in answer.text


async def test_model_keeps_the_answer_and_follows_it_to_a_child_but_not_back(trained_folder, tmp_path):
    async with house_with_model(trained_folder, tmp_path / "data") as scene:
        services, owner = scene.house.services, scene.owner
        assert (scene.lora.depicted, bool(scene.lora.consent_id)) == (Depicted.NOBODY, True)
        async with services.database.begin() as connection:
            draft_id = (await connection.exec_driver_sql("SELECT id FROM drafts")).scalar_one()
        panel = await owner.in_channel().slash("draft show", draft=draft_id)
        question = await owner.in_channel().press(panel, "Who is in it")
        await owner.in_channel().press(question, "A child")
        async with services.database.begin() as connection:
            lora = await loras.get(connection, scene.lora.id)
        assert lora.depicted is Depicted.CHILD
        refused = await owner.in_channel().slash("generate", model="Rusty", prompt="rustyfox naked on a sofa")
        assert refused.text.startswith("A model of a child makes no adult pictures.")
        question = await owner.in_channel().press(panel, "Who is in it")
        stays = await owner.in_channel().press(question, "Me")
        told = " ".join([stays.text, *(followup.text for followup in stays.followups)])
        assert "is trained as a model of a child, and that stays" in told


async def test_training_that_is_under_way_hands_its_answer_on(tmp_path):
    async with open_house(tmp_path / "data") as house:
        alice = house.discord.person("alice")
        draft = await house.services.drafts.open(
            alice.id, name="Rusty", trigger_word="fox", kind="animal", base_model=None, depicted=Depicted.CHILD
        )
        async with house.services.database.begin() as connection:
            await rows.set_state(connection, draft.id, DraftState.TRAINING, at=house.services.clock.now())
        with pytest.raises(WrongMoment):
            await house.services.training.quote(alice.id, draft.id, provider=None, wishes=Wishes())
        with pytest.raises(WrongMoment, match="is trained as a model of a child"):
            await house.services.intake.answer(alice.id, draft.id, Depicted.ME)
