import asyncio
import os

import pytest

from bot.errors import Missing
from playground.errors import PersonError
from playground.seen import Upload
from tests.archives import picture, zipped
from tests.cogs.photos import broken, foxes, swatches
from tests.house import open_house, running_bot
from tests.playing import running_playground

RUSTY = {"name": "Rusty", "trigger_word": "rustyfox", "kind": "animal", "who": "nobody"}
LUNA = {"name": "Luna", "trigger_word": "lunacat", "kind": "animal", "who": "nobody"}


async def send(dm, files=(), text=""):
    """Send a direct message and give the bot's answer to it."""
    known = {message.id for message in dm.sees()}
    await dm.say(text, files=files)
    return await dm.wait_for(lambda message: message.author_is_bot and message.id not in known)


async def test_photos_by_message_go_into_the_draft_and_bring_its_panel(tmp_path):
    async with open_house(tmp_path / "data") as house:
        dm = house.discord.person("alice").dm()
        await dm.slash("draft new", **RUSTY)
        panel = await send(dm, foxes())
        assert panel.text.startswith("Added 4 photos to **Rusty**.")
        assert "**4 photos** · 2 to 30 for Sketch" in panel.text
        assert len(panel.images) == 1
        assert not panel.ephemeral
        assert not panel.pinged


async def test_photos_by_message_carry_no_place_afterwards(tmp_path):
    async with open_house(tmp_path / "data") as house:
        dm = house.discord.person("alice").dm()
        await dm.slash("draft new", **RUSTY)
        assert b"Exif" in foxes()[1].data
        await send(dm, foxes()[1:2])
        [stored] = [path.read_bytes() for path in (tmp_path / "data" / "blobs").rglob("*.jpg")]
        assert b"Exif" not in stored


async def test_panel_in_a_direct_message_is_redrawn_in_place(tmp_path):
    async with open_house(tmp_path / "data") as house:
        dm = house.discord.person("alice").dm()
        await dm.slash("draft new", **RUSTY)
        panel = await send(dm, swatches(2))
        redrawn = await dm.submit(await dm.press(panel, "Add photos"), photos=list(swatches(3)))
        assert redrawn.message.id == panel.id
        assert "Added 1 photo to **Rusty**." in redrawn.text
        assert "**swatch-01.png** is in the draft already, as photo 1." in redrawn.text
        assert len(redrawn.images) == 1


async def test_older_panels_in_direct_messages_keep_working(tmp_path):
    async with open_house(tmp_path / "data") as house:
        dm = house.discord.person("alice").dm()
        await dm.slash("draft new", **RUSTY)
        older = await send(dm, swatches(1))
        await send(dm, swatches(3)[1:])
        saved = await dm.submit(await dm.press(older, "Captions"), photo_3="asleep")
        assert saved.message.id == older.id
        assert "**3 photos**" in saved.text


async def test_bad_files_in_a_message_are_refused_by_name_and_the_good_ones_kept(tmp_path):
    async with open_house(tmp_path / "data") as house:
        dm = house.discord.person("alice").dm()
        await dm.slash("draft new", **RUSTY)
        panel = await send(dm, (foxes()[0], *broken(), foxes()[2]))
        assert_told_of_the_broken_ones(panel.text)


async def test_bad_files_in_the_form_are_refused_by_name_and_the_good_ones_kept(tmp_path):
    async with open_house(tmp_path / "data") as house:
        place = house.discord.person("alice").in_channel()
        panel = await place.slash("draft new", **RUSTY)
        form = await place.press(panel, "Add photos")
        redrawn = await place.submit(form, photos=[foxes()[0], *broken(), foxes()[2]])
        assert_told_of_the_broken_ones(redrawn.text)


def assert_told_of_the_broken_ones(text):
    assert "Added 2 photos to **Rusty**." in text
    assert "- empty.jpg is empty." in text
    assert "- half.jpg is cut off: the end of the file is missing." in text
    assert "- bomb.png has 900 million pixels; 60 million are the most." in text
    assert "- notes.jpg is a text file, not a picture I can use." in text
    assert "- paper.pdf is a PDF document, not a picture I can use." in text
    assert "**2 photos** · 2 to 30 for Sketch" in text


async def test_message_of_bad_files_only_adds_nothing_and_says_why(tmp_path):
    async with open_house(tmp_path / "data") as house:
        dm = house.discord.person("alice").dm()
        await dm.slash("draft new", **RUSTY)
        panel = await send(dm, broken())
        assert panel.text.startswith("Nothing was added to **Rusty**.\n- empty.jpg is empty.")
        assert "**0 photos**" in panel.text


