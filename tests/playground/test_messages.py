import io

import aiohttp
import discord
import pytest

from playground.clock import ManualClock
from playground.permissions import Permission
from playground.seen import Upload
from tests.playground.bots import connected, panel
from tests.playground.wire import wired
from tests.playing import running_playground


async def test_message_with_files_is_posted_and_served():
    async with running_playground() as server, connected(server) as bot:
        channel = bot.get_channel(server.channel.id)
        sent = await channel.send("hi", files=[discord.File(io.BytesIO(b"one"), "a.txt", description="first")])
        assert await sent.attachments[0].read() == b"one"
        assert server.messages()[0].attachments[0].description == "first"


async def test_message_panel_shows_its_picture_and_lists_no_attachment():
    async with running_playground() as server, connected(server) as bot:
        channel = bot.get_channel(server.channel.id)
        sent = await channel.send(
            view=panel("look", file="a.png"), file=discord.File(io.BytesIO(b"png"), "a.png", description="seen")
        )
        assert sent.attachments == []
        assert server.person("alice").in_channel().last().images == (b"png",)


async def test_message_edit_keeps_and_replaces_files():
    async with running_playground() as server, connected(server) as bot:
        channel = bot.get_channel(server.channel.id)
        sent = await channel.send("x", files=[discord.File(io.BytesIO(n.encode()), f"{n}.txt") for n in ("a", "b")])
        await sent.edit(attachments=[sent.attachments[1], discord.File(io.BytesIO(b"c"), "c.txt")])
        assert server.person("alice").in_channel().last().files == {"b.txt": b"b", "c.txt": b"c"}


async def test_message_edits_are_remembered():
    async with running_playground() as server, connected(server) as bot:
        sent = await bot.get_channel(server.channel.id).send("one")
        await sent.edit(content="two")
        assert [v.content for v in server.messages()[0].versions] == ["one", "two"]
        assert server.person("alice").in_channel().last().edited


async def test_message_unknown_attachment_in_an_edit_is_refused():
    async with running_playground() as server, wired(server) as wire:
        posted = await wire.post({"content": "x"})
        answer = await wire.edit(posted.body["id"], {"attachments": [{"id": "123"}]})
        assert answer.complaint("attachments/0/id") == "ATTACHMENT_NOT_FOUND"


async def test_message_same_nonce_gives_the_one_that_is_there():
    async with running_playground() as server, connected(server) as bot:
        channel = bot.get_channel(server.channel.id)
        first = await channel.send("done", nonce="job-1")
        again = await channel.send("done", nonce="job-1")
        assert first.id == again.id
        assert len(server.messages()) == 1


async def test_message_same_nonce_is_posted_again_after_some_minutes():
    clock = ManualClock()
    async with running_playground(clock=clock) as server, connected(server) as bot:
        channel = bot.get_channel(server.channel.id)
        await channel.send("done", nonce="job-1")
        clock.advance(301)
        await channel.send("done", nonce="job-1")
        assert len(server.messages()) == 2


async def test_message_that_is_gone_is_unknown():
    async with running_playground() as server, connected(server) as bot:
        sent = await bot.get_channel(server.channel.id).send("x")
        server.delete_message(server.messages()[0])
        with pytest.raises(discord.NotFound) as caught:
            await sent.edit(content="y")
        assert caught.value.code == 10008


async def test_message_into_a_deleted_channel_is_refused():
    async with running_playground() as server, connected(server) as bot:
        channel = bot.get_channel(server.channel.id)
        server.delete_channel(server.channel)
        with pytest.raises(discord.NotFound) as caught:
            await channel.send("x")
        assert caught.value.code == 10003


@pytest.mark.parametrize(
    ("denied", "code"),
    [
        (Permission.SEND_MESSAGES, 50013),
        (Permission.ATTACH_FILES, 50013),
        (Permission.VIEW_CHANNEL, 50001),
    ],
)
async def test_message_without_the_permission_is_refused(denied, code):
    async with running_playground() as server, connected(server) as bot:
        server.deny_bot(denied)
        with pytest.raises(discord.Forbidden) as caught:
            await bot.get_channel(server.channel.id).send("x", file=discord.File(io.BytesIO(b"x"), "x.txt"))
        assert caught.value.code == code


