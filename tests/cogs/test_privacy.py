"""/privacy and the letters, by people in the playground."""

import asyncio
import io
import json
import zipfile

import sqlalchemy as sa

from bot.clock import SystemClock
from bot.store import erasures, personal, tables
from bot.store.database import Database
from bot.store.erasures import Erasure
from bot.store.people import PersonSettings
from bot.training.job import JobState
from playground.person import SeenMessage
from tests.cogs.test_training import drafted
from tests.factories import house_with_model, moved_in
from tests.fakes.till import Till
from tests.fakes.till_adapter import till_registry
from tests.house import open_house, running_bot
from tests.playing import running_playground


async def seen(place, words: str) -> SeenMessage:
    return await place.wait_for(lambda message: words in message.text, timeout=60)


async def rows_about(house, person):
    async with house.services.database.begin() as connection:
        return {n: r for n, r in (await personal.rows_about(connection, person.id)).items() if r}


async def test_show_counts_what_is_held(trained_folder, tmp_path):
    async with house_with_model(trained_folder, tmp_path / "data") as scene:
        told = await scene.owner.in_channel().slash("privacy show")

    assert told.ephemeral
    assert "4 photos" in told.text
    assert "1 model" in told.text
    assert "went to: sketch" in told.text
    assert "The next ones go <t:" in told.text
    assert [button.label for button in told.buttons] == ["Get a copy", "Delete everything"]


async def test_show_to_a_stranger_is_empty(tmp_path):
    async with open_house(tmp_path / "data") as house:
        bob = house.discord.person("bob")
        told = await bob.in_channel().slash("privacy show")
        assert await rows_about(house, bob) == {}

    assert "0 photos · 0 drafts" in told.text
    assert "Nothing of it went to a provider." in told.text


async def test_export_holds_everything(trained_folder, tmp_path):
    async with house_with_model(trained_folder, tmp_path / "data") as scene:
        told = await scene.owner.in_channel().slash("privacy export")
    left = list((tmp_path / "data" / "work").glob("export-*"))
    with zipfile.ZipFile(io.BytesIO(told.message.files["darkroom-1.zip"])) as packed:
        names, data = packed.namelist(), json.loads(packed.read("data.json"))
        models = [name for name in names if name.startswith("models/")]
        pictures = [packed.read(name)[:4] for name in names if name.startswith("pictures/")]

    assert "everything that is held about you" in told.text
    assert told.ephemeral
    assert data["drafts"][0]["trigger_word"] == "rustyfox"
    assert len([name for name in names if name.startswith("photos/")]) >= 4
    assert len(models) == 1
    assert pictures == [b"\x89PNG"] * 6
    assert left == []


async def test_export_in_several_files_names_what_is_too_large(trained_folder, tmp_path):
    async with house_with_model(trained_folder, tmp_path / "data") as scene:
        pack = await scene.house.services.export.pack(scene.owner.id, most_bytes=120_000)
        sizes = [file.stat().st_size for file in pack.files]
        with zipfile.ZipFile(pack.files[-1]) as last:
            named = last.read("not-included.txt").decode().splitlines()

    assert len(sizes) > 1
    assert max(sizes) <= 120_000
    assert named == pack.left_out
    assert any(name.startswith("models/") for name in named)


def public_of(place):
    return [message for message in place.sees() if not message.ephemeral]


async def test_delete_asks_first_and_can_be_left(trained_folder, tmp_path):
    async with house_with_model(trained_folder, tmp_path / "data") as scene:
        ada = scene.owner.in_channel()
        question = await ada.slash("privacy delete")
        kept = await ada.press(question, "Keep it")

    assert "Delete everything about you?" in question.text
    assert "What this bot holds about you" in kept.text


async def test_delete_removes_rows_files_and_messages(trained_folder, tmp_path):
    async with house_with_model(trained_folder, tmp_path / "data") as scene:
        ada, house = scene.owner.in_channel(), scene.house
        await ada.wait_for(lambda message: message.has_button("Details"))
        await ada.press(await ada.slash("privacy delete"), "Delete everything for ever")
        letter = await seen(scene.owner.dm(), "You are forgotten")
        left = await rows_about(house, scene.owner)
        # A card may have been on its way; it is taken back as soon as it stands there.
        await house.discord.world.until(lambda: public_of(ada) == [], what="the last card's end")
        blobs = [path for path in (tmp_path / "data" / "blobs").rglob("*") if path.is_file()]
        async with house.services.database.begin() as connection:
            jobs = (await connection.execute(sa.select(tables.jobs))).mappings().all()
        shown = await ada.slash("privacy show")

    assert "Deleted: 4 photos, 1 model, 6 pictures." in letter.text
    assert set(left) <= {"erasures", "letters"}
    assert blobs == []
    assert {job["owner_id"] for job in jobs} == {0}
    assert "rustyfox" not in json.dumps([job["spec"] for job in jobs])
    assert "You are forgotten" in shown.text


async def test_delete_takes_back_a_card_that_was_on_its_way(trained_folder, tmp_path):
    async with running_playground() as discord:
        owner = await moved_in(trained_folder, tmp_path / "data", discord)
        path = f"/channels/{discord.channel.id}/messages"
        held = discord.faults.hold(method="POST", path=path, when="after")
        async with running_bot(discord, tmp_path / "data") as house:
            await held.arrived.wait()
            await house.services.eraser.ask(owner.id)
            await seen(owner.dm(), "You are forgotten")
            stood = public_of(owner.in_channel())
            held.release()
            await discord.world.until(lambda: public_of(owner.in_channel()) == [], what="the card's end")

    assert len(stood) == 1


