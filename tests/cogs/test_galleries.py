"""A server's gallery: a thread for each shared model, kept through restarts and deletions, in the playground."""

from contextlib import asynccontextmanager

import pytest

from bot.place import Place as BotPlace
from playground.permissions import Permission
from playground.person import Place
from playground.world import Channel
from tests.factories import Scene, ended, house_with_easel, moved_in
from tests.house import running_bot
from tests.playing import running_playground


def here(scene: Scene) -> BotPlace:
    return BotPlace(channel_id=scene.house.discord.channel.id, guild_id=scene.house.discord.guild.id, manages=True)


@asynccontextmanager
async def gallery_house(trained_folder, folder, *, shared: bool = True):
    """Open a house whose server has a gallery; the model is shared with the server if wanted."""
    async with house_with_easel(trained_folder, folder) as scene:
        channel = scene.house.discord.add_channel("gallery")
        await scene.house.services.guilds.change(1, here(scene), gallery_channel_id=channel.id)
        if shared:
            await scene.owner.in_channel().slash("models share", model="Rusty")
        yield scene, channel


async def made(scene: Scene, place: Place | None = None, **options) -> str:
    """Make a picture and return its job, when it is done."""
    await (place or scene.owner.in_channel()).slash("generate", model="Rusty", **options)
    [job, *_] = await scene.house.services.training.jobs(scene.owner.id)
    assert (await ended(scene.house, job.id)).state == "succeeded"
    return job.id


def threads(discord) -> list[Channel]:
    return [one for one in discord.world.channels.values() if one.is_thread and not one.deleted]


async def hung(scene: Scene, job_id: str, thread: Channel | None = None):
    """Wait for the pictures of a job in a gallery's thread and return the message."""
    discord = scene.house.discord

    def there() -> bool:
        return any(found(one) for one in ([thread] if thread else threads(discord)))

    def found(one: Channel):
        seen = scene.owner.in_channel(one).sees()
        return [message for message in seen if message.has_button(f"picture.details:{job_id}")]

    await discord.world.until(there, what="pictures in a gallery")
    return next(message for one in threads(discord) for message in found(one))


async def nothing_hangs(scene: Scene) -> bool:
    return not await scene.house.services.galleries.to_hang() and threads(scene.house.discord) == []


async def test_gallery_has_one_thread_for_a_model_with_all_its_pictures(trained_folder, tmp_path):
    async with gallery_house(trained_folder, tmp_path / "data") as (scene, channel):
        first = await hung(scene, await made(scene))
        second = await hung(scene, await made(scene))
        [thread] = threads(scene.house.discord)
        [beginning] = scene.owner.in_channel(channel).sees()
        details = await scene.owner.in_channel(thread).context_menu("Picture details", second)

    assert (thread.name, thread.parent_id, thread.id) == ("Rusty", channel.id, beginning.id)
    assert beginning.text == "**Rusty**: the pictures that are made with it in this server."
    assert first.channel_id == second.channel_id == thread.id
    assert len(second.images) == 1
    assert "**Prompt** a photo of rustyfox" in details.text


async def test_gallery_shows_no_private_model(trained_folder, tmp_path):
    async with gallery_house(trained_folder, tmp_path / "data", shared=False) as (scene, _):
        await made(scene)
        nothing = await nothing_hangs(scene)

    assert nothing


async def test_gallery_shows_nothing_from_age_restricted_channels_or_direct_messages(trained_folder, tmp_path):
    async with gallery_house(trained_folder, tmp_path / "data") as (scene, _):
        await made(scene, scene.owner.in_channel(scene.house.discord.add_channel("adults", nsfw=True)))
        await made(scene, scene.owner.dm())
        nothing = await nothing_hangs(scene)

    assert nothing


async def test_gallery_is_not_told_twice_what_is_made_in_its_thread(trained_folder, tmp_path):
    async with gallery_house(trained_folder, tmp_path / "data") as (scene, _):
        await hung(scene, await made(scene))
        [thread] = threads(scene.house.discord)
        inside = scene.owner.in_channel(thread)
        job_id = await made(scene, inside)
        await hung(scene, job_id, thread)
        shown = [message for message in inside.sees() if message.has_button(f"picture.details:{job_id}")]

    assert len(shown) == 1