async def test_bad_files_with_several_drafts_ask_for_no_draft(tmp_path):
    async with open_house(tmp_path / "data") as house:
        dm = house.discord.person("alice").dm()
        await dm.slash("draft new", **RUSTY)
        await dm.slash("draft new", **LUNA)
        answer = await send(dm, broken()[:1])
        assert answer.text.startswith("None of these files can be used.\n- empty.jpg is empty.")
        assert not answer.selects


async def test_photos_by_message_without_a_draft_say_how_to_begin(tmp_path):
    async with open_house(tmp_path / "data") as house:
        answer = await send(house.discord.person("alice").dm(), swatches(1))
        assert answer.text.startswith("You have no open draft to put photos in. Make one with /draft new;")
        assert "Add to draft" in answer.text


async def test_photos_sent_too_early_are_added_from_their_message_later(tmp_path):
    async with open_house(tmp_path / "data") as house:
        dm = house.discord.person("alice").dm()
        sent = await dm.say(files=swatches(2))
        await dm.wait_for(lambda message: message.author_is_bot)
        await dm.slash("draft new", **RUSTY)
        panel = await dm.context_menu("Add to draft", sent)
        assert "Added 2 photos to **Rusty**." in panel.text


async def test_photos_by_message_wait_for_the_choice_among_several_drafts(tmp_path):
    async with open_house(tmp_path / "data") as house:
        alice = house.discord.person("alice")
        dm = alice.dm()
        await dm.slash("draft new", **RUSTY)
        await dm.slash("draft new", **LUNA)
        question = await send(dm, (*swatches(2), broken()[0]))
        assert question.text.startswith("I have 2 photos from you.\n- empty.jpg is empty.")
        assert question.text.endswith("Which draft are these for?")
        panel = await dm.select(question, "Choose a draft", "Luna")
        assert panel.message.id == question.id
        assert "Added 2 photos to **Luna**." in panel.text
        assert len(panel.images) == 1
        assert "to **Luna**" in (await send(dm, swatches(3)[2:])).text


async def test_question_for_the_draft_is_answered_after_a_restart(tmp_path):
    async with running_playground() as discord:
        dm = discord.person("alice").dm()
        async with running_bot(discord, tmp_path / "data"):
            await dm.slash("draft new", **RUSTY)
            await dm.slash("draft new", **LUNA)
            question = await send(dm, swatches(2))
        async with running_bot(discord, tmp_path / "data"):
            panel = await dm.select(question, "Choose a draft", "Luna")
            assert "Added 2 photos to **Luna**." in panel.text


async def test_photos_by_message_are_declined_where_that_is_switched_off(tmp_path):
    async with open_house(tmp_path / "data", darkroom_dm_intake=False) as house:
        alice = house.discord.person("alice")
        await alice.dm().slash("draft new", **RUSTY)
        answer = await send(alice.dm(), swatches(1))
        assert answer.text.startswith("Photos in direct messages are switched off here. Use /draft add instead")
        assert "**0 photos**" in (await alice.dm().slash("draft show")).text


@pytest.mark.parametrize(("taken", "how"), [(True, "send me your photos right here"), (False, "with /draft add")])
async def test_text_alone_is_answered_with_how_to_begin(tmp_path, taken, how):
    async with open_house(tmp_path / "data", darkroom_dm_intake=taken) as house:
        answer = await send(house.discord.person("alice").dm(), text="hello?")
        assert "/draft new" in answer.text
        assert how in answer.text


async def test_messages_in_a_channel_are_left_alone(tmp_path):
    async with open_house(tmp_path / "data") as house:
        alice = house.discord.person("alice")
        await alice.in_channel().say(f"<@{house.bot.user.id}> look", files=swatches(1))
        await send(alice.dm(), text="now I am heard")
        assert [message.author for message in alice.in_channel().sees()] == ["alice"]


async def test_trouble_with_a_message_is_told_with_its_incident(tmp_path, caplog):
    async with open_house(tmp_path / "data") as house:
        async with house.services.database.begin() as connection:
            await connection.exec_driver_sql("ALTER TABLE drafts RENAME TO elsewhere")
        answer = await send(house.discord.person("alice").dm(), swatches(1))
        assert "Incident `" in answer.text
        assert "no such table: drafts" in caplog.text


