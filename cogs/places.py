"""Owns where an interaction happened, and whether the bot can post its results there; posts nothing."""

from typing import Any

import discord

from bot.errors import WrongMoment
from bot.place import Place
from bot.texts import N_, _, listed

#: What a job's card and pictures need, by the names that Discord's settings show.
_NEEDED = {
    "view_channel": N_("View Channel"),
    "send_messages": N_("Send Messages"),
    "attach_files": N_("Attach Files"),
}

_IN_THREADS = {"send_messages_in_threads": N_("Send Messages in Threads")}


def place_of(interaction: discord.Interaction[Any]) -> Place:
    """Return the channel and server of an interaction, and what its person is there."""
    channel, member = interaction.channel, interaction.user
    parent_id = channel.parent_id if isinstance(channel, discord.Thread) else None
    restricted = isinstance(channel, discord.TextChannel | discord.Thread | discord.VoiceChannel) and channel.is_nsfw()
    return Place(
        channel_id=interaction.channel_id or 0,
        guild_id=interaction.guild_id,
        parent_id=parent_id,
        age_restricted=restricted,
        locale=str(interaction.guild_locale or interaction.locale),
        role_ids=frozenset(role.id for role in member.roles) if isinstance(member, discord.Member) else frozenset(),
        manages=interaction.guild_id is not None and interaction.permissions.manage_guild,
    )


def place_for_results(interaction: discord.Interaction[Any]) -> Place:
    """Return the place if results can be posted there.

    Raises:
        WrongMoment: the bot lacks a permission in this channel.
    """
    if interaction.guild_id is not None:
        threads = isinstance(interaction.channel, discord.Thread)
        needed = _NEEDED | (_IN_THREADS if threads else {})
        lacking = [_(title) for name, title in needed.items() if not getattr(interaction.app_permissions, name)]
        if lacking:
            raise WrongMoment(
                _("I may not post here: I lack {permissions} in this channel.").format(permissions=listed(lacking)),
                advice=_("Ask a moderator, use another channel, or send me a direct message."),
            )
    return place_of(interaction)
