"""`python -m bot run` with Sketch is killed as soon as its training is seen in a state, and goes on after a restart."""

import asyncio

import pytest

from bot.app import opened_services
from bot.training.job import JobState
from playground.server import Playground
from providers.recipe import BaseModelName
from tests.crash.scenarios import Scenario, Story
from tests.crash.snapshots import PERSON, fill_draft
from tests.fakes.till import Till
from tests.house import make_settings
from tests.test_cli import darkroom, pointed_at

pytestmark = pytest.mark.xdist_group("processes")

#: A state may be over before another process sees it; then the next one is where it is killed.
ORDER = list(JobState)


@pytest.mark.parametrize("state", [JobState.QUEUED, JobState.RUNNING, JobState.COLLECTING, JobState.SUCCEEDED])
async def test_sketch_training_goes_on_after_a_kill(tmp_path, state):
    folder = tmp_path / "data"
    async with Playground() as discord:
        async with opened_services(make_settings(discord, folder)) as services:
            await fill_draft(services, discord, BaseModelName.SKETCH)
        ada, settings = discord.person(PERSON).in_channel(), pointed_at(discord) | {"DARKROOM_CARD_SECONDS": "0.05"}
        story = Story(scenario=Scenario.TRAINING, discord=discord, till=Till(), folder=folder, person=ada)
        async with darkroom(tmp_path, **settings) as bot:
            await discord.bot_connected(timeout=30)
            await ada.press(await ada.slash("train", steps=12), "Train it")
            async with asyncio.timeout(30):
                while ORDER.index(JobState(story.jobs()[0]["state"])) < ORDER.index(state):  # noqa: ASYNC110 - another process's row
                    await asyncio.sleep(0.002)
            bot.kill()
        await discord.bot_gone()
        async with darkroom(tmp_path, **settings):
            await discord.bot_connected(timeout=30)
            async with asyncio.timeout(60):
                await story.until_over()
            seen = [message for message in ada.sees() if not message.ephemeral]

    assert [row["state"] for row in story.jobs()] == ["succeeded", "succeeded"]
    assert sum("is ready" in message.text for message in seen) == 1
    assert len(seen) == 2
