import asyncio
import json

import aiohttp
import discord
import pytest

from playground.intents import Intent
from playground.person import Upload
from tests.playground.bots import PlainBot, connected
from tests.playing import dial, running_playground


async def heard(server, bot, count):
    """Wait until the bot has heard so many messages."""
    await bot.until(lambda: len(bot.heard) >= count)


async def counted(server, name, number):
    await server.world.until(lambda: server.gateway.counts[name] >= number, timeout=5, what=f"{name} {number}")


async def test_gateway_tells_a_bot_its_guild_and_channel():
    async with running_playground() as server, connected(server) as bot:
        assert [guild.name for guild in bot.guilds] == ["The Playground"]
        assert bot.get_channel(server.channel.id).name == "general"
        assert bot.guilds[0].me.id == server.world.bot.id


async def raw(server, session, query="v=10&encoding=json"):
    ws = await session.ws_connect(f"{server.gateway_url}?{query}")
    hello = await ws.receive_json()
    assert hello["op"] == 10
    return ws


def identify(server, **changes):
    return {"op": 2, "d": {"token": server.token, "intents": 1, "properties": {}, "shard": [0, 1]} | changes}


async def test_gateway_speaks_plain_text_when_asked():
    async with running_playground() as server, aiohttp.ClientSession() as session:
        ws = await raw(server, session)
        await ws.send_json(identify(server))
        assert [(await ws.receive_json())["t"] for _ in range(2)] == ["READY", "GUILD_CREATE"]
        await ws.close()


async def test_gateway_compresses_when_asked():
    async with running_playground() as server, aiohttp.ClientSession() as session:
        ws = await session.ws_connect(f"{server.gateway_url}?v=10&encoding=json&compress=zlib-stream")
        message = await ws.receive()
        assert message.type is aiohttp.WSMsgType.BINARY
        assert message.data.endswith(b"\x00\x00\xff\xff")
        await ws.close()


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ({"op": 2, "d": {"token": "wrong", "intents": 1}}, 4004),
        ({"op": 2, "d": {"token": "playground.bot.token", "intents": 1 << 15}}, 4014),
        ({"op": 2, "d": {"token": "playground.bot.token", "intents": 1 << 40}}, 4013),
        ({"op": 2, "d": {"token": "playground.bot.token", "intents": 1, "shard": [3, 2]}}, 4010),
        ({"op": 8, "d": {}}, 4003),
        ({"nothing": 1}, 4002),
    ],
)
async def test_gateway_closes_on_a_bad_frame(frame, code):
    async with running_playground() as server, aiohttp.ClientSession() as session:
        ws = await raw(server, session)
        await ws.send_json(frame)
        async with asyncio.timeout(5):
            async for _ in ws:
                pass
        assert ws.close_code == code


async def test_gateway_closes_on_text_that_is_no_json():
    async with running_playground() as server, aiohttp.ClientSession() as session:
        ws = await raw(server, session)
        await ws.send_str("{")
        await ws.receive()
        assert ws.close_code == 4002


async def test_gateway_closes_on_a_second_identify_and_unknown_opcodes():
    async with running_playground() as server, aiohttp.ClientSession() as session:
        for frame, code in ((identify(server), 4005), ({"op": 99}, 4001)):
            ws = await raw(server, session)
            await ws.send_json(identify(server))
            await ws.send_json(frame)
            async for _ in ws:
                pass
            assert ws.close_code == code


async def test_gateway_closes_on_too_many_frames():
    async with running_playground() as server, aiohttp.ClientSession() as session:
        ws = await raw(server, session)
        for _ in range(121):
            await ws.send_json({"op": 1, "d": None})
        async for _ in ws:
            pass
        assert ws.close_code == 4008


async def test_gateway_refuses_another_version():
    async with running_playground() as server, aiohttp.ClientSession() as session:
        ws = await raw(server, session, "v=6&encoding=json")
        await ws.receive()
        assert ws.close_code == 4012


async def test_gateway_wrong_token_is_a_login_failure_for_discord_py():
    async with running_playground() as server:
        dial(server)
        bot = PlainBot(sync=False)
        with pytest.raises(discord.LoginFailure):
            await bot.start("wrong")
        await bot.close()


async def test_gateway_missing_privileged_intent_is_named_by_discord_py():
    async with running_playground() as server:
        dial(server)
        bot = PlainBot(sync=False, intents=discord.Intents(guilds=True, message_content=True))
        with pytest.raises(discord.PrivilegedIntentsRequired):
            await bot.start(server.token)
        await bot.close()


async def test_gateway_heartbeats_are_acknowledged():
    async with running_playground() as server:
        server.gateway.heartbeat_interval = 0.05
        async with connected(server) as bot:
            await counted(server, "heartbeats", 3)
            assert bot.latency < 1


async def test_gateway_resume_replays_what_was_missed():
    async with running_playground() as server, connected(server) as bot:
        server.gateway.drop()
        await server.world.until(lambda: not server.gateway.connected, timeout=5, what="the cut")
        place = server.person("alice").dm()
        await place.say("one")
        await place.say("two")
        await heard(server, bot, 2)
        assert [m.content for m in bot.heard] == ["one", "two"]
        assert (server.gateway.counts["identifies"], server.gateway.counts["resumes"]) == (1, 1)


async def test_gateway_reconnect_order_makes_the_bot_resume():
    async with running_playground() as server, connected(server) as bot:
        server.gateway.reconnect()
        await counted(server, "resumes", 1)
        await server.person("alice").dm().say("still there?")
        await heard(server, bot, 1)


