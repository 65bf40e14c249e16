"""Who can use a model, by people in the playground: owner, stranger, who has a role, who manages, in all places."""

import pytest

from playground.person import Person, Place
from tests.cogs.test_admin import sets
from tests.factories import Scene, ended, house_with_easel, house_with_model

REFUSED = "You have no model yet. Begin with /draft new."


def people(scene: Scene) -> dict[str, Person]:
    """Return a stranger, somebody with the role Painters, and who manages the server."""
    discord = scene.house.discord
    painter = discord.person("pia")
    discord.give(painter.user, next(r for r in discord.guild.roles.values() if r.name == "Painters"))
    return {
        "stranger": discord.person("bob"),
        "painter": painter,
        "manager": discord.person("mia", manage_guild=True),
    }


def with_role(scene: Scene):
    return scene.house.discord.add_role("Painters")


async def can_use(place: Place) -> bool:
    shown = await place.slash("models show", model="Rusty")
    return any(button.label == "Generate" for button in shown.buttons)


async def test_share_with_the_server_lets_everybody_in_it_use_the_model(trained_folder, tmp_path):
    async with house_with_model(trained_folder, tmp_path / "data") as scene:
        told = await scene.owner.in_channel().slash("models share", model="Rusty")
        bob = scene.house.discord.person("bob")
        thread = scene.house.discord.add_thread("foxes")
        here = [await can_use(bob.in_channel()), await can_use(bob.in_channel(thread))]
        alone = await can_use(bob.dm())

    assert told.text == (
        "**Rusty** is shared with this server now: everybody here can make pictures with it. "
        "/models revoke takes it back."
    )
    assert told.ephemeral
    assert here == [True, True]
    assert not alone


@pytest.mark.parametrize(("who", "may"), [("stranger", False), ("painter", True), ("manager", False)])
async def test_share_with_a_role_counts_for_who_has_it(trained_folder, tmp_path, who, may):
    async with house_with_model(trained_folder, tmp_path / "data") as scene:
        role = with_role(scene)
        told = await scene.owner.in_channel().slash("models share", model="Rusty", whom=role)
        person = people(scene)[who]
        thread = scene.house.discord.add_thread("foxes")
        places = [person.in_channel(), person.in_channel(thread), person.dm()]
        allowed = [await can_use(place) for place in places]

    assert told.text.startswith(f"Whoever has the role <@&{role.id}> can make pictures with **Rusty** now.")
    assert allowed == [may, may, False]


async def test_share_with_a_role_ends_with_the_role(trained_folder, tmp_path):
    async with house_with_model(trained_folder, tmp_path / "data") as scene:
        role = with_role(scene)
        await scene.owner.in_channel().slash("models share", model="Rusty", whom=role)
        painter = people(scene)["painter"]
        before = await can_use(painter.in_channel())
        scene.house.discord.guild.members[painter.id].remove(role.id)
        after = await can_use(painter.in_channel())

    assert (before, after) == (True, False)


async def test_share_with_everyones_role_is_a_share_with_the_server(trained_folder, tmp_path):
    async with house_with_model(trained_folder, tmp_path / "data") as scene:
        guild = scene.house.discord.guild
        told = await scene.owner.in_channel().slash("models share", model="Rusty", whom=guild.roles[guild.id])
        usable = await can_use(scene.house.discord.person("bob").in_channel())

    assert told.text.startswith("**Rusty** is shared with this server now")
    assert usable


async def test_share_with_a_person_counts_everywhere_and_for_nobody_else(trained_folder, tmp_path):
    async with house_with_model(trained_folder, tmp_path / "data") as scene:
        bob, eve = scene.house.discord.person("bob"), scene.house.discord.person("eve")
        told = await scene.owner.in_channel().slash("models share", model="Rusty", whom=bob)
        allowed = [await can_use(place) for place in (bob.in_channel(), bob.dm(), eve.in_channel(), eve.dm())]

    assert told.text.startswith(f"{bob.mention} can make pictures with **Rusty** now, everywhere.")
    assert told.message.pinged == ()
    assert allowed == [True, True, False, False]


async def test_share_with_oneself_or_a_bot_is_refused(trained_folder, tmp_path):
    async with house_with_model(trained_folder, tmp_path / "data") as scene:
        ada, discord = scene.owner.in_channel(), scene.house.discord
        bot = Person(user=discord.world.bot, discord=discord)
        own = await ada.slash("models share", model="Rusty", whom=scene.owner)
        machine = await ada.slash("models share", model="Rusty", whom=bot)

    assert own.text == "**Rusty** is yours already. Choose somebody else to share it with."
    assert machine.text == "That is a bot, and bots make no pictures here. Choose a person."


