"""Threads, age-restricted channels, roles, who is offered a command, and who owns the application."""

import discord
import pytest

from playground.errors import PersonError
from playground.permissions import Permission
from tests.playground.bots import PlainBot, connected
from tests.playing import running_playground


class Nosy(PlainBot):
    """Keeps every interaction, to see what discord.py made of it."""

    def __init__(self):
        super().__init__()
        self.seen: list[discord.Interaction] = []

    async def on_interaction(self, interaction: discord.Interaction) -> None:
        self.seen.append(interaction)


async def test_threads_are_made_by_the_bot_and_written_in():
    async with running_playground() as server, connected(server) as bot:
        channel = bot.get_channel(server.channel.id)
        thread = await channel.create_thread(name="Rusty", type=discord.ChannelType.public_thread)
        await thread.send("hello")
        [made] = [c for c in server.world.channels.values() if c.is_thread]
        assert (made.name, made.parent_id, made.owner_id) == ("Rusty", server.channel.id, server.world.bot.id)
        assert server.person("alice").in_channel(made).last().text == "hello"
        assert isinstance(bot.get_channel(made.id), discord.Thread)


async def test_thread_at_a_message_has_its_number_and_is_made_once():
    async with running_playground() as server, connected(server) as bot:
        sent = await bot.get_channel(server.channel.id).send("look")
        assert (await sent.create_thread(name="Rusty")).id == sent.id
        with pytest.raises(discord.HTTPException, match="already been created") as refused:
            await sent.create_thread(name="Again")
        assert refused.value.code == 160004


async def test_thread_needs_its_permission_and_no_second_level():
    async with running_playground() as server, connected(server) as bot:
        inside = server.add_thread("talk")
        with pytest.raises(discord.HTTPException, match="channel type"):
            await bot.http.start_thread_without_message(
                inside.id, name="deeper", auto_archive_duration=1440, type=11, reason=None
            )
        server.deny_bot(Permission.CREATE_PUBLIC_THREADS | Permission.SEND_MESSAGES_IN_THREADS)
        with pytest.raises(discord.Forbidden):
            await bot.get_channel(server.channel.id).create_thread(name="no", type=discord.ChannelType.public_thread)
        with pytest.raises(discord.Forbidden):
            await bot.get_partial_messageable(inside.id).send("no")
        await bot.get_channel(server.channel.id).send("here it may")


async def test_thread_goes_with_its_channel():
    async with running_playground() as server:
        home = server.add_channel("home")
        inside = server.add_thread("talk", channel=home)
        server.delete_channel(home)
        assert inside.deleted


async def test_writing_wakes_an_archived_thread():
    async with running_playground() as server:
        inside = server.add_thread("talk")
        inside.archived = True
        await server.person("alice").in_channel(inside).say("anybody?")
        assert not inside.archived


async def test_interaction_tells_thread_age_limit_and_roles():
    async with running_playground() as server:
        grown = server.add_channel("grown", nsfw=True)
        inside = server.add_thread("talk", channel=grown)
        artists = server.add_role("artists")
        alice = server.person("alice")
        server.give(alice.user, artists)
        async with connected(server, Nosy()) as bot:
            await alice.in_channel(inside).slash("show")
            await alice.in_channel().slash("show")
            there, elsewhere = bot.seen
            assert isinstance(there.channel, discord.Thread)
            assert (there.channel.parent_id, there.channel.is_nsfw()) == (grown.id, True)
            assert not elsewhere.channel.is_nsfw()
            assert [role.name for role in there.user.roles] == ["@everyone", "artists"]


async def test_command_for_managers_is_offered_to_whom_the_server_allows_it():
    async with running_playground() as server, connected(server):
        alice, bob, mia = (server.person(name, manage_guild=name == "mia") for name in ("alice", "bob", "mia"))
        helpers = server.add_role("helpers")
        server.give(bob.user, helpers)
        with pytest.raises(PersonError, match="no command /manage"):
            await bob.in_channel().slash("manage")
        server.allow_command("manage", helpers)
        assert (await bob.in_channel().slash("manage")).text == "managed"
        with pytest.raises(PersonError, match="no command /manage"):
            await alice.in_channel().slash("manage")
        server.allow_command("manage", mia.user, allowed=False)
        with pytest.raises(PersonError, match="no command /manage"):
            await mia.in_channel().slash("manage")


async def test_guild_commands_are_offered_in_their_guild_alone():
    async with running_playground() as server, connected(server) as bot:
        elsewhere = server.add_guild("Elsewhere")
        channel = server.add_channel("lobby", guild=elsewhere)
        home = discord.Object(server.guild.id)
        bot.tree.add_command(discord.app_commands.Command(name="secret", description="?", callback=whisper), guild=home)
        await bot.tree.sync(guild=home)
        assert (await server.person("alice").in_channel().slash("secret")).text == "psst"
        for place in (server.person("alice", guild=elsewhere).in_channel(channel), server.person("alice").dm()):
            with pytest.raises(PersonError, match="no command /secret"):
                await place.slash("secret")


async def whisper(interaction: discord.Interaction) -> None:
    await interaction.response.send_message("psst", ephemeral=True)


async def test_application_tells_its_owner_or_team():
    async with running_playground() as server, connected(server) as bot:
        alone = await bot.application_info()
        assert (alone.owner.id, alone.team) == (server.owner.id, None)
        ada, bob = server.person("ada"), server.person("bob")
        server.own_by_team(server.owner, accepted=(ada.user,), invited=(bob.user,))
        team = (await bot.application_info()).team
        states = {member.id: member.membership_state for member in team.members}
        accepted, invited = discord.TeamMembershipState.accepted, discord.TeamMembershipState.invited
        assert states == {server.owner.id: accepted, ada.id: accepted, bob.id: invited}


async def test_channel_menu_takes_as_many_defaults_as_choices():
    async with running_playground(judged=False) as server, connected(server) as bot:
        menu = discord.ui.ChannelSelect(default_values=[discord.Object(1), discord.Object(2)], max_values=1)
        menu.default_values = [
            discord.SelectDefaultValue(id=number, type=discord.SelectDefaultValueType.channel) for number in (1, 2)
        ]
        view = discord.ui.LayoutView(timeout=None)
        view.add_item(discord.ui.ActionRow(menu))
        with pytest.raises(discord.HTTPException, match="default_values"):
            await bot.get_channel(server.channel.id).send(view=view)
