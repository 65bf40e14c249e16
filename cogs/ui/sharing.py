"""Owns how it looks who can use a model, and how one is given away; pure functions, send nothing."""

from collections.abc import Sequence

import discord
from discord import ui

from bot.library import LoraDetails
from bot.lora import Lora, Share, ShareKind
from bot.place import Place
from bot.sharing import counts_here
from bot.texts import _, listed, ngettext
from bot.transfers import LIFE, Offered
from cogs.ui.controls import MOST_CHOSEN, Layout, button, people_menu, role_menu
from cogs.ui.gallery import plain


def draw_sharing(details: LoraDetails, place: Place) -> Layout:
    """Return the panel on which an owner says who can use a model."""
    lora = details.lora
    text = "\n".join(
        [
            _("### Who can use {model}").format(model=plain(lora.name)),
            told_shares(details.shares, place),
            _("People can use it everywhere, a role or a server only there. Only you can change or download it."),
        ]
    )
    people = [share.target_id for share in details.shares if share.kind is ShareKind.PERSON][:MOST_CHOSEN]
    rows: list[ui.ActionRow[Layout]] = [
        ui.ActionRow(people_menu("model.people", lora.id, chosen=people, placeholder=_("Share with people")))
    ]
    buttons = []
    if place.guild_id is not None:
        here = [share for share in details.shares if counts_here(share, place)]
        roles = [share.target_id for share in here if share.kind is ShareKind.ROLE][:MOST_CHOSEN]
        rows.append(ui.ActionRow(role_menu("model.roles", lora.id, chosen=roles, placeholder=_("Share with roles"))))
        shared = Share.with_server(place.guild_id) in here
        label = _("Unshare with this server") if shared else _("Share with this server")
        buttons.append(button("model.server", lora.id, "off" if shared else "on", label=label))
    rows.append(ui.ActionRow(*buttons, button("model.keep", lora.id, label=_("Back"))))
    return Layout(ui.Container(ui.TextDisplay(text), *rows))


def draw_offer(offered: Offered) -> Layout:
    """Return the message in which a model is offered to somebody."""
    lora, transfer = offered.lora, offered.transfer
    text = _(
        "{giver} offers you the model **{model}**, {person}.\n"
        "If you accept, it is yours alone: you decide who can use it, and who has it now no longer can. "
        "The offer ends in {days} days."
    ).format(giver=f"<@{transfer.from_id}>", model=plain(lora.name), person=f"<@{transfer.to_id}>", days=LIFE.days)
    return Layout(
        ui.Container(
            ui.TextDisplay(text),
            ui.ActionRow(
                button("transfer.accept", lora.id, label=_("Accept"), style=discord.ButtonStyle.primary),
                button("transfer.decline", lora.id, label=_("Decline")),
            ),
        )
    )


def told_offer_end(offered: Offered, *, accepted: bool) -> str:
    """Return what came of an offer."""
    transfer = offered.transfer
    told = (
        _("**{model}** belongs to {person} now, and is shared with nobody.")
        if accepted
        else _("**{model}** stays with {giver}.")
    )
    return told.format(model=plain(offered.lora.name), person=f"<@{transfer.to_id}>", giver=f"<@{transfer.from_id}>")


def told_shared(lora: Lora, share: Share) -> str:
    """Return who can use a model now, and how to undo it."""
    if share.kind is ShareKind.SERVER:
        told = _(
            "**{model}** is shared with this server now: everybody here can make pictures with it. "
            "/models revoke takes it back."
        )
    elif share.kind is ShareKind.ROLE:
        told = _("Whoever has the role {whom} can make pictures with **{model}** now. /models revoke takes it back.")
    else:
        told = _("{whom} can make pictures with **{model}** now, everywhere. /models revoke takes it back.")
    return told.format(model=plain(lora.name), whom=_whom(share))


def told_revoked(lora: Lora, share: Share) -> str:
    """Return who can no longer use a model, and how to undo it."""
    if share.kind is ShareKind.SERVER:
        told = _("**{model}** is no longer shared with this server. /models share lets everybody here use it again.")
    else:
        told = _("**{model}** is no longer shared with {whom}. /models share lets them use it again.")
    return told.format(model=plain(lora.name), whom=_whom(share))


def told_shares(shares: Sequence[Share], place: Place) -> str:
    """Return in a sentence whom a model is shared with."""
    if not shares:
        return _("Yours alone.")
    here = [share for share in shares if counts_here(share, place) or share.kind is ShareKind.PERSON]
    whom = [_whom(share) for share in here]
    elsewhere = len({share.guild_id for share in shares if share not in here})
    if elsewhere and place.guild_id is None:
        whom.append(ngettext("{count} server", "{count} servers", elsewhere).format(count=elsewhere))
    elif elsewhere:
        whom.append(ngettext("{count} other server", "{count} other servers", elsewhere).format(count=elsewhere))
    return _("Shared with {whom}.").format(whom=listed(whom))


def _whom(share: Share) -> str:
    if share.kind is ShareKind.SERVER:
        return _("this server")
    return f"<@&{share.target_id}>" if share.kind is ShareKind.ROLE else f"<@{share.target_id}>"
