"""Owns /draft and a draft's panel, but neither *Train* nor captions; keeps no draft in mind between two presses."""

import logging
from collections.abc import Awaitable, Sequence
from typing import Any

import discord
from discord import app_commands

from bot.consent import Depicted
from bot.draft import Draft
from bot.errors import BadInput, WrongMoment
from bot.services import Services
from bot.texts import _, ngettext
from cogs import replies
from cogs.desk import Feature, on_choice, on_form, on_press
from cogs.intake import drawn, uploads_of
from cogs.panels import changeable, show_panel, with_photos
from cogs.ui.consent import ANSWERS, draw_consent_question
from cogs.ui.controls import Answers
from cogs.ui.draft_forms import add_form, remove_form
from cogs.ui.draft_menus import (
    draw_discard_question,
    draw_draft_choice,
    draw_sentence,
)
from cogs.ui.draft_notes import answered_note, begun, copied
from cogs.ui.draft_takeout import draw_takeout
from providers.recipe import BaseModelName, SubjectKind

log = logging.getLogger(__name__)

Interaction = discord.Interaction[Any]
#: Discord shows at most this many suggestions.
SUGGESTIONS = 25
#: Photos that one use of /draft add takes; a person scrolls past more options than these.
PHOTO_OPTIONS = 10
#: Bytes of a request beside its file.
ROOM_IN_A_REQUEST = 100_000


