"""/generate and the buttons of pictures, by people in the playground; the pictures are drawn by Sketch."""

import io

import pytest
from PIL import Image

from bot.training.job import Job
from playground.errors import PersonError
from playground.permissions import Permission
from playground.person import Person, Place, SeenMessage
from providers.base import Aspect
from tests.factories import WISHES, Scene, ended, house_with_model, moved_in
from tests.house import running_bot
from tests.playing import running_playground


async def standing_gallery(place: Place) -> SeenMessage:
    """Return the message of the pictures that were there from the beginning."""
    return await place.wait_for(lambda message: message.has_button("Vary"))


async def last_word(place: Place) -> SeenMessage:
    return await place.wait_for(lambda message: message.has_button("More"))


async def gallery_after(place: Place, before: SeenMessage) -> SeenMessage:
    return await place.wait_for(lambda message: message.id > before.id and message.has_button("Vary"))


async def jobs_of(scene: Scene, person: Person) -> list[Job]:
    return [job for job in await scene.house.services.training.jobs(person.id) if not job.state.terminal]


async def the_job(scene: Scene, person: Person | None = None) -> Job:
    """Return the one job of a person that is under way, and stop it, for nobody looks at its pictures."""
    person = person or scene.owner
    [job] = await jobs_of(scene, person)
    await scene.house.services.training.cancel(person.id, job.id)
    await ended(scene.house, job.id)
    return job


async def test_generate_posts_a_gallery(trained_folder, tmp_path):
    async with house_with_model(trained_folder, tmp_path / "data") as scene:
        ada = scene.owner.in_channel()
        old = await standing_gallery(ada)
        begun = await ada.slash("generate", model="Rusty", prompt="rustyfox by the sea", count=2, aspect="Wide (16:9)")
        gallery = await gallery_after(ada, old)

    assert begun.text == "Drawing 2 pictures with **Rusty**. They appear in this channel."
    assert begun.ephemeral
    assert not gallery.ephemeral
    assert "rustyfox by the sea" in gallery.text
    sizes = [Image.open(io.BytesIO(image)).size for image in gallery.images]
    assert len(sizes) == 2
    assert all(width > height for width, height in sizes)


async def test_generate_with_the_same_seed_gives_the_same_picture(trained_folder, tmp_path):
    async with house_with_model(trained_folder, tmp_path / "data") as scene:
        ada = scene.owner.in_channel()
        old = await standing_gallery(ada)
        await ada.slash("generate", model="Rusty", prompt=WISHES.prompt, seed=WISHES.seed)
        gallery = await gallery_after(ada, old)

    assert list(gallery.images) == [old.images[0]]


async def test_generate_in_a_direct_message_answers_there(trained_folder, tmp_path):
    async with house_with_model(trained_folder, tmp_path / "data") as scene:
        dm = scene.owner.dm()
        begun = await dm.slash("generate", model="Rusty", seed=7)
        gallery = await standing_gallery(dm)

    assert begun.text == "Drawing 1 picture with **Rusty**. It appears here."
    assert "seed `7`" in gallery.text


async def test_generate_without_a_prompt_asks_for_the_trigger_word(trained_folder, tmp_path):
    async with house_with_model(trained_folder, tmp_path / "data") as scene:
        await scene.owner.in_channel().slash("generate", model=scene.lora.id)
        job = await the_job(scene)

    assert job.pictures.prompt == "a photo of rustyfox"


