"""SIGTERM to the real process: it ends in good order and in time, and the next start goes on as after a crash."""

import asyncio
import os
import sys
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.fakes.till import QUEUED, RUNNING, Till
from tests.faults.stage import POST, met, performing, quoted
from tests.playing import running_playground

pytestmark = pytest.mark.xdist_group("processes")

ROOT = Path(__file__).resolve().parents[2]
#: How long the system waits after a SIGTERM before it kills.
SECONDS = 10


@asynccontextmanager
async def bot_process(discord, till, folder, *, patience=5.0):
    """Run the bot as `darkroom run` does; leaving the block kills what has not ended."""
    settings = {
        "DISCORD_TOKEN": discord.token,
        "DISCORD_API_BASE": discord.api_base,
        "DISCORD_GATEWAY_URL": discord.gateway_url,
        "DARKROOM_DATA_DIR": str(folder / "data"),
        "DARKROOM_CARD_SECONDS": "0.05",
    }
    with (folder / "log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.faults.till_process", till.url, str(patience)),
            env=dict(os.environ) | settings,
            cwd=ROOT,
            stdout=log,
            stderr=log,
        )
    try:
        await discord.bot_connected(timeout=20)
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def told_to_stop(process):
    """Send SIGTERM and return the exit code."""
    process.terminate()
    async with asyncio.timeout(SECONDS):
        return await process.wait()


def log_of(folder):
    return (folder / "log").read_text()


async def test_sigterm_during_a_training_loses_nothing(tmp_path):
    async with running_playground() as discord, Till() as till:
        till.script = (QUEUED, RUNNING)
        place = discord.person("alice").in_channel()
        async with bot_process(discord, till, tmp_path) as process:
            await place.press(await quoted(place), "Train it")
            card = await place.wait_for(lambda m: "step 1 of 3" in m.text)
            assert await told_to_stop(process) == 0
        assert "Traceback" not in log_of(tmp_path)
        await discord.bot_gone()
        async with performing(discord, till, tmp_path) as s:
            s.go_on()
            assert (await place.wait_for(lambda m: "**Ready**" in m.text)).id == card.id
            await s.assert_sound()


async def test_sigterm_during_a_paid_call_that_ends_in_time_keeps_its_answer(tmp_path):
    async with running_playground() as discord, Till() as till:
        till.script = (QUEUED, RUNNING)
        place = discord.person("alice").in_channel()
        async with bot_process(discord, till, tmp_path) as process:
            call = till.plan("submit", hang=True)
            await place.press(await quoted(place), "Train it")
            await met(call.met)
            asyncio.get_running_loop().call_later(0.1, till.release)
            assert await told_to_stop(process) == 0
        assert "Traceback" not in log_of(tmp_path)
        await discord.bot_gone()
        async with performing(discord, till, tmp_path) as s:
            await place.wait_for(lambda m: "step 1 of 3" in m.text)
            assert "find" not in till.asked  # nothing was in doubt
            s.go_on()
            await s.assert_sound()


@pytest.mark.parametrize("accepted", [True, False], ids=["accepted", "not accepted"])
async def test_sigterm_during_a_paid_call_that_does_not_end_parks_it(tmp_path, accepted):
    async with running_playground() as discord, Till() as till:
        till.script = (QUEUED, RUNNING)
        place = discord.person("alice").in_channel()
        async with bot_process(discord, till, tmp_path, patience=0.1) as process:
            call = till.plan("submit", hang=True, after=accepted)
            await place.press(await quoted(place), "Train it")
            await met(call.met)
            assert await told_to_stop(process) == 0
        assert "Traceback" not in log_of(tmp_path)
        await discord.bot_gone()
        async with performing(discord, till, tmp_path) as s:
            await place.wait_for(lambda m: "step 1 of 3" in m.text)
            assert till.asked["find"] >= 1
            s.go_on()
            await s.assert_sound()


async def test_sigterm_while_discord_keeps_silent_ends_in_time(tmp_path):
    async with running_playground() as discord, Till() as till:
        till.script = (QUEUED, RUNNING)
        place = discord.person("alice").in_channel()
        async with bot_process(discord, till, tmp_path, patience=0.1) as process:
            quote = await quoted(place)
            silent = discord.faults.hold(method=POST[0], path=POST[1])
            await place.press(quote, "Train it")
            await met(silent.arrived)
            assert await told_to_stop(process) == 0
        silent.release()
        await discord.bot_gone()
        async with performing(discord, till, tmp_path) as s:
            await place.wait_for(lambda m: "step 1 of 3" in m.text)
            s.go_on()
            await s.assert_sound()
