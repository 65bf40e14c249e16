"""Owns where an interaction happened, and whether the bot can post its results there; posts nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
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
_FOR_GALLERIES = {"create_public_threads": N_("Create Public Threads")}
#: What each is needed for.
_PURPOSES = {
    "view_channel": N_("to see the channel at all"),
    "send_messages": N_("to post job cards"),
    "attach_files": N_("to post pictures"),
    "send_messages_in_threads": N_("to post in threads"),
    "create_public_threads": N_("to begin a thread for each model"),
}


@dataclass(frozen=True, kw_only=True)
class Need:
    """A permission, and whether the bot has it."""

    title: str
    purpose: str
    held: bool


def place_of(interaction: discord.Interaction[Any]) -> Place:
    """Return the channel and server of an interaction, and what its person is there."""
    channel, member = interaction.channel, interaction.user
    if is_guest(interaction):
        # Its rules are not ours to know, and nothing can be posted there later.
        return Place(channel_id=interaction.channel_id or 0, guild_id=None, locale=str(interaction.locale))
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


def is_guest(interaction: discord.Interaction[Any]) -> bool:
    """Tell whether only its person brought the bot to this server, of which it is no member."""
    return interaction.guild_id is not None and not interaction.is_guild_integration()


async def place_for_results(interaction: discord.Interaction[Any]) -> Place:
    """Return the place if results can be posted there; the person's direct messages where the bot is a guest.

    Raises:
        WrongMoment: the bot lacks a permission in this channel, or the person takes no messages from it.
    """
    if is_guest(interaction):
        try:
            channel = await interaction.client.create_dm(interaction.user)
        except discord.HTTPException as error:
            raise WrongMoment(
                _("I am no member of this server, so I post nothing here, and I could not write to you."),
                advice=_("Allow direct messages from me, then try again."),
            ) from error
        return Place(channel_id=channel.id, guild_id=None, locale=str(interaction.locale))
    if interaction.guild_id is not None:
        threads = isinstance(interaction.channel, discord.Thread)
        lacking = lacking_of(needs(interaction.app_permissions, threads=threads))
        if lacking:
            raise WrongMoment(
                _("I may not post here: I lack {permissions} in this channel.").format(permissions=listed(lacking)),
                advice=_("Ask a moderator, use another channel, or send me a direct message."),
            )
    return place_of(interaction)


def needs(held: discord.Permissions, *, threads: bool = False, galleries: bool = False) -> Sequence[Need]:
    """Return what the bot needs in a channel, with what of it these permissions hold."""
    needed = _NEEDED | (_IN_THREADS if threads or galleries else {}) | (_FOR_GALLERIES if galleries else {})
    return [
        Need(title=_(title), purpose=_(_PURPOSES[name]), held=getattr(held, name)) for name, title in needed.items()
    ]


def lacking_of(found: Sequence[Need]) -> list[str]:
    """Return the titles of what is not held."""
    return [need.title for need in found if not need.held]


def needs_in(guild: discord.Guild | None, channel_id: int | None, *, galleries: bool = False) -> Sequence[Need] | None:
    """Return the same for a channel of a server; None for one that the bot does not know."""
    channel = None if guild is None or channel_id is None else guild.get_channel(channel_id)
    if guild is None or channel is None:
        return None
    return needs(channel.permissions_for(guild.me), galleries=galleries)
