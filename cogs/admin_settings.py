"""Owns what the controls of the settings' panel do; the panel itself is in cogs/ui/settings_panel.py."""

from typing import Any

import discord

from bot.client import DarkroomBot
from bot.errors import WrongMoment
from bot.guild import Act, AdultPolicy, GuildSettings
from bot.services import Services
from bot.texts import _, listed
from cogs import replies
from cogs.desk import Feature, on_choice, on_form, on_press
from cogs.places import lacking_of, needs_in, place_of
from cogs.providers import titles_of
from cogs.ui.controls import Answers
from cogs.ui.settings_forms import (
    draw_limits_form,
    draw_role_form,
    draw_words_form,
    read_limits_form,
    read_role_form,
    read_words_form,
)
from cogs.ui.settings_panel import PanelView, Section, draw_settings

Interaction = discord.Interaction[DarkroomBot]

#: The settings that a menu sets, and the section that shows them.
_SET_BY_MENU = {
    "channel_ids": Section.WHERE,
    "train_role_ids": Section.WHERE,
    "generate_role_ids": Section.WHERE,
    "manage_role_ids": Section.WHERE,
    "allowed_providers": Section.PROVIDERS,
    "preferred_providers": Section.PROVIDERS,
    "adult": Section.CONTENT,
    "log_channel_id": Section.CHANNELS,
    "gallery_channel_id": Section.CHANNELS,
}


class AdminSettings(Feature):
    """What managers press, choose and fill in to set the bot up."""

    def __init__(self, services: Services) -> None:
        self._services = services

    @on_choice("admin.section")
    async def turn_to(self, interaction: Interaction, values: list[str]) -> None:
        """Show another section."""
        await interaction.response.defer()
        await show_settings(self._services, interaction, Section(values[0]))

    @on_choice("admin.set")
    async def set_by_menu(self, interaction: Interaction, values: list[str], name: str) -> None:
        """Set what a menu stands for."""
        await interaction.response.defer()
        if name not in _SET_BY_MENU:
            raise WrongMoment(_("This menu is from another version of the bot."), advice=_("Use /admin settings."))
        await self._change(interaction, _SET_BY_MENU[name], {name: _read_menu(name, values)})

    @on_press("admin.limits")
    async def open_limits(self, interaction: Interaction) -> None:
        """Open the form for the limits of everybody."""
        await interaction.response.send_modal(draw_limits_form(await self._settings(interaction)))

    @on_form("admin.limits")
    async def set_limits(self, interaction: Interaction, answers: Answers) -> None:
        """Set the limits of everybody."""
        await interaction.response.defer()
        await self._change(interaction, Section.MONEY, read_limits_form(answers))

    @on_choice("admin.role")
    async def open_role(self, interaction: Interaction, values: list[str]) -> None:
        """Open the form for the limits of a role."""
        settings = await self._settings(interaction)
        if not values:
            await interaction.response.defer()
            return
        role_id = int(values[0])
        role = None if interaction.guild is None else interaction.guild.get_role(role_id)
        name = role.name if role is not None else values[0]
        await interaction.response.send_modal(draw_role_form(discord.Object(role_id), name, settings))

    @on_form("admin.role_limits")
    async def set_role(self, interaction: Interaction, answers: Answers, role_id: str) -> None:
        """Set the limits of a role."""
        await interaction.response.defer()
        settings = await self._settings(interaction)
        limits = read_role_form(answers, int(role_id), settings)
        await self._change(interaction, Section.MONEY, {"role_limits": limits})

    @on_press("admin.words")
    async def open_words(self, interaction: Interaction) -> None:
        """Open the form for words and days."""
        await interaction.response.send_modal(draw_words_form(await self._settings(interaction)))

    @on_form("admin.words")
    async def set_words(self, interaction: Interaction, answers: Answers) -> None:
        """Set words and days."""
        await interaction.response.defer()
        await self._change(interaction, Section.CONTENT, read_words_form(answers))

    async def _settings(self, interaction: Interaction) -> GuildSettings:
        return await self._services.guilds.admit(interaction.user.id, place_of(interaction), Act.MANAGE)

    async def _change(self, interaction: Interaction, section: Section, changes: dict[str, Any]) -> None:
        await self._services.guilds.change(interaction.user.id, place_of(interaction), **changes)
        await show_settings(self._services, interaction, section)


async def show_settings(services: Services, interaction: Interaction, section: Section) -> None:
    """Put a section of the panel where the answer goes."""
    place = place_of(interaction)
    settings = await services.guilds.admit(interaction.user.id, place, Act.MANAGE)
    view = PanelView(
        settings=settings,
        providers=titles_of(services.registry),
        operator=services.settings.budget_limits,
        keep_photos_days=services.settings.darkroom_keep_photos_days,
        blocks=await services.guilds.blocks(interaction.user.id, place),
        troubles=_troubles(interaction.guild, settings),
    )
    await replies.show(interaction, draw_settings(view, section))


def _troubles(guild: discord.Guild | None, settings: GuildSettings) -> list[str]:
    found = []
    for channel_id, galleries in ((settings.log_channel_id, False), (settings.gallery_channel_id, True)):
        if channel_id is None:
            continue
        known = needs_in(guild, channel_id, galleries=galleries)
        if known is None:
            found.append(_("I cannot see {channel}.").format(channel=f"<#{channel_id}>"))
        elif lacking := lacking_of(known):
            told = _("I lack {permissions} in {channel}.")
            found.append(told.format(permissions=listed(lacking), channel=f"<#{channel_id}>"))
    return found


def _read_menu(name: str, values: list[str]) -> object:
    if name == "adult":
        return AdultPolicy(values[0])
    if name.endswith("_ids"):
        return tuple(int(value) for value in values)
    if name.endswith("_id"):
        return int(values[0]) if values else None
    return tuple(values)
