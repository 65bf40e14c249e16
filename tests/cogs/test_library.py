"""/models and the buttons of model cards, by people in the playground."""

from tests.factories import Scene, ended, house_with_model
from tests.house import open_house


async def models_of(scene: Scene) -> list[str]:
    loras = await scene.house.services.library.usable(scene.owner.id, guild_id=None)
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
    assert [button.label for button in card.buttons] == ["Generate", "Share", "Rename", "Delete"]


async def test_card_in_a_direct_message_has_nothing_to_share_with(trained_folder, tmp_path):
    async with house_with_model(trained_folder, tmp_path / "data") as scene:
        card = await scene.owner.dm().slash("models show", model=scene.lora.id)

    assert [button.label for button in card.buttons] == ["Generate", "Rename", "Delete"]


async def test_card_of_a_shared_model_lets_others_only_generate(trained_folder, tmp_path):
    async with house_with_model(trained_folder, tmp_path / "data") as scene:
        await scene.owner.in_channel().slash("models share", model="Rusty")
        card = await scene.house.discord.person("bob").in_channel().slash("models show", model="Rusty")

    assert [button.label for button in card.buttons] == ["Generate"]
    assert f"Shared with this server by {scene.owner.mention}." in card.text


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

    assert refused.text == "That name has 200 characters and at most 60 fit. Choose a shorter one."
    assert names == ["Rusty"]


async def test_rename_by_the_cards_form_shows_on_the_card(trained_folder, tmp_path):
    async with house_with_model(trained_folder, tmp_path / "data") as scene:
        ada = scene.owner.in_channel()
        card = await ada.slash("models show", model="Rusty")
        form = await ada.press(card, "Rename")
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


async def test_share_says_what_is_true_now(trained_folder, tmp_path):
    async with house_with_model(trained_folder, tmp_path / "data") as scene:
        ada = scene.owner.in_channel()
        first = await ada.slash("models share", model="Rusty")
        second = await ada.slash("models share", model="Rusty")

    assert first.text.startswith("**Rusty** is shared with this server now")
    assert second.text.startswith("**Rusty** is no longer shared with this server")
    assert first.ephemeral


async def test_share_on_the_card_redraws_it(trained_folder, tmp_path):
    async with house_with_model(trained_folder, tmp_path / "data") as scene:
        ada = scene.owner.in_channel()
        card = await ada.slash("models show", model="Rusty")
        await ada.press(card, "Share")
        shared = ada.look(card.message)
        await ada.press(card, "Unshare")
        unshared = ada.look(card.message)

    assert "Shared with this server." in shared.text
    assert unshared.text == card.text


async def test_share_by_the_button_of_the_last_word_leaves_that_message_alone(trained_folder, tmp_path):
    async with house_with_model(trained_folder, tmp_path / "data") as scene:
        ada = scene.owner.in_channel()
        last_word = await ada.wait_for(lambda message: message.has_button("model.share:" + scene.lora.id))
        told = await ada.press(last_word, "Share")
        after = ada.look(last_word)

    assert told.text.startswith("**Rusty** is shared with this server now")
    assert told.ephemeral
    assert after == last_word


async def test_share_is_the_owners_alone(trained_folder, tmp_path):
    async with house_with_model(trained_folder, tmp_path / "data") as scene:
        bob = scene.house.discord.person("bob").in_channel()
        last_word = await bob.wait_for(lambda message: message.has_button("Share"))
        refused = await bob.press(last_word, "Share")
        usable = await scene.house.services.library.usable(bob.person.id, guild_id=scene.house.discord.guild.id)

    assert refused.text == "That model belongs to somebody else, so only they can do that."
    assert refused.ephemeral
    assert usable == []


async def test_share_needs_a_server(trained_folder, tmp_path):
    async with house_with_model(trained_folder, tmp_path / "data") as scene:
        refused = await scene.owner.dm().slash("models share", model="Rusty")

    assert refused.text == (
        "**Rusty** can be shared with a server, and this is a direct message. Use /models share in the server."
    )
