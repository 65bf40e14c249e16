"""Owns the captions of a draft in Discord: the forms for some, the form for all, and what they answer."""

from typing import Any

import discord

from bot.captions import How
from bot.errors import Missing
from bot.services import Services
from bot.texts import _, ngettext
from cogs import replies
from cogs.desk import Feature, on_choice, on_form, on_press
from cogs.panels import show_panel, with_photos
from cogs.ui.controls import Answers
from cogs.ui.draft_captions import (
    MOST_FIELDS,
    caption_all_form,
    caption_groups,
    captions_form,
    captions_saved,
    draw_caption_groups,
    draw_changed,
)

Interaction = discord.Interaction[Any]


class Captions(Feature):
    """From a press to captions that are kept."""

    def __init__(self, services: Services) -> None:
        self._services = services

    @on_press("draft.captions")
    async def ask_for_captions(self, interaction: Interaction, draft_id: str) -> None:
        """Open the form for captions, or ask which ones when there are more than fit."""
        view = await with_photos(self._services, interaction, draft_id)
        if len(view.photos) <= MOST_FIELDS:
            await interaction.response.send_modal(captions_form(view, caption_groups(len(view.photos))[0]))
        else:
            await replies.show(interaction, draw_caption_groups(view))

    @on_choice("draft.captions")
    async def ask_for_some_captions(self, interaction: Interaction, values: list[str], draft_id: str) -> None:
        """Open the form for the captions of one group of photos."""
        view = await with_photos(self._services, interaction, draft_id)
        page, groups = int(values[0]), caption_groups(len(view.photos))
        if page >= len(groups):
            raise Missing(_("These photos are no longer in the draft."), advice=_("Press Captions once more."))
        await interaction.response.send_modal(captions_form(view, groups[page], page))

    @on_form("draft.captions")
    async def write_captions(
        self, interaction: Interaction, answers: Answers, draft_id: str, page: str | None = None
    ) -> None:
        """Keep captions, and go back to where the form was opened: the panel, or the list of groups."""
        await interaction.response.defer()
        kept = await self._services.captions.write(interaction.user.id, draft_id, answers.texts)
        gone = len(answers.texts) - kept
        if page is None:
            await show_panel(self._services, interaction, draft_id, note=captions_saved(gone=gone))
            return
        view = await self._services.drafts.view(interaction.user.id, draft_id, with_sheet=False)
        groups = caption_groups(len(view.photos))
        group = groups[int(page)] if int(page) < len(groups) else None
        await replies.show(interaction, draw_caption_groups(view, note=captions_saved(group, gone=gone)))

    @on_press("draft.caption_all")
    async def ask_for_all(self, interaction: Interaction, draft_id: str) -> None:
        """Open the form that changes all captions at once."""
        view = await with_photos(self._services, interaction, draft_id)
        await interaction.response.send_modal(caption_all_form(view))

    @on_form("draft.caption_all")
    async def change_all(self, interaction: Interaction, answers: Answers, draft_id: str) -> None:
        """Change all captions and show what became of them, with the way back."""
        await interaction.response.defer()
        how = How(answers.texts.get("how") or How.BEFORE)
        text = answers.texts.get("text", "")
        changed = await self._services.captions.change_all(interaction.user.id, draft_id, text, how)
        await replies.show(interaction, draw_changed(changed))

    @on_press("draft.caption_undo")
    async def undo(self, interaction: Interaction, draft_id: str) -> None:
        """Take the last change of all captions back."""
        await interaction.response.defer()
        back = await self._services.captions.undo(interaction.user.id, draft_id)
        note = ngettext("{count} caption is as it was before.", "{count} captions are as they were before.", back)
        await show_panel(self._services, interaction, draft_id, note=note.format(count=back))
