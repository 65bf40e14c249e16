"""A bot whose only provider is a GPU that draws when it has trained: what people see of its pictures."""

import io
import sys
from contextlib import asynccontextmanager

import pytest
from PIL import Image

from playground.engine_script import Mood
from playground.engines import lay_out_ai_toolkit, lay_out_sd_scripts, lay_out_weights
from tests.cogs.photos import foxes
from tests.house import open_house

STEPS = 10
LAYERS = {"sd-scripts": lay_out_sd_scripts, "ai-toolkit": lay_out_ai_toolkit}
ALTS = tuple(f"Rusty: a photo of rustyfox (seed {seed})" for seed in (42, 43, 44, 45))


def own_gpu(folder, engine, **changes):
    """Return the settings of a bot that trains with a stand-in for an engine, and has no other provider."""
    weights = lay_out_weights(folder / "weights")
    settings = {
        "darkroom_sketch": False,
        "darkroom_local_engine": engine,
        "darkroom_local_engine_dir": LAYERS[engine](folder / engine, Mood(seconds_a_step=0.002)),
        "darkroom_local_python": sys.executable,
        "darkroom_local_flux": weights["model"],
        "darkroom_local_flux_clip_l": weights["clip_l"],
        "darkroom_local_flux_t5xxl": weights["t5xxl"],
        "darkroom_local_flux_ae": weights["ae"],
    }
    return settings | changes


@asynccontextmanager
async def trained(tmp_path, engine="sd-scripts", **changes):
    """Let a person train there, and yield them in their channel, with the last word."""
    async with open_house(tmp_path / "data", **own_gpu(tmp_path, engine, **changes)) as house:
        place, dm = house.discord.person("alice").in_channel(), house.discord.person("alice").dm()
        new = {"name": "Rusty", "trigger_word": "rustyfox", "kind": "animal", "who": "nobody"}
        await place.slash("draft new", **new, base_model="flux.1-dev")
        await dm.say("", foxes(4))
        await dm.wait_for(lambda m: m.author_is_bot and "Added 4 photo" in m.text)
        await place.press(await place.slash("train", steps=STEPS), "Train it")
        yield place, await place.wait_for(lambda m: "Rusty is ready" in m.text, timeout=40)


@pytest.mark.parametrize("engine", LAYERS)
async def test_training_on_a_gpu_alone_ends_with_the_pictures_that_it_drew(tmp_path, engine):
    async with trained(tmp_path, engine, darkroom_local_samples=True) as (alice, last_word):
        assert last_word.alts == ALTS
        for picture in last_word.images:
            with Image.open(io.BytesIO(picture)) as image:
                assert (image.size, image.info) == ((64, 64), {})
        told = "Drawn by the training itself, with Own GPU, since no image maker here can use the model."
        assert told in last_word.text
        # Nothing that only an image maker could do.
        assert [button.label for button in last_word.buttons] == ["Share", "Train again"]
        details = await alice.context_menu("Picture details", last_word)
        assert "**Drawn by** the training itself, with Own GPU" in details.text
        assert "**Picture 4** seed `45`, 64 × 64 px" in details.text
        card = await alice.wait_for(lambda m: m.has_button("Details"))
        assert "Details of Rusty" in (await alice.press(card, "Details")).text


async def test_training_on_a_gpu_that_was_not_told_to_draw_has_no_pictures(tmp_path):
    async with trained(tmp_path) as (_alice, last_word):
        assert not last_word.images
        assert "There are no first pictures: No provider here makes pictures with it." in last_word.text
