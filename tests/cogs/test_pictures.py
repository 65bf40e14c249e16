"""What people do with pictures that are there: details, deleting, reporting, in the playground."""

from dataclasses import replace

import pytest

from bot.place import Place
from tests.cogs.test_generating import last_word, standing_gallery
from tests.factories import WISHES, Scene, house_with_model

KNOWN_TO_ALL = ("**Prompt** rustyfox in the snow", "**Picture 2** seed `42`, 512 × 512 px")
KNOWN_WITH_THE_MODEL = ("**Trigger word** rustyfox", "**Base model** Sketch")
KNOWN_TO_THE_ASKER = ("**Job** `",)


def here(scene: Scene) -> Place:
    return Place(channel_id=scene.house.discord.channel.id, guild_id=scene.house.discord.guild.id)


async def share(scene: Scene) -> None:
    await scene.owner.in_channel().slash("models share", model="Rusty")


@pytest.mark.parametrize("way", ["button", "menu"])
@pytest.mark.parametrize(("who", "shared", "knows"), [("ada", False, 3), ("bob", True, 2), ("bob", False, 1)])
async def test_details_tell_what_each_may_know(trained_folder, tmp_path, way, who, shared, knows):
    async with house_with_model(trained_folder, tmp_path / "data") as scene:
        if shared:
            await share(scene)
        place = scene.house.discord.person(who).in_channel()
        gallery = await standing_gallery(place)
        if way == "button":
            details = await place.press(gallery, "Details")
        else:
            details = await place.context_menu("Picture details", gallery)

    assert details.ephemeral
    for number, parts in enumerate((KNOWN_TO_ALL, KNOWN_WITH_THE_MODEL, KNOWN_TO_THE_ASKER), start=1):
        assert [part in details.text for part in parts] == [number <= knows] * len(parts)


async def test_details_by_menu_know_the_first_pictures_of_a_training(trained_folder, tmp_path):
    async with house_with_model(trained_folder, tmp_path / "data") as scene:
        ada = scene.owner.in_channel()
        details = await ada.context_menu("Picture details", await last_word(ada))

    assert "**Prompt** a photo of rustyfox" in details.text
    assert "**Picture 4** seed" in details.text


async def test_details_by_menu_of_another_message_say_where_to_look(trained_folder, tmp_path):
    async with house_with_model(trained_folder, tmp_path / "data") as scene:
        ada = scene.owner.in_channel()
        told = await ada.context_menu("Picture details", await ada.say("Look at my fox"))

    assert told.text.startswith("I know of no pictures of mine in that message.")
    assert told.ephemeral


async def test_details_let_the_prompt_be_saved_for_other_models(trained_folder, tmp_path):
    async with house_with_model(trained_folder, tmp_path / "data") as scene:
        ada = scene.owner.in_channel()
        details = await ada.press(await standing_gallery(ada), "Details")
        told = await ada.submit(await ada.press(details, "Save the prompt"), name="Snow")
        [saved] = await scene.house.services.prompts.saved(scene.owner.id)

    assert told.text == "Saved as **Snow**. It is offered when you type a prompt in /generate."
    assert (saved.name, saved.text) == ("Snow", "{trigger} in the snow")


async def test_delete_asks_first(trained_folder, tmp_path):
    async with house_with_model(trained_folder, tmp_path / "data") as scene:
        ada = scene.owner.in_channel()
        gallery = await standing_gallery(ada)
        asked = await ada.press(gallery, "Delete")
        after = ada.look(gallery)

    assert asked.text == "Delete these 2 pictures for ever? Their message goes with them."
    assert asked.ephemeral
    assert after == gallery


async def test_delete_takes_pictures_and_message(trained_folder, tmp_path):
    async with house_with_model(trained_folder, tmp_path / "data") as scene:
        ada = scene.owner.in_channel()
        gallery = await standing_gallery(ada)
        asked = await ada.press(gallery, "Delete")
        await ada.press(asked, "Delete for ever")
        told = ada.look(asked.message)
        seen = ada.sees()

    assert told.text == "The pictures are deleted for ever."
    assert gallery.id not in [message.id for message in seen]
    job_id = gallery.find_button("Details").custom_id.split(":")[1]
    assert list((tmp_path / "data" / "blobs" / "pictures" / job_id).glob("*")) == []


async def test_delete_by_somebody_else_is_refused(trained_folder, tmp_path):
    async with house_with_model(trained_folder, tmp_path / "data") as scene:
        bob = scene.house.discord.person("bob").in_channel()
        gallery = await standing_gallery(bob)
        refused = await bob.press(gallery, "Delete")
        after = bob.look(gallery)

    assert refused.text == "Only the person who asked for these pictures can delete them."
    assert refused.ephemeral
    assert after == gallery


@pytest.mark.parametrize(
    ("status", "body", "sentence"),
    [
        (404, {"message": "Unknown Message", "code": 10008}, "The pictures are deleted for ever."),
        (
            403,
            {"message": "Missing Access", "code": 50001},
            "I deleted the pictures on my side, but not this message: https://discord.com/channels/",
        ),
    ],
    ids=["message is gone", "message stays"],
)
async def test_delete_says_what_became_of_the_message(trained_folder, tmp_path, status, body, sentence):
    async with house_with_model(trained_folder, tmp_path / "data") as scene:
        ada = scene.owner.in_channel()
        asked = await ada.press(await standing_gallery(ada), "Delete")
        scene.house.discord.faults.answer(status, method="DELETE", path="/channels/*/messages/*", body=body)
        await ada.press(asked, "Delete for ever")
        told = ada.look(asked.message)

    assert told.text.startswith(sentence)


async def test_delete_leaves_no_pictures_to_vary_but_their_wishes(trained_folder, tmp_path):
    async with house_with_model(trained_folder, tmp_path / "data") as scene:
        ada = scene.owner.in_channel()
        gallery = await standing_gallery(ada)
        job_id = gallery.find_button("Details").custom_id.split(":")[1]
        await ada.press(await ada.press(gallery, "Delete"), "Delete for ever")
        details = await scene.house.services.picture_details.of_job(scene.owner.id, job_id, here(scene))

    assert details.gallery.pictures == []
    assert details.gallery.job.pictures.prompt == WISHES.prompt


async def test_report_is_filed_for_those_who_manage_the_server(trained_folder, tmp_path):
    async with house_with_model(trained_folder, tmp_path / "data") as scene:
        bob = scene.house.discord.person("bob")
        form = await bob.in_channel().press(await standing_gallery(bob.in_channel()), "Report")
        told = await bob.in_channel().submit(form, reason="That is my dog.")
        again = await bob.in_channel().press(await standing_gallery(bob.in_channel()), "Report")
        twice = await bob.in_channel().submit(again)
        manager = scene.house.discord.person("mia", manage_guild=True)
        open_ = await scene.house.services.reports.open(manager.id, replace(here(scene), manages=True))

    assert told.text.startswith("Thank you. It waits for those who manage this server.")
    assert told.ephemeral
    assert twice.text.startswith("You have reported these pictures already")
    assert [(one.reason, one.reporter_id, one.subject_id) for one in open_] == [
        ("That is my dog.", bob.id, scene.owner.id)
    ]