async def test_delete_keeps_the_books_right(trained_folder, tmp_path):
    async with house_with_model(trained_folder, tmp_path / "data") as scene:
        await scene.house.services.eraser.ask(scene.owner.id)
        await seen(scene.owner.dm(), "You are forgotten")
        async with scene.house.services.database.begin() as connection:
            owners = set((await connection.scalars(sa.select(tables.ledger.c.owner_id))).all())

    assert owners == {0}


async def test_delete_stops_what_is_under_way(tmp_path):
    async with open_house(tmp_path / "data") as house:
        bob = house.discord.person("bob")
        place = await drafted(house, who="bob")
        await place.press(await place.slash("train", steps=240), "Train it")
        [job] = await house.services.training.jobs(bob.id)
        await house.services.eraser.ask(bob.id)
        await seen(bob.dm(), "You are forgotten")
        job = await house.services.training.job(job.id)

    assert job.state is JobState.CANCELED
    assert job.cleaned


async def test_delete_goes_on_after_a_restart(trained_folder, tmp_path):
    async with running_playground() as discord:
        owner = await moved_in(trained_folder, tmp_path / "data", discord)
        # What a process leaves that was killed right after the press.
        url = f"sqlite+aiosqlite:///{tmp_path / 'data' / 'darkroom.db'}"
        wish = Erasure(id="interrupted0", person_id=owner.id, asked_at=SystemClock().now())
        async with Database.opened(url) as database, database.begin() as connection:
            await erasures.insert(connection, wish)
        async with running_bot(discord, tmp_path / "data") as house:
            await seen(owner.dm(), "You are forgotten")
            left = await rows_about(house, owner)

    assert set(left) <= {"erasures", "letters"}


async def test_delete_twice_is_one_wish(tmp_path):
    async with open_house(tmp_path / "data") as house:
        bob = house.discord.person("bob")
        first, second = await asyncio.gather(*(house.services.eraser.ask(bob.id) for _ in range(2)))

    assert first.id == second.id


async def test_settings_switch_messages_off_and_on(tmp_path):
    async with open_house(tmp_path / "data") as house:
        bob = house.discord.person("bob")
        place = bob.in_channel()
        panel = await place.slash("privacy settings")
        off = await place.press(panel, "Switch off")
        settings = await house.services.privacy.change(bob.id)

    assert "Direct messages from this bot" in panel.text
    assert settings == PersonSettings(tell_done=False)
    assert "Switch on" in [button.label for button in off.buttons]


async def test_ended_training_in_a_server_is_told_by_one_direct_message(tmp_path):
    async with Till() as till, open_house(tmp_path / "data", registry=till_registry(till.url)) as house:
        bob = house.discord.person("bob")
        place = await drafted(house, who="bob")
        await place.press(await place.slash("train", steps=12), "Train it")
        letter = await seen(bob.dm(), "**Rusty** is ready.")
        last_word = await seen(place, "Rusty is ready")
        told = await bob.dm().press(letter, "No more such messages")
        settings = await house.services.privacy.change(bob.id)

    [link] = [button for button in letter.buttons if button.label == "Show it"]
    assert link.url == f"https://discord.com/channels/{house.discord.guild.id}/{place.channel.id}/{last_word.id}"
    assert "/privacy settings" in told.text
    assert not settings.tell_done


async def test_training_in_a_direct_message_needs_no_other(tmp_path):
    async with Till() as till, open_house(tmp_path / "data", registry=till_registry(till.url)) as house:
        bob = house.discord.person("bob")
        await drafted(house, who="bob")
        dm = bob.dm()
        await dm.press(await dm.slash("train", steps=12), "Train it")
        await seen(dm, "Rusty is ready")
        async with house.services.database.begin() as connection:
            assert (await connection.execute(sa.select(tables.letters))).all() == []


async def test_letter_to_somebody_who_takes_none_is_given_up(tmp_path):
    async with open_house(tmp_path / "data") as house:
        bob = house.discord.person("bob")
        bob.block_dms()
        await house.services.eraser.ask(bob.id)
        await until_given_up(house)
        told = await bob.in_channel().slash("privacy show")

    assert "You are forgotten" in told.text


async def until_given_up(house):
    ended = sa.select(tables.letters.c.ended_at)
    async with asyncio.timeout(40):
        while True:
            async with house.services.database.begin() as connection:
                if await connection.scalar(ended) is not None:
                    return
            await asyncio.sleep(0.1)


async def test_delete_knows_the_copies_in_galleries(trained_folder, tmp_path):
    async with house_with_model(trained_folder, tmp_path / "data") as scene:
        [job, *_] = await scene.house.services.training.jobs(scene.owner.id)
        async with scene.house.services.database.begin() as connection:
            where = {"guild_id": 1, "lora_id": scene.lora.id}
            hung = {"job_id": job.id, "message_id": 41, "thread_channel_id": 40}
            await connection.execute(sa.insert(tables.gallery_posts).values(**where, **hung))
            await connection.execute(sa.insert(tables.gallery_threads).values(**where, channel_id=39, message_id=40))
            posted = await erasures.messages_of(connection, scene.owner.id)

    assert {(40, 41), (39, 40)} <= set(posted)
