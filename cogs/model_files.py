"""Owns /models download and import: a model's file, out and in; judges no file itself."""

import io

import discord
from discord import app_commands

from bot.consent import Depicted
from bot.errors import BadInput
from bot.imports import ImportWishes
from bot.texts import _
from cogs import replies
from cogs.desk import on_form, on_press
from cogs.model_commands import Interaction, ModelCommands, Suggestions, suggest_models
from cogs.places import place_of
from cogs.ui.controls import Answers
from cogs.ui.model_files import draw_import_form, draw_imported, draw_lora_file
from providers.recipe import BaseModelName, SubjectKind

#: Discord takes 25 MiB a request, whatever a server's boosts allow for one file; a little is for the rest of it.
MOST_BYTES = 24 * 1024 * 1024
#: Stands for a base model that was left out, in the form's custom_id.
UNSAID = "-"

_KINDS = [app_commands.Choice(name=kind.value, value=kind.value) for kind in SubjectKind]
_BASE_MODELS = [app_commands.Choice(name=one.label, value=one.value) for one in BaseModelName]


class ModelFiles(ModelCommands):
    """Files of models."""

    models = ModelCommands.models

    @models.command(description="Get the file of one of your models, to use it elsewhere.")
    @app_commands.describe(model="One of your models.")
    async def download(self, interaction: Interaction, model: str) -> None:
        """Give an owner their model's file."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        await self._give(interaction, (await self._meant(interaction, model)).id)

    @models.command(name="import", description="Bring in a LoRA that was made elsewhere, as a file or by a link.")
    @app_commands.describe(
        kind="What it shows.", base_model="What it was trained for; leave it out if the file says it."
    )
    @app_commands.choices(kind=_KINDS, base_model=_BASE_MODELS)
    async def import_model(self, interaction: Interaction, kind: str, base_model: str | None = None) -> None:
        """Open the form for a LoRA's file or link."""
        await self._services.imports.admit(interaction.user.id, place_of(interaction))
        await interaction.response.send_modal(draw_import_form(SubjectKind(kind), base_model or UNSAID))

    @download.autocomplete("model")
    async def _suggest_downloads(self, interaction: Interaction, typed: str) -> Suggestions:
        return await suggest_models(self._services, interaction, typed, only_own=True)

    @on_press("model.download")
    async def download_from_card(self, interaction: Interaction, lora_id: str) -> None:
        """Give an owner their model's file, below the card."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        await self._give(interaction, lora_id)

    @on_form("model.import")
    async def import_from_form(self, interaction: Interaction, answers: Answers, kind: str, base_model: str) -> None:
        """Bring in what the form names, and show its card."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        depicted = next(iter(answers.choices.get("depicted", ())), None)
        if depicted is None:
            raise BadInput(_("Say who is in it."), advice=_("Use /models import again."))
        wishes = ImportWishes(
            kind=SubjectKind(kind),
            base_model=None if base_model == UNSAID else BaseModelName(base_model),
            depicted=Depicted(depicted),
            trigger_word=answers.texts.get("trigger_word", ""),
            upload=next(iter(answers.uploads.get("file", ())), None),
            link=answers.texts.get("link", ""),
        )
        lora = await self._services.imports.bring(interaction.user.id, wishes, place_of(interaction))
        await replies.show(interaction, draw_imported(lora))

    async def _give(self, interaction: Interaction, lora_id: str) -> None:
        most = min(interaction.filesize_limit, MOST_BYTES)
        handed = await self._services.lora_files.hand_out(interaction.user.id, lora_id, most_bytes=most)
        files = [] if handed.data is None else [discord.File(io.BytesIO(handed.data), handed.file_name)]
        await replies.show(interaction, draw_lora_file(handed), files=files)
