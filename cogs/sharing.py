"""Owns /models share, revoke and transfer, and the panel that shows who can use a model; decides nothing itself."""

from collections.abc import Sequence
from typing import Any

import discord
from discord import app_commands

from bot.errors import BadInput, WrongMoment
from bot.lora import Lora, Share, ShareKind
from bot.sharing import server_of
from bot.texts import _
from cogs import replies
from cogs.desk import on_choice, on_press
from cogs.model_commands import Interaction, ModelCommands, Suggestions, suggest_models
from cogs.places import place_of
from cogs.ui.quote import draw_note
from cogs.ui.sharing import draw_offer, draw_sharing, told_offer_end, told_revoked, told_shared


class SharedModels(ModelCommands):
    """Whom a model is shared with, and who gets it."""

    models = ModelCommands.models

    @models.command(description="Let this server, a role or a person make pictures with one of your models.")
    @app_commands.describe(model="One of your models.", whom="A role or a person; leave it out for this whole server.")
    async def share(
        self, interaction: Interaction, model: str, whom: discord.Role | discord.User | None = None
    ) -> None:
        """Share a model."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        lora = await self._meant(interaction, model)
        share = _share_with(interaction, lora, whom)
        lora = await self._services.sharing.share(interaction.user.id, lora.id, share)
        await replies.tell(interaction, told_shared(lora, share))

    @models.command(description="Take one of your models back from this server, a role or a person.")
    @app_commands.describe(model="A model that is shared.", whom="A role or a person; leave it out for this server.")
    async def revoke(
        self, interaction: Interaction, model: str, whom: discord.Role | discord.User | None = None
    ) -> None:
        """Take a model back."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        lora = await self._meant(interaction, model)
        share = _share_with(interaction, lora, whom)
        lora = await self._services.sharing.revoke(interaction.user.id, lora.id, share, place_of(interaction))
        await replies.tell(interaction, told_revoked(lora, share))

    @models.command(description="Give one of your models to somebody else; nothing changes until they accept.")
    @app_commands.describe(model="One of your models.", person="Who gets it.")
    async def transfer(self, interaction: Interaction, model: str, person: discord.User) -> None:
        """Offer a model to somebody, in a message that they see."""
        lora = await self._meant(interaction, model)
        if interaction.guild_id is None:
            raise WrongMoment(
                _("A model is given away in a server, where the other person sees your offer."),
                advice=_("Use /models transfer there."),
            )
        _refuse_bots(found=person.bot)
        offered = await self._services.transfers.offer(interaction.user.id, lora.id, person.id)
        # The one who is offered something is told: it is the point of the message.
        whom = discord.AllowedMentions(everyone=False, roles=False, users=[person])
        await interaction.response.send_message(view=draw_offer(offered), allowed_mentions=whom)

    @share.autocomplete("model")
    @transfer.autocomplete("model")
    async def _suggest_given(self, interaction: Interaction, typed: str) -> Suggestions:
        return await suggest_models(self._services, interaction, typed, only_own=True)

    @revoke.autocomplete("model")
    async def _suggest_shared(self, interaction: Interaction, typed: str) -> Suggestions:
        # Who manages a server takes back other people's models too.
        only_own = not place_of(interaction).manages
        return await suggest_models(self._services, interaction, typed, only_own=only_own)

    @on_press("model.share")
    async def share_by_button(self, interaction: Interaction, lora_id: str) -> None:
        """Share a model with this server, pressed once or twice, and leave the pressed message alone."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        lora = await self._services.library.own(interaction.user.id, lora_id)
        share = server_of(place_of(interaction), lora)
        await self._services.sharing.share(interaction.user.id, lora_id, share)
        await replies.tell(interaction, told_shared(lora, share))

    @on_press("model.toggle")
    async def share_on_card(self, interaction: Interaction, lora_id: str, wanted: str | None = None) -> None:
        """Share a model with this server, or take it back, and show that on its card; on cards of earlier versions."""
        await interaction.response.defer()
        await self._switch_server(interaction, lora_id, wanted)
        await self._show_card(interaction, lora_id)

    @on_press("model.sharing")
    async def open_sharing(self, interaction: Interaction, lora_id: str) -> None:
        """Show, in place of the card, who can use a model."""
        await interaction.response.defer()
        await self._show_sharing(interaction, lora_id)

    @on_press("model.server")
    async def share_on_panel(self, interaction: Interaction, lora_id: str, wanted: str) -> None:
        """Share a model with this server, or take it back."""
        await interaction.response.defer()
        await self._switch_server(interaction, lora_id, wanted)
        await self._show_sharing(interaction, lora_id)

    @on_choice("model.people")
    async def choose_people(self, interaction: Interaction, values: list[str], lora_id: str) -> None:
        """Share a model with just these people."""
        await interaction.response.defer()
        _refuse_bots(found=_bots_chosen(interaction))
        shares = [Share.with_person(int(value)) for value in values]
        await self._replace(interaction, lora_id, ShareKind.PERSON, shares)

    @on_choice("model.roles")
    async def choose_roles(self, interaction: Interaction, values: list[str], lora_id: str) -> None:
        """Share a model with just these roles of this server."""
        await interaction.response.defer()
        guild_id = interaction.guild_id or 0
        shares = [Share.with_role(int(value), guild_id) for value in values]
        if Share.with_server(guild_id) in shares:
            await self._services.sharing.share(interaction.user.id, lora_id, Share.with_server(guild_id))
        await self._replace(interaction, lora_id, ShareKind.ROLE, [s for s in shares if s.kind is ShareKind.ROLE])

    @on_press("transfer.accept")
    async def accept(self, interaction: Interaction, lora_id: str) -> None:
        """Take a model that was offered."""
        await interaction.response.defer()
        offered = await self._services.transfers.accept(interaction.user.id, lora_id)
        await replies.show(interaction, draw_note(told_offer_end(offered, accepted=True)))

    @on_press("transfer.decline")
    async def decline(self, interaction: Interaction, lora_id: str) -> None:
        """Say no to an offer, or take one's own back."""
        await interaction.response.defer()
        offered = await self._services.transfers.decline(interaction.user.id, lora_id)
        await replies.show(interaction, draw_note(told_offer_end(offered, accepted=False)))

    async def _switch_server(self, interaction: Interaction, lora_id: str, wanted: str | None) -> None:
        person_id, place, sharing = interaction.user.id, place_of(interaction), self._services.sharing
        share = server_of(place, await self._services.library.own(person_id, lora_id))
        shared = await sharing.is_shared(person_id, lora_id, share)
        if shared if wanted is None else wanted == "off":
            if shared:
                await sharing.revoke(person_id, lora_id, share, place)
        else:
            await sharing.share(person_id, lora_id, share)

    async def _replace(self, interaction: Interaction, lora_id: str, kind: ShareKind, shares: Sequence[Share]) -> None:
        person_id, place = interaction.user.id, place_of(interaction)
        await self._services.sharing.replace_all(person_id, lora_id, kind, shares, place)
        await self._show_sharing(interaction, lora_id)

    async def _show_sharing(self, interaction: Interaction, lora_id: str) -> None:
        person_id, place = interaction.user.id, place_of(interaction)
        await self._services.library.own(person_id, lora_id)
        details = await self._services.library.details(person_id, lora_id, place)
        await replies.show(interaction, draw_sharing(details, place))


def _share_with(interaction: Interaction, lora: Lora, whom: discord.Role | discord.User | None) -> Share:
    """Return what was meant.

    Raises:
        BadInput: a bot was chosen.
        WrongMoment: a server was meant, in a direct message.
    """
    if whom is None:
        return server_of(place_of(interaction), lora)
    if isinstance(whom, discord.Role):
        return Share.with_role(whom.id, whom.guild.id)
    _refuse_bots(found=whom.bot)
    return Share.with_person(whom.id)


def _bots_chosen(interaction: Interaction) -> bool:
    data: Any = interaction.data or {}
    users: dict[str, Any] = (data.get("resolved") or {}).get("users") or {}
    return any(user.get("bot") for user in users.values())


def _refuse_bots(*, found: bool) -> None:
    if found:
        raise BadInput(_("That is a bot, and bots make no pictures here."), advice=_("Choose a person."))
