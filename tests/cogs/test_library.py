"""/models and the buttons of model cards, by people in the playground."""

from tests.factories import NOWHERE, Scene, ended, house_with_model
from tests.house import open_house

OWNERS_BUTTONS = (
    *("Generate", "Edit", "Sharing", "Download", "Delete"),
    *("Compare strengths", "Compare checkpoints", "Train again"),
)


async def models_of(scene: Scene) -> list[str]:
    loras = await scene.house.services.library.usable(scene.owner.id, NOWHERE)
    return [lora.name for lora in loras]


async def test_list_names_each_model_with_its_trigger_word(trained_folder, tmp_path):
    async with house_with_model(trained_folder, tmp_path / "data") as scene:
        listed = await scene.owner.in_channel().slash("models list")

    assert "**Rusty** · rustyfox · Sketch" in listed.text
    assert listed.ephemeral


async def test_list_without_models_says_how_to_begin(tmp_path):
    async with open_house(tmp_path / "data") as house:
        listed = await house.discord.person("bob").in_channel().slash("models list")

    assert listed.text == "You have no model yet. Begin with /draft new."
    assert listed.ephemeral


async def test_list_opens_the_card_that_is_chosen(trained_folder, tmp_path):
    async with house_with_model(trained_folder, tmp_path / "data") as scene:
        ada = scene.owner.in_channel()
        card = await ada.select(await ada.slash("models list"), "Open a model", "Rusty")

    assert "### Rusty" in card.text
    assert card.ephemeral


async def test_list_says_whose_a_shared_model_is(trained_folder, tmp_path):
    async with house_with_model(trained_folder, tmp_path / "data") as scene:
        await scene.owner.in_channel().slash("models share", model="Rusty")
        listed = await scene.house.discord.person("bob").in_channel().slash("models list")

    assert f"shared by {scene.owner.mention}" in listed.text


async def test_card_tells_how_the_model_was_trained(trained_folder, tmp_path):
    async with house_with_model(trained_folder, tmp_path / "data") as scene:
        card = await scene.owner.in_channel().slash("models show", model=" rusty ")

    when = int(scene.lora.created_at.timestamp())
    assert "Trigger word **rustyfox** · Sketch · animal" in card.text
    assert f"Trained <t:{when}:D> · 4 photos · 12 steps · loss 0." in card.text
    assert card.text.endswith("KiB\nYours alone.")
    assert [button.label for button in card.buttons] == [*OWNERS_BUTTONS]


async def test_card_in_a_direct_message_has_the_same_buttons(trained_folder, tmp_path):
    async with house_with_model(trained_folder, tmp_path / "data") as scene:
        card = await scene.owner.dm().slash("models show", model=scene.lora.id)

    assert [button.label for button in card.buttons] == [*OWNERS_BUTTONS]


async def test_card_of_a_shared_model_lets_others_only_generate(trained_folder, tmp_path):
    async with house_with_model(trained_folder, tmp_path / "data") as scene:
        await scene.owner.in_channel().slash("models share", model="Rusty")
        card = await scene.house.discord.person("bob").in_channel().slash("models show", model="Rusty")

    assert [button.label for button in card.buttons] == ["Generate", "Compare strengths"]
    assert f"Shared with you by {scene.owner.mention}." in card.text


async def test_card_of_somebody_elses_model_is_refused_even_by_its_id(trained_folder, tmp_path):
    async with house_with_model(trained_folder, tmp_path / "data") as scene:
        bob = scene.house.discord.person("bob").in_channel()
        by_name = await bob.slash("models show", model="Rusty")
        by_id = await bob.slash("models show", model=scene.lora.id)

    assert by_name.text == by_id.text == "You have no model yet. Begin with /draft new."
    assert by_name.ephemeral


async def test_unknown_name_is_told_where_to_choose(trained_folder, tmp_path):
    async with house_with_model(trained_folder, tmp_path / "data") as scene:
        shown = await scene.owner.in_channel().slash("models show", model="Lassie")

    assert shown.text == "You have no model of that name. Choose one from the list that opens while you type."


async def test_suggestions_hold_own_models_by_id(trained_folder, tmp_path):
    async with house_with_model(trained_folder, tmp_path / "data") as scene:
        ada = scene.owner.in_channel()
        fitting = await ada.autocomplete("models show", "model", "ust")
        none = await ada.autocomplete("models show", "model", "100%_")

    assert [(choice.name, choice.value) for choice in fitting] == [("Rusty · rustyfox, Sketch", scene.lora.id)]
    assert none == []


