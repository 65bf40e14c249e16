"""/owner, by the application's owner, a team, and people who are neither; announcements go out once, whatever dies."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from bot.place import Place
from playground.errors import PersonError
from playground.person import Person
from tests.house import House, running_bot
from tests.playing import running_playground

COMMANDS = ("owner status", "owner providers", "owner sync")


@asynccontextmanager
async def owned(tmp_path, **settings):
    """Run the bot with its owner's commands in the playground's first server; the owner is its owner too."""
    async with (
        running_playground() as discord,
        running_bot(discord, tmp_path / "data", darkroom_owner_guild=discord.guild.id, **settings) as house,
    ):
        yield house


async def log_into(house: House, channel, *, guild=None):
    guild = guild or house.discord.guild
    mia = house.discord.person("mia", guild=guild, manage_guild=True)
    here = Place(channel_id=channel.id, guild_id=guild.id, manages=True)
    await house.services.guilds.change(mia.id, here, log_channel_id=channel.id)
    return mia.in_channel(channel)


def owner_of(discord):
    """Give the person who owns the application."""
    return Person(user=discord.owner, discord=discord)


async def test_owner_sees_how_the_deployment_is(tmp_path):
    async with owned(tmp_path) as house:
        seen = await owner_of(house.discord).in_channel().slash("owner status")

    assert "In 1 server; 0 set up, 0 with a log channel.\n0 jobs under way.\n0 reports wait." in seen.text
    assert seen.ephemeral


async def test_owner_sees_every_provider_in_each_role(tmp_path):
    async with owned(tmp_path) as house:
        seen = await owner_of(house.discord).in_channel().slash("owner providers")

    assert "✅ **Sketch (this machine)** (train)" in seen.text
    assert "✅ **Sketch (this machine)** (make pictures)" in seen.text


async def test_owner_reads_how_providers_are_in_their_language(tmp_path):
    async with owned(tmp_path) as house:
        owner = owner_of(house.discord)
        owner.user.locale = "de"
        seen = await owner.in_channel().slash("owner providers")

    assert "Sketch läuft auf diesem Rechner: kostenlos, ohne Konto." in seen.text


async def test_owner_tells_discord_of_the_commands_anew(tmp_path):
    async with owned(tmp_path) as house:
        place = owner_of(house.discord).in_channel()
        before = len(house.discord.requests("PUT", "/applications/*commands"))
        told = await place.slash("owner sync")
        assert told.text.startswith("Discord knows of ")
        assert len(house.discord.requests("PUT", "/applications/*commands")) == before + 2


@pytest.mark.parametrize("command", COMMANDS)
async def test_owners_commands_refuse_even_who_administrates_the_server(tmp_path, command):
    async with owned(tmp_path) as house:
        eve = house.discord.person("eve")
        house.discord.allow_command("owner", eve.user)
        answer = await eve.in_channel().slash(command)

    assert answer.text == "Only the owner of this bot may do that."


async def test_owners_commands_are_in_their_server_alone(tmp_path):
    async with owned(tmp_path) as house:
        elsewhere = house.discord.add_guild("Elsewhere")
        lobby = house.discord.add_channel("lobby", guild=elsewhere)
        owner = owner_of(house.discord)
        for place in (owner.in_channel(lobby), owner.dm()):
            with pytest.raises(PersonError, match="no command /owner"):
                await place.slash("owner status")


async def test_team_owns_the_bot_once_its_members_have_accepted(tmp_path):
    async with owned(tmp_path) as house:
        ada, bob = house.discord.person("ada"), house.discord.person("bob")
        house.discord.own_by_team(house.discord.owner, accepted=(ada.user,), invited=(bob.user,))
        for person in (ada, bob):
            house.discord.allow_command("owner", person.user)
        assert "### Darkroom" in (await ada.in_channel().slash("owner status")).text
        refused = await bob.in_channel().slash("owner status")
        assert refused.text == "Only the owner of this bot may do that."


async def test_commands_leave_a_server_that_is_no_longer_the_owners(tmp_path):
    async with running_playground() as discord:
        other = discord.add_guild("Elsewhere")
        async with running_bot(discord, tmp_path / "data", darkroom_owner_guild=discord.guild.id):
            assert "owner" in {command["name"] for command in discord.commands(discord.guild.id)}
        await discord.bot_gone()
        async with running_bot(discord, tmp_path / "data", darkroom_owner_guild=other.id):
            assert "owner" not in {command["name"] for command in discord.commands(discord.guild.id)}
            assert "owner" in {command["name"] for command in discord.commands(other.id)}


async def test_server_that_is_not_there_keeps_nobody_from_the_bot(tmp_path, caplog):
    async with running_playground() as discord, running_bot(discord, tmp_path / "data", darkroom_owner_guild=4):
        assert "is DARKROOM_OWNER_GUILD right?" in caplog.text
        assert (await discord.person("bob").in_channel().slash("models list")).text


async def test_announcement_is_seen_first_and_goes_to_every_log_channel_once(tmp_path):
    async with owned(tmp_path) as house:
        elsewhere = house.discord.add_guild("Elsewhere")
        lobby = house.discord.add_channel("lobby", guild=elsewhere)
        here, there = await log_into(house, house.discord.channel), await log_into(house, lobby, guild=elsewhere)
        place = owner_of(house.discord).in_channel()
        preview = await place.submit(await place.slash("owner announce"), text="Down **tonight** at 10.")
        assert preview.ephemeral
        assert preview.text == "Down **tonight** at 10."
        told = await place.press(preview, "Send to 2 servers")
        assert told.text == "It goes to 2 servers, one by one."
        for reader in (here, there):
            await reader.wait_for(lambda m: m.text == "### From the operator of this bot\nDown **tonight** at 10.")
        await house.services.notices.due()
        for reader in (here, there):
            assert len([m for m in reader.sees() if "From the operator" in m.text]) == 1


async def test_announcement_goes_on_after_a_restart(tmp_path):
    async with running_playground() as discord:
        settings = {"darkroom_owner_guild": discord.guild.id}
        async with running_bot(discord, tmp_path / "data", **settings) as house:
            reader = await log_into(house, discord.channel)
            discord.faults.answer(503, method="POST", path=f"/channels/{discord.channel.id}/messages", times=50)
            drafted = await house.services.deployment.draft("Down tonight.")
            await house.services.deployment.announce(discord.owner.id, drafted.id)
            await asyncio.sleep(0.1)
        await discord.bot_gone()
        discord.faults.clear()
        async with running_bot(discord, tmp_path / "data", **settings):
            await reader.wait_for(lambda m: "Down tonight." in m.text)
        assert len([m for m in reader.sees() if "Down tonight." in m.text]) == 1


async def test_announcement_is_sent_once_however_often_it_is_pressed(tmp_path):
    async with owned(tmp_path) as house:
        await log_into(house, house.discord.channel)
        drafted = await house.services.deployment.draft("Hello.")
        assert await house.services.deployment.announce(1, drafted.id) == 1
        with pytest.raises(Exception, match="sent already"):
            await house.services.deployment.announce(1, drafted.id)


async def test_stranger_who_gets_hold_of_the_form_sends_nothing(tmp_path):
    async with owned(tmp_path) as house:
        await log_into(house, house.discord.channel)
        eve = house.discord.person("eve")
        house.discord.allow_command("owner", eve.user)
        place = eve.in_channel()
        answer = await place.submit(await place.slash("owner announce"), text="I am the owner.")
        assert answer.text == "Only the owner of this bot may do that."