class Drafts(Feature):
    """From a name to a draft that is ready to be trained."""

    draft = app_commands.Group(name="draft", description="Collect the photos and words for a model of your own.")

    def __init__(self, services: Services) -> None:
        self._services = services

    @draft.command(name="new", description="Begin a model: give it a name and a word to call it by.")
    @app_commands.describe(
        name="What you call the model, such as Rusty.",
        trigger_word="The word that brings your subject into a prompt; an unusual one, such as rustyfox.",
        kind="What the photos show.",
        base_model="The model it builds on; the default fits if you leave it out.",
        who="Who is in the photos: you confirm that you may use them, and that any adult in them agreed.",
    )
    @app_commands.choices(
        kind=[app_commands.Choice(name=kind.value, value=kind.value) for kind in SubjectKind],
        who=[app_commands.Choice(name=label, value=depicted.value) for depicted, label in ANSWERS.items()],
    )
    async def new(
        self,
        interaction: Interaction,
        name: str,
        trigger_word: str,
        kind: str,
        base_model: str | None = None,
        who: str | None = None,
    ) -> None:
        """Open a draft and show its panel."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        draft = await self._services.drafts.open(
            interaction.user.id,
            name=name,
            trigger_word=trigger_word,
            kind=SubjectKind(kind),
            base_model=_base_model(base_model),
            depicted=Depicted(who) if who else None,
        )
        note = begun(draft, by_message=self._services.settings.darkroom_dm_intake)
        await show_panel(self._services, interaction, draft.id, note=note)

    @draft.command(name="add", description="Add up to ten photos, or a zip of photos and captions, to a draft.")
    @app_commands.describe(
        draft="The draft they are for; the one you are filling if you leave it out.",
        **{f"photo{number}": "A photo, or a zip of photos." for number in range(1, PHOTO_OPTIONS + 1)},
    )
    async def add(
        self,
        interaction: Interaction,
        photo1: discord.Attachment,
        photo2: discord.Attachment | None = None,
        photo3: discord.Attachment | None = None,
        photo4: discord.Attachment | None = None,
        photo5: discord.Attachment | None = None,
        photo6: discord.Attachment | None = None,
        photo7: discord.Attachment | None = None,
        photo8: discord.Attachment | None = None,
        photo9: discord.Attachment | None = None,
        photo10: discord.Attachment | None = None,
        draft: str | None = None,
    ) -> None:
        """Take photos into a draft."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        given = (photo1, photo2, photo3, photo4, photo5, photo6, photo7, photo8, photo9, photo10)
        uploads = uploads_of(photo for photo in given if photo is not None)
        intake = await self._services.intake.receive(interaction.user.id, uploads, draft_id=draft)
        layout, files = await drawn(self._services, interaction.user.id, intake)
        await replies.show(interaction, layout, files=files)

    @draft.command(name="show", description="See a draft: its photos, what could be better, and what comes next.")
    @app_commands.describe(draft="The draft to show; the one you are filling if you leave it out.")
    async def show(self, interaction: Interaction, draft: str | None = None) -> None:
        """Show a draft's panel, or the question which one."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        try:
            chosen = await self._services.drafts.current(interaction.user.id, draft)
        except WrongMoment:  # several are open; a menu serves better than the sentence
            drafts = await self._services.drafts.open_drafts(interaction.user.id)
            await replies.show(interaction, draw_draft_choice(drafts))
            return
        await show_panel(self._services, interaction, chosen.id)

    @draft.command(name="copy", description="Begin a draft from an earlier one: photos and captions come along.")
    @app_commands.describe(
        draft="The draft to copy; a trained one as long as its photos are kept.",
        name="What the new one is called; as the earlier one if you leave it out.",
        trigger_word="Its trigger word; as the earlier one's if you leave it out.",
    )
    async def copy(
        self, interaction: Interaction, draft: str, name: str | None = None, trigger_word: str | None = None
    ) -> None:
        """Open a draft like an earlier one and show its panel."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        person_id = interaction.user.id
        source = await self._services.copies.find(person_id, draft)
        made = await self._services.copies.copy(person_id, source.id, name=name or "", trigger_word=trigger_word or "")
        await show_panel(self._services, interaction, made.id, note=copied(source, made))

    @draft.command(name="export", description="Take a draft's photos and captions out, as a zip.")
    @app_commands.describe(draft="The draft to take out; the one you are filling if you leave it out.")
    async def export(self, interaction: Interaction, draft: str | None = None) -> None:
        """Hand a draft's photos and captions over."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        services, person_id = self._services, interaction.user.id
        found = await (services.copies.find(person_id, draft) if draft else services.drafts.current(person_id))
        await self._hand_over(interaction, found.id)

    @on_press("draft.export")
    async def take_out(self, interaction: Interaction, draft_id: str) -> None:
        """Hand the photos and captions of a panel's draft over."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        await self._hand_over(interaction, draft_id)

    @copy.autocomplete("draft")
    @export.autocomplete("draft")
    async def _suggest_sources(self, interaction: Interaction, typed: str) -> list[app_commands.Choice[str]]:
        return await self._suggested(self._services.copies.sources(interaction.user.id), typed)

    @add.autocomplete("draft")
    @show.autocomplete("draft")
    async def _suggest_drafts(self, interaction: Interaction, typed: str) -> list[app_commands.Choice[str]]:
        return await self._suggested(self._services.drafts.open_drafts(interaction.user.id), typed)

    async def _suggested(self, asked: Awaitable[Sequence[Draft]], typed: str) -> list[app_commands.Choice[str]]:
        try:
            drafts = await asked
        except Exception:  # suggestions are a courtesy; the command itself says what is wrong
            log.exception("no drafts to suggest")
            return []
        fitting = [draft for draft in drafts if typed.casefold() in draft.name.casefold()]
        return [
            app_commands.Choice(name=f"{draft.name} ({draft.trigger_word})", value=draft.id)
            for draft in fitting[:SUGGESTIONS]
        ]

    @new.autocomplete("base_model")
    async def _suggest_base_models(self, interaction: Interaction, typed: str) -> list[app_commands.Choice[str]]:
        offered = [base for base in self._services.registry.base_models if typed.casefold() in base.label.casefold()]
        return [app_commands.Choice(name=base.label, value=base.value) for base in offered[:SUGGESTIONS]]

    @on_choice("draft.choose")
    async def choose(self, interaction: Interaction, values: list[str]) -> None:
        """Make a draft the one that photos go to, and show it."""
        await interaction.response.defer()
        draft = await self._services.drafts.choose(interaction.user.id, values[0])
        await show_panel(self._services, interaction, draft.id)

    @on_press("draft.show")
    async def go_back(self, interaction: Interaction, draft_id: str) -> None:
        """Show a draft's panel in place of what came after it."""
        await interaction.response.defer()
        await show_panel(self._services, interaction, draft_id)

    @on_press("draft.add")
    async def ask_for_photos(self, interaction: Interaction, draft_id: str) -> None:
        """Open the form that takes photos."""
        view = await changeable(self._services, interaction, draft_id)
        await interaction.response.send_modal(add_form(view.draft))

    @on_form("draft.add")
    async def take_photos(self, interaction: Interaction, answers: Answers, draft_id: str) -> None:
        """Take the photos of the form."""
        await interaction.response.defer()
        uploads = answers.uploads.get("photos", ())
        intake = await self._services.intake.receive(interaction.user.id, uploads, draft_id=draft_id)
        layout, files = await drawn(self._services, interaction.user.id, intake)
        await replies.show(interaction, layout, files=files)

    @on_press("draft.remove")
    async def ask_what_to_remove(self, interaction: Interaction, draft_id: str) -> None:
        """Open the form that asks which photos go."""
        view = await with_photos(self._services, interaction, draft_id)
        await interaction.response.send_modal(remove_form(view))

    @on_form("draft.remove")
    async def remove(self, interaction: Interaction, answers: Answers, draft_id: str) -> None:
        """Remove photos."""
        await interaction.response.defer()
        chosen = [photo_id for ids in answers.choices.values() for photo_id in ids]
        gone = await self._services.drafts.remove(interaction.user.id, draft_id, chosen)
        note = (
            ngettext("Removed {count} photo.", "Removed {count} photos.", gone) if gone else _("Nothing was removed.")
        )
        await show_panel(self._services, interaction, draft_id, note=note.format(count=gone))

    @on_press("draft.who")
    async def ask_who(self, interaction: Interaction, draft_id: str) -> None:
        """Ask again who is in the photos."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        view = await self._services.drafts.view(interaction.user.id, draft_id, with_sheet=False)
        await replies.show(interaction, draw_consent_question(view.draft))

    @on_press("draft.consent")
    async def consent(self, interaction: Interaction, draft_id: str, depicted: str) -> None:
        """Keep who is in the photos, let in those that waited, and show the panel in place of the question."""
        await interaction.response.defer()
        intake = await self._services.intake.answer(interaction.user.id, draft_id, Depicted(depicted))
        await show_panel(self._services, interaction, draft_id, note=answered_note(intake))

    @on_press("draft.discard")
    async def ask_to_discard(self, interaction: Interaction, draft_id: str) -> None:
        """Ask whether a draft shall really go."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        view = await changeable(self._services, interaction, draft_id)
        await replies.show(interaction, draw_discard_question(view))

    @on_press("draft.discard_it")
    async def discard(self, interaction: Interaction, draft_id: str) -> None:
        """Throw a draft away."""
        await interaction.response.defer()
        draft = await self._services.drafts.discard(interaction.user.id, draft_id)
        text = _("**{name}** is discarded, and its photos are deleted.").format(name=draft.name)
        await replies.show(interaction, draw_sentence(text))

    @on_press("draft.keep_it")
    async def keep(self, interaction: Interaction, draft_id: str) -> None:
        """Leave a draft as it is."""
        await interaction.response.defer()
        draft = await self._services.drafts.current(interaction.user.id, draft_id)
        await replies.show(interaction, draw_sentence(_("**{name}** stays as it is.").format(name=draft.name)))

    async def _hand_over(self, interaction: Interaction, draft_id: str) -> None:
        most_bytes = interaction.filesize_limit - ROOM_IN_A_REQUEST
        takeout = await self._services.takeouts.dataset(interaction.user.id, draft_id, most_bytes=most_bytes)
        layout, files = draw_takeout(takeout)
        await replies.show(interaction, layout, files=files)
        for part in range(1, len(takeout.files)):
            layout, files = draw_takeout(takeout, part)
            await interaction.followup.send(view=layout, files=files, ephemeral=True)


def _base_model(typed: str | None) -> BaseModelName | None:
    if typed is None:
        return None
    for base in BaseModelName:
        if typed.strip().casefold() in (base.value.casefold(), base.label.casefold()):
            return base
    raise BadInput(_("I do not know that base model."), advice=_("Choose one from the list that opens while you type."))