async def test_suggestions_hold_shared_models_only_where_they_can_be_used(trained_folder, tmp_path):
    async with house_with_model(trained_folder, tmp_path / "data") as scene:
        await scene.owner.in_channel().slash("models share", model="Rusty")
        bob = scene.house.discord.person("bob").in_channel()
        to_show = await bob.autocomplete("models show", "model")
        to_rename = await bob.autocomplete("models rename", "model")

    assert [choice.name for choice in to_show] == ["Rusty · rustyfox, Sketch, shared here"]
    assert to_rename == []


async def test_rename_says_both_names(trained_folder, tmp_path):
    async with house_with_model(trained_folder, tmp_path / "data") as scene:
        renamed = await scene.owner.in_channel().slash("models rename", model="Rusty", name="  Sir  Rusty ")
        names = await models_of(scene)

    assert renamed.text == "**Rusty** is called **Sir Rusty** now."
    assert names == ["Sir Rusty"]


async def test_rename_refuses_markup(trained_folder, tmp_path):
    async with house_with_model(trained_folder, tmp_path / "data") as scene:
        refused = await scene.owner.in_channel().slash("models rename", model="Rusty", name="**@everyone**")
        names = await models_of(scene)

    assert refused.text.startswith("A name cannot hold mentions, links or formatting signs")
    assert refused.ephemeral
    assert names == ["Rusty"]


async def test_rename_refuses_a_long_name(trained_folder, tmp_path):
    async with house_with_model(trained_folder, tmp_path / "data") as scene:
        refused = await scene.owner.in_channel().slash("models rename", model="Rusty", name="x" * 200)
        names = await models_of(scene)

    assert refused.text.startswith("That name has 200 characters and at most 60 fit. Choose a shorter one.")
    assert names == ["Rusty"]


async def test_rename_by_the_cards_form_shows_on_the_card(trained_folder, tmp_path):
    async with house_with_model(trained_folder, tmp_path / "data") as scene:
        ada = scene.owner.in_channel()
        card = await ada.slash("models show", model="Rusty")
        form = await ada.press(card, "Edit")
        await ada.submit(form, name="Fuchs")
        after = ada.look(card.message)

    assert form.modal.find("name").value == "Rusty"
    assert "### Fuchs" in after.text


async def test_rename_of_a_shared_model_is_its_owners_alone(trained_folder, tmp_path):
    async with house_with_model(trained_folder, tmp_path / "data") as scene:
        await scene.owner.in_channel().slash("models share", model="Rusty")
        bob = scene.house.discord.person("bob").in_channel()
        refused = await bob.slash("models rename", model="Rusty", name="Mine")
        names = await models_of(scene)

    assert refused.text == "That model belongs to somebody else, so only they can do that."
    assert names == ["Rusty"]


async def test_delete_asks_first(trained_folder, tmp_path):
    async with house_with_model(trained_folder, tmp_path / "data") as scene:
        asked = await scene.owner.in_channel().slash("models delete", model="Rusty")
        names = await models_of(scene)

    assert "Delete Rusty?" in asked.text
    assert [button.label for button in asked.buttons] == ["Delete for ever", "Keep it"]
    assert names == ["Rusty"]


async def test_delete_takes_the_model_and_its_file(trained_folder, tmp_path):
    async with house_with_model(trained_folder, tmp_path / "data") as scene:
        ada = scene.owner.in_channel()
        done = await ada.press(await ada.slash("models delete", model="Rusty"), "Delete for ever")
        names = await models_of(scene)

    assert done.text == "**Rusty** is deleted for ever."
    assert not done.buttons
    assert names == []
    assert not (tmp_path / "data" / "blobs" / scene.lora.blob_key).exists()


async def test_delete_can_be_thought_better_of(trained_folder, tmp_path):
    async with house_with_model(trained_folder, tmp_path / "data") as scene:
        ada = scene.owner.in_channel()
        card = await ada.slash("models show", model="Rusty")
        await ada.press(card, "Delete")
        asked = ada.look(card.message)
        await ada.press(asked, "Keep it")
        after = ada.look(card.message)
        names = await models_of(scene)

    assert asked.has_button("Delete for ever")
    assert after.text == card.text
    assert names == ["Rusty"]


