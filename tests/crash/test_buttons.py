"""Every older message still works when the bot was killed and started again."""

from contextlib import asynccontextmanager

import pytest

from playground.server import Playground
from tests.crash.harness import Point, run_of
from tests.crash.lives import Launcher
from tests.crash.scenarios import Beginning, Scenario, Story
from tests.crash.snapshots import make_snapshot, move_in
from tests.fakes.till import QUEUED, RUNNING, USUAL, Till

pytestmark = pytest.mark.xdist_group("processes")


@asynccontextmanager
async def story_of(tmp_path):
    """Give a person with a draft, and a function that gives the bot one more life, which ends with a SIGKILL."""
    snapshot = await make_snapshot(tmp_path / "snapshot", Beginning.DRAFT)
    async with Playground() as discord, Till() as till, Launcher.started() as launcher:
        owner, folder = move_in(snapshot, tmp_path / "data", discord), tmp_path / "data"
        place = owner.in_channel()
        story = Story(scenario=Scenario.TRAINING, discord=discord, till=till, folder=folder, person=place)

        @asynccontextmanager
        async def life():
            run = run_of(story, tmp_path, trail=tmp_path / "trail", point=Point(number=0))
            bot = await launcher.start(run)
            await discord.bot_connected()
            try:
                yield
            finally:
                await bot.kill()
                await discord.bot_gone()

        yield story, life


async def test_buttons_of_older_messages_outlive_a_kill(tmp_path):
    async with story_of(tmp_path) as (story, life):
        ada, till = story.person, story.till
        async with life():
            panel, quote = await ada.slash("draft show"), await ada.slash("train")
        till.script = (QUEUED, RUNNING)
        async with life():
            from_panel = await ada.press(panel, "Train")
            begun = await ada.press(quote, "Train it")
            card = await ada.wait_for(lambda m: "step 1 of 3" in m.text)
        async with life():
            stopping = await ada.press(card, "Cancel")
            await ada.wait_for(lambda m: "Stopped" in m.text)
            till.script = USUAL
            await ada.press(await ada.slash("train"), "Train it")
            last_word = await ada.wait_for(lambda m: "is ready" in m.text)
            await ada.slash("generate", model="Rusty")
            gallery = await ada.wait_for(lambda m: m.has_button("Vary"))
        async with life():
            shared = await ada.press(last_word, "Share")
            form = await ada.press(last_word, "Generate")
            details = await ada.press(gallery, "Details")
            await ada.press(gallery, "Again")
            newer = await ada.wait_for(lambda m: m.id > gallery.id and m.has_button("Vary"))

    assert from_panel.find_button("Train it")
    assert "is being trained" in begun.text
    assert stopping.text == "Stopping **Rusty**."
    assert "is shared with this server now" in shared.text
    assert form.modal is not None
    assert "Details" in details.text
    assert len(newer.images) == 1
