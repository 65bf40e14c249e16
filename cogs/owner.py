"""Owns /owner, which is there in the owner's server alone; decides who the owner is by what Discord says of the app."""

import discord
from discord import app_commands

from bot.client import DarkroomBot
from bot.errors import NotAllowed
from bot.texts import _
from cogs import replies
from cogs.desk import Feature, on_form, on_press
from cogs.ui.controls import Answers
from cogs.ui.owner import draw_announcement_form, draw_announcement_question, draw_providers, draw_status
from cogs.ui.quote import draw_note

Interaction = discord.Interaction[DarkroomBot]


class Owner(Feature):
    """What the bot's owner, or who is in the team that owns it, can do in Discord."""

    owner = app_commands.Group(
        name="owner",
        description="Look after this deployment.",
        default_permissions=discord.Permissions(administrator=True),
    )

    def __init__(self, bot: DarkroomBot) -> None:
        self._bot = bot
        self._deployment = bot.services.deployment

    @owner.command(description="See servers, jobs, reports and money of this deployment.")
    async def status(self, interaction: Interaction) -> None:
        """Show how the deployment is."""
        await self._begin(interaction)
        status = await self._deployment.status()
        await replies.show(interaction, draw_status(status, servers=len(self._bot.guilds), latency=self._bot.latency))

    @owner.command(description="See how each provider is.")
    async def providers(self, interaction: Interaction) -> None:
        """Ask every provider for its health and show it."""
        await self._begin(interaction)
        await self._bot.services.router.check_all()
        await replies.show(interaction, draw_providers(self._bot.services.router.healths()))

    @owner.command(description="Tell Discord of all commands anew.")
    async def sync(self, interaction: Interaction) -> None:
        """Sync the commands, changed or not."""
        await self._begin(interaction)
        count = await self._bot.sync_commands(anew=True)
        await self._deployment.note_sync(interaction.user.id)
        await replies.tell(interaction, _("Discord knows of {count} commands now.").format(count=count))

    @owner.command(description="Say something in the log channels of all servers; you see it first.")
    async def announce(self, interaction: Interaction) -> None:
        """Open the form for an announcement."""
        # Who this is takes a call to Discord; a form has to come at once, and shows nothing.
        await interaction.response.send_modal(draw_announcement_form())

    @on_form("owner.announce")
    async def preview(self, interaction: Interaction, answers: Answers) -> None:
        """Show an announcement as servers will see it."""
        await self._begin(interaction)
        drafted = await self._deployment.draft(answers.texts.get("text", ""))
        await replies.show(interaction, draw_announcement_question(drafted))

    @on_press("owner.announce")
    async def send(self, interaction: Interaction, announcement_id: str) -> None:
        """Send an announcement."""
        await interaction.response.defer()
        await self._require_owner(interaction)
        count = await self._deployment.announce(interaction.user.id, announcement_id)
        await replies.show(interaction, draw_note(_("It goes to {count} servers, one by one.").format(count=count)))

    async def _begin(self, interaction: Interaction) -> None:
        await interaction.response.defer(ephemeral=True, thinking=True)
        await self._require_owner(interaction)

    async def _require_owner(self, interaction: Interaction) -> None:
        """Let nobody else pass.

        Raises:
            NotAllowed: Discord does not name them as the owner of the application, or in the team that owns it.
        """
        info = await self._bot.application_info()
        owners = {info.owner.id}
        if info.team is not None:
            accepted = discord.TeamMembershipState.accepted
            owners = {member.id for member in info.team.members if member.membership_state is accepted}
        if interaction.user.id not in owners:
            raise NotAllowed(_("Only the owner of this bot may do that."))