@pytest.mark.parametrize("who", ["stranger", "painter", "manager"])
async def test_share_is_the_owners_alone(trained_folder, tmp_path, who):
    async with house_with_model(trained_folder, tmp_path / "data") as scene:
        with_role(scene)
        place = people(scene)[who].in_channel()
        last_word = await place.wait_for(lambda message: message.has_button("Share"))
        by_button = await place.press(last_word, "Share")
        by_command = await place.slash("models share", model=scene.lora.id)

    assert by_button.text == "That model belongs to somebody else, so only they can do that."
    assert by_button.ephemeral
    assert by_command.text == REFUSED


async def test_share_by_the_button_of_the_last_word_leaves_that_message_alone(trained_folder, tmp_path):
    async with house_with_model(trained_folder, tmp_path / "data") as scene:
        ada = scene.owner.in_channel()
        last_word = await ada.wait_for(lambda message: message.has_button("model.share:" + scene.lora.id))
        told = await ada.press(last_word, "Share")
        after = ada.look(last_word)

    assert told.text.startswith("**Rusty** is shared with this server now")
    assert told.ephemeral
    assert after == last_word


async def test_share_needs_a_server(trained_folder, tmp_path):
    async with house_with_model(trained_folder, tmp_path / "data") as scene:
        refused = await scene.owner.dm().slash("models share", model="Rusty")

    assert refused.text == (
        "**Rusty** can be shared with a server, and this is a direct message. Use /models share in the server."
    )


async def test_revoke_takes_back_from_the_server(trained_folder, tmp_path):
    async with house_with_model(trained_folder, tmp_path / "data") as scene:
        ada, bob = scene.owner.in_channel(), scene.house.discord.person("bob").in_channel()
        await ada.slash("models share", model="Rusty")
        told = await ada.slash("models revoke", model="Rusty")
        again = await ada.slash("models revoke", model="Rusty")
        usable = await can_use(bob)

    assert told.text.startswith("**Rusty** is no longer shared with this server.")
    assert again.text == "**Rusty** is not shared that way."
    assert not usable


async def test_revoke_by_who_manages_the_server_ends_only_what_is_shared_there(trained_folder, tmp_path):
    async with house_with_model(trained_folder, tmp_path / "data") as scene:
        mia = people_with_role = scene.house.discord.person("mia", manage_guild=True)
        await scene.owner.in_channel().slash("models share", model="Rusty")
        await scene.owner.in_channel().slash("models share", model="Rusty", whom=mia)
        told = await mia.in_channel().slash("models revoke", model="Rusty")
        refused = await mia.in_channel().slash("models revoke", model="Rusty", whom=people_with_role)

    assert told.text.startswith("**Rusty** is no longer shared with this server.")
    assert refused.text == "That model belongs to somebody else, so only they can do that."


async def test_revoke_by_a_stranger_is_refused(trained_folder, tmp_path):
    async with house_with_model(trained_folder, tmp_path / "data") as scene:
        bob = scene.house.discord.person("bob").in_channel()
        await scene.owner.in_channel().slash("models share", model="Rusty")
        refused = await bob.slash("models revoke", model="Rusty")
        usable = await can_use(bob)

    assert refused.text == "That model belongs to somebody else, so only they can do that."
    assert usable


async def test_revoke_lets_pictures_under_way_be_made(trained_folder, tmp_path):
    async with house_with_easel(trained_folder, tmp_path / "data") as scene:
        ada, bob = scene.owner.in_channel(), scene.house.discord.person("bob")
        await ada.slash("models share", model="Rusty")
        await bob.in_channel().slash("generate", model="Rusty")
        await ada.slash("models revoke", model="Rusty")
        [job] = await scene.house.services.training.jobs(bob.id)
        done = await ended(scene.house, job.id)
        gallery = await bob.in_channel().wait_for(lambda m: m.has_button(f"picture.again:{job.id}"))
        refused = await bob.in_channel().press(gallery, "Again")

    assert done.state == "succeeded"
    assert refused.text.startswith("That model belongs to somebody else and is not shared here.")


