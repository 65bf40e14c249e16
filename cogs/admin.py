"""Owns /admin and what its answers ask back; the settings' controls are in cogs/admin_settings.py."""

import asyncio

import discord
from discord import app_commands

from bot.client import DarkroomBot
from bot.errors import BotError
from bot.guild import Act
from bot.services import Services
from bot.texts import _
from bot.usage_chart import draw_chart
from cogs import replies
from cogs.admin_settings import show_settings
from cogs.desk import Feature, on_choice, on_press
from cogs.places import needs, needs_in, place_of
from cogs.providers import titles_of
from cogs.ui import words
from cogs.ui.diagnosis import draw_diagnosis
from cogs.ui.oversight import chart_of, draw_audit, draw_usage, draw_watched_jobs, job_choices
from cogs.ui.reports import draw_report, draw_reports
from cogs.ui.settings_panel import Section

Interaction = discord.Interaction[DarkroomBot]
_PERIODS = [
    app_commands.Choice(name="7 days", value=7),
    app_commands.Choice(name="30 days", value=30),
    app_commands.Choice(name="90 days", value=90),
]


class Admin(Feature):
    """What managers of a server do; every service that is called asks again whether they may."""

    admin = app_commands.Group(
        name="admin",
        description="Set me up for this server, and look after what people do with me.",
        default_permissions=discord.Permissions(manage_guild=True),
        guild_only=True,
        # Only where the bot is a member is there something to manage.
        allowed_installs=app_commands.AppInstallationType(guild=True, user=False),
        allowed_contexts=app_commands.AppCommandContext(guild=True, dm_channel=False, private_channel=False),
    )

    def __init__(self, services: Services) -> None:
        self._services = services

    @admin.command(description="Set where I may be used, by whom, with which providers, for how much, and more.")
    async def settings(self, interaction: Interaction) -> None:
        """Show the panel of settings."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        await show_settings(self._services, interaction, Section.WHERE)

    @admin.command(description="See the jobs under way in this server: whose, where, and what they may cost.")
    async def jobs(self, interaction: Interaction) -> None:
        """Show the jobs under way."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        await self._show_jobs(interaction)

    @admin.command(description="Stop a job of anybody in this server.")
    @app_commands.describe(job="The job to stop.")
    async def cancel(self, interaction: Interaction, job: str) -> None:
        """Ask for the end of somebody's job."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        stopped = await self._services.oversight.cancel(interaction.user.id, place_of(interaction), job)
        await replies.tell(
            interaction, _("Stopping **{job}**.").format(job=discord.utils.escape_markdown(stopped.title))
        )

    @cancel.autocomplete("job")
    async def _suggest_jobs(self, interaction: Interaction, typed: str) -> list[app_commands.Choice[str]]:
        try:
            found = await self._services.oversight.jobs(interaction.user.id, place_of(interaction))
        except BotError:
            return []
        return job_choices(found, typed)

    @admin.command(description="Begin no new jobs in this server; what is under way goes on.")
    @app_commands.describe(reason="What people are told when they try.")
    async def pause(self, interaction: Interaction, reason: str) -> None:
        """Let nobody begin a job."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        await self._services.guilds.pause(interaction.user.id, place_of(interaction), reason)
        await replies.tell(interaction, _("New jobs are paused in this server. /admin resume ends that."))

    @admin.command(description="Let new jobs begin again.")
    async def resume(self, interaction: Interaction) -> None:
        """Let people begin jobs again."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        await self._services.guilds.resume(interaction.user.id, place_of(interaction))
        await replies.tell(interaction, _("New jobs may begin in this server again."))

    @admin.command(description="See what this server spent: a day, by provider, by person.")
    @app_commands.describe(days="How far back; 30 days if you leave it out.")
    @app_commands.choices(days=_PERIODS)
    async def usage(self, interaction: Interaction, days: int = 30) -> None:
        """Show what was spent, as a picture."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        usage = await self._services.oversight.usage(interaction.user.id, place_of(interaction), days=days)
        titles = titles_of(self._services.registry)
        picture = await asyncio.to_thread(draw_chart, chart_of(usage, titles)) if usage.total else None
        layout, files = draw_usage(usage, titles, picture)
        await replies.show(interaction, layout, files=files)

    @admin.command(description="Keep somebody from using me in this server.")
    @app_commands.describe(
        person="Whom to block.",
        reason="What they are told when they try; may be left out.",
        days="For how long; for good if you leave it out.",
    )
    async def block(
        self,
        interaction: Interaction,
        person: discord.User,
        reason: str = "",
        days: app_commands.Range[int, 1, 3650] | None = None,
    ) -> None:
        """Block a person."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        made = await self._services.guilds.block(
            interaction.user.id, place_of(interaction), person.id, reason=reason, days=days
        )
        told = (
            _("{person} is blocked. Their jobs under way go on: /admin cancel stops one.")
            if made.until is None
            else _("{person} is blocked until {moment}. Their jobs under way go on: /admin cancel stops one.")
        )
        moment = "" if made.until is None else words.moment(made.until, "f")
        await replies.tell(interaction, told.format(person=person.mention, moment=moment))

    @admin.command(description="Let somebody use me in this server again.")
    @app_commands.describe(person="Whom to let in again.")
    async def unblock(self, interaction: Interaction, person: discord.User) -> None:
        """End a block."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        await self._services.guilds.unblock(interaction.user.id, place_of(interaction), person.id)
        await replies.tell(interaction, _("{person} may use me here again.").format(person=person.mention))

    @admin.command(description="See what managers of this server did with me, the newest first.")
    async def audit(self, interaction: Interaction) -> None:
        """Show the first page of the audit log."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        await self._show_audit(interaction, 0)

    @admin.command(description="See the reports of pictures that nobody has settled yet.")
    async def reports(self, interaction: Interaction) -> None:
        """Show the open reports."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        found = await self._services.reports.open(interaction.user.id, place_of(interaction))
        await replies.show(interaction, draw_reports(found))

    @admin.command(description="See which permissions I lack in this channel, and what each is needed for.")
    async def diagnose(self, interaction: Interaction) -> None:
        """Show what the bot may do here."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        place, guild = place_of(interaction), interaction.guild
        settings = await self._services.guilds.admit(interaction.user.id, place, Act.MANAGE)
        here = needs(interaction.app_permissions, threads=isinstance(interaction.channel, discord.Thread))
        drawn = draw_diagnosis(
            settings,
            place,
            here,
            log=needs_in(guild, settings.log_channel_id),
            gallery=needs_in(guild, settings.gallery_channel_id, galleries=True),
        )
        await replies.show(interaction, drawn)

    @on_choice("admin.cancel")
    async def cancel_chosen(self, interaction: Interaction, values: list[str]) -> None:
        """Ask for the end of the job that was chosen in the list, and show the list anew."""
        await interaction.response.defer()
        await self._services.oversight.cancel(interaction.user.id, place_of(interaction), values[0])
        await self._show_jobs(interaction)

    @on_press("admin.audit")
    async def turn_page(self, interaction: Interaction, page: str) -> None:
        """Show another page of the audit log."""
        await interaction.response.defer()
        await self._show_audit(interaction, max(0, int(page)))

    @on_choice("admin.report")
    async def open_report(self, interaction: Interaction, values: list[str]) -> None:
        """Show the report that was chosen in the list, with what can be done."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        report, job, spot = await self._services.reports.waiting(interaction.user.id, values[0], place_of(interaction))
        await replies.show(interaction, draw_report(report, job, spot))

    async def _show_jobs(self, interaction: Interaction) -> None:
        place = place_of(interaction)
        found = await self._services.oversight.jobs(interaction.user.id, place)
        settings = await self._services.guilds.settings(place.guild_id)
        await replies.show(interaction, draw_watched_jobs(found, paused=settings.pause_reason))

    async def _show_audit(self, interaction: Interaction, page: int) -> None:
        entries, pages = await self._services.guilds.audit_page(interaction.user.id, place_of(interaction), page)
        await replies.show(interaction, draw_audit(entries, page=page, pages=pages))
