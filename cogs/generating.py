"""Owns /generate and the buttons that ask for more pictures; follows no job itself."""

import discord
from discord import app_commands

from bot.client import DarkroomBot
from bot.errors import BadInput
from bot.lora import Lora
from bot.picture_wishes import Mixing, PictureWishes, heeds_negative_prompt, shapes_of
from bot.services import Services
from bot.texts import _, listed, ngettext
from bot.training.job import Job
from cogs import replies
from cogs.desk import Feature, on_choice, on_form, on_press
from cogs.model_commands import Suggestions, suggest_models
from cogs.places import is_guest, place_for_results, place_of
from cogs.providers import offered
from cogs.ui.controls import Answers
from cogs.ui.gallery import ASPECT_NAMES, plain
from cogs.ui.picture_form import MOST, draw_picture_form, read_picture_form
from providers.base import Aspect

Interaction = discord.Interaction[DarkroomBot]
#: Discord takes no longer name or value of a suggestion, and no more of them.
LONGEST_CHOICE = 100
MOST_CHOICES = 25
#: What models are often told to leave out; they speak English.
NEGATIVES = ("blurry, low quality, jpeg artifacts", "text, watermark, signature", "extra fingers, deformed hands")


class Generating(Feature):
    """From a model to pictures, and from pictures to more of them."""

    def __init__(self, services: Services) -> None:
        self._services = services

    @app_commands.command(description="Make pictures with a trained model, or with up to three that are mixed.")
    @app_commands.describe(
        model="One of your models, or one that is shared here.",
        prompt="What the picture shows, with the model's trigger word; some are ready to be chosen.",
        count="How many pictures.",
        seed="The same seed and settings give the same picture; leave it out for a random one.",
        aspect="The shape of the pictures.",
        strength="How much of the model goes in; leave it out for what works best.",
        negative_prompt="What the pictures shall not show, where a provider heeds it.",
        model2="A further model to mix in, for the same base model.",
        strength2="How much of the second model goes in.",
        model3="One more model to mix in.",
        strength3="How much of the third model goes in.",
        provider="Who makes them; leave it out for the best choice.",
    )
    async def generate(
        self,
        interaction: Interaction,
        model: str,
        prompt: str = "",
        count: app_commands.Range[int, 1, MOST] = 1,
        seed: int | None = None,
        aspect: str = Aspect.SQUARE.value,
        strength: float | None = None,
        negative_prompt: str = "",
        model2: str = "",
        strength2: float | None = None,
        model3: str = "",
        strength3: float | None = None,
        provider: str | None = None,
    ) -> None:
        """Begin some pictures."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        lora = await self._find(interaction, model)
        mixed_in = [
            Mixing(lora_id=(await self._find(interaction, more)).id, strength=how_much)
            for more, how_much in ((model2, strength2), (model3, strength3))
            if more
        ]
        wishes = PictureWishes(
            prompt=await self._services.prompts.meant(interaction.user.id, prompt, lora),
            negative_prompt=negative_prompt,
            count=count,
            seed=seed,
            aspect=read_aspect(aspect),
            strength=strength,
            provider=provider,
            mixed_in=mixed_in,
        )
        await self._begin(interaction, lora.id, wishes)

    @generate.autocomplete("model")
    async def _suggest(self, interaction: Interaction, typed: str) -> Suggestions:
        return await suggest_models(self._services, interaction, typed)

    @generate.autocomplete("model2")
    @generate.autocomplete("model3")
    async def _suggest_more(self, interaction: Interaction, typed: str) -> Suggestions:
        return await suggest_models(self._services, interaction, typed, fitting=await self._meant(interaction))

    @generate.autocomplete("prompt")
    async def _suggest_prompts(self, interaction: Interaction, typed: str) -> Suggestions:
        lora = await self._meant(interaction)
        if lora is None:
            return []
        ready = await self._services.prompts.suggested(interaction.user.id, lora)
        choices = [
            app_commands.Choice(name=f"{one.name}: {one.text}"[:LONGEST_CHOICE], value=one.value)
            for one in ready
            if typed.casefold() in f"{one.name}: {one.text}".casefold() and len(one.value) <= LONGEST_CHOICE
        ]
        return choices[:MOST_CHOICES]

    @generate.autocomplete("negative_prompt")
    async def _suggest_negatives(self, interaction: Interaction, typed: str) -> Suggestions:
        lora = await self._meant(interaction)
        if lora is None or not heeds_negative_prompt(self._services.generating.makers_for(lora), lora):
            return []
        return [app_commands.Choice(name=one, value=one) for one in NEGATIVES if typed.casefold() in one]

    @generate.autocomplete("aspect")
    async def _suggest_aspects(self, interaction: Interaction, typed: str) -> Suggestions:
        makers = self._services.generating.makers_for(await self._meant(interaction))
        chosen = [maker for maker in makers if maker.name == interaction.namespace.provider]
        named = [(_(ASPECT_NAMES[one]), one.value) for one in shapes_of(chosen or makers)]
        return [
            app_commands.Choice(name=name, value=value) for name, value in named if typed.casefold() in name.casefold()
        ]

    @generate.autocomplete("provider")
    async def _suggest_providers(self, interaction: Interaction, typed: str) -> Suggestions:
        makers = self._services.generating.makers_for(await self._meant(interaction))
        return await offered(self._services, interaction, makers, typed)

    @on_press("model.generate")
    async def open_form(self, interaction: Interaction, lora_id: str) -> None:
        """Open the form for pictures of a model."""
        details = await self._services.library.details(interaction.user.id, lora_id, place_of(interaction))
        makers = self._services.generating.makers_for(details.lora)
        await interaction.response.send_modal(draw_picture_form(details.lora, PictureWishes(), makers))

    @on_form("model.generate")
    async def generate_from_form(
        self, interaction: Interaction, answers: Answers, lora_id: str, provider: str | None = None
    ) -> None:
        """Begin what the form asks for; forms of an earlier version name a provider."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        await self._begin(interaction, lora_id, read_picture_form(answers, PictureWishes(provider=provider)))

    @on_press("model.more")
    async def more(self, interaction: Interaction, lora_id: str) -> None:
        """Begin as many pictures of a model as go at once."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        await self._begin(interaction, lora_id, PictureWishes(count=MOST))

    @on_press("picture.again")
    async def again(self, interaction: Interaction, job_id: str) -> None:
        """Begin the same pictures with new seeds."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        place = await place_for_results(interaction)
        job = await self._services.generating.again(interaction.user.id, job_id, place)
        await replies.tell(interaction, _begun(job, interaction))

    @on_press("picture.upscale")
    async def upscale(self, interaction: Interaction, job_id: str, position: str) -> None:
        """Begin a larger copy of the only picture."""
        await self._upscale(interaction, job_id, position)

    @on_choice("picture.upscale")
    async def upscale_chosen(self, interaction: Interaction, values: list[str], job_id: str) -> None:
        """Begin a larger copy of the picture that was chosen."""
        await self._upscale(interaction, job_id, values[0])

    @on_press("picture.vary")
    async def vary(self, interaction: Interaction, job_id: str) -> None:
        """Open the form with all that these pictures were made with, so that one thing can be changed."""
        lora, wishes = await self._services.generating.wishes_of(interaction.user.id, job_id, place_of(interaction))
        makers = self._services.generating.makers_for(lora)
        await interaction.response.send_modal(draw_picture_form(lora, wishes, makers, job_id=job_id))

    @on_form("picture.varied")
    async def vary_from_form(self, interaction: Interaction, answers: Answers, job_id: str) -> None:
        """Begin pictures like others but for what the form changes, at the provider that made those."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        lora, wishes = await self._services.generating.wishes_of(interaction.user.id, job_id, place_of(interaction))
        await self._begin(interaction, lora.id, read_picture_form(answers, wishes))

    async def _upscale(self, interaction: Interaction, job_id: str, position: str) -> None:
        await interaction.response.defer(ephemeral=True, thinking=True)
        place = await place_for_results(interaction)
        number = int(position) if position.isdecimal() else -1
        job = await self._services.generating.upscale(interaction.user.id, job_id, number, place)
        maker = self._services.router.registry.image_makers[job.provider]
        told = _("{provider} makes picture {number} of **{model}** larger. A card shows how far it is.")
        await replies.tell(interaction, told.format(provider=maker.title, number=number + 1, model=plain(job.title)))

    async def _find(self, interaction: Interaction, model: str) -> Lora:
        return await self._services.library.find(interaction.user.id, model, place_of(interaction))

    async def _meant(self, interaction: Interaction) -> Lora | None:
        """Return the model that the options so far name."""
        text = interaction.namespace.model or ""
        return await self._services.library.meant_or_none(interaction.user.id, text, place_of(interaction))

    async def _begin(self, interaction: Interaction, lora_id: str, wishes: PictureWishes) -> None:
        place = await place_for_results(interaction)
        job = await self._services.generating.start(interaction.user.id, lora_id, wishes, place)
        await replies.tell(interaction, _begun(job, interaction))


def read_aspect(text: str) -> Aspect:
    """Return the shape that was chosen, or typed by its name.

    Raises:
        BadInput: there is none of that name.
    """
    for aspect, name in ASPECT_NAMES.items():
        if text.strip().casefold() in {aspect.value, aspect.name.casefold(), name.casefold(), _(name).casefold()}:
            return aspect
    raise BadInput(
        _("There is no such shape."),
        advice=_("Choose {shapes}.").format(shapes=listed([aspect.value for aspect in Aspect])),
    )


def _begun(job: Job, interaction: Interaction) -> str:
    count = job.pictures.count
    if is_guest(interaction):
        drawing = ngettext(
            "Drawing {count} picture with **{model}**. It comes by direct message: I am no member of this server.",
            "Drawing {count} pictures with **{model}**. They come by direct message: I am no member of this server.",
            count,
        )
    elif job.guild_id is None:
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