@pytest.mark.parametrize("what", ["thread", "message and thread"])
async def test_gallery_begins_a_thread_anew_that_was_deleted(trained_folder, tmp_path, what):
    async with gallery_house(trained_folder, tmp_path / "data") as (scene, _):
        discord = scene.house.discord
        await hung(scene, await made(scene))
        [old] = threads(discord)
        discord.delete_channel(old)
        if what != "thread":
            discord.delete_message(discord.world.messages[old.id])
        again = await hung(scene, await made(scene))
        [thread] = threads(discord)

    assert thread.id != old.id
    assert again.channel_id == thread.id


async def test_gallery_moves_to_the_channel_that_is_set_now(trained_folder, tmp_path):
    async with gallery_house(trained_folder, tmp_path / "data") as (scene, _):
        await hung(scene, await made(scene))
        other = scene.house.discord.add_channel("new gallery")
        await scene.house.services.guilds.change(1, here(scene), gallery_channel_id=other.id)
        message = await hung(scene, await made(scene))

    assert scene.house.discord.world.channels[message.channel_id].parent_id == other.id


async def test_gallery_that_may_not_be_written_in_loses_nothing_else(trained_folder, tmp_path):
    async with gallery_house(trained_folder, tmp_path / "data") as (scene, channel):
        scene.house.discord.deny_bot(Permission.CREATE_PUBLIC_THREADS, channel=channel)
        job_id = await made(scene)
        await scene.owner.in_channel().wait_for(lambda m: m.has_button(f"picture.details:{job_id}"))
        await scene.house.discord.world.until(
            lambda: scene.house.discord.requests("POST", "/channels/*/messages/*/threads"), what="the refused thread"
        )

    assert threads(scene.house.discord) == []


async def test_gallery_loses_pictures_that_are_deleted(trained_folder, tmp_path):
    async with gallery_house(trained_folder, tmp_path / "data") as (scene, _):
        job_id = await made(scene)
        message = await hung(scene, job_id)
        ada = scene.owner.in_channel()
        gallery = await ada.wait_for(lambda m: m.has_button(f"picture.delete:{job_id}"))
        await ada.press(await ada.press(gallery, "Delete"), "Delete for ever")
        world = scene.house.discord.world
        await world.until(lambda: world.messages[message.id].deleted, what="the deletion in the gallery")

    assert threads(scene.house.discord)


async def test_gallery_takes_back_what_was_on_its_way_when_its_person_was_forgotten(trained_folder, tmp_path):
    async with gallery_house(trained_folder, tmp_path / "data") as (scene, _):
        await hung(scene, await made(scene))
        discord = scene.house.discord
        [thread] = threads(discord)
        held = discord.faults.hold(method="POST", path=f"/channels/{thread.id}/messages", when="after")
        await made(scene)
        await held.arrived.wait()
        await scene.house.services.eraser.ask(scene.owner.id)
        await scene.owner.dm().wait_for(lambda message: "You are forgotten" in message.text)
        there = scene.owner.in_channel(thread)
        stood = there.sees()
        held.release()
        await discord.world.until(lambda: there.sees() == [], what="the picture's end")

    assert len(stood) == 1


async def test_gallery_goes_on_after_a_restart(trained_folder, tmp_path):
    folder = tmp_path / "data"
    async with running_playground() as discord:
        owner = await moved_in(trained_folder, folder, discord)
        channel = discord.add_channel("gallery")
        async with running_bot(discord, folder) as house:
            [lora] = await house.services.library.usable(owner.id, BotPlace(channel_id=0, guild_id=None))
            scene = Scene(house=house, owner=owner, lora=lora)
            await house.services.guilds.change(1, here(scene), gallery_channel_id=channel.id)
            await owner.in_channel().slash("models share", model="Rusty")
            # The thread is refused by a Discord in trouble, and the bot goes before it is better.
            for _ in range(50):
                discord.faults.answer(503, method="POST", path="/channels/*/messages/*/threads", body={})
            job_id = await made(scene)
            await discord.world.until(
                lambda: discord.requests("POST", "/channels/*/messages/*/threads"), what="the thread's beginning"
            )
        await discord.bot_gone()
        discord.faults.clear()
        async with running_bot(discord, folder) as house:
            scene = Scene(house=house, owner=owner, lora=lora)
            await hung(scene, job_id)
        beginnings = owner.in_channel(channel).sees()

    assert len(threads(discord)) == 1
    assert len(beginnings) == 1