async def test_answer_that_cannot_be_delivered_is_logged_and_the_photos_stay(tmp_path, caplog):
    async with open_house(tmp_path / "data") as house:
        alice = house.discord.person("alice")
        await alice.dm().slash("draft new", **RUSTY)
        alice.block_dms()
        await alice.dm().say(files=swatches(1))
        async with asyncio.timeout(40):
            while "could not be delivered" not in caplog.text:  # noqa: ASYNC110 - a line in a log is no event
                await asyncio.sleep(0.01)
        draft = await house.services.drafts.current(alice.id)
        assert len((await house.services.drafts.view(alice.id, draft.id, with_sheet=False)).photos) == 1


async def test_context_menu_takes_the_pictures_of_a_message_and_leaves_the_rest(tmp_path):
    async with open_house(tmp_path / "data") as house:
        place = house.discord.person("alice").in_channel()
        await place.slash("draft new", **RUSTY)
        said = await place.say("my fox", files=(*swatches(2), Upload("song.mp4", b"x"), broken()[-1]))
        panel = await place.context_menu("Add to draft", said)
        assert panel.ephemeral
        assert panel.text.startswith("Added 2 photos to **Rusty**.\n## Rusty")


async def test_context_menu_asks_which_of_several_drafts(tmp_path):
    async with open_house(tmp_path / "data") as house:
        place = house.discord.person("alice").in_channel()
        await place.slash("draft new", **RUSTY)
        await place.slash("draft new", **LUNA)
        question = await place.context_menu("Add to draft", await place.say(files=swatches(1)))
        assert question.ephemeral
        panel = await place.select(question, "Choose a draft", "Rusty")
        assert "Added 1 photo to **Rusty**." in panel.text


async def test_context_menu_on_a_message_without_pictures_says_so(tmp_path):
    async with open_house(tmp_path / "data") as house:
        place = house.discord.person("alice").in_channel()
        await place.slash("draft new", **RUSTY)
        answer = await place.context_menu("Add to draft", await place.say("only words"))
        assert answer.ephemeral
        assert answer.text.startswith("There are no pictures attached to that message.")


async def test_context_menu_without_a_draft_says_how_to_begin(tmp_path):
    async with open_house(tmp_path / "data") as house:
        alice = house.discord.person("alice")
        said = await alice.in_channel().say(files=swatches(1))
        answer = await alice.in_channel().context_menu("Add to draft", said)
        assert "Make one with /draft new" in answer.text
        with pytest.raises(Missing):
            await house.services.drafts.current(alice.id)


async def test_message_with_eleven_files_is_stopped_by_the_client(tmp_path):
    async with open_house(tmp_path / "data") as house:
        with pytest.raises(PersonError, match="10 files a message"):
            await house.discord.person("alice").dm().say(files=swatches(11))


async def test_photos_of_several_messages_at_once_all_arrive(tmp_path):
    async with open_house(tmp_path / "data") as house:
        alice = house.discord.person("alice")
        dm = alice.dm()
        await dm.slash("draft new", **RUSTY)
        for first in (0, 3, 6):
            await dm.say(files=swatches(9)[first : first + 3])
        await dm.wait_for(lambda message: "**9 photos**" in message.text)
        draft = await house.services.drafts.current(alice.id)
        photos = (await house.services.drafts.view(alice.id, draft.id, with_sheet=False)).photos
        assert sorted(photo.file_name for photo in photos) == [upload.name for upload in swatches(9)]
        assert len({photo.position for photo in photos}) == 9


async def test_answer_to_a_message_is_one_even_if_it_is_sent_twice(tmp_path):
    async with open_house(tmp_path / "data") as house:
        dm = house.discord.person("alice").dm()
        said = await dm.say("hello?")
        await dm.wait_for(lambda message: message.author_is_bot)
        [sent] = house.discord.requests("POST", "/channels/*/messages")
        # Discord drops a second message with the same nonce, which is what a repeated request comes to.
        assert (sent.request["nonce"], sent.request["enforce_nonce"]) == (f"in-{said.id}", True)


async def test_photos_are_taken_though_typing_cannot_be_shown(tmp_path):
    async with open_house(tmp_path / "data") as house:
        dm = house.discord.person("alice").dm()
        await dm.slash("draft new", **RUSTY)
        house.discord.faults.answer(403, method="POST", path="/channels/*/typing")
        assert "Added 1 photo to **Rusty**." in (await send(dm, swatches(1))).text