async def test_generate_suggests_models(trained_folder, tmp_path):
    async with house_with_model(trained_folder, tmp_path / "data") as scene:
        choices = await scene.owner.in_channel().autocomplete("generate", "model", "rus")

    assert [choice.value for choice in choices] == [scene.lora.id]


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"model": "Lassie"}, "You have no model of that name."),
        ({"prompt": "x" * 1001}, "A prompt has at most 1000 characters, this one has 1001."),
        ({"seed": -1}, "A seed is a whole number from 0 to 2147483639."),
        ({"seed": 2**40}, "A seed is a whole number from 0 to 2147483639."),
        ({"strength": 1.5}, "`strength` goes from 0.2 to 1 here. 0.8 is a good value."),
        ({"strength": -0.1}, "`strength` goes from 0.2 to 1 here."),
    ],
    ids=["unknown model", "long prompt", "negative seed", "huge seed", "strong", "weak"],
)
async def test_generate_refuses_what_cannot_be_used(trained_folder, tmp_path, options, sentence):
    async with house_with_model(trained_folder, tmp_path / "data") as scene:
        refused = await scene.owner.in_channel().slash("generate", **{"model": "Rusty"} | options)
        jobs = await jobs_of(scene, scene.owner)

    assert refused.text.startswith(sentence)
    assert refused.ephemeral
    assert jobs == []


async def test_generate_with_an_unshared_model_is_refused(trained_folder, tmp_path):
    async with house_with_model(trained_folder, tmp_path / "data") as scene:
        bob = scene.house.discord.person("bob")
        refused = await bob.in_channel().slash("generate", model=scene.lora.id)
        jobs = await jobs_of(scene, bob)

    assert refused.text == "You have no model yet. Begin with /draft new."
    assert jobs == []


async def test_generate_with_a_shared_model_is_open_to_everybody_there(trained_folder, tmp_path):
    async with house_with_model(trained_folder, tmp_path / "data") as scene:
        await scene.owner.in_channel().slash("models share", model="Rusty")
        bob = scene.house.discord.person("bob")
        begun = await bob.in_channel().slash("generate", model="Rusty")
        job = await the_job(scene, bob)
        refused = await bob.dm().slash("generate", model="Rusty")

    assert begun.text.startswith("Drawing 1 picture with **Rusty**.")
    assert job.owner_id == bob.id
    assert refused.text == "You have no model yet. Begin with /draft new."


async def test_generate_where_the_bot_cannot_post_begins_nothing(trained_folder, tmp_path):
    async with house_with_model(trained_folder, tmp_path / "data") as scene:
        scene.house.discord.deny_bot(Permission.ATTACH_FILES)
        refused = await scene.owner.in_channel().slash("generate", model="Rusty")
        jobs = await jobs_of(scene, scene.owner)

    assert refused.text.startswith("I may not post here: I lack Attach Files in this channel.")
    assert jobs == []


async def test_form_begins_what_it_says(trained_folder, tmp_path):
    async with house_with_model(trained_folder, tmp_path / "data") as scene:
        ada = scene.owner.in_channel()
        form = await ada.press(await last_word(ada), "Generate")
        fields = {"prompt": "rustyfox", "count": "3", "seed": " 12 ", "aspect": "3:4", "strength": "0,5"}
        begun = await ada.submit(form, **fields)
        job = await the_job(scene)

    assert begun.text == "Drawing 3 pictures with **Rusty**. They appear in this channel."
    spec = job.pictures
    assert (spec.prompt, spec.count, spec.seed) == ("rustyfox", 3, 12)
    assert (spec.aspect, spec.strength) == (Aspect.PORTRAIT, 0.5)


async def test_form_left_empty_is_filled_in_by_us(trained_folder, tmp_path):
    async with house_with_model(trained_folder, tmp_path / "data") as scene:
        ada = scene.owner.in_channel()
        await ada.submit(await ada.press(await last_word(ada), "Generate"))
        job = await the_job(scene)

    spec = job.pictures
    assert (spec.prompt, spec.count) == ("a photo of rustyfox", 1)
    assert (spec.aspect, spec.strength) == (Aspect.SQUARE, 0.8)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"seed": "soon"}, "A seed is a whole number. Leave it out for a random one."),
        ({"seed": "-3"}, "A seed is a whole number from 0 to 2147483639."),
        ({"strength": "much"}, "`strength` is a number such as 0.8."),
        ({"strength": "nan"}, "`strength` is a number such as 0.8."),
        ({"strength": "7"}, "`strength` goes from 0.2 to 1 here."),
    ],
    ids=["seed in words", "negative seed", "strength in words", "no number", "too strong"],
)
async def test_form_refuses_what_cannot_be_used(trained_folder, tmp_path, fields, sentence):
    async with house_with_model(trained_folder, tmp_path / "data") as scene:
        ada = scene.owner.in_channel()
        refused = await ada.submit(await ada.press(await last_word(ada), "Generate"), **fields)
        jobs = await jobs_of(scene, scene.owner)

    assert refused.text.startswith(sentence)
    assert refused.ephemeral
    assert jobs == []