async def test_panel_shows_and_changes_who_can_use_a_model(trained_folder, tmp_path):
    async with house_with_model(trained_folder, tmp_path / "data") as scene:
        role, bob = with_role(scene), scene.house.discord.person("bob")
        ada = scene.owner.in_channel()
        card = await ada.slash("models show", model="Rusty")
        await ada.press(card, "Sharing")
        before = ada.look(card.message)
        await ada.press(before, "Share with this server")
        await ada.select(card, "Share with people", [bob])
        await ada.select(card, "Share with roles", [role])
        shared = ada.look(card.message)
        await ada.select(card, "Share with people", [])
        await ada.press(card, "Unshare with this server")
        less = ada.look(card.message)
        await ada.press(card, "Back")
        after = ada.look(card.message)

    assert "Yours alone." in before.text
    assert f"Shared with this server, {bob.mention}, and <@&{role.id}>." in shared.text
    assert f"Shared with <@&{role.id}>." in less.text
    assert f"Shared with <@&{role.id}>." in after.text
    assert after.has_button("Generate")


async def test_panel_takes_everyones_role_for_the_server(trained_folder, tmp_path):
    async with house_with_model(trained_folder, tmp_path / "data") as scene:
        guild, ada = scene.house.discord.guild, scene.owner.in_channel()
        card = await ada.slash("models show", model="Rusty")
        await ada.press(card, "Sharing")
        await ada.select(card, "Share with roles", [guild.roles[guild.id]])
        shared = ada.look(card.message)

    assert "Shared with this server." in shared.text


async def test_panel_takes_no_bots(trained_folder, tmp_path):
    async with house_with_model(trained_folder, tmp_path / "data") as scene:
        discord, ada = scene.house.discord, scene.owner.in_channel()
        card = await ada.slash("models show", model="Rusty")
        await ada.press(card, "Sharing")
        machine = Person(user=discord.world.bot, discord=discord)
        refused = await (await ada.select(card, "Share with people", [machine])).followup()

    assert refused.text == "That is a bot, and bots make no pictures here. Choose a person."


async def test_panel_in_a_direct_message_knows_people_only(trained_folder, tmp_path):
    async with house_with_model(trained_folder, tmp_path / "data") as scene:
        await scene.owner.in_channel().slash("models share", model="Rusty")
        ada = scene.owner.dm()
        card = await ada.slash("models show", model="Rusty")
        await ada.press(card, "Sharing")
        panel = ada.look(card.message)

    assert "Shared with 1 server." in panel.text
    assert [menu.placeholder for menu in panel.selects] == ["Share with people"]
    assert [button.label for button in panel.buttons] == ["Back"]


async def test_transfer_takes_effect_when_it_is_accepted(trained_folder, tmp_path):
    async with house_with_model(trained_folder, tmp_path / "data") as scene:
        ada, bob = scene.owner.in_channel(), scene.house.discord.person("bob").in_channel()
        await ada.slash("models share", model="Rusty")
        offer = await ada.slash("models transfer", model="Rusty", person=bob.person)
        card = await ada.slash("models show", model="Rusty")
        await bob.press(bob.look(offer.message), "Accept")
        told = bob.look(offer.message)
        mine = await bob.slash("models show", model="Rusty")
        gone = await ada.slash("models show", model="Rusty")

    assert not offer.ephemeral
    assert offer.message.pinged == (bob.person.id,)
    assert f"You offered it to {bob.person.mention}." in card.text
    assert told.text == f"**Rusty** belongs to {bob.person.mention} now, and is shared with nobody."
    assert told.buttons == ()
    assert mine.text.endswith("Yours alone.")
    assert gone.text == REFUSED


async def test_transfer_is_accepted_by_nobody_else(trained_folder, tmp_path):
    async with house_with_model(trained_folder, tmp_path / "data") as scene:
        ada, discord = scene.owner.in_channel(), scene.house.discord
        offer = await ada.slash("models transfer", model="Rusty", person=discord.person("bob"))
        by_giver = await (await ada.press(offer, "Accept")).followup()
        by_manager = await (
            await discord.person("mia", manage_guild=True).in_channel().press(offer.message, "Accept")
        ).followup()

    assert by_giver.text == by_manager.text == "**Rusty** was offered to somebody else."


@pytest.mark.parametrize("who", ["giver", "receiver"])
async def test_transfer_can_be_declined_or_taken_back(trained_folder, tmp_path, who):
    async with house_with_model(trained_folder, tmp_path / "data") as scene:
        ada, bob = scene.owner.in_channel(), scene.house.discord.person("bob").in_channel()
        offer = await ada.slash("models transfer", model="Rusty", person=bob.person)
        place = {"giver": ada, "receiver": bob}[who]
        await place.press(place.look(offer.message), "Decline")
        told = place.look(offer.message)
        card = await ada.slash("models show", model="Rusty")

    assert told.text == f"**Rusty** stays with {scene.owner.mention}."
    assert "You offered it" not in card.text


