"""Pictures with several models and with a negative prompt, at a maker that takes them, by people in the playground."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

from bot.lora import Lora
from bot.place import Place as BotPlace
from bot.store import loras as rows
from playground.person import Person
from providers.base import Aspect, LoraFormat
from providers.recipe import BaseModelName
from providers.registry import Registry
from tests.factories import NOWHERE, ended, make_lora
from tests.fakes.till import QUEUED, SUCCEEDED, Till
from tests.fakes.till_adapter import TillImageMaker
from tests.house import House, running_bot
from tests.playing import running_playground

FLUX = BaseModelName.FLUX_1_DEV


@dataclass(frozen=True, kw_only=True)
class Studio:
    house: House
    till: Till
    ada: Person
    #: Rusty, Foxy and Neon are hers; Alien is hers and for another base model.
    loras: dict[str, Lora]

    async def made(self) -> Any:
        """Return what the till was asked for by the newest job, when it is done."""
        [job, *_] = await self.house.services.training.jobs(self.ada.id)
        await ended(self.house, job.id)
        return next(one.order for one in self.till.jobs.values() if one.marker == job.marker)


@asynccontextmanager
async def studio(folder, **changes: Any) -> AsyncIterator[Studio]:
    changes = {"max_loras": 3, "negative_prompts": frozenset({FLUX})} | changes
    async with running_playground() as discord, Till() as till:
        till.script = (SUCCEEDED,)
        registry = Registry(trainers={}, image_makers={"till": TillImageMaker(till.url, **changes)})
        ada = discord.person("ada")
        async with running_bot(discord, folder, registry=registry) as house:
            yield Studio(house=house, till=till, ada=ada, loras=await hung_up(house, folder, ada))


async def hung_up(house: House, folder, ada: Person) -> dict[str, Lora]:
    """Put some models into the library."""
    loras = {}
    for number, name in enumerate(("Rusty", "Foxy", "Neon", "Alien")):
        lora = make_lora(
            id=f"lora{number}",
            owner_id=ada.id,
            name=name,
            trigger_word=f"{name.lower()}word",
            base_model=FLUX if name != "Alien" else BaseModelName.FLUX_2_DEV,
            format=LoraFormat.DIFFUSERS,
            job_id=f"job{number}",
            blob_key=f"loras/job{number}.safetensors",
        )
        path = folder / "blobs" / lora.blob_key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"weights")
        async with house.services.database.begin() as connection:
            await rows.insert(connection, lora)
        loras[name] = lora
    return loras


async def test_generate_mixes_three_models_with_their_strengths(tmp_path):
    async with studio(tmp_path / "data") as s:
        await s.ada.in_channel().slash(
            "generate", model="Rusty", model2="Foxy", strength2=0.5, model3="Neon", strength=0.8, prompt="both"
        )
        order = await s.made()
        gallery = await s.ada.in_channel().wait_for(lambda m: m.has_button("Vary"))
        details = await s.ada.in_channel().press(gallery, "Details")

    assert order["loras"] == [["rustyword", 0.8], ["foxyword", 0.5], ["neonword", 1.0]]
    assert "strength 0.8 · 2 more models" in gallery.text
    assert "**Also** Foxy, strength 0.5\n**Also** Neon, strength 1" in details.text


async def test_generate_offers_only_what_can_be_mixed(tmp_path):
    async with studio(tmp_path / "data") as s:
        offered = await s.ada.in_channel().autocomplete("generate", "model2", "", model="Rusty")

    assert sorted(choice.value for choice in offered) == ["lora1", "lora2"]


async def test_generate_refuses_to_mix_what_does_not_fit(tmp_path):
    async with studio(tmp_path / "data") as s:
        ada = s.ada.in_channel()
        other_base = await ada.slash("generate", model="Rusty", model2="Alien")
        twice = await ada.slash("generate", model="Rusty", model2="Rusty")
        unknown = await ada.slash("generate", model="Rusty", model2="Lassie")

    assert other_base.text == "Models of different kinds don't mix. Add FLUX.1 [dev] models only."
    assert twice.text == "**Rusty** is named twice. Give it more strength instead."
    assert unknown.text.startswith("You have no model of that name.")


async def test_generate_mixes_only_models_that_the_person_may_use(tmp_path):
    async with studio(tmp_path / "data") as s:
        await s.ada.in_channel().slash("models share", model="Rusty")
        bob = s.house.discord.person("bob").in_channel()
        refused = await bob.slash("generate", model="Rusty", model2="lora1")

    assert refused.text.startswith("You have no model of that name.")


async def test_generate_says_how_many_models_a_maker_mixes(tmp_path):
    async with studio(tmp_path / "data", max_loras=1) as s:
        refused = await s.ada.in_channel().slash("generate", model="Rusty", model2="Foxy")

    assert refused.text == "No provider here mixes 2 such models. Use at most 1 at once."


async def test_vary_keeps_what_was_mixed_in_and_the_seed(tmp_path):
    async with studio(tmp_path / "data") as s:
        ada = s.ada.in_channel()
        await ada.slash("generate", model="Rusty", model2="Foxy", seed=7, negative_prompt="hats", prompt="a fox")
        await s.made()
        gallery = await ada.wait_for(lambda m: m.has_button("Vary"))
        form = await ada.press(gallery, "Vary")
        await ada.submit(form, prompt="a wolf")
        order = await s.made()
        [job, *_] = await s.house.services.training.jobs(s.ada.id)

    assert [field.custom_id for field in form.modal.fields] == [
        "prompt",
        "negative_prompt",
        "count",
        "aspect",
        "strength",
    ]
    assert (order["prompt"], order["negative_prompt"]) == ("a wolf", "hats")
    assert [word for word, _ in order["loras"]] == ["rustyword", "foxyword"]
    assert job.pictures.seed == 7


async def test_again_keeps_what_was_mixed_in(tmp_path):
    async with studio(tmp_path / "data") as s:
        ada = s.ada.in_channel()
        await ada.slash("generate", model="Rusty", model2="Foxy", negative_prompt="hats")
        await s.made()
        await ada.press(await ada.wait_for(lambda m: m.has_button("Again")), "Again")
        order = await s.made()

    assert order["negative_prompt"] == "hats"
    assert [word for word, _ in order["loras"]] == ["rustyword", "foxyword"]


async def test_negative_prompt_is_refused_and_not_offered_where_nobody_heeds_it(tmp_path):
    async with studio(tmp_path / "data", negative_prompts=frozenset()) as s:
        ada = s.ada.in_channel()
        refused = await ada.slash("generate", model="Rusty", negative_prompt="hats")
        offered = await ada.autocomplete("generate", "negative_prompt", "", model="Rusty")
        form = await ada.press(await ada.slash("models show", model="Rusty"), "Generate")

    assert refused.text.startswith("No provider here heeds a negative prompt with FLUX.1 [dev] models.")
    assert offered == []
    assert "negative_prompt" not in [field.custom_id for field in form.modal.fields]


async def test_negative_prompt_is_suggested_where_it_is_heeded(tmp_path):
    async with studio(tmp_path / "data") as s:
        offered = await s.ada.in_channel().autocomplete("generate", "negative_prompt", "text", model="Rusty")

    assert [choice.value for choice in offered] == ["text, watermark, signature"]


async def test_shapes_are_offered_as_the_maker_can_make_them(tmp_path):
    async with studio(tmp_path / "data", aspects=frozenset({Aspect.SQUARE, Aspect.WIDE})) as s:
        ada = s.ada.in_channel()
        offered = await ada.autocomplete("generate", "aspect", "", model="Rusty")
        form = await ada.press(await ada.slash("models show", model="Rusty"), "Generate")
        refused = await ada.slash("generate", model="Rusty", aspect="3:4")
        unknown = await ada.slash("generate", model="Rusty", aspect="round")
        await ada.slash("generate", model="Rusty", aspect="wide")
        await s.made()
        [job, *_] = await s.house.services.training.jobs(s.ada.id)

    assert [choice.name for choice in offered] == ["Square (1:1)", "Wide (16:9)"]
    assert [choice.value for choice in form.modal.find("aspect").options] == ["1:1", "16:9"]
    assert refused.text.startswith("Till cannot make 3:4 pictures.")
    assert job.pictures.aspect is Aspect.WIDE
    assert unknown.text == "There is no such shape. Choose 1:1, 3:4, 4:3, 9:16, and 16:9."


async def test_defaults_of_a_model_count_where_they_are_left_open(tmp_path):
    async with studio(tmp_path / "data") as s:
        ada = s.ada.in_channel()
        await ada.slash("models defaults", model="Rusty", strength=0.6, provider="till")
        await ada.slash("generate", model="Rusty")
        by_default = await s.made()
        await ada.slash("generate", model="Rusty", strength=0.9)
        by_choice = await s.made()

    assert by_default["loras"] == [["rustyword", 0.6]]
    assert by_choice["loras"] == [["rustyword", 0.9]]


async def test_default_strength_that_the_maker_does_not_take_is_left_out(tmp_path):
    async with studio(tmp_path / "data") as s:
        ada = s.ada.in_channel()
        await ada.slash("models defaults", model="Rusty", strength=1.9)
        await ada.slash("generate", model="Rusty")
        order = await s.made()

    assert order["loras"] == [["rustyword", 1.0]]


async def test_delete_waits_for_pictures_that_a_model_is_mixed_into(tmp_path):
    async with studio(tmp_path / "data") as s:
        s.till.script = (QUEUED,)
        ada = s.ada.in_channel()
        asked = await ada.slash("models delete", model="Foxy")
        await ada.slash("generate", model="Rusty", model2="Foxy")
        refused = await ada.press(asked, "Delete for ever")
        names = [lora.name for lora in await s.house.services.library.usable(s.ada.id, NOWHERE)]

    assert names.count("Foxy") == 1
    assert refused.text == "Pictures are being made with **Foxy**. Delete it when they are done."


async def test_words_that_a_server_blocks_are_blocked_in_negative_prompts_too(tmp_path):
    async with studio(tmp_path / "data") as s:
        place = BotPlace(channel_id=s.house.discord.channel.id, guild_id=s.house.discord.guild.id)
        await s.house.services.guilds.change(1, replace(place, manages=True), blocked_words=("hats",))
        refused = await s.ada.in_channel().slash("generate", model="Rusty", negative_prompt="hats")

    assert "hats" in refused.text
    assert refused.ephemeral
