"""Owns the showing of a draft's panel to its person, and the looks at a draft before a form is opened; no feature."""

from typing import Any

import discord

from bot.draft import still_open
from bot.drafts import DraftView
from bot.errors import Missing
from bot.services import Services
from bot.texts import _
from cogs import replies
from cogs.ui.draft_panel import draw_panel, sheet_files

Interaction = discord.Interaction[Any]


async def show_panel(services: Services, interaction: Interaction, draft_id: str, *, note: str = "") -> None:
    """Show a draft's panel where the answer goes."""
    view = await services.drafts.view(interaction.user.id, draft_id)
    await replies.show(interaction, draw_panel(view, note=note), files=sheet_files(view))


async def changeable(services: Services, interaction: Interaction, draft_id: str) -> DraftView:
    """Return a draft that its person can still change.

    Raises:
        WrongMoment: it is being trained or has been trained.
    """
    view = await services.drafts.view(interaction.user.id, draft_id, with_sheet=False)
    still_open(view.draft)
    return view


async def with_photos(services: Services, interaction: Interaction, draft_id: str) -> DraftView:
    """Return a draft that its person can still change and that holds photos.

    Raises:
        Missing: it holds none.
    """
    view = await changeable(services, interaction, draft_id)
    if not view.photos:
        raise Missing(_("**{name}** has no photos.").format(name=view.draft.name), advice=_("Press Add photos first."))
    return view