async def test_transfer_waits_in_the_list_of_who_is_offered_it(trained_folder, tmp_path):
    async with house_with_model(trained_folder, tmp_path / "data") as scene:
        bob = scene.house.discord.person("bob").dm()
        await scene.owner.in_channel().slash("models transfer", model="Rusty", person=bob.person)
        listed = await bob.slash("models list")
        await bob.press(listed, "Accept")
        mine = await bob.slash("models list")

    assert listed.text == f"{scene.owner.mention} offers you **Rusty**."
    assert "**Rusty**" in mine.text
    assert "Accept" not in [button.label for button in mine.buttons]


async def test_transfer_while_pictures_are_made_leaves_them_to_who_asked(trained_folder, tmp_path):
    async with house_with_easel(trained_folder, tmp_path / "data") as scene:
        ada, bob = scene.owner.in_channel(), scene.house.discord.person("bob").in_channel()
        offer = await ada.slash("models transfer", model="Rusty", person=bob.person)
        await ada.slash("generate", model="Rusty")
        await bob.press(bob.look(offer.message), "Accept")
        [job, *_] = await scene.house.services.training.jobs(scene.owner.id)
        done = await ended(scene.house, job.id)

    assert done.state == "succeeded"
    assert done.owner_id == scene.owner.id


async def test_transfer_of_a_model_that_was_deleted_meanwhile_says_so(trained_folder, tmp_path):
    async with house_with_model(trained_folder, tmp_path / "data") as scene:
        ada, bob = scene.owner.in_channel(), scene.house.discord.person("bob").in_channel()
        offer = await ada.slash("models transfer", model="Rusty", person=bob.person)
        await ada.press(await ada.slash("models delete", model="Rusty"), "Delete for ever")
        refused = await (await bob.press(bob.look(offer.message), "Accept")).followup()
        listed = await bob.slash("models list")

    assert refused.text == "There is no such model. /models list shows yours."
    assert listed.text == REFUSED


@pytest.mark.parametrize(
    ("where", "whom", "sentence"),
    [
        ("dm", "bob", "A model is given away in a server, where the other person sees your offer."),
        ("channel", "ada", "**Rusty** is yours already."),
        ("channel", "darkroom", "That is a bot, and bots make no pictures here."),
    ],
)
async def test_transfer_refuses_what_makes_no_sense(trained_folder, tmp_path, where, whom, sentence):
    async with house_with_model(trained_folder, tmp_path / "data") as scene:
        discord = scene.house.discord
        bot = Person(user=discord.world.bot, discord=discord)
        person = bot if whom == "darkroom" else discord.person(whom)
        place = scene.owner.dm() if where == "dm" else scene.owner.in_channel()
        refused = await place.slash("models transfer", model="Rusty", person=person)

    assert refused.text.startswith(sentence)
    assert refused.ephemeral


@pytest.mark.parametrize(
    ("command", "text"), [("rename", {"name": "Lord Fox"}), ("describe", {"description": "a LORD!"})]
)
async def test_unwanted_words_are_refused_on_a_models_card(trained_folder, tmp_path, command, text):
    async with house_with_model(trained_folder, tmp_path / "data") as scene:
        await sets(scene.house, blocked_words=("lord",))
        told = await scene.owner.in_channel().slash(f"models {command}", model="Rusty", **text)
        elsewhere = await scene.owner.dm().slash(f"models {command}", model="Rusty", **text)

    assert told.text == "The word “lord” is not wanted in this server. Say it without it."
    assert "not wanted" not in elsewhere.text


async def test_unwanted_words_are_refused_where_a_model_is_shared(trained_folder, tmp_path):
    async with house_with_model(trained_folder, tmp_path / "data") as scene:
        await sets(scene.house, blocked_words=("lord",))
        await scene.owner.in_channel().slash("models share", model="Rusty")
        told = await scene.owner.dm().slash("models rename", model="Rusty", name="Lord Fox")

    assert told.text == ("The word “lord” is not wanted in a server that **Rusty** is shared with. Say it without it.")


async def test_share_refuses_a_card_with_an_unwanted_word(trained_folder, tmp_path):
    async with house_with_model(trained_folder, tmp_path / "data") as scene:
        await sets(scene.house, blocked_words=("rusty",))
        told = await scene.owner.in_channel().slash("models share", model="Rusty")
        bob = await can_use(scene.house.discord.person("bob").in_channel())

    assert told.text == (
        "The card of **Rusty** has the word “rusty”, which is not wanted in this server. "
        "Change it with /models rename or /models describe, then share it again."
    )
    assert not bob
