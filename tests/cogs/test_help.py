"""/help, by people who may do different things."""

import re

import pytest
from discord import app_commands

from bot.guild import Act, GuildSettings
from bot.store import guilds
from cogs.ui.help import TOPICS, act_of, topic_of
from tests.house import open_house
from tests.test_architecture import bot_with_cogs

OPTION = re.compile(r"(\w+):")


async def commands_of(tmp_path) -> dict[str, app_commands.Command]:
    async with bot_with_cogs(tmp_path / "data") as bot:
        return {c.qualified_name: c for c in bot.tree.walk_commands() if isinstance(c, app_commands.Command)}


async def test_help_has_an_example_for_every_command(tmp_path):
    assert {name for topic in TOPICS.values() for name in topic.examples} == set(await commands_of(tmp_path))


async def test_help_examples_use_options_that_there_are(tmp_path):
    commands = await commands_of(tmp_path)
    wrong = {}
    for topic in TOPICS.values():
        for name, example in topic.examples.items():
            assert example.startswith(f"/{name}")
            used = OPTION.findall(example.removeprefix(f"/{name}"))
            known = [parameter.display_name for parameter in commands[name].parameters]
            required = [parameter.display_name for parameter in commands[name].parameters if parameter.required]
            if not set(required) <= set(used) <= set(known):
                wrong[name] = example
    assert wrong == {}


@pytest.mark.parametrize(("command", "act"), [("train", Act.TRAIN), ("generate", Act.GENERATE), ("draft new", Act.USE)])
def test_help_knows_what_a_server_may_keep_for_some(command, act):
    assert topic_of(command) is not None
    assert act_of(command) is act


async def test_help_shows_topics_and_opens_one(tmp_path):
    async with open_house(tmp_path / "data") as house:
        place = house.discord.person("bob").in_channel()
        overview = await place.slash("help")
        pictures = await place.select(overview, "Tell me about", "Pictures")

    assert "**Photos** `/draft new`" in overview.text
    assert "/admin" not in overview.text
    assert overview.ephemeral
    assert "`/generate model:Rusty prompt:rustyfox in the snow" in pictures.text


async def test_help_opens_a_topic_by_its_name(tmp_path):
    async with open_house(tmp_path / "data") as house:
        dm = house.discord.person("bob").dm()
        [suggested] = await dm.autocomplete("help", "topic", "train")
        told = await dm.slash("help", topic=suggested.value)
        refused = await dm.slash("help", topic="cooking")

    assert suggested.name == "Trainings"
    assert "**/train**" in told.text
    assert refused.text.startswith("There is no such topic.")


async def test_help_says_why_something_is_not_for_this_person(tmp_path):
    async with open_house(tmp_path / "data") as house:
        bob, guild = house.discord.person("bob"), house.discord.guild
        role = house.discord.add_role("trainers")
        async with house.services.database.begin() as connection:
            settings = GuildSettings(train_role_ids=(role.id,))
            await guilds.put(connection, guild.id, settings, at=house.services.clock.now())
        before = await bob.in_channel().slash("help")
        in_dm = await bob.dm().slash("help")
        house.discord.give(bob.user, role)
        after = await bob.in_channel().slash("help")

    refusal = f"`/train`: Only people with the role <@&{role.id}> may train in this server."
    assert refusal in before.text
    assert refusal not in after.text
    assert "**Trainings** `/train` `/jobs`" in after.text
    assert "**Trainings** `/train` `/jobs`" in in_dm.text