def set_of(*numbers, **others):
    """Zip small pictures with a caption each, and other files."""
    pictures = {f"fox/{n}.png": picture(n) for n in numbers} | {f"fox/{n}.txt": f"fox number {n}" for n in numbers}
    return Upload("foxes.zip", zipped(pictures | others))


async def captions_of(house, person):
    draft = await house.services.drafts.current(person.id)
    photos = (await house.services.drafts.view(person.id, draft.id, with_sheet=False)).photos
    return [photo.caption for photo in photos]


async def test_zip_brings_photos_and_captions_and_names_what_it_leaves(tmp_path):
    async with open_house(tmp_path / "data") as house:
        alice = house.discord.person("alice")
        await alice.in_channel().slash("draft new", **RUSTY)
        others = {"../evil.png": picture(9), "song.mp3": b"x", "bad.jpg": b"no picture", "__MACOSX/._1.png": b"x"}
        panel = await alice.in_channel().slash("draft add", photo1=set_of(2, 10, 1, **others), photo2=swatches(3)[2])
        assert panel.text.startswith("Added 4 photos to **Rusty**.\n- bad.jpg is a text file, not a picture I can use.")
        assert "- **evil.png** has a path that leads out of the zip." in panel.text
        assert "- **song.mp3** is neither a picture that I can use nor a caption." in panel.text
        assert "MACOSX" not in panel.text
        assert await captions_of(house, alice) == ["fox number 1", "fox number 2", "fox number 10", ""]


async def test_zip_is_taken_by_message_form_and_menu_alike(tmp_path):
    async with open_house(tmp_path / "data") as house:
        alice = house.discord.person("alice")
        dm, place = alice.dm(), alice.in_channel()
        panel = await place.slash("draft new", **RUSTY)
        assert "Added 1 photo to" in (await send(dm, [set_of(1)])).text
        assert (
            "Added 1 photo to" in (await place.submit(await place.press(panel, "Add photos"), photos=[set_of(2)])).text
        )
        said = await place.say(files=[set_of(3)])
        assert "Added 1 photo to" in (await place.context_menu("Add to draft", said)).text
        assert await captions_of(house, alice) == ["fox number 1", "fox number 2", "fox number 3"]


async def test_zip_waits_for_who_is_in_it_with_its_captions(tmp_path):
    async with open_house(tmp_path / "data") as house:
        alice = house.discord.person("alice")
        await alice.dm().slash("draft new", **{key: value for key, value in RUSTY.items() if key != "who"})
        question = await send(alice.dm(), [set_of(1, 2)])
        await alice.dm().press(question, "No person")
        assert await captions_of(house, alice) == ["fox number 1", "fox number 2"]


async def test_zip_of_forty_photos_fills_the_draft_and_counts_the_rest(tmp_path):
    async with open_house(tmp_path / "data") as house:
        alice = house.discord.person("alice")
        await alice.dm().slash("draft new", **RUSTY)
        panel = await send(alice.dm(), [set_of(*range(1, 41))])
        assert panel.text.startswith(
            "Added 30 photos to **Rusty**.\n- **31.png** finds no room: a draft holds 30 photos."
        )
        assert panel.text.count("finds no room") == 10
        assert "- and 0 more" not in panel.text
        full = await send(alice.dm(), [set_of(*range(31, 43))])
        assert "- and 2 more files were not taken" in full.text


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (zipped({}), "**set.zip** holds no pictures."),
        (b"PK\x03\x04 and nothing more", "**set.zip** is damaged: it cannot be opened as a zip."),
    ],
)
async def test_zip_without_a_photo_adds_nothing_and_says_why(tmp_path, data, says):
    async with open_house(tmp_path / "data") as house:
        dm = house.discord.person("alice").dm()
        await dm.slash("draft new", **RUSTY)
        answer = await send(dm, [Upload("set.zip", data)])
        assert answer.text.startswith(f"Nothing was added to **Rusty**.\n- {says}")


async def test_zip_may_be_larger_than_a_photo_and_its_photos_may_not(tmp_path):
    async with open_house(tmp_path / "data", darkroom_max_photo_mb=1) as house:
        dm = house.discord.person("alice").dm()
        await dm.slash("draft new", **RUSTY)
        noise = os.urandom(700_000)
        files = {"1.png": picture(1), "a.mp3": noise, "b.mp3": noise[::-1], "big.png": bytes(1_500_000)}
        panel = await send(dm, [Upload("set.zip", zipped(files))])
        assert "Added 1 photo to **Rusty**." in panel.text
        assert "**big.png** is larger than 1 MiB when it is unpacked." in panel.text
