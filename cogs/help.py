"""Owns /help: which commands there are for this person here; what they do is theirs to say."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import discord
from discord import app_commands

from bot.client import DarkroomBot
from bot.errors import BadInput, BotError
from bot.guild import Act
from bot.place import Place
from bot.texts import _
from cogs import replies
from cogs.desk import Feature, on_choice
from cogs.places import place_of
from cogs.ui.help import TOPICS, Offer, act_of, draw_overview, draw_topic, topic_of

Interaction = discord.Interaction[Any]
Command = app_commands.Command[Any, ..., Any]


class Help(Feature):
    """From a question to the command that answers it."""

    def __init__(self, bot: DarkroomBot) -> None:
        self._bot = bot

    @app_commands.command(name="help", description="See what you can do here, with an example for each command.")
    @app_commands.describe(topic="What you want to know more about; leave it out to see everything.")
    async def tell(self, interaction: Interaction, topic: str | None = None) -> None:
        """Show all topics, or one."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        offers = await self._offers(interaction)
        if topic is None:
            await replies.show(interaction, draw_overview(offers))
            return
        await replies.show(interaction, draw_topic(_topic_called(topic), offers))

    @tell.autocomplete("topic")
    async def _suggest(self, interaction: Interaction, typed: str) -> list[app_commands.Choice[str]]:
        wanted = typed.strip().casefold()
        titles = {key: _(topic.title) for key, topic in TOPICS.items()}
        return [app_commands.Choice(name=t, value=key) for key, t in titles.items() if wanted in t.casefold()]

    @on_choice("help.topic")
    async def open_topic(self, interaction: Interaction, values: list[str]) -> None:
        """Show the topic that was chosen."""
        await interaction.response.defer()
        await replies.show(interaction, draw_topic(_topic_called(values[0]), await self._offers(interaction)))

    async def _offers(self, interaction: Interaction) -> Mapping[str, Sequence[Offer]]:
        """Return every topic's commands as this person sees them here; those that Discord hides are left out."""
        place = place_of(interaction)
        obstacles = {act: await self._obstacle(interaction.user.id, place, act) for act in Act}
        offers: dict[str, list[Offer]] = {key: [] for key in TOPICS}
        for command in self._shown(interaction):
            name = command.qualified_name
            key = topic_of(name)
            if key is not None:
                obstacle = obstacles[act_of(name)]
                offers[key].append(Offer(name=name, description=_(command.description), obstacle=obstacle))
        return {key: _in_order(key, offered) for key, offered in offers.items() if offered}

    async def _obstacle(self, person_id: int, place: Place, act: Act) -> str | None:
        try:
            await self._bot.services.guilds.admit(person_id, place, act)
        except BotError as error:
            return error.sentence
        return None

    def _shown(self, interaction: Interaction) -> Iterator[Command]:
        """Yield the commands that Discord shows this person here."""
        guild = discord.Object(interaction.guild_id) if interaction.guild_id else None
        everywhere = self._bot.tree.walk_commands()
        here = self._bot.tree.walk_commands(guild=guild) if guild else iter(())
        for command in (*everywhere, *here):
            if isinstance(command, app_commands.Command) and _is_shown(command, interaction):
                yield command


def _is_shown(command: Command, interaction: Interaction) -> bool:
    root = command.root_parent or command
    if interaction.guild_id is None and root.guild_only:
        return False
    wanted = root.default_permissions
    return wanted is None or interaction.permissions.administrator or interaction.permissions >= wanted


def _in_order(key: str, offered: Sequence[Offer]) -> Sequence[Offer]:
    order = list(TOPICS[key].examples)
    return sorted(offered, key=lambda offer: order.index(offer.name))


def _topic_called(text: str) -> str:
    for key, topic in TOPICS.items():
        if text.strip().casefold() in {key, topic.title.casefold(), _(topic.title).casefold()}:
            return key
    raise BadInput(_("There is no such topic."), advice=_("Choose one from the list that opens while you type."))