async def test_message_to_a_person_who_blocks_is_refused():
    async with running_playground() as server, connected(server) as bot:
        alice = server.person("alice")
        alice.block_dms()
        with pytest.raises(discord.Forbidden) as caught:
            await (await bot.fetch_user(alice.id)).send("x")
        assert caught.value.code == 50007


async def test_message_to_somebody_without_a_common_guild_is_refused():
    async with running_playground() as server, connected(server) as bot:
        alice = server.person("alice")
        server.remove_bot()
        with pytest.raises(discord.Forbidden) as caught:
            await (await bot.fetch_user(alice.id)).send("x")
        assert caught.value.code == 50278


async def test_message_to_a_person_arrives_in_direct_messages():
    async with running_playground() as server, connected(server) as bot:
        alice = server.person("alice")
        await (await bot.fetch_user(alice.id)).send("hello")
        assert alice.dm().last().text == "hello"
        assert alice.in_channel().sees() == []


async def test_message_of_somebody_else_cannot_be_edited():
    async with running_playground() as server, wired(server) as wire:
        said = await server.person("alice").in_channel().say("mine")
        answer = await wire.edit(said.id, {"content": "ours"})
        assert (answer.status, answer.code) == (403, 50005)


async def test_message_of_somebody_else_needs_a_permission_to_be_deleted():
    async with running_playground() as server, wired(server) as wire:
        said = await server.person("alice").in_channel().say("mine")
        path = f"/channels/{server.channel.id}/messages/{said.id}"
        assert (await wire.call("DELETE", path)).code == 50013
        server.grant(server.world.bot, Permission.MANAGE_MESSAGES)
        assert (await wire.call("DELETE", path)).status == 204


async def test_message_old_ones_are_edited_slowly():
    clock = ManualClock()
    async with running_playground(clock=clock) as server, wired(server) as wire:
        posted = await wire.post({"content": "0"})
        clock.advance(3601)
        for number in range(3):
            assert (await wire.edit(posted.body["id"], {"content": f"{number}"})).status == 200
        refused = await wire.edit(posted.body["id"], {"content": "no"})
        assert (refused.status, refused.code) == (429, 30046)
        clock.advance(6.1)
        assert (await wire.edit(posted.body["id"], {"content": "yes"})).status == 200


async def test_message_history_is_newest_first_without_ephemeral_ones():
    async with running_playground() as server, connected(server) as bot:
        place = server.person("alice").in_channel()
        first = await place.say("one")
        await place.say("two")
        await place.slash("draft new", name="Rusty", kind="style")
        await place.say("three")
        channel = bot.get_channel(server.channel.id)
        newest = [m.id async for m in channel.history(limit=2)]
        assert newest == [place.sees()[3].id, place.sees()[1].id]
        after = [m.content async for m in channel.history(after=discord.Object(first.id))]
        before = [m.id async for m in channel.history(before=discord.Object(first.id + 1))]
        assert (len(after), before) == (2, [first.id])


async def test_message_mentions_follow_allowed_mentions():
    async with running_playground() as server, connected(server) as bot:
        alice = server.person("alice")
        channel = bot.get_channel(server.channel.id)
        await channel.send(f"{alice.mention} @everyone")
        await channel.send(alice.mention, allowed_mentions=discord.AllowedMentions(users=True))
        pinged = [(m.pinged, m.pinged_everyone) for m in server.messages()]
        assert pinged == [([], False), ([alice.id], False)]


async def test_message_ephemeral_flag_means_nothing_without_an_interaction():
    async with running_playground() as server, wired(server) as wire:
        await wire.post({"content": "x", "flags": 64})
        assert not server.person("bob").in_channel().last().ephemeral


