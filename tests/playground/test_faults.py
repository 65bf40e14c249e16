import asyncio

import aiohttp
import discord
import pytest

from playground.clock import ManualClock
from playground.seen import Upload
from tests.playground.bots import connected
from tests.playground.wire import wired
from tests.playing import running_playground

POST = {"method": "POST", "path": "/channels/*/messages"}


async def test_fault_429_with_via_is_retried_by_discord_py():
    async with running_playground() as server, connected(server) as bot:
        server.faults.rate_limit(0.01, **POST)
        await bot.get_channel(server.channel.id).send("x")
        assert [e.status for e in server.requests("POST", "/channels/*")] == [429, 200]


async def test_fault_429_without_via_is_an_error_for_discord_py():
    async with running_playground() as server, connected(server) as bot:
        server.faults.rate_limit(0.01, via=False, **POST)
        with pytest.raises(discord.HTTPException) as caught:
            await bot.get_channel(server.channel.id).send("x")
        assert caught.value.status == 429
        assert server.messages() == []


@pytest.mark.parametrize(("when", "posted"), [("before", 0), ("after", 1)])
async def test_fault_503_strikes_before_or_after_the_effect(when, posted):
    async with running_playground() as server, connected(server) as bot:
        server.faults.answer(503, when=when, **POST)
        with pytest.raises(discord.DiscordServerError):
            await bot.get_channel(server.channel.id).send("x")
        assert len(server.messages()) == posted


@pytest.mark.parametrize(("when", "posted"), [("before", 0), ("after", 1)])
async def test_fault_reset_strikes_before_or_after_the_effect(when, posted):
    async with running_playground() as server, connected(server) as bot:
        server.faults.reset(when=when, **POST)
        with pytest.raises((aiohttp.ClientError, ConnectionError)):
            await bot.get_channel(server.channel.id).send("x")
        assert len(server.messages()) == posted


async def test_fault_strikes_as_often_as_planned_and_where_planned():
    async with running_playground() as server, wired(server) as wire:
        server.faults.answer(500, times=2, **POST)
        assert (await wire.call("GET", "/users/@me")).status == 200
        assert [(await wire.post({"content": "x"})).status for _ in range(3)] == [500, 500, 200]


async def test_fault_held_request_goes_on_when_released():
    async with running_playground() as server, connected(server) as bot:
        held = server.faults.hold(**POST)
        sending = asyncio.create_task(bot.get_channel(server.channel.id).send("x"))
        await asyncio.wait_for(held.arrived.wait(), 5)
        assert server.messages() == []
        held.release()
        await sending
        assert len(server.messages()) == 1


async def test_fault_held_after_the_effect_keeps_the_answer_back():
    async with running_playground() as server, connected(server) as bot:
        held = server.faults.hold(when="after", **POST)
        sending = asyncio.create_task(bot.get_channel(server.channel.id).send("x"))
        await asyncio.wait_for(held.arrived.wait(), 5)
        assert len(server.messages()) == 1
        assert not sending.done()
        held.release()
        await sending


@pytest.mark.parametrize("status", [403, 404, 500])
async def test_fault_strikes_downloads_too(status):
    async with running_playground() as server, aiohttp.ClientSession() as session:
        await server.person("alice").dm().say(files=[Upload("a.txt", b"x")])
        (file,) = server.world.files.values()
        server.faults.answer(status, path="/attachments/*")
        async with session.get(server.posting.cdn_base + file.path) as response:
            assert response.status == status
        async with session.get(server.posting.cdn_base + file.path) as response:
            assert await response.read() == b"x"


async def test_fault_reset_strikes_downloads_too():
    async with running_playground() as server, aiohttp.ClientSession() as session:
        await server.person("alice").dm().say(files=[Upload("a.txt", b"x")])
        (file,) = server.world.files.values()
        server.faults.reset(path="/attachments/*", times=5)
        with pytest.raises(aiohttp.ClientError):
            await session.get(server.posting.cdn_base + file.path)


async def test_rate_limit_headers_are_on_every_answer():
    async with running_playground() as server, wired(server) as wire:
        answer = await wire.call("GET", "/users/@me")
        assert answer.headers["X-RateLimit-Remaining"] == "49"
        assert {
            "X-RateLimit-Limit",
            "X-RateLimit-Reset",
            "X-RateLimit-Reset-After",
            "X-RateLimit-Bucket",
            "Via",
        } <= set(answer.headers)


async def test_rate_limit_refuses_when_it_is_switched_on():
    clock = ManualClock()
    async with running_playground(clock=clock) as server, wired(server) as wire:
        server.limiter.enabled = True
        statuses = [(await wire.post({"content": "x"})).status for _ in range(6)]
        assert statuses == [200] * 5 + [429]
        clock.advance(5)
        assert (await wire.post({"content": "x"})).status == 200


async def test_rate_limit_counts_each_channel_for_itself():
    async with running_playground(clock=ManualClock()) as server, wired(server) as wire:
        server.limiter.enabled = True
        server.limiter.limit = 1
        other = server.add_channel("other")
        assert (await wire.post({"content": "x"})).status == 200
        assert (await wire.call("POST", f"/channels/{other.id}/messages", {"content": "x"})).status == 200
        refused = await wire.post({"content": "x"})
        assert refused.body["retry_after"] == 5.0
        assert refused.headers["Retry-After"] == "5"
