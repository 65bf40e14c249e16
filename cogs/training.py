"""Owns /train, /jobs and /cancel and the buttons of quotes and cards; follows no job itself."""

from collections.abc import Sequence
from typing import Any

import discord
from discord import app_commands, ui

from bot.errors import BadInput, BotError, WrongMoment
from bot.services import Services
from bot.texts import N_, _, ngettext
from bot.training.job import Job
from bot.training.presets import PRESETS, Preset, Wishes
from cogs import replies
from cogs.desk import Feature, on_choice, on_form, on_press
from cogs.places import is_guest, place_for_results, place_of
from cogs.providers import offered
from cogs.ui.controls import Answers, Form
from cogs.ui.job_details import draw_job_details
from cogs.ui.numbers_form import draw_numbers_form, read_numbers_form
from cogs.ui.quote import draw_jobs, draw_note, draw_quote, job_label

Interaction = discord.Interaction[Any]
#: Discord shows at most this many suggestions.
SUGGESTIONS = 25
_PRESETS = [app_commands.Choice(name=tuning.title, value=preset.value) for preset, tuning in PRESETS.items()]
_BEGUN = N_("**{name}** is being trained. Its card is in this channel.")
_BEGUN_ELSEWHERE = N_("**{name}** is being trained. Its card comes by direct message: I am no member of this server.")
_BEGUN_HERE = N_("**{name}** is being trained. Its card is in this conversation.")


