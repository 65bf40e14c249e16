"""Ready prompts: those for each kind of model, and what people save."""

import pytest

from bot.prompts import MOST_SAVED, PRESETS, TRIGGER, filled
from bot.words import LONGEST_TRIGGER_WORD
from providers.recipe import SubjectKind
from tests.cogs.test_generating import the_job
from tests.factories import house_with_model, make_lora
from tests.house import open_house


@pytest.mark.parametrize("kind", SubjectKind)
def test_presets_of_every_kind_fit_what_a_suggestion_may_be(kind):
    longest = make_lora(trigger_word="w" * LONGEST_TRIGGER_WORD)
    assert len(PRESETS[kind]) >= 5
    assert all(TRIGGER in text and len(filled(text, longest)) <= 100 for _, text in PRESETS[kind])


def test_preset_of_a_model_without_trigger_word_takes_its_name():
    assert filled("photo of {trigger}", make_lora(trigger_word="", name="Neon")) == "photo of Neon"


async def test_generate_offers_prompts_for_the_kind_of_model(trained_folder, tmp_path):
    async with house_with_model(trained_folder, tmp_path / "data") as scene:
        ada = scene.owner.in_channel()
        ready = await ada.autocomplete("generate", "prompt", "snow", model="Rusty")
        nothing = await ada.autocomplete("generate", "prompt", "", model="Lassie")
        await ada.slash("generate", model="Rusty", prompt=ready[0].value)
        job = await the_job(scene)

    assert [choice.name for choice in ready] == ["In the snow: photo of rustyfox in fresh snow, winter sun"]
    assert nothing == []
    assert job.pictures.prompt == "photo of rustyfox in fresh snow, winter sun"


async def test_generate_offers_saved_prompts_first_however_long(trained_folder, tmp_path):
    long = "photo of {trigger} " + "very " * 100 + "far away"
    async with house_with_model(trained_folder, tmp_path / "data") as scene:
        ada = scene.owner.in_channel()
        told = await ada.slash("prompts save", name="Far", prompt=long)
        ready = await ada.autocomplete("generate", "prompt", "", model="Rusty")
        await ada.slash("generate", model="Rusty", prompt=ready[0].value)
        job = await the_job(scene)

    assert told.text == "Saved as **Far**. It is offered when you type a prompt in /generate."
    assert ready[0].name.startswith("Far: photo of rustyfox very")
    assert job.pictures.prompt == long.replace(TRIGGER, "rustyfox")


async def test_saved_prompt_of_somebody_else_is_no_prompt(trained_folder, tmp_path):
    async with house_with_model(trained_folder, tmp_path / "data") as scene:
        saved = await scene.house.services.prompts.save(4711, "Secret", "my secret")
        refused = await scene.owner.in_channel().slash("generate", model="Rusty", prompt=f"saved:{saved.id}")

    assert refused.text == "That saved prompt is gone. /prompts list shows yours."


async def test_save_replaces_what_has_the_same_name(tmp_path):
    async with open_house(tmp_path / "data") as house:
        bob = house.discord.person("bob").in_channel()
        await bob.slash("prompts save", name="Snow", prompt="{trigger} in the snow")
        told = await bob.slash("prompts save", name=" snow ", prompt="deep snow")
        listed = await bob.slash("prompts list")

    assert told.text.endswith("With {trigger} in it, it would fit every model.")
    assert listed.text == "**snow** deep snow"


async def test_list_without_prompts_says_how_to_save_one(tmp_path):
    async with open_house(tmp_path / "data") as house:
        listed = await house.discord.person("bob").dm().slash("prompts list")

    assert listed.text.startswith("You have saved no prompt yet. /prompts save keeps one")
    assert listed.ephemeral


async def test_delete_forgets_a_prompt(tmp_path):
    async with open_house(tmp_path / "data") as house:
        bob = house.discord.person("bob").in_channel()
        await bob.slash("prompts save", name="Snow", prompt="{trigger} in the snow")
        [choice] = await bob.autocomplete("prompts delete", "name", "sn")
        told = await bob.slash("prompts delete", name=choice.value)
        again = await bob.slash("prompts delete", name="Snow")

    assert told.text == "**Snow** is no longer saved."
    assert again.text == "You have saved no prompt of that name. /prompts list shows yours."


async def test_save_refuses_what_cannot_be_used(tmp_path):
    async with open_house(tmp_path / "data") as house:
        bob = house.discord.person("bob").in_channel()
        empty = await bob.slash("prompts save", name="Snow", prompt="  ")
        for number in range(MOST_SAVED):
            await house.services.prompts.save(bob.person.id, f"Number {number}", "x")
        full = await bob.slash("prompts save", name="One more", prompt="x")
        listed = await bob.slash("prompts list")

    assert empty.text == "There is no prompt to save. Type what the picture shows."
    assert full.text.startswith(f"You have saved {MOST_SAVED} prompts, and no more fit.")
    assert "**Number 7** x" in listed.text
