"""Owns who is let in at all: a command in a closed channel, or of a blocked person, ends here; knows no feature.

Buttons pass: what begins a job is refused by its service, and the others do no harm, such as stopping one's own job.
"""

from typing import Any

import discord
from discord import app_commands

from bot.client import DarkroomBot
from bot.errors import BotError
from bot.guild import Act
from cogs import failures
from cogs.places import place_of

#: Commands that people need wherever they are, and also when they are blocked.
ALWAYS_OPEN = frozenset({"admin", "owner", "help", "privacy"})
#: Besides, for people who are blocked or in a closed channel: to see and to end what they have under way.
OWN_JOBS = frozenset({"jobs", "cancel"})


def install(bot: DarkroomBot) -> None:
    """Put the door before every command."""
    bot.door = admit


async def admit(interaction: discord.Interaction[Any]) -> bool:
    """Let a command pass, or tell its person why not."""
    if interaction.type is not discord.InteractionType.application_command or interaction.guild_id is None:
        return True
    command = interaction.command
    name = "" if command is None else _root(command)
    if name in ALWAYS_OPEN | OWN_JOBS:
        return True
    services = interaction.client.services
    try:
        await services.guilds.admit(interaction.user.id, place_of(interaction), Act.USE)
    except BotError as error:
        await failures.answer(interaction, error)
        return False
    return True


def _root(command: app_commands.Command[Any, ..., Any] | app_commands.ContextMenu) -> str:
    parent = command.root_parent if isinstance(command, app_commands.Command) else None
    return command.name if parent is None else parent.name
