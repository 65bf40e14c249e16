"""Drafts made from earlier ones, and photos with captions taken out as zips."""

import io
import os
import sys
import zipfile

import aiohttp

from bot.consent import Depicted
from bot.store import consents
from playground.seen import Upload
from tests.cogs.photos import swatches
from tests.cogs.test_drafts import begin, fill, photos_of
from tests.factories import house_with_model
from tests.house import open_house


async def newest(house, person):
    [draft, *_] = await house.services.drafts.open_drafts(person.id)
    return await house.services.drafts.view(person.id, draft.id, with_sheet=False)


async def test_copy_brings_photos_captions_and_the_answer_along(tmp_path):
    async with open_house(tmp_path / "data") as house:
        alice = house.discord.person("alice")
        place = alice.in_channel()
        await begin(place, who="me", kind="person")
        panel = await fill(place, swatches(3))
        await place.submit(await place.press(panel, "Captions"), photo_2="rustyfox in the grass")
        copy = await place.slash("draft copy", draft="Rusty", trigger_word="redfox")
        assert copy.text.startswith("**Rusty 2** is a copy of **Rusty**: photos, captions and your answer")
        assert "`redfox` · person · Sketch\nIn the photos: you." in copy.text
        assert len(copy.images) == 1
        view = await newest(house, alice)
        assert [photo.caption for photo in view.photos] == ["", "redfox in the grass", ""]
        [first] = [one for one in await house.services.drafts.open_drafts(alice.id) if one.name == "Rusty"]
        async with house.services.database.begin() as connection:
            [kept] = await consents.of_draft(connection, view.draft.id)
            [original] = await consents.of_draft(connection, first.id)
        assert (kept.depicted, kept.created_at) == (Depicted.ME, original.created_at)
        assert (view.draft.consent_id, view.draft.line) == (kept.id, first.id)


async def test_copy_and_original_share_no_file(tmp_path):
    async with open_house(tmp_path / "data") as house:
        alice = house.discord.person("alice")
        place = alice.in_channel()
        await begin(place)
        panel = await fill(place, swatches(2))
        await place.slash("draft copy", draft="Rusty", name="Bella")
        await place.press(await place.press(panel, "Discard"), "Discard it")
        assert len((await place.slash("draft show", draft="Bella")).images) == 1
        assert len(await photos_of(house.services, alice)) == 2


async def test_copy_becomes_the_draft_that_photos_go_to(tmp_path):
    async with open_house(tmp_path / "data") as house:
        place = house.discord.person("alice").in_channel()
        await begin(place)
        await fill(place, swatches(1))
        await place.slash("draft copy", draft="Rusty", name="Bella")
        assert "Added 1 photo to **Bella**." in (await fill(place, swatches(2)[1:])).text


async def test_copy_of_a_trained_draft_is_open_again(trained_folder, tmp_path):
    async with house_with_model(trained_folder, tmp_path / "data") as scene:
        place = scene.owner.in_channel()
        [suggested] = await place.autocomplete("draft copy", option="draft", typed="rus")
        copy = await place.slash("draft copy", draft=suggested.value)
        assert copy.text.startswith("**Rusty** is a copy of **Rusty**")
        assert "Ready to train." in copy.text


async def test_copy_of_a_draft_of_before_the_question_asks_it(tmp_path):
    async with open_house(tmp_path / "data") as house:
        alice = house.discord.person("alice")
        place = alice.in_channel()
        await begin(place)
        await fill(place, swatches(2))
        async with house.services.database.begin() as connection:
            await connection.exec_driver_sql("UPDATE drafts SET depicted = NULL, consent_id = NULL")
        copy = await place.slash("draft copy", draft="Rusty")
        assert "its photos wait until you say who is in them" in copy.text
        assert "Added 2 photos to **Rusty 2**." in (await place.press(copy, "No person")).text


async def test_copy_without_photos_or_of_somebody_else_is_refused(tmp_path):
    async with open_house(tmp_path / "data") as house:
        alice, bob = house.discord.person("alice"), house.discord.person("bob").in_channel()
        await begin(alice.in_channel())
        draft = await house.services.drafts.current(alice.id)
        empty = await alice.in_channel().slash("draft copy", draft=draft.id)
        assert empty.text == "The photos of **Rusty** are no longer kept. Start a new draft with /draft new."
        assert "belongs to somebody else" in (await bob.slash("draft copy", draft=draft.id)).text
        assert "There is no such draft." in (await bob.slash("draft copy", draft="Rusty")).text
        assert len(await house.services.drafts.open_drafts(alice.id)) == 1


async def test_copy_whose_files_are_gone_is_refused_and_opens_nothing(tmp_path):
    async with open_house(tmp_path / "data") as house:
        alice = house.discord.person("alice")
        await begin(alice.in_channel())
        await fill(alice.in_channel(), swatches(1))
        for file in (tmp_path / "data" / "blobs").rglob("*.png"):
            file.unlink()
        refused = await alice.in_channel().slash("draft copy", draft="Rusty")
        assert "no longer kept" in refused.text
        assert len(await house.services.drafts.open_drafts(alice.id)) == 1