async def test_message_embed_shows_the_attached_picture():
    async with running_playground() as server, connected(server) as bot:
        embed = discord.Embed(title="Card", description="text").set_image(url="attachment://a.png")
        await bot.get_channel(server.channel.id).send(
            embed=embed, file=discord.File(io.BytesIO(b"png"), "a.png", description="seen")
        )
        seen = server.person("alice").in_channel().last()
        assert seen.text == "Card\ntext"
        assert seen.images == (b"png",)


async def test_message_typing_is_noted():
    async with running_playground() as server, connected(server) as bot:
        await bot.get_channel(server.channel.id).typing()
        assert [channel_id for channel_id, _ in server.world.typing] == [server.channel.id]


async def test_files_are_served_in_parts():
    async with running_playground() as server, aiohttp.ClientSession() as session:
        await server.person("alice").dm().say(files=[Upload("a b.txt", b"0123456789")])
        (file,) = server.world.files.values()
        assert file.filename == "a_b.txt"
        url = server.posting.cdn_base + file.path
        async with session.get(url, headers={"Range": "bytes=2-4"}) as response:
            assert (response.status, await response.read()) == (206, b"234")
            assert response.headers["Content-Range"] == "bytes 2-4/10"
        async with session.get(url + "0") as response:
            assert response.status == 404


async def test_lookups_answer_what_discord_py_asks():
    async with running_playground() as server, connected(server) as bot:
        alice = server.person("alice")
        guild = await bot.fetch_guild(server.guild.id)
        assert (guild.name, guild.approximate_member_count) == ("The Playground", 3)
        assert (await bot.fetch_channel(server.channel.id)).name == "general"
        assert [c.name for c in await guild.fetch_channels()] == ["general"]
        assert (await guild.fetch_member(alice.id)).name == "alice"
        assert (await bot.application_info()).owner.name == "owner"
        assert {c.name for c in await bot.tree.fetch_commands()} >= {"draft", "show", "Add to draft"}


@pytest.mark.parametrize(
    ("path", "code"), [("/users/1", 10013), ("/guilds/1", 10004), ("/channels/x", 10003), ("/nothing", 0)]
)
async def test_lookups_of_what_is_not_there_are_refused(path, code):
    async with running_playground() as server, wired(server) as wire:
        answer = await wire.call("GET", path)
        assert (answer.status, answer.code) == (404, code)


async def test_requests_with_a_wrong_token_are_refused():
    async with running_playground() as server, wired(server) as wire:
        answer = await wire.call("GET", "/users/@me", headers={"Authorization": "Bot wrong"})
        assert answer.status == 401


async def test_requests_that_are_no_json_are_refused():
    async with running_playground() as server, wired(server) as wire:
        headers = {"Authorization": f"Bot {server.token}", "Content-Type": "application/json"}
        path = f"/channels/{server.channel.id}/messages"
        assert (await wire.call("POST", path, data=b"{", headers=headers)).code == 50109


async def test_guild_commands_are_offered_in_their_guild_only():
    async with running_playground() as server, connected(server) as bot:
        other = server.add_guild("Elsewhere")
        await bot.until(lambda: bot.get_guild(other.id) is not None)
        bot.tree.copy_global_to(guild=discord.Object(other.id))
        await bot.tree.sync(guild=discord.Object(other.id))
        assert len(server.commands(other.id)) == 2 * len(server.commands())
        assert server.commands(server.guild.id) == server.commands()


async def test_message_reply_names_what_it_answers():
    async with running_playground() as server, connected(server) as bot:
        alice = server.person("alice")
        said = await alice.in_channel().say("question?")
        channel = bot.get_channel(server.channel.id)
        only_her = discord.AllowedMentions(users=[discord.Object(alice.id)])
        await channel.get_partial_message(said.id).reply(f"answer {alice.mention}", allowed_mentions=only_her)
        answer = server.messages()[-1]
        assert (answer.replies_to, answer.pinged) == (said.id, [alice.id])
