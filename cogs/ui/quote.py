"""Owns how a quote and a person's list of jobs look; pure functions, send nothing."""

from collections.abc import Sequence

import discord
from discord import ui

from bot.training.job import Job, JobKind
from bot.training.service import Offer
from cogs.ui import words
from cogs.ui.controls import Layout, button


def draw_quote(offer: Offer) -> Layout:
    """Return what a training would be and cost, with the button that begins it."""
    recipe, estimate = offer.quote.recipe, offer.quote.estimate
    settings = [f"{recipe.steps} steps", f"{recipe.resolution} px"]
    settings += [f"rank {recipe.rank}"] if recipe.rank else []
    settings += [f"learning rate {recipe.learning_rate:g}"] if recipe.learning_rate else []
    settings += ["captions written for you"] if recipe.autocaption else []
    settings.insert(0, words.counted(offer.photo_count, "photo"))
    lines = [
        f"### Train {offer.draft.name} with {offer.trainer_title}?",
        f"{' · '.join(settings)}\nTrigger word **{recipe.trigger_word}** · {recipe.base_model.label}",
        f"**{words.price(estimate).capitalize()}** · {words.duration(estimate.minutes)}\n-# {estimate.basis}",
    ]
    remarks = [f"{offer.trainer_title}: {offer.quote.why}.", *offer.notices]
    lines += [f"-# {remark}" for remark in remarks]
    container: ui.Container[Layout] = ui.Container(*(ui.TextDisplay(line) for line in lines))
    container.add_item(
        ui.ActionRow(
            button("train.start", offer.quote.id, label="Train it", style=discord.ButtonStyle.success),
            button("train.drop", offer.quote.id, label="Not now"),
        )
    )
    return Layout(container)


def draw_note(text: str) -> Layout:
    """Return a plain sentence, for places where a layout has to be replaced by one."""
    return Layout(ui.TextDisplay(text))


def draw_jobs(jobs: Sequence[Job]) -> Layout:
    """Return a person's jobs, a line each."""
    if not jobs:
        return draw_note("You have no jobs yet. Begin with /draft new.")
    return Layout(ui.TextDisplay("### Your jobs"), *(ui.TextDisplay(_line(job)) for job in jobs))


def job_label(job: Job) -> str:
    """Return one job in a few words, for a list to choose from."""
    what = "training" if job.kind is JobKind.TRAINING else words.counted(job.pictures.count, "picture")
    return f"{job.title}: {what}, {words.state_of(job).lower()}"


def _line(job: Job) -> str:
    text = f"**{job.title}** · {job_label(job).removeprefix(f'{job.title}: ')}"
    progress = job.progress
    if not job.state.terminal and progress.step is not None and progress.total:
        text += f" · step {progress.step} of {progress.total}"
    if job.failure is not None and job.state.terminal:
        text += f"\n{job.failure.reason}"
    return f"{text}\n-# {words.moment(job.created_at)}"
