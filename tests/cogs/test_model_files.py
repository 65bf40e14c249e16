"""/models download and import, by people in the playground."""

from pathlib import Path
from typing import Any

import aiohttp
import numpy as np
import pytest
from aiohttp import web
from safetensors.numpy import load, save

from bot.consent import TEXT_VERSION, Depicted
from bot.place import Place as BotPlace
from bot.store import consents
from playground.outcome import Outcome
from playground.person import Place, Upload
from providers.artifacts import YOURS, Artifacts
from providers.base import LoraFormat
from providers.recipe import BaseModelName
from providers.registry import Registry
from tests.cogs.test_generating import the_job
from tests.factories import NOWHERE, house_with_model
from tests.fakes.till import Till
from tests.fakes.till_adapter import TillImageMaker
from tests.house import open_house

FLUX_LAYER = "transformer.transformer_blocks.18.attn.to_q.lora_{}.weight"


def flux_lora(width: int = 3072, **metadata: str) -> bytes:
    """Make the smallest LoRA of FLUX that says what it is."""
    tensors = {
        FLUX_LAYER.format("A"): np.ones((1, width), np.float16),
        FLUX_LAYER.format("B"): np.ones((width, 1), np.float16),
    }
    return save(tensors, metadata=metadata or None)


async def bring(
    place: Place, *, kind: str = "animal", base_model: str | None = None, who: str = "nobody", **fields: Any
) -> Outcome:
    """Fill in the form of /models import."""
    chosen = {} if base_model is None else {"base_model": base_model}
    form = await place.slash("models import", kind=kind, **chosen)
    return await place.submit(form, depicted=[who], **fields)


def flux_house(folder: Path, till: Till, **changes: Any) -> Any:
    registry = Registry(trainers={}, image_makers={"till": TillImageMaker(till.url)})
    return open_house(folder, registry=registry, **changes)


async def test_download_gives_the_owner_the_file(trained_folder, tmp_path):
    async with house_with_model(trained_folder, tmp_path / "data") as scene:
        given = await scene.owner.in_channel().slash("models download", model="Rusty")
        card = await scene.owner.in_channel().slash("models show", model="Rusty")
        from_card = await scene.owner.in_channel().press(card, "Download")

    [(name, data)] = given.message.files.items()
    assert name == "rusty-sketch.safetensors"
    assert data == (tmp_path / "data" / "blobs" / scene.lora.blob_key).read_bytes()
    assert "holds small copies of its photos" in given.text
    assert given.ephemeral
    assert list(from_card.message.files) == [name]
    assert list((tmp_path / "data" / "work").glob("export-*")) == []


@pytest.mark.parametrize("shared", [False, True])
async def test_download_is_the_owners_alone(trained_folder, tmp_path, shared):
    async with house_with_model(trained_folder, tmp_path / "data") as scene:
        if shared:
            await scene.owner.in_channel().slash("models share", model="Rusty")
        manager = scene.house.discord.person("mia", manage_guild=True).in_channel()
        refused = await manager.slash("models download", model="Rusty")

    assert refused.message.files == {}
    assert refused.text == (
        "That model belongs to somebody else, so only they can do that."
        if shared
        else "You have no model yet. Begin with /draft new."
    )


async def test_download_of_a_large_file_is_a_link(trained_folder, tmp_path, monkeypatch):
    monkeypatch.setattr("playground.interactions.MAX_FILE_BYTES", 1000)
    web_ = {"public_url": "https://bot.example.org", "darkroom_web_port": 0}
    async with house_with_model(trained_folder, tmp_path / "data", **web_) as scene:
        given = await scene.owner.in_channel().slash("models download", model="Rusty")
        link = given.find_button("Download").url
        here = link.replace("https://bot.example.org", f"http://127.0.0.1:{scene.house.services.web_port}")
        async with aiohttp.ClientSession() as session, session.get(here) as answer:
            data = await answer.read()

    assert given.message.files == {}
    assert link.endswith("/rusty-sketch.safetensors")
    assert "The link works for a day" in given.text
    assert data == (tmp_path / "data" / "blobs" / scene.lora.blob_key).read_bytes()


async def test_download_of_a_large_file_without_a_public_address_says_so(trained_folder, tmp_path, monkeypatch):
    monkeypatch.setattr("playground.interactions.MAX_FILE_BYTES", 1000)
    async with house_with_model(trained_folder, tmp_path / "data") as scene:
        refused = await scene.owner.in_channel().slash("models download", model="Rusty")

    assert refused.text == (
        "The file of **Rusty** has 1 MiB. Discord takes 0 MiB here, and this bot has no public address to download "
        "from. Ask the operator of this bot to set PUBLIC_URL, or for the file."
    )
    assert list((tmp_path / "data" / "work").glob("export-*")) == []


