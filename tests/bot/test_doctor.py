"""`darkroom doctor`: what works, and what to set where something does not; against a playground on loopback."""

import asyncio
import os
import sys

import pytest
from pydantic import SecretStr

from bot.cli import main
from bot.doctor import examine
from bot.settings import Settings
from playground.server import Playground
from providers.table import PROVIDERS
from tests.house import make_settings

pytestmark = pytest.mark.xdist_group("processes")

#: A port of loopback where nobody listens: the playground's, after it is gone.
GONE = "http://127.0.0.1:9/api/v10"


def make_offline(folder, **changes):
    return Settings(_env_file=None, **{"darkroom_data_dir": folder, "discord_api_base": GONE} | changes)


async def finding(settings, part):
    [found] = [found for found in await examine(settings) if found.part == part]
    return found


async def test_doctor_names_the_bot_of_the_token(tmp_path):
    async with Playground() as discord:
        found = await finding(make_settings(discord, tmp_path / "data"), "Discord")
        name = discord.world.bot.name
    assert found.ok
    assert found.vital
    assert found.detail == f"the bot is {name}"


async def test_doctor_tells_a_token_that_discord_refuses(tmp_path):
    async with Playground() as discord:
        settings = make_settings(discord, tmp_path / "data", discord_token=SecretStr("hush"))
        found = await finding(settings, "Discord")
    assert not found.ok
    assert found.vital
    assert "refuses DISCORD_TOKEN" in found.detail
    assert "hush" not in found.detail


async def test_doctor_tells_a_token_that_is_missing_and_where_to_get_one(tmp_path):
    found = await finding(make_offline(tmp_path / "data"), "Discord")
    assert not found.ok
    assert found.vital
    assert "set DISCORD_TOKEN" in found.detail
    assert "developer portal" in found.detail


async def test_doctor_tells_of_the_engine_on_this_machine(tmp_path):
    found = await finding(
        make_offline(
            tmp_path / "data",
            darkroom_local_engine="ai-toolkit",
            darkroom_local_engine_dir=tmp_path,
            darkroom_local_sdxl="stabilityai/stable-diffusion-xl-base-1.0",
        ),
        "Own GPU",
    )
    assert not found.ok
    assert "no run.py" in found.detail
    assert "DARKROOM_LOCAL_ENGINE_DIR" in found.detail


async def test_doctor_tells_that_discord_cannot_be_reached(tmp_path):
    found = await finding(make_offline(tmp_path / "data", discord_token=SecretStr("hush")), "Discord")
    assert not found.ok
    assert "cannot be reached" in found.detail


@pytest.mark.parametrize("status", [404, 500, 503])
async def test_doctor_tells_that_discord_is_in_trouble(tmp_path, status):
    async with Playground() as discord:
        discord.faults.answer(status, path="/users/@me", times=5)
        found = await finding(make_settings(discord, tmp_path / "data"), "Discord")
    assert not found.ok
    assert "cannot be reached" in found.detail


async def test_doctor_tells_an_answer_that_is_not_discords(tmp_path):
    async with Playground() as discord:
        discord.faults.answer(200, path="/users/@me", body=["hello"])
        found = await finding(make_settings(discord, tmp_path / "data"), "Discord")
    assert not found.ok


async def test_doctor_finds_a_fresh_folder_and_database_well(tmp_path):
    settings = make_offline(tmp_path / "new" / "data")
    assert (await finding(settings, "Folder")).ok
    assert (await finding(settings, "Database")).ok


async def test_doctor_tells_a_folder_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("in the way")
    settings = make_offline(tmp_path / "file" / "data")
    folder, database = await finding(settings, "Folder"), await finding(settings, "Database")
    assert not folder.ok
    assert folder.vital
    assert f"{tmp_path / 'file' / 'data'} cannot be written: Not a directory" in folder.detail
    assert not database.ok


async def test_doctor_tells_a_database_that_cannot_be_opened(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "darkroom.db").write_bytes(b"this is no database, and longer than a page's header" * 90)
    found = await finding(make_offline(tmp_path / "data"), "Database")
    assert not found.ok
    assert found.vital
    assert "cannot be opened" in found.detail


@pytest.mark.parametrize(
    "url",
    [
        "nonsense",
        "sqlite+aiosqlite:////tmp",
        "mysql://somewhere/else",
    ],
)
async def test_doctor_tells_a_database_url_that_cannot_be_used(tmp_path, url):
    found = await finding(make_offline(tmp_path / "data", darkroom_database_url=url), "Database")
    assert not found.ok


async def test_doctor_finds_sketch_well(tmp_path):
    found = await finding(make_offline(tmp_path / "data"), "Sketch (this machine)")
    assert found.ok
    assert not found.vital
    assert "trains" in found.detail
    assert "makes pictures" in found.detail


@pytest.mark.parametrize("entry", [e for e in PROVIDERS if e.name != "sketch"], ids=lambda entry: entry.name)
async def test_doctor_says_what_to_set_for_an_absent_provider(tmp_path, entry):
    found = await finding(make_offline(tmp_path / "data"), entry.title)
    assert not found.ok
    assert not found.vital
    assert f"not set up. {entry.switch.upper()}: " in found.detail
    assert Settings.model_fields[entry.switch].description in found.detail


async def test_doctor_does_not_nag_about_sketch_where_it_is_switched_off(tmp_path):
    findings = await examine(make_offline(tmp_path / "data", darkroom_sketch=False))
    assert not [found for found in findings if "Sketch" in found.part]


@pytest.mark.parametrize(
    ("changes", "ok", "told"),
    [
        ({}, False, "set PUBLIC_URL"),
        ({"public_url": "https://bot.example.org"}, False, "set DARKROOM_WEB_PORT too"),
        ({"public_url": "https://bot.example.org", "darkroom_web_port": 8080}, True, "https://bot.example.org"),
    ],
)
async def test_doctor_says_what_a_public_url_needs(tmp_path, changes, ok, told):
    found = await finding(make_offline(tmp_path / "data", **changes), "Public URL")
    assert found.ok is ok
    assert not found.vital
    assert told in found.detail


async def consult(folder, **settings):
    """Run `python -m bot doctor` in a folder without a .env file."""
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(sys.path), "PYTHONWARNINGS": "ignore"}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot", "doctor"),
        cwd=folder,
        env=environment | settings,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    printed, complaints = await process.communicate()
    return process.returncode, printed.decode().splitlines(), complaints.decode()


async def test_doctor_ends_with_zero_when_nothing_vital_is_missing(tmp_path):
    async with Playground() as discord:
        code, printed, complaints = await consult(
            tmp_path, DISCORD_TOKEN=discord.token, DISCORD_API_BASE=discord.api_base
        )
    assert (code, complaints) == (0, "")
    assert printed[0].startswith("ok    Discord: the bot is ")
    assert [line for line in printed if line.startswith("TODO  fal: not set up.")]
    assert [line for line in printed if line.startswith("ok    Sketch (this machine): ")]


async def test_doctor_ends_with_one_when_something_vital_is_missing(tmp_path):
    code, printed, complaints = await consult(tmp_path)
    assert (code, complaints) == (1, "")
    assert printed[0].startswith("TODO  Discord: set DISCORD_TOKEN.")


def test_doctor_with_a_setting_that_cannot_be_used_names_it(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DARKROOM_MAX_PHOTO_MB", "many")
    assert main(["doctor"]) == 78
    assert "DARKROOM_MAX_PHOTO_MB cannot be used" in capsys.readouterr().err
