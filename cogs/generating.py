"""Owns /generate and the buttons that ask for pictures or look after finished ones; follows no job itself."""

import logging
from dataclasses import replace

import discord
from discord import app_commands

from bot.app import Services
from bot.client import DarkroomBot
from bot.generating import PictureWishes
from bot.texts import _, ngettext
from bot.training.job import Job
from cogs import replies
from cogs.desk import Feature, on_form, on_press
from cogs.model_commands import suggest_models
from cogs.places import place_for_results, place_of
from cogs.providers import offered
from cogs.ui.controls import Answers
from cogs.ui.gallery import ASPECT_NAMES, draw_details, plain
from cogs.ui.picture_form import MOST, draw_picture_form, read_picture_form
from providers.base import Aspect

log = logging.getLogger(__name__)

Interaction = discord.Interaction[DarkroomBot]
_ASPECTS = [app_commands.Choice(name=name, value=aspect.value) for aspect, name in ASPECT_NAMES.items()]


class Generating(Feature):
    """From a model to pictures, and from pictures to more of them."""

    def __init__(self, services: Services) -> None:
        self._services = services

    @app_commands.command(description="Make pictures with a trained model.")
    @app_commands.describe(
        model="One of your models, or one that is shared here.",
        prompt="What the picture shows; use the model's trigger word in it.",
        count="How many pictures.",
        seed="The same seed and settings give the same picture; leave it out for a random one.",
        aspect="The shape of the pictures.",
        strength="How much of the model goes in; leave it out for what works best.",
        provider="Who makes them; leave it out for the best choice.",
    )
    @app_commands.choices(aspect=_ASPECTS)
    async def generate(
        self,
        interaction: Interaction,
        model: str,
        prompt: str = "",
        count: app_commands.Range[int, 1, MOST] = 1,
        seed: int | None = None,
        aspect: str = Aspect.SQUARE.value,
        strength: float | None = None,
        provider: str | None = None,
    ) -> None:
        """Begin some pictures."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        lora = await self._services.library.find(interaction.user.id, model, place_of(interaction))
        wishes = PictureWishes(
            prompt=prompt, count=count, seed=seed, aspect=Aspect(aspect), strength=strength, provider=provider
        )
        await self._begin(interaction, lora.id, wishes)

    @generate.autocomplete("model")
    async def _suggest(self, interaction: Interaction, typed: str) -> list[app_commands.Choice[str]]:
        return await suggest_models(self._services, interaction, typed)

    @generate.autocomplete("provider")
    async def _suggest_providers(self, interaction: Interaction, typed: str) -> list[app_commands.Choice[str]]:
        lora = await self._services.library.meant_or_none(
            interaction.user.id, interaction.namespace.model or "", place_of(interaction)
        )
        return offered(self._services.generating.makers_for(lora), typed)

    @on_press("model.generate")
    async def open_form(self, interaction: Interaction, lora_id: str) -> None:
        """Open the form for pictures of a model."""
        details = await self._services.library.details(interaction.user.id, lora_id, place_of(interaction))
        await interaction.response.send_modal(draw_picture_form(details.lora, PictureWishes()))

    @on_form("model.generate")
    async def generate_from_form(
        self, interaction: Interaction, answers: Answers, lora_id: str, provider: str | None = None
    ) -> None:
        """Begin what the form asks for, at the provider that made the pictures which it varies."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        await self._begin(interaction, lora_id, replace(read_picture_form(answers), provider=provider))

    @on_press("model.more")
    async def more(self, interaction: Interaction, lora_id: str) -> None:
        """Begin as many pictures of a model as go at once."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        await self._begin(interaction, lora_id, PictureWishes(count=MOST))

    @on_press("picture.again")
    async def again(self, interaction: Interaction, job_id: str) -> None:
        """Begin the same pictures with new seeds."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        place = place_for_results(interaction)
        job = await self._services.generating.again(interaction.user.id, job_id, place)
        await replies.tell(interaction, _begun(job))

    @on_press("picture.vary")
    async def vary(self, interaction: Interaction, job_id: str) -> None:
        """Open the form with all that these pictures were made with, so that one thing can be changed."""
        lora, wishes = await self._services.generating.wishes_of(interaction.user.id, job_id, place_of(interaction))
        await interaction.response.send_modal(draw_picture_form(lora, wishes))

    @on_press("picture.details")
    async def details(self, interaction: Interaction, job_id: str) -> None:
        """Tell everything about some pictures."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        gallery = await self._services.generating.gallery(job_id, with_files=False)
        await replies.show(interaction, draw_details(gallery))

    @on_press("picture.delete")
    async def delete(self, interaction: Interaction, job_id: str) -> None:
        """Delete pictures for ever, then the message that shows them."""
        await interaction.response.defer()
        await self._services.generating.delete(interaction.user.id, job_id)
        try:
            await interaction.delete_original_response()
        except discord.NotFound:
            log.info("the message of job %s was gone already", job_id)
        except discord.HTTPException as error:
            log.warning("the message of job %s could not be deleted (%s)", job_id, error.code)
            await replies.tell(
                interaction, _("I deleted the pictures on my side, but not this message. Ask a moderator to delete it.")
            )
            return
        await replies.tell(interaction, _("The pictures are deleted for ever."))

    async def _begin(self, interaction: Interaction, lora_id: str, wishes: PictureWishes) -> None:
        place = place_for_results(interaction)
        job = await self._services.generating.start(interaction.user.id, lora_id, wishes, place)
        await replies.tell(interaction, _begun(job))


def _begun(job: Job) -> str:
    count = job.pictures.count
    if job.guild_id is None:
        drawing = ngettext(
            "Drawing {count} picture with **{model}**. It appears here.",
            "Drawing {count} pictures with **{model}**. They appear here.",
            count,
        )
    else:
        drawing = ngettext(
            "Drawing {count} picture with **{model}**. It appears in this channel.",
            "Drawing {count} pictures with **{model}**. They appear in this channel.",
            count,
        )
    return drawing.format(count=count, model=plain(job.title))
