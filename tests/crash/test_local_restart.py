"""`python -m bot run` is killed while a GPU of this machine trains: the training goes on, and the next bot finds it."""

import asyncio
import json
import os
import sys

import pytest

from bot.app import opened_services
from playground.engine_script import Mood
from playground.engines import lay_out_sd_scripts, lay_out_weights
from playground.server import Playground
from providers.disk import try_lock
from providers.gpu.local_folder import BoxFolder
from tests.crash.scenarios import Scenario, Story
from tests.crash.snapshots import PERSON, fill_draft
from tests.fakes.till import Till
from tests.fakes.till_adapter import till_registry
from tests.house import make_settings
from tests.providers.contract import until
from tests.test_cli import darkroom, pointed_at

pytestmark = pytest.mark.xdist_group("processes")

STEPS = 100


def local_settings(folder):
    """Return the environment of a bot that trains with a stand-in for sd-scripts."""
    weights = lay_out_weights(folder / "weights")
    engine = lay_out_sd_scripts(folder / "sd-scripts", Mood(seconds_a_step=0.04))
    return {
        "DARKROOM_LOCAL_ENGINE": "sd-scripts",
        "DARKROOM_LOCAL_ENGINE_DIR": str(engine),
        "DARKROOM_LOCAL_PYTHON": sys.executable,
        "DARKROOM_LOCAL_FLUX": weights["model"],
        "DARKROOM_LOCAL_FLUX_CLIP_L": weights["clip_l"],
        "DARKROOM_LOCAL_FLUX_T5XXL": weights["t5xxl"],
        "DARKROOM_LOCAL_FLUX_AE": weights["ae"],
        "DARKROOM_CARD_SECONDS": "0.05",
    }


def the_box(folder):
    [path] = (folder / "local" / "boxes").iterdir()
    return BoxFolder(path)


def step_of(folder):
    """Return how far the agent said that it is, by its own word; past the end once it has delivered."""
    jobs = folder / "local" / "jobs"
    if list(jobs.glob("*/outcome.json")):
        return STEPS + 1
    reports = [json.loads(report.read_text()) for report in jobs.glob("*/report.json")]
    return max((report["progress"].get("step") or 0 for report in reports), default=0)


async def test_local_training_that_waits_for_the_gpu_goes_on_after_a_kill(tmp_path):
    folder = tmp_path / "data"
    (folder / "gpus").mkdir(parents=True)
    busy = try_lock(folder / "gpus" / "0.lock")
    async with Playground() as discord:
        registry = till_registry("http://127.0.0.1:9")
        async with opened_services(make_settings(discord, folder), registry=registry) as services:
            await fill_draft(services, discord)
        ada, settings = discord.person(PERSON).in_channel(), pointed_at(discord) | local_settings(tmp_path)
        story = Story(scenario=Scenario.TRAINING, discord=discord, till=Till(), folder=folder, person=ada)
        async with darkroom(tmp_path, **settings) as bot:
            await discord.bot_connected(timeout=30)
            await ada.press(await ada.slash("train", steps=10), "Train it")
            await until(lambda: bool(story.jobs()) and story.jobs()[0]["state"] == "queued")
            bot.kill()
        await discord.bot_gone()
        process = the_box(folder).process()
        async with darkroom(tmp_path, **settings):
            await discord.bot_connected(timeout=30)
            assert the_box(folder).process() == process
            os.close(busy)
            async with asyncio.timeout(60):
                await story.until_over()

    [job] = story.jobs()
    assert job["state"] == "succeeded"


async def test_local_training_outlives_a_killed_bot_and_is_adopted_by_the_next(tmp_path):
    folder = tmp_path / "data"
    async with Playground() as discord:
        # The draft is for FLUX.1, which somebody has to train for already.
        registry = till_registry("http://127.0.0.1:9")
        async with opened_services(make_settings(discord, folder), registry=registry) as services:
            await fill_draft(services, discord)
        ada, settings = discord.person(PERSON).in_channel(), pointed_at(discord) | local_settings(tmp_path)
        story = Story(scenario=Scenario.TRAINING, discord=discord, till=Till(), folder=folder, person=ada)
        async with darkroom(tmp_path, **settings) as bot:
            await discord.bot_connected(timeout=30)
            await ada.press(await ada.slash("train", steps=STEPS), "Train it")
            await until(lambda: step_of(folder) > 0)
            bot.kill()
        await discord.bot_gone()
        box = the_box(folder)
        process = box.process()
        assert process.lives
        before = step_of(folder)
        await until(lambda: step_of(folder) > before)
        async with darkroom(tmp_path, **settings):
            await discord.bot_connected(timeout=30)
            async with asyncio.timeout(60):
                await story.until_over()
            seen = [message for message in ada.sees() if not message.ephemeral]

    [job] = story.jobs()
    assert (job["state"], job["provider"], job["cost_usd"]) == ("succeeded", "local", 0)
    assert sum("is ready" in message.text for message in seen) == 1
    assert not process.lives
    assert list((folder / "local" / "boxes").iterdir()) == []
    assert list((folder / "local" / "jobs").iterdir()) == []
