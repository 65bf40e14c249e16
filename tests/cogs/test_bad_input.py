"""What people type, press and send that cannot be used: a clear sentence to them alone, and nothing has changed."""

from dataclasses import replace

import pytest

from bot.consent import Depicted
from bot.downloads import Upload
from bot.draft import MOST_PHOTOS
from cogs.ui.draft_menus import draw_discard_question, draw_draft_choice, draw_unassigned
from cogs.ui.draft_panel import draw_panel
from playground.errors import PersonError
from playground.seen import Upload as Attached
from providers.recipe import SubjectKind
from tests.cogs.photos import swatches
from tests.house import House, open_house

RUSTY = {"name": "Rusty", "trigger_word": "rustyfox", "kind": "animal", "who": "nobody"}
RUSTY_OPENED = {key: RUSTY[key] for key in ("name", "trigger_word")} | {
    "kind": SubjectKind.ANIMAL,
    "base_model": None,
    "depicted": Depicted.NOBODY,
}
NO_DRAFT = "There is no such draft. /draft show shows yours."
NOT_YOURS = "That draft belongs to somebody else. Make your own with /draft new."


async def state_of(house: House) -> object:
    """Give everything that the database knows of drafts and photos."""
    async with house.services.database.begin() as connection:
        drafts = (await connection.exec_driver_sql("SELECT * FROM drafts ORDER BY id")).fetchall()
        photos = (await connection.exec_driver_sql("SELECT * FROM photos ORDER BY id")).fetchall()
        active = (await connection.exec_driver_sql("SELECT id, active_draft_id FROM people ORDER BY id")).fetchall()
    return drafts, photos, active


async def draft_of(house: House, person, *, photos=2):
    """Give the view of a draft that this person just filled."""
    place = person.in_channel()
    await place.slash("draft new", **RUSTY)
    if photos:
        await place.slash("draft add", **{f"photo{n}": one for n, one in enumerate(swatches(photos), start=1)})
    draft = await house.services.drafts.current(person.id)
    return await house.services.drafts.view(person.id, draft.id, with_sheet=False)


async def post(house: House, layout):
    """Put a layout into the channel where everybody sees it, as the bot's own message."""
    return await house.bot.get_channel(house.discord.channel.id).send(view=layout)


def where_everybody_looks(place, sent):
    return next(message for message in place.sees() if message.id == sent.id)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"name": "x" * 200}, "That name has 200 characters and at most 60 fit. Choose a shorter one."),
        ({"name": "@everyone"}, "A name cannot hold mentions, links or formatting signs"),
        ({"name": "**Rusty** [here](https://fox.example)"}, "A name cannot hold mentions, links or formatting signs"),
        ({"name": "   "}, "A name needs at least one letter."),
        ({"trigger_word": "rusty fox"}, "A trigger word is one word, without spaces. **rustyfox** would do."),
        ({"trigger_word": "<@1>"}, "A trigger word has 2 to 24 plain letters, digits, - or _."),
        ({"trigger_word": "füchslein"}, "A trigger word has 2 to 24 plain letters, digits, - or _."),
        ({"base_model": "dall-e"}, "I do not know that base model. Choose one from the list"),
        ({"base_model": "FLUX.1 [dev]"}, "No provider here trains for FLUX.1 [dev]. Choose one of these: Sketch."),
    ],
)
async def test_bad_words_for_a_new_draft_get_a_sentence(tmp_path, given, says):
    async with open_house(tmp_path / "data") as house:
        before = await state_of(house)
        answer = await house.discord.person("alice").in_channel().slash("draft new", **RUSTY | given)
        assert answer.text.startswith(says)
        assert answer.ephemeral
        assert not answer.message.pinged
        assert await state_of(house) == before


async def test_unknown_kind_is_stopped_by_the_client(tmp_path):
    async with open_house(tmp_path / "data") as house:
        with pytest.raises(PersonError, match="does not offer 'robot'"):
            await house.discord.person("alice").in_channel().slash("draft new", **RUSTY | {"kind": "robot"})


async def test_eleventh_open_draft_is_one_too_many(tmp_path):
    async with open_house(tmp_path / "data") as house:
        place = house.discord.person("alice").in_channel()
        for _ in range(10):
            await place.slash("draft new", **RUSTY)
        before = await state_of(house)
        answer = await place.slash("draft new", **RUSTY)
        assert answer.text == "You have 10 open drafts already. Train or discard one of them first."
        assert await state_of(house) == before