async def test_download_comes_in_again_and_makes_pictures(trained_folder, tmp_path):
    async with house_with_model(trained_folder, tmp_path / "data") as scene:
        given = await scene.owner.in_channel().slash("models download", model="Rusty")
        [(name, data)] = given.message.files.items()
        bob = scene.house.discord.person("bob").in_channel()
        brought = await bring(bob, file=[Upload(name, data)])
        card = await bob.slash("models show", model="rusty-sketch")
        await bob.slash("generate", model="rusty-sketch")
        job = await the_job(scene, bob.person)

    assert brought.text == (
        "### rusty-sketch is in your library\n"
        "It is for Sketch and yours alone until you share it.\n"
        "Its trigger word is **rustyfox**."
    )
    assert "\nImported <t:" in card.text
    assert job.pictures.prompt == "a photo of rustyfox"


async def test_import_by_file_keeps_what_was_said_and_drops_what_is_private(tmp_path):
    data = flux_lora(ss_tag_frequency="anna in the garden", **{"modelspec.trigger_phrase": "annaword"})
    async with Till() as till, flux_house(tmp_path / "data", till) as house:
        ada = house.discord.person("ada")
        brought = await bring(ada.in_channel(), kind="person", who="adult", file=[Upload("Anna_v2.safetensors", data)])
        [lora] = await house.services.library.usable(ada.id, NOWHERE)
        stored = (tmp_path / "data" / "blobs" / lora.blob_key).read_bytes()
        async with house.services.database.begin() as connection:
            answer = await consents.get(connection, lora.consent_id)

    assert "Its trigger word is **annaword**." in brought.text
    assert (lora.name, lora.trigger_word, lora.base_model) == ("Anna v2", "annaword", BaseModelName.FLUX_1_DEV)
    assert (lora.format, lora.job_id, lora.depicted) == (LoraFormat.DIFFUSERS, None, Depicted.ADULT)
    assert (answer.owner_id, answer.depicted, answer.text_version) == (ada.id, Depicted.ADULT, TEXT_VERSION)
    assert load(stored).keys() == load(data).keys()
    assert b"garden" not in stored


async def test_import_shows_what_is_confirmed_before_anything_is_sent(tmp_path):
    async with open_house(tmp_path / "data") as house:
        form = await house.discord.person("ada").in_channel().slash("models import", kind="person")

    assert form.modal.text.startswith("Your answer is kept with the model. With it you confirm:")
    assert [field.custom_id for field in form.modal.fields] == ["file", "link", "depicted", "trigger_word"]


async def test_import_without_a_trigger_word_can_be_given_one(tmp_path):
    async with Till() as till, flux_house(tmp_path / "data", till) as house:
        ada = house.discord.person("ada").in_channel()
        brought = await bring(ada, file=[Upload("neon.safetensors", flux_lora())])
        card = await ada.slash("models show", model="neon")
        await ada.submit(await ada.press(card, "Edit"), trigger_word="neonword")
        after = ada.look(card.message)

    assert "No trigger word is known. If it needs one, press Edit and type it." in brought.text
    assert "\nFLUX.1 [dev] · animal\n" in card.text
    assert "Trigger word **neonword**" in after.text


@pytest.mark.parametrize(
    ("file", "more", "sentence"),
    [
        (b"this is no LoRA", {}, "That file is no LoRA in the safetensors format, or it is damaged."),
        (flux_lora()[:-1], {}, "That file is no LoRA in the safetensors format, or it is damaged."),
        (save({"model.weight": np.zeros(2)}), {}, "That file is no LoRA in the safetensors format"),
        (save({"a.lokr.lora.x": np.zeros(2)}), {}, "That file's layout is not one that I know."),
        (
            save({"transformer.x.lora_A.weight": np.zeros((1, 1))}),
            {},
            "That file does not say which base model it is for. Use /models import again and choose base_model.",
        ),
        (
            save(
                {"transformer.x.lora_A.weight": np.zeros((1, 1))}, metadata={"ss_base_model_version": "flux2_klein_4b"}
            ),
            {"base_model": "FLUX.1 [dev]"},
            "That file is for “flux2_klein_4b”, which nobody here makes pictures with.",
        ),
        (
            flux_lora(),
            {"base_model": "Stable Diffusion XL"},
            "That file is for FLUX.1 [dev], not for Stable Diffusion XL.",
        ),
        (flux_lora(6144), {}, "No provider here makes pictures with FLUX.2 [dev] models in the layout of diffusers."),
        (flux_lora(), {"trigger_word": "two words"}, "A trigger word is one word, without spaces."),
    ],
    ids=["text", "cut off", "no lora", "layout", "no base model", "unknown base", "other base", "no maker", "word"],
)
async def test_import_refuses_what_cannot_be_used(tmp_path, file, more, sentence):
    async with Till() as till, flux_house(tmp_path / "data", till) as house:
        ada = house.discord.person("ada")
        refused = await bring(ada.in_channel(), file=[Upload("x.safetensors", file)], **more)
        usable = await house.services.library.usable(ada.id, NOWHERE)

    assert refused.text.startswith(sentence)
    assert usable == []
    assert list((tmp_path / "data" / "work").glob("import-*")) == []