class Training(Feature):
    """From a draft to a running job."""

    def __init__(self, services: Services) -> None:
        self._services = services

    @app_commands.command(description="Train a model from your draft: first you see what it costs and takes.")
    @app_commands.describe(
        draft="The draft to train; your only one if you leave it out.",
        provider="Who trains it; the first that fits if you leave it out.",
        steps="How long it learns: more is slower and closer to the photos.",
        rank="How much the LoRA can hold, where the trainer uses it.",
        learning_rate="How boldly it learns, where the trainer uses it.",
        resolution="Longest side of the pictures it learns from, in pixels.",
        autocaption="Let the provider describe photos that have no caption.",
        preset="What the photos show and how thorough to be; numbers that you give come before it.",
    )
    @app_commands.choices(preset=_PRESETS)
    async def train(
        self,
        interaction: Interaction,
        draft: str | None = None,
        provider: str | None = None,
        steps: int | None = None,
        rank: int | None = None,
        learning_rate: float | None = None,
        resolution: int | None = None,
        autocaption: bool | None = None,
        preset: str = Preset.USUAL.value,
    ) -> None:
        """Show a quote."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        chosen = await self._services.drafts.current(interaction.user.id, draft)
        wishes = Wishes(
            preset=Preset(preset),
            steps=steps,
            rank=rank,
            learning_rate=learning_rate,
            resolution=resolution,
            autocaption=autocaption,
        )
        offer = await self._services.training.quote(
            interaction.user.id, chosen.id, provider=provider, wishes=wishes, place=place_of(interaction)
        )
        await replies.show(interaction, draw_quote(offer))

    @app_commands.command(description="See your trainings and pictures, those under way first.")
    async def jobs(self, interaction: Interaction) -> None:
        """Show a person's jobs."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        await replies.show(interaction, draw_jobs(await self._services.training.jobs(interaction.user.id)))

    @app_commands.command(description="Stop a training or pictures that are under way.")
    @app_commands.describe(job="The job to stop; your only one if you leave it out.")
    async def cancel(self, interaction: Interaction, job: str | None = None) -> None:
        """Ask for the end of a job."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        job_id = job or (await self._only_job(interaction.user.id)).id
        stopped = await self._services.training.cancel(interaction.user.id, job_id)
        await replies.tell(
            interaction, _("Stopping **{name}**. Its card shows when it has ended.").format(name=stopped.title)
        )

    @train.autocomplete("draft")
    async def _suggest_drafts(self, interaction: Interaction, typed: str) -> list[app_commands.Choice[str]]:
        drafts = await self._services.drafts.open_drafts(interaction.user.id)
        fitting = [draft for draft in drafts if typed.casefold() in draft.name.casefold()]
        return [
            app_commands.Choice(name=f"{draft.name} ({draft.trigger_word})", value=draft.id)
            for draft in fitting[:SUGGESTIONS]
        ]

    @train.autocomplete("provider")
    async def _suggest_providers(self, interaction: Interaction, typed: str) -> list[app_commands.Choice[str]]:
        try:
            draft = await self._services.drafts.current(interaction.user.id, interaction.namespace.draft or None)
        except BotError:
            draft = None
        return await offered(self._services, interaction, self._services.training.trainers_for(draft), typed)

    @train.autocomplete("steps")
    async def _suggest_steps(self, interaction: Interaction, typed: str) -> list[app_commands.Choice[int]]:
        trainers = self._services.training.trainers_for(None)
        named = [t for t in trainers if t.name == interaction.namespace.provider] or list(trainers)
        if not named:
            return []
        limits = named[0].capabilities.steps
        presets = {
            N_("quick"): max(limits.low, limits.default / 2),
            N_("balanced"): limits.default,
            N_("thorough"): min(limits.high, limits.default * 2),
        }
        choices = [
            app_commands.Choice(
                name=_("{pace}: {count} steps").format(pace=_(name), count=round(value)), value=round(value)
            )
            for name, value in presets.items()
        ]
        return [choice for choice in choices if typed in choice.name]

    @train.autocomplete("resolution")
    async def _suggest_resolutions(self, interaction: Interaction, typed: str) -> list[app_commands.Choice[int]]:
        sizes = {size for t in self._services.training.trainers_for(None) for size in t.capabilities.resolutions}
        return [
            app_commands.Choice(name=_("{count} px").format(count=size), value=size)
            for size in sorted(sizes)
            if typed in str(size)
        ]

    @cancel.autocomplete("job")
    async def _suggest_jobs(self, interaction: Interaction, typed: str) -> list[app_commands.Choice[str]]:
        labels = [(job_label(job)[:100], job.id) for job in await self._under_way(interaction.user.id)]
        fitting = [(label, job_id) for label, job_id in labels if typed.casefold() in label.casefold()]
        return [app_commands.Choice(name=label, value=job_id) for label, job_id in fitting[:SUGGESTIONS]]

    @on_press("draft.train")
    async def quote(self, interaction: Interaction, draft_id: str) -> None:
        """Show a quote with everything left to us."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        offer = await self._services.training.quote(
            interaction.user.id, draft_id, provider=None, wishes=Wishes(), place=place_of(interaction)
        )
        await replies.show(interaction, draw_quote(offer))

    @on_press("train.again")
    async def again(self, interaction: Interaction, job_id: str) -> None:
        """Show the quote of a training like one that has ended."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        offer = await self._services.again.quote(interaction.user.id, job_id, place_of(interaction))
        await replies.show(interaction, draw_quote(offer))

    @on_choice("train.preset")
    async def choose_preset(self, interaction: Interaction, values: Sequence[str], quote_id: str) -> None:
        """Draw the quote anew with the numbers of another preset."""
        await interaction.response.defer()
        offer = await self._services.training.with_preset(
            interaction.user.id, quote_id, Preset(values[0]), place=place_of(interaction)
        )
        await replies.show(interaction, draw_quote(offer))

    @on_press("train.numbers")
    async def ask_for_numbers(self, interaction: Interaction, quote_id: str) -> None:
        """Open the form for own numbers."""
        offer = await self._services.training.offer(interaction.user.id, quote_id)
        await interaction.response.send_modal(draw_numbers_form(offer))

    @on_form("train.numbers")
    async def take_numbers(self, interaction: Interaction, answers: Answers, quote_id: str) -> None:
        """Draw the quote anew with own numbers."""
        await interaction.response.defer()
        await self._requote(interaction, quote_id, read_numbers_form(answers))

    @on_press("train.captions")
    async def toggle_captions(self, interaction: Interaction, quote_id: str, wanted: str) -> None:
        """Draw the quote anew, with or without captions by the provider."""
        await interaction.response.defer()
        await self._requote(interaction, quote_id, Wishes(autocaption=wanted == "on"))

    async def _requote(self, interaction: Interaction, quote_id: str, wishes: Wishes) -> None:
        offer = await self._services.training.with_numbers(
            interaction.user.id, quote_id, wishes, place=place_of(interaction)
        )
        await replies.show(interaction, draw_quote(offer))

    @on_press("train.start")
    async def start(self, interaction: Interaction, quote_id: str) -> None:
        """Begin what was quoted."""
        await interaction.response.defer()
        place = await place_for_results(interaction)
        job = await self._services.training.start(interaction.user.id, quote_id, place)
        begun = _BEGUN if place.guild_id is not None else _BEGUN_HERE
        begun = _BEGUN_ELSEWHERE if is_guest(interaction) else begun
        await replies.show(interaction, draw_note(_(begun).format(name=job.title)))

    @on_press("train.drop")
    async def drop(self, interaction: Interaction, _quote_id: str) -> None:
        """Take the quote away."""
        await interaction.response.defer()
        await replies.show(interaction, draw_note(_("Nothing was begun. Your draft waits for you: /draft show.")))

    @on_press("job.cancel")
    async def stop(self, interaction: Interaction, job_id: str) -> None:
        """Ask for the end of the job whose card this is."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        job = await self._services.training.cancel(interaction.user.id, job_id)
        await replies.tell(interaction, _("Stopping **{name}**.").format(name=job.title))

    @on_press("job.details")
    async def details(self, interaction: Interaction, job_id: str) -> None:
        """Tell everything about a training."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        layout, files = draw_job_details(await self._services.details.of_training(job_id))
        await replies.show(interaction, layout, files=files)

    @on_press("job.it_ran")
    async def ask_for_id(self, interaction: Interaction, job_id: str) -> None:
        """Ask for the provider's id of a job that is in doubt."""
        field: ui.TextInput[Any] = ui.TextInput(custom_id="remote", placeholder=_("id or link"), max_length=200)
        label: ui.Label[Any] = ui.Label(text=_("Its id or link at the provider"), component=field)
        await interaction.response.send_modal(Form("job.it_ran", job_id, title=_("It ran"), labels=[label]))

    @on_form("job.it_ran")
    async def it_ran(self, interaction: Interaction, answers: Answers, job_id: str) -> None:
        """Go on with a job that was in doubt."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        remote_id = answers.texts.get("remote", "").strip().rstrip("/").rsplit("/", 1)[-1]
        if not remote_id:
            raise BadInput(_("That is neither an id nor a link."), advice=_("Copy it from the provider's own page."))
        await self._settle(interaction, job_id, remote_id)
        await replies.tell(interaction, _("Thank you. The bot follows it from here."))

    @on_press("job.did_not_run")
    async def did_not_run(self, interaction: Interaction, job_id: str) -> None:
        """Send a job that was in doubt once more."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        await self._settle(interaction, job_id, None)
        await replies.tell(interaction, _("Thank you. It is sent once more."))

    async def _settle(self, interaction: Interaction, job_id: str, remote_id: str | None) -> None:
        place = place_of(interaction)
        await self._services.training.settle_doubt(interaction.user.id, job_id, place, remote_id=remote_id)

    async def _under_way(self, person_id: int) -> Sequence[Job]:
        return [job for job in await self._services.training.jobs(person_id) if not job.state.terminal]

    async def _only_job(self, person_id: int) -> Job:
        jobs = await self._under_way(person_id)
        if len(jobs) == 1:
            return jobs[0]
        if not jobs:
            raise WrongMoment(_("Nothing of yours is under way."), advice=_("/jobs lists what has ended."))
        raise WrongMoment(
            ngettext("{count} job of yours is under way.", "{count} jobs of yours are under way.", len(jobs)).format(
                count=len(jobs)
            ),
            advice=_("Name one with the option `job`."),
        )