@pytest.mark.parametrize("wanted", ["nosuchdraft1", "x" * 300, "draft.train:1:2", "@everyone"])
async def test_unknown_draft_gets_a_sentence(tmp_path, wanted):
    async with open_house(tmp_path / "data") as house:
        alice = house.discord.person("alice")
        await draft_of(house, alice)
        before = await state_of(house)
        shown = await alice.in_channel().slash("draft show", draft=wanted)
        added = await alice.in_channel().slash("draft add", photo1=swatches(3)[2], draft=wanted)
        assert [answer.text.splitlines()[0] for answer in (shown, added)] == [NO_DRAFT, NO_DRAFT]
        assert shown.ephemeral
        assert added.ephemeral
        assert await state_of(house) == before


async def test_no_draft_at_all_gets_a_sentence(tmp_path):
    async with open_house(tmp_path / "data") as house:
        answer = await house.discord.person("alice").in_channel().slash("draft show")
        assert answer.text.startswith("You have no open draft to put photos in. Make one with /draft new;")


async def test_somebody_elses_draft_is_not_shown_and_takes_no_photos(tmp_path):
    async with open_house(tmp_path / "data") as house:
        view = await draft_of(house, house.discord.person("alice"))
        before = await state_of(house)
        bob = house.discord.person("bob").in_channel()
        assert (await bob.slash("draft show", draft=view.draft.id)).text == NOT_YOURS
        assert (await bob.slash("draft add", photo1=swatches(3)[2], draft=view.draft.id)).text == NOT_YOURS
        assert await state_of(house) == before


async def test_somebody_elses_drafts_are_not_found_by_name_or_suggested(tmp_path):
    async with open_house(tmp_path / "data") as house:
        await draft_of(house, house.discord.person("alice"))
        bob = house.discord.person("bob").in_channel()
        assert (await bob.slash("draft show", draft="Rusty")).text == NO_DRAFT
        assert await bob.autocomplete("draft show", option="draft", typed="") == []


@pytest.mark.parametrize("label", ["Add photos", "Captions", "Remove", "Discard"])
async def test_somebody_elses_panel_answers_nobody_else(tmp_path, label):
    async with open_house(tmp_path / "data") as house:
        sent = await post(house, draw_panel(await draft_of(house, house.discord.person("alice"))))
        before = await state_of(house)
        bob = house.discord.person("bob").in_channel()
        panel = where_everybody_looks(bob, sent)
        answer = await bob.press(panel, label)
        assert answer.text == NOT_YOURS
        assert answer.ephemeral
        assert answer.modal is None
        assert where_everybody_looks(bob, sent) == panel
        assert await state_of(house) == before


async def test_somebody_elses_question_discards_nothing(tmp_path):
    async with open_house(tmp_path / "data") as house:
        sent = await post(house, draw_discard_question(await draft_of(house, house.discord.person("alice"))))
        before = await state_of(house)
        bob = house.discord.person("bob").in_channel()
        question = where_everybody_looks(bob, sent)
        for label in ("Discard it", "Keep it"):
            answer = await bob.press(question, label)
            assert answer.text == NOT_YOURS
            assert answer.ephemeral
        assert where_everybody_looks(bob, sent) == question
        assert await state_of(house) == before


async def test_somebody_elses_menu_chooses_nothing(tmp_path):
    async with open_house(tmp_path / "data") as house:
        alice, bob = house.discord.person("alice"), house.discord.person("bob").in_channel()
        await draft_of(house, alice)
        sent = await post(house, draw_draft_choice(await house.services.drafts.open_drafts(alice.id)))
        before = await state_of(house)
        menu = where_everybody_looks(bob, sent)
        answer = await bob.select(menu, "Choose a draft", "Rusty")
        assert answer.text == NOT_YOURS
        assert answer.ephemeral
        assert where_everybody_looks(bob, sent) == menu
        assert await state_of(house) == before