async def test_gateway_close_4000_makes_the_bot_resume():
    async with running_playground() as server, connected(server):
        await server.gateway.close_connections(4000)
        await counted(server, "resumes", 1)


async def test_gateway_invalid_session_makes_the_bot_identify_anew():
    async with running_playground() as server, connected(server) as bot:
        server.gateway.invalidate()
        await counted(server, "identifies", 2)
        await server.person("alice").dm().say("hello again")
        await heard(server, bot, 1)
        assert server.gateway.counts["resumes"] == 0


async def test_gateway_resumable_invalid_session_makes_the_bot_resume():
    async with running_playground() as server, connected(server):
        server.gateway.invalidate(resumable=True)
        await counted(server, "resumes", 1)


async def test_gateway_resume_of_a_forgotten_session_is_refused():
    async with running_playground() as server, aiohttp.ClientSession() as session:
        ws = await raw(server, session)
        await ws.send_json({"op": 6, "d": {"token": server.token, "session_id": "gone", "seq": 3}})
        assert await ws.receive_json() == {"op": 9, "d": False}
        await ws.close()


async def test_gateway_events_for_a_bot_that_left_are_lost():
    async with running_playground() as server:
        async with connected(server):
            pass
        await server.person("alice").dm().say("anybody?")
        async with connected(server) as bot:
            await server.person("alice").dm().say("you?")
            await heard(server, bot, 1)
            assert [m.content for m in bot.heard] == ["you?"]


async def test_gateway_new_identify_drops_what_an_ended_process_left():
    async with running_playground() as server, aiohttp.ClientSession() as session:
        first = await raw(server, session)
        await first.send_json(identify(server))
        await server.bot_connected()
        server.gateway.drop()
        await server.world.until(lambda: not server.gateway.connected, what="the cut")
        second = await raw(server, session)
        await second.send_json(identify(server))
        await server.bot_connected()
        assert len(server.gateway.sessions) == 1
        await second.close()


async def test_gateway_direct_messages_go_to_shard_zero_only():
    async with running_playground() as server, aiohttp.ClientSession() as session:
        shards = []
        for number in (0, 1):
            ws = await raw(server, session)
            await ws.send_json(identify(server, shard=[number, 2], intents=1 << 12))
            ready = json.loads((await ws.receive()).data)
            assert ready["d"]["shard"] == [number, 2]
            shards.append(ws)
        assert len(server.gateway.sessions) == 2
        await server.person("alice").dm().say("hello")
        assert (await shards[0].receive_json())["t"] == "MESSAGE_CREATE"
        with pytest.raises(TimeoutError):
            await shards[1].receive(timeout=0.05)
        for ws in shards:
            await ws.close()


async def test_gateway_blanks_what_the_intents_do_not_let_read():
    async with running_playground() as server, connected(server) as bot:
        alice = server.person("alice")
        files = [Upload("a.png", b"1")]
        await alice.in_channel().say("secret", files)
        await alice.in_channel().say(f"for <@{server.world.bot.id}>", files)
        await alice.dm().say("direct", files)
        await heard(server, bot, 3)
        said = [(m.content, len(m.attachments)) for m in bot.heard]
        assert said == [("", 0), (f"for <@{server.world.bot.id}>", 1), ("direct", 1)]


async def test_gateway_reply_to_the_bot_is_readable():
    async with running_playground() as server, connected(server) as bot:
        place = server.person("alice").in_channel()
        await bot.get_channel(server.channel.id).send("question?")
        await place.say("answer", reply_to=place.last())
        await heard(server, bot, 1)
        assert bot.heard[0].content == "answer"


async def test_gateway_content_intent_lets_all_be_read():
    intents = discord.Intents(guilds=True, guild_messages=True, message_content=True)
    async with (
        running_playground(privileged=Intent.MESSAGE_CONTENT) as server,
        connected(server, intents=intents) as bot,
    ):
        await server.person("alice").in_channel().say("open")
        await heard(server, bot, 1)
        assert bot.heard[0].content == "open"


async def test_gateway_sends_nothing_that_was_not_asked_for():
    async with running_playground() as server, connected(server, intents=discord.Intents(guilds=True)) as bot:
        await server.person("alice").dm().say("hello")
        await server.person("alice").in_channel().say("hello")
        assert (await server.person("alice").in_channel().slash("show")).text == "hello"
        assert bot.heard == []


async def test_gateway_tells_of_deletions():
    async with running_playground() as server, connected(server) as bot:
        place = server.person("alice").in_channel()
        said = await place.say("oops")
        await place.delete(said)
        other = server.add_channel("other")
        server.delete_channel(other)
        server.remove_bot()
        await bot.until(lambda: len(bot.gone) >= 3)
        assert bot.gone == [("message", said.id), ("channel", other.id), ("guild", server.guild.id)]


async def test_gateway_outage_is_not_a_leave():
    async with running_playground() as server, connected(server) as bot:
        server.outage()
        server.recover()
        await server.person("alice").dm().say("after")
        await heard(server, bot, 1)
        assert bot.gone == []
        assert [guild.id for guild in bot.guilds] == [server.guild.id]


async def test_gateway_may_deliver_twice_when_told_to():
    async with running_playground() as server, connected(server) as bot:
        server.gateway.repeats.add("MESSAGE_CREATE")
        await server.person("alice").dm().say("twice")
        await heard(server, bot, 2)
        assert [m.content for m in bot.heard] == ["twice", "twice"]