async def test_delete_waits_for_pictures_under_way(trained_folder, tmp_path):
    async with house_with_model(trained_folder, tmp_path / "data") as scene:
        ada = scene.owner.in_channel()
        asked = await ada.slash("models delete", model="Rusty")
        await ada.slash("generate", model="Rusty")
        refused = await ada.press(asked, "Delete for ever")
        names = await models_of(scene)
        [job, *_] = await scene.house.services.training.jobs(scene.owner.id)
        await scene.house.services.training.cancel(scene.owner.id, job.id)
        await ended(scene.house, job.id)

    assert refused.text == "Pictures are being made with **Rusty**. Delete it when they are done."
    assert names == ["Rusty"]


async def test_delete_leaves_old_buttons_that_say_so(trained_folder, tmp_path):
    async with house_with_model(trained_folder, tmp_path / "data") as scene:
        ada = scene.owner.in_channel()
        card = await ada.slash("models show", model="Rusty")
        await ada.press(await ada.slash("models delete", model="Rusty"), "Delete for ever")
        refused = await ada.press(card, "Generate")

    assert refused.text == "That model was deleted. /models list shows those you can use."
    assert refused.ephemeral


async def test_edit_changes_what_the_card_says_and_what_is_taken_by_default(trained_folder, tmp_path):
    async with house_with_model(trained_folder, tmp_path / "data") as scene:
        ada = scene.owner.in_channel()
        card = await ada.slash("models show", model="Rusty")
        form = await ada.press(card, "Edit")
        await ada.submit(form, description="A *red* fox", strength="0,6", provider=["sketch"])
        after = ada.look(card.message)
        again = await ada.press(after, "Edit")

    assert "\n> A \\*red\\* fox\n" in after.text
    assert "\nUnless you say otherwise: strength 0.6 · Sketch (this machine)\n" in after.text
    assert [again.modal.find(name).value for name in ("description", "strength", "provider")] == [
        "A *red* fox",
        "0.6",
        ["sketch"],
    ]


async def test_edit_of_a_trained_model_leaves_its_trigger_word_alone(trained_folder, tmp_path):
    async with house_with_model(trained_folder, tmp_path / "data") as scene:
        ada = scene.owner.in_channel()
        form = await ada.press(await ada.slash("models show", model="Rusty"), "Edit")

    assert [field.custom_id for field in form.modal.fields] == ["name", "description", "strength", "provider"]


async def test_describe_and_defaults_show_on_the_card(trained_folder, tmp_path):
    async with house_with_model(trained_folder, tmp_path / "data") as scene:
        ada = scene.owner.in_channel()
        described = await ada.slash("models describe", model="Rusty", description="Best in snow.")
        set_ = await ada.slash("models defaults", model="Rusty", strength=0.5, provider="sketch")
        unset = await ada.slash("models defaults", model="Rusty")
        silent = await ada.slash("models describe", model="Rusty")

    assert "> Best in snow." in described.text
    assert "Unless you say otherwise: strength 0.5 · Sketch" in set_.text
    assert "Unless you say otherwise" not in unset.text
    assert "Best in snow." not in silent.text


async def test_defaults_refuse_what_cannot_be_used(trained_folder, tmp_path):
    async with house_with_model(trained_folder, tmp_path / "data") as scene:
        ada = scene.owner.in_channel()
        too_strong = await ada.slash("models defaults", model="Rusty", strength=7.0)
        unknown = await ada.slash("models defaults", model="Rusty", provider="nobody")
        long = await ada.slash("models describe", model="Rusty", description="x" * 301)

    assert too_strong.text.startswith("A strength is a number above 0 and up to 2, such as 0.8.")
    assert unknown.text.startswith("No provider here that can use this model is called `nobody`.")
    assert long.text.startswith("A description has at most 300 characters, this one has 301.")


async def test_defaults_suggest_providers_that_can_use_the_model(trained_folder, tmp_path):
    async with house_with_model(trained_folder, tmp_path / "data") as scene:
        ada = scene.owner.in_channel()
        offered = await ada.autocomplete("models defaults", "provider", "", model="Rusty")

    assert [choice.value for choice in offered] == ["auto", "sketch"]