async def test_form_stops_a_prompt_that_is_too_long_before_it_is_sent(trained_folder, tmp_path):
    async with house_with_model(trained_folder, tmp_path / "data") as scene:
        ada = scene.owner.in_channel()
        form = await ada.press(await last_word(ada), "Generate")
        with pytest.raises(PersonError, match="takes 0 to 1000 characters, not 1001"):
            await ada.submit(form, prompt="x" * 1001)


async def test_form_of_an_unshared_model_opens_for_its_owner_only(trained_folder, tmp_path):
    async with house_with_model(trained_folder, tmp_path / "data") as scene:
        bob = scene.house.discord.person("bob").in_channel()
        refused = await bob.press(await last_word(bob), "Generate")

    assert refused.modal is None
    assert refused.text.startswith("That model belongs to somebody else and is not shared here.")


async def test_more_begins_four_pictures(trained_folder, tmp_path):
    async with house_with_model(trained_folder, tmp_path / "data") as scene:
        ada = scene.owner.in_channel()
        begun = await ada.press(await last_word(ada), "More")
        job = await the_job(scene)

    assert begun.text == "Drawing 4 pictures with **Rusty**. They appear in this channel."
    assert job.pictures.prompt == "a photo of rustyfox"


async def test_again_keeps_everything_but_the_seed(trained_folder, tmp_path):
    async with house_with_model(trained_folder, tmp_path / "data") as scene:
        ada = scene.owner.in_channel()
        begun = await ada.press(await standing_gallery(ada), "Again")
        job = await the_job(scene)

    assert begun.text == "Drawing 2 pictures with **Rusty**. They appear in this channel."
    assert (job.pictures.prompt, job.pictures.count, job.pictures.aspect) == (WISHES.prompt, 2, WISHES.aspect)
    assert job.pictures.seed != WISHES.seed


async def test_again_by_somebody_else_needs_a_shared_model(trained_folder, tmp_path):
    async with house_with_model(trained_folder, tmp_path / "data") as scene:
        bob = scene.house.discord.person("bob")
        gallery = await standing_gallery(bob.in_channel())
        refused = await bob.in_channel().press(gallery, "Again")
        await scene.owner.in_channel().slash("models share", model="Rusty")
        begun = await bob.in_channel().press(gallery, "Again")
        job = await the_job(scene, bob)

    assert refused.text.startswith("That model belongs to somebody else and is not shared here.")
    assert refused.ephemeral
    assert begun.text.startswith("Drawing 2 pictures")
    assert job.owner_id == bob.id


async def test_vary_lets_one_thing_be_changed(trained_folder, tmp_path):
    async with house_with_model(trained_folder, tmp_path / "data") as scene:
        ada = scene.owner.in_channel()
        form = await ada.press(await standing_gallery(ada), "Vary")
        await ada.submit(form, strength="0.5")
        job = await the_job(scene)

    spec = job.pictures
    assert spec.strength == 0.5
    assert (spec.prompt, spec.count, spec.seed, spec.aspect) == (
        WISHES.prompt,
        WISHES.count,
        WISHES.seed,
        WISHES.aspect,
    )


async def test_buttons_of_an_older_message_work_after_a_restart(trained_folder, tmp_path):
    folder = tmp_path / "data"
    async with running_playground() as discord:
        ada = (await moved_in(trained_folder, folder, discord)).in_channel()
        async with running_bot(discord, folder):
            gallery = await standing_gallery(ada)
        await discord.bot_gone()
        async with running_bot(discord, folder):
            details = await ada.press(gallery, "Details")
            form = await ada.press(gallery, "Vary")

    assert WISHES.prompt in details.text
    assert form.modal.find("seed").value == str(WISHES.seed)