async def test_import_of_what_one_has_says_so(tmp_path):
    async with Till() as till, flux_house(tmp_path / "data", till) as house:
        ada = house.discord.person("ada").in_channel()
        await bring(ada, file=[Upload("neon.safetensors", flux_lora())])
        again = await bring(ada, file=[Upload("other.safetensors", flux_lora())])

    assert again.text == "You have that one already: **neon**. /models show opens it."


async def test_import_takes_a_file_or_a_link(tmp_path):
    async with open_house(tmp_path / "data") as house:
        ada = house.discord.person("ada").in_channel()
        neither = await bring(ada)
        both = await bring(ada, file=[Upload("x.safetensors", flux_lora())], link="https://example.org/x.safetensors")

    assert neither.text == both.text == "Attach a file or give a link, one of the two."


@pytest.mark.parametrize(
    ("link", "sentence"),
    [
        ("http://127.0.0.1/x.safetensors", "Your link leads to an address that is not on the open internet."),
        ("https://169.254.169.254/latest", "Your link leads to an address that is not on the open internet."),
        ("https://[::1]/x", "Your link leads to an address that is not on the open internet."),
        ("http://93.184.216.34/x", "Your link is not a plain https link."),
        ("ftp://example.org/x", "Your link is not a plain https link."),
        ("https://me:secret@example.org/x", "Your link is not a plain https link."),
        ("file:///etc/passwd", "Your link is not a plain https link."),
    ],
)
async def test_import_by_link_goes_to_the_open_internet_alone(tmp_path, link, sentence):
    async with open_house(tmp_path / "data") as house:
        refused = await bring(house.discord.person("ada").in_channel(), link=link)

    assert refused.text == f"{sentence} A direct https link to a .safetensors file works."


async def served(data: bytes) -> tuple[web.AppRunner, str]:
    async def give(_request: web.Request) -> web.Response:
        return web.Response(body=data)

    app = web.Application()
    app.router.add_get("/{tail:.*}", give)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    return runner, f"http://127.0.0.1:{runner.addresses[0][1]}"


async def test_import_by_link_names_the_model_after_the_file(tmp_path):
    runner, url = await served(flux_lora())
    links = Artifacts(loopback=True, whose=YOURS)
    async with Till() as till, flux_house(tmp_path / "data", till, artifacts=links) as house:
        ada = house.discord.person("ada")
        brought = await bring(ada.in_channel(), link=f"{url}/models/Neon%20Night.safetensors?token=secret")
        [lora] = await house.services.library.usable(ada.id, NOWHERE)
    await runner.cleanup()

    assert brought.text.startswith("### Neon Night is in your library")
    assert lora.name == "Neon Night"


async def test_import_stops_at_the_operators_limit(tmp_path):
    runner, url = await served(bytes(1024 * 1024 + 1))
    links = Artifacts(loopback=True, whose=YOURS)
    async with open_house(tmp_path / "data", artifacts=links, darkroom_max_lora_mb=1) as house:
        refused = await bring(house.discord.person("ada").in_channel(), link=f"{url}/x.safetensors")
    await runner.cleanup()

    assert refused.text.startswith("Your file is larger than 1 MiB.")


async def test_import_can_be_switched_off(tmp_path):
    async with open_house(tmp_path / "data", darkroom_max_lora_mb=0) as house:
        refused = await house.discord.person("ada").in_channel().slash("models import", kind="animal")

    assert refused.modal is None
    assert refused.text == "Models cannot be imported here. Ask the operator of this bot."


async def test_import_is_for_those_who_may_train(tmp_path):
    async with open_house(tmp_path / "data") as house:
        role = house.discord.add_role("Trainers")
        place = BotPlace(channel_id=house.discord.channel.id, guild_id=house.discord.guild.id, manages=True)
        await house.services.guilds.change(1, place, train_role_ids=(role.id,))
        refused = await house.discord.person("ada").in_channel().slash("models import", kind="animal")

    assert refused.modal is None
    assert refused.text.startswith("Only people with the role")