async def test_eleventh_draft_by_copying_is_one_too_many(tmp_path):
    async with open_house(tmp_path / "data") as house:
        place = house.discord.person("alice").in_channel()
        await begin(place)
        await fill(place, swatches(1))
        for _ in range(9):
            await begin(place, name="Other")
        assert "You have 10 open drafts already." in (await place.slash("draft copy", draft="Rusty")).text


def unzipped(data):
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


async def exported(house, person, *, most_bytes):
    draft = await house.services.drafts.current(person.id)
    return await house.services.takeouts.dataset(person.id, draft.id, most_bytes=most_bytes)


async def test_download_hands_over_a_zip_that_can_be_sent_again(tmp_path):
    async with open_house(tmp_path / "data") as house:
        alice = house.discord.person("alice")
        place = alice.in_channel()
        await begin(place, name="Rusty Fox")
        panel = await fill(place, swatches(2))
        await place.submit(await place.press(panel, "Captions"), photo_1="rustyfox asleep")
        answer = await place.press(panel, "Download")
        assert answer.ephemeral
        assert answer.text.startswith("The 2 photos of **Rusty Fox** and their captions, as a trainer gets them.")
        [(name, data)] = answer.message.files.items()
        assert name == "rusty-fox-dataset.zip"
        assert unzipped(data)["001.txt"] == b"rustyfox asleep\n"
        await begin(place, name="Luna")
        again = await place.slash("draft add", photo1=Upload("set.zip", data), draft="Luna")
        assert again.text.startswith("Added 2 photos to **Luna**.\n##")
        photos = (await newest(house, alice)).photos
        assert [photo.caption for photo in photos] == ["rustyfox asleep", "a photo of rustyfox, an animal"]
        assert list((tmp_path / "data" / "work").rglob("*.zip")) == []


async def test_export_takes_a_trained_draft_out(trained_folder, tmp_path):
    async with house_with_model(trained_folder, tmp_path / "data") as scene:
        answer = await scene.owner.in_channel().slash("draft export", draft="Rusty")
        assert "The 4 photos of **Rusty**" in answer.text


def let_files_have(most_bytes, monkeypatch):
    """Leave so little room in Discord's 10 MiB; as the bot has loaded the module, which is not as tests import it."""
    monkeypatch.setattr(sys.modules["cogs.drafts"], "ROOM_IN_A_REQUEST", 10 * 1024 * 1024 - most_bytes)


async def test_export_larger_than_discord_takes_comes_in_parts(tmp_path, monkeypatch):
    async with open_house(tmp_path / "data") as house:
        place = house.discord.person("alice").in_channel()
        await begin(place)
        await fill(place, swatches(3))
        let_files_have(5000, monkeypatch)
        answer = await place.slash("draft export")
        assert "so they come in 3 zips." in answer.text
        await place.wait_for(lambda message: "**Rusty**, zip 3 of 3." in message.text)
        parts = [file for message in place.sees() for file in message.files.items() if file[0].endswith(".zip")]
        assert [name for name, _ in parts] == [f"rusty-dataset-{n}-of-3.zip" for n in (1, 2, 3)]
        packed = [name for _, data in parts for name in unzipped(data) if name.endswith(".png")]
        assert packed == ["001.png", "002.png", "003.png"]


async def test_export_larger_than_discord_takes_goes_by_link_where_the_bot_has_an_address(tmp_path, monkeypatch):
    async with open_house(tmp_path / "data", darkroom_web_port=0, public_url="https://bot.example") as house:
        place = house.discord.person("alice").in_channel()
        await begin(place)
        await fill(place, swatches(3))
        let_files_have(5000, monkeypatch)
        answer = await place.slash("draft export")
        assert "so it waits behind this link for a day" in answer.text
        assert not answer.message.files
        url = answer.buttons[0].url.replace("https://bot.example", f"http://127.0.0.1:{house.services.web_port}")
        async with aiohttp.ClientSession() as session, session.get(url) as got:
            assert len([name for name in unzipped(await got.read()) if name.endswith(".png")]) == 3


async def test_zip_behind_a_link_goes_when_the_link_has_expired_and_not_before(tmp_path):
    async with open_house(tmp_path / "data") as house:
        services, folder = house.services, tmp_path / "data" / "work" / "takeouts"
        kept, old = folder / "new", folder / "old"
        for one in (kept, old):
            one.mkdir(parents=True)
        long_ago = services.clock.now().timestamp() - 90_000
        os.utime(old, (long_ago, long_ago))
        await services.takeouts.make_round()
        assert [path.name for path in folder.iterdir()] == ["new"]


async def test_export_of_nothing_says_so(tmp_path):
    async with open_house(tmp_path / "data") as house:
        place = house.discord.person("alice").in_channel()
        await begin(place)
        answer = await place.slash("draft export")
        assert answer.text == "**Rusty** has no photos to take out. /draft show shows what is in it."


async def test_export_whose_photo_is_gone_names_it(tmp_path):
    async with open_house(tmp_path / "data") as house:
        place = house.discord.person("alice").in_channel()
        await begin(place)
        await fill(place, swatches(1))
        for file in (tmp_path / "data" / "blobs").rglob("*.png"):
            file.unlink()
        assert (await place.slash("draft export")).text.startswith("Photo 1 is no longer stored.")
