"""The bot where only its person brought it, as a guest: nothing is posted there, all goes to direct messages."""

import pytest

from playground.errors import PersonError
from tests.cogs.test_training import drafted
from tests.factories import ended, house_with_model
from tests.house import open_house


def elsewhere(house, person):
    """Let a person carry the bot into a server where it is no member."""
    guild = house.discord.add_guild("Elsewhere")
    house.discord.remove_bot(guild)
    channel = house.discord.add_channel("chat", guild=guild)
    guild.members.setdefault(person.id, [])
    person.carry_bot()
    return person.in_channel(channel)


async def test_guest_answers_in_a_server_that_it_is_no_member_of(tmp_path):
    async with open_house(tmp_path / "data") as house:
        bob = house.discord.person("bob")
        told = await elsewhere(house, bob).slash("help")

    assert "What I can do" in told.text
    assert told.ephemeral


async def test_guest_has_nothing_to_manage(tmp_path):
    async with open_house(tmp_path / "data") as house:
        bob = house.discord.person("bob")
        place = elsewhere(house, bob)
        house.discord.world.guilds[place.channel.guild_id].owner_id = bob.id
        with pytest.raises(PersonError, match="admin"):
            await place.slash("admin jobs")


async def test_guest_is_offered_only_to_who_carries_it(tmp_path):
    async with open_house(tmp_path / "data") as house:
        bob, carol = house.discord.person("bob"), house.discord.person("carol")
        place = elsewhere(house, bob)
        guild = house.discord.world.guilds[place.channel.guild_id]
        guild.members.setdefault(carol.id, [])
        with pytest.raises(PersonError):
            await carol.in_channel(place.channel).slash("help")


async def test_guest_trains_with_its_card_in_direct_messages(tmp_path):
    async with open_house(tmp_path / "data") as house:
        await drafted(house, who="bob")
        bob = house.discord.person("bob")
        place = elsewhere(house, bob)
        told = await place.press(await place.slash("train", steps=12), "Train it")
        card = await bob.dm().wait_for(lambda message: message.has_button("Cancel"))
        posted = [message for message in place.sees() if not message.ephemeral]

    assert "Its card comes by direct message" in told.text
    assert "Rusty" in card.text
    assert posted == []


async def test_guest_sends_pictures_by_direct_message(trained_folder, tmp_path):
    async with house_with_model(trained_folder, tmp_path / "data") as scene:
        place = elsewhere(scene.house, scene.owner)
        told = await place.slash("generate", model="Rusty", prompt="rustyfox at sea")
        await scene.owner.dm().wait_for(lambda message: message.has_button("Details"), timeout=60)

    assert "comes by direct message: I am no member of this server." in told.text


async def test_guest_whose_person_takes_no_messages_tells_in_the_list_of_jobs(trained_folder, tmp_path):
    async with house_with_model(trained_folder, tmp_path / "data") as scene:
        scene.owner.block_dms()
        place = elsewhere(scene.house, scene.owner)
        await place.slash("generate", model="Rusty", prompt="rustyfox at sea")
        [job, *_] = await scene.house.services.training.jobs(scene.owner.id)
        await ended(scene.house, job.id)
        listed = await place.slash("jobs")

    assert "Rusty" in listed.text
