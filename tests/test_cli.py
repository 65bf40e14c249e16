"""The command line as an operator meets it: another process, its exit code, its one line."""

import asyncio
import os
import signal
import sys
from contextlib import asynccontextmanager

import pytest

from tests.playing import running_playground

pytestmark = pytest.mark.xdist_group("processes")


@asynccontextmanager
async def darkroom(folder, **settings):
    """Run `python -m bot run` in a folder without a .env file."""
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(sys.path), "PYTHONWARNINGS": "ignore"}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot", "run"),
        cwd=folder,
        env=environment | settings,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


def pointed_at(discord):
    return {
        "DISCORD_TOKEN": discord.token,
        "DISCORD_API_BASE": discord.api_base,
        "DISCORD_GATEWAY_URL": discord.gateway_url,
        "DARKROOM_DATA_DIR": "data",
    }


async def test_run_without_a_token_says_where_to_get_one(tmp_path):
    async with darkroom(tmp_path) as process:
        _, told = await process.communicate()

    [line] = told.decode().splitlines()
    assert "DISCORD_TOKEN" in line
    assert "discord.com/developers/applications" in line
    assert process.returncode == 78


async def test_run_with_a_setting_that_cannot_be_used_names_it(tmp_path):
    async with darkroom(tmp_path, DISCORD_TOKEN="x", DARKROOM_MAX_PHOTO_MB="many") as process:
        _, told = await process.communicate()

    [line] = told.decode().splitlines()
    assert "DARKROOM_MAX_PHOTO_MB" in line
    assert process.returncode == 78


async def test_second_process_on_a_folder_is_refused(tmp_path):
    async with running_playground() as discord, darkroom(tmp_path, **pointed_at(discord)):
        await discord.bot_connected(timeout=30)
        async with darkroom(tmp_path, **pointed_at(discord)) as second:
            _, told = await second.communicate()

    [line] = told.decode().splitlines()
    assert "Another Darkroom runs on the folder" in line
    assert second.returncode == 78


async def test_run_ends_in_good_order_when_told_to(tmp_path):
    async with running_playground() as discord, darkroom(tmp_path, **pointed_at(discord)) as process:
        await discord.bot_connected(timeout=30)
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(10):
            _, told = await process.communicate()

    assert process.returncode == 0
    assert "Traceback" not in told.decode()
