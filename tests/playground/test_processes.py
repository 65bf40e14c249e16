import asyncio
import sys
from contextlib import asynccontextmanager

import pytest

from tests.playing import running_playground

pytestmark = pytest.mark.xdist_group("processes")


@asynccontextmanager
async def bot_process(server):
    """Run the small bot as another process and kill it in the end."""
    address = (server.api_base, server.gateway_url, server.token)
    command = (sys.executable, "-W", "ignore", "-m", "tests.playground.bot_process", *address)
    process = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.DEVNULL)
    try:
        await server.bot_connected(timeout=20)
        yield process
    finally:
        process.kill()
        await process.wait()


async def test_world_outlives_a_killed_bot_process():
    async with running_playground() as server:
        place = server.person("alice").in_channel()
        async with bot_process(server):
            shown = await place.slash("show")
        await server.bot_gone()
        assert (await place.press(shown, "Update")).failed == "This interaction failed"
        await server.person("alice").dm().say("lost while nobody listens")
        async with bot_process(server):
            assert (await place.press(shown, "Update")).text == "updated"
        assert len(server.messages()) == 1
