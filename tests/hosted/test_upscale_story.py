"""*Upscale*: from a finished picture to the same one at twice the size, at fal."""

import io

import pytest
from PIL import Image

from bot.budget import disagreements
from bot.errors import CannotServe
from bot.events import News
from bot.routing import Router
from bot.store import ledger
from bot.training.circuit import Circuits
from tests.hosted.town import open_town, resident

#: What the played fal computes, times its price a second, in millionths of a dollar.
TAKEN = round(12.5 * 0.00111, 4) * 1_000_000
UPSCALER = "fal-ai/esrgan"


async def large_picture(alice):
    return await alice.place.wait_for(lambda m: "Upscaled with fal" in m.text)


async def test_chosen_picture_is_upscaled_once_and_paid_by_the_second(tmp_path):
    async with resident(tmp_path, configured=["fal"]) as alice:
        fal = alice.town.fal
        await alice.train("flux.1-dev")
        gallery = await alice.generate(prompt="rustyfox at night", count=2, seed=7)
        fal.fetched = {}
        begun = await alice.place.select(gallery, "Upscale a picture", "Picture 2")
        assert begun.text == "fal makes picture 2 of **Rusty** larger. A card shows how far it is."
        larger = await large_picture(alice)
        [image] = larger.images
        assert Image.open(io.BytesIO(image)).size == (2048, 2048)
        assert "upscaled 2× to 2048 × 2048 px" in larger.text
        assert not larger.has_button("Again")
        assert fal.bill.count(UPSCALER) == 1
        [(link, sent)] = fal.fetched.items()
        assert link.endswith(".png")
        assert sent == gallery.images[1]
        details = await alice.place.press(larger, "Details")
        assert "**Upscaled** 2× from picture 2 of job" in details.text
        assert "seed `8`" in details.text
        jobs = await alice.house.services.training.jobs(alice.place.person.id)
        job = max(jobs, key=lambda one: one.created_at)
        async with alice.house.services.database.begin() as connection:
            assert not await disagreements(connection)
            assert round(job.cost_usd * 1_000_000) == TAKEN
            assert await ledger.reserved_for(connection, job.id) == round(30 * 0.00111, 4) * 1_000_000


async def test_upscale_that_failed_costs_nothing_and_is_tried_again_as_an_upscale(tmp_path):
    async with resident(tmp_path, configured=["fal"]) as alice:
        await alice.train("flux.1-dev")
        gallery = await alice.generate(prompt="rustyfox at night")
        alice.town.fal.plan("order", status=422)
        await alice.place.press(gallery, "Upscale")
        failed = await alice.place.wait_for(lambda m: "Upscaling a picture of Rusty" in m.text and "Failed" in m.text)
        assert alice.town.fal.bill.count(UPSCALER) == 0
        await alice.place.press(failed, "Try again")
        await large_picture(alice)
        assert alice.town.fal.bill.count(UPSCALER) == 1


async def test_upscale_goes_to_nobody_whom_the_server_does_not_allow(tmp_path):
    async with open_town(configured=["fal"]) as town:
        router = Router(registry=town.registry(tmp_path, None), circuits=Circuits(database=None, news=News()))
        assert router.upscales(allowed=None)
        assert not router.upscales(allowed=["sketch"])
        with pytest.raises(CannotServe, match="not allowed in this server"):
            router.upscaler_for(allowed=["sketch"])


async def test_upscale_is_for_who_may_use_the_model_and_of_pictures_that_are_there(tmp_path):
    async with resident(tmp_path, configured=["fal"]) as alice:
        await alice.train("flux.1-dev")
        gallery = await alice.generate(prompt="rustyfox at night")
        stranger = await alice.house.discord.person("bob").in_channel().press(gallery, "Upscale")
        assert "Upscaled" not in stranger.text
        assert "larger" not in stranger.text
        job_id = next(b.custom_id for b in gallery.buttons if b.label == "Upscale").split(":")[1]
        await alice.house.services.generating.remove(job_id)
        gone = await alice.place.press(gallery, "Upscale")
        assert gone.text == "That picture was deleted. /generate makes new ones."
        assert alice.town.fal.bill.count(UPSCALER) == 0


async def test_upscale_is_not_offered_where_no_provider_does_it(tmp_path):
    async with resident(tmp_path, public=False, configured=["replicate"]) as alice:
        await alice.train("flux.1-dev")
        gallery = await alice.generate(prompt="rustyfox")
        assert not gallery.has_button("Upscale")