async def waiting_photos(house: House, person):
    """Give photos that wait until their person picks one of two drafts."""
    await house.services.drafts.open(person.id, **RUSTY_OPENED)
    await house.services.drafts.open(person.id, **RUSTY_OPENED | {"name": "Luna"})
    said = await person.in_channel().say(files=swatches(1))
    [(name, url)] = [(a.filename, a.url) for a in (await fetched(house, said)).attachments]
    return await house.services.intake.receive(person.id, [Upload(file_name=name, size=1, url=url)])


async def fetched(house: House, said):
    return await house.bot.get_channel(said.channel_id).fetch_message(said.id)


async def test_somebody_elses_waiting_photos_go_into_no_draft_of_mine(tmp_path):
    async with open_house(tmp_path / "data") as house:
        alice, bob = house.discord.person("alice"), house.discord.person("bob")
        waiting = await waiting_photos(house, alice)
        mine = await house.services.drafts.open(bob.id, **RUSTY_OPENED | {"name": "Mine"})
        sent = await post(house, draw_unassigned(replace(waiting, choices=[*waiting.choices, mine])))
        before = await state_of(house)
        menu = where_everybody_looks(bob.in_channel(), sent)
        assert (await bob.in_channel().select(menu, "Choose a draft", "Luna")).text == NOT_YOURS
        answer = await bob.in_channel().select(menu, "Choose a draft", "Mine")
        assert answer.text == "These photos belong to somebody else."
        assert answer.ephemeral
        assert await state_of(house) == before


async def test_waiting_photos_are_taken_once(tmp_path):
    async with open_house(tmp_path / "data") as house:
        alice = house.discord.person("alice")
        waiting = await waiting_photos(house, alice)
        first, second = [await post(house, draw_unassigned(waiting)) for _ in range(2)]
        place = alice.in_channel()
        await place.select(where_everybody_looks(place, first), "Choose a draft", "Luna")
        again = await place.select(where_everybody_looks(place, second), "Choose a draft", "Luna")
        assert again.text == "These photos are in a draft already."
        assert "**1 photo**" in (await place.slash("draft show", draft="Luna")).text


async def test_same_photo_twice_is_taken_once(tmp_path):
    async with open_house(tmp_path / "data") as house:
        place = house.discord.person("alice").in_channel()
        await place.slash("draft new", **RUSTY)
        fox = swatches(1)[0]
        panel = await place.slash("draft add", photo1=fox, photo2=fox)
        assert "Added 1 photo to **Rusty**.\n- **swatch-01.png** is in the draft already, as photo 1." in panel.text
        assert len(list((tmp_path / "data" / "blobs").rglob("*.png"))) == 1


async def test_photo_number_thirty_one_finds_no_room(tmp_path):
    async with open_house(tmp_path / "data") as house:
        place = house.discord.person("alice").in_channel()
        await place.slash("draft new", **RUSTY)
        for first in (0, 10, 20):
            ten = swatches(MOST_PHOTOS + 1)[first : first + 10]
            await place.slash("draft add", **{f"photo{n}": one for n, one in enumerate(ten, start=1)})
        before = await state_of(house)
        panel = await place.slash("draft add", photo1=swatches(MOST_PHOTOS + 1)[30])
        assert "**swatch-31.png** finds no room: a draft holds 30 photos. Remove one first." in panel.text
        assert "**30 photos**" in panel.text
        assert await state_of(house) == before


async def test_eleventh_photo_of_a_form_is_stopped_by_the_client(tmp_path):
    async with open_house(tmp_path / "data") as house:
        place = house.discord.person("alice").in_channel()
        form = await place.press(await place.slash("draft new", **RUSTY), "Add photos")
        with pytest.raises(PersonError, match="takes 1 to 10, not 11"):
            await place.submit(form, photos=list(swatches(11)))


async def test_file_name_with_mentions_and_markup_is_shown_as_plain_text(tmp_path):
    async with open_house(tmp_path / "data") as house:
        dm = house.discord.person("alice").dm()
        await dm.slash("draft new", **RUSTY)
        await dm.say(files=[Attached("@everyone **look** <@1>.jpg", b"no picture at all")])
        answer = await dm.wait_for(lambda message: message.author_is_bot and not message.ephemeral)
        [line] = [line for line in answer.text.splitlines() if "is a text file" in line]
        assert "look" in line
        assert not set("@*<>`") & set(line)
        assert not answer.pinged
