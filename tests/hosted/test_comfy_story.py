"""A model that was trained elsewhere makes pictures on a ComfyUI of one's own, for nothing."""

import io

from PIL import Image

from tests.hosted.town import resident
from tests.providers.contract import until

HERE = ["fal", "comfy"]


async def test_model_trained_at_fal_makes_pictures_on_comfyui(tmp_path):
    async with resident(tmp_path, configured=HERE) as alice:
        last_word = await alice.train("flux.1-dev")
        assert len(last_word.images) == 4
        gallery = await alice.generate(prompt="rustyfox at night", count=2)
        assert len(gallery.images) == 2
        assert "Made with ComfyUI" in gallery.text
        nodes = [node["inputs"] for one in alice.town.comfy.asked("order") for node in one.request["prompt"].values()]
        assert "rustyfox at night" in [inputs.get("text") for inputs in nodes]


async def test_comfyui_comes_before_a_paid_provider_and_leaves_no_lora_behind(tmp_path):
    async with resident(tmp_path, configured=HERE) as alice:
        await alice.train("flux.1-dev")
        await alice.generate(prompt="rustyfox")
        assert alice.town.fal.bill == ["fal-ai/flux-lora-fast-training"]
        await until(lambda: not alice.town.comfy.history and not list(alice.town.comfy.loras.iterdir()))
        assert len(alice.town.comfy.bill) == 2


async def test_picture_of_comfyui_carries_no_prompt_into_discord(tmp_path):
    async with resident(tmp_path, configured=HERE) as alice:
        await alice.train("flux.1-dev")
        gallery = await alice.generate(prompt="rustyfox in the harbour")
        with Image.open(io.BytesIO(gallery.images[0])) as image:
            assert image.info == {}
