"""Owns how a job looks while it goes on, and its last word; a pure function of the job, sends nothing."""

import discord
from discord import ui

from bot.cards import JobView
from bot.training.job import Job, JobKind, JobState
from cogs.ui import words
from cogs.ui.controls import Layout, button
from cogs.ui.gallery import draw_gallery, kept_back
from cogs.ui.pictures import add_pictures

_RUNNING = discord.Colour(0x5865F2)
_GOOD = discord.Colour(0x3BA55D)
_BAD = discord.Colour(0xED4245)
_QUIET = discord.Colour(0x80848E)

_DOUBT = (
    "The order left, no clear answer came back, and {provider} cannot be asked. Look there: if it ran, press *It ran* "
    "and paste its id or link. If it did not, press *It did not run* and it is sent once more."
)


def draw_job(view: JobView) -> tuple[Layout, list[discord.File]]:
    """Return a job's card as it is now, with its files; finished pictures become their gallery."""
    job = view.job
    if job.kind is JobKind.PICTURES and view.gallery is not None:
        return draw_gallery(view.gallery)
    lines = [f"### {_headline(view)}", _where(job)]
    if job.failure is not None and job.state.terminal:
        lines.append(f"{job.failure.reason} {job.failure.advice}".strip())
    if view.provider_lost and not job.state.terminal:
        lines.append(f"{view.provider_title} does not answer right now. It goes on by itself once it does.")
    if job.state is JobState.UNCERTAIN:
        lines.append(_DOUBT.format(provider=view.provider_title))
    lines.append(f"-# {_facts(view)}")
    container: ui.Container[Layout] = ui.Container(accent_colour=_colour(job))
    for line in lines:
        container.add_item(ui.TextDisplay(line))
    row = _buttons(job)
    if row is not None:
        container.add_item(row)
    return Layout(container), []


def draw_last_word(view: JobView) -> tuple[Layout, list[discord.File]]:
    """Return the message that ends a training: the model with its first pictures, or why there is none."""
    job = view.job
    if view.lora is None or job.state is not JobState.SUCCEEDED:
        reason = f"{job.failure.reason} {job.failure.advice}".strip() if job.failure else ""
        text = f"### {job.title}: {words.state_of(job).lower()}\n<@{job.owner_id}> {reason}\n"
        again = "Your draft is as it was, with every photo and caption. /train tries again."
        return Layout(ui.Container(ui.TextDisplay(text + again), accent_colour=_BAD)), []
    lora = view.lora
    text = (
        f"## {lora.name} is ready\n<@{job.owner_id}> The model is yours alone until you share it. "
        f"Its trigger word is **{lora.trigger_word}**."
    )
    container: ui.Container[Layout] = ui.Container(ui.TextDisplay(text), accent_colour=_GOOD)
    files = _add_samples(container, view)
    container.add_item(
        ui.ActionRow(
            button("model.generate", lora.id, label="Generate", style=discord.ButtonStyle.primary),
            button("model.more", lora.id, label="More"),
            button("model.share", lora.id, label="Share"),
        )
    )
    return Layout(container), files


def _add_samples(container: ui.Container[Layout], view: JobView) -> list[discord.File]:
    if view.gallery is None or not view.gallery.pictures:
        container.add_item(ui.TextDisplay(f"There are no first pictures: {_why_no_samples(view)}"))
        return []
    files = add_pictures(container, view.gallery)
    if view.gallery.job.withheld:
        container.add_item(ui.TextDisplay(f"-# {kept_back(view.gallery)}"))
    return files


def _why_no_samples(view: JobView) -> str:
    if view.samples_job is None:
        return "No provider here makes pictures with it."
    if view.samples_job.failure is not None:
        return view.samples_job.failure.reason
    if view.gallery is not None and view.gallery.job.withheld >= view.gallery.job.pictures.count:
        return kept_back(view.gallery)
    return "They were deleted."


def _headline(view: JobView) -> str:
    job = view.job
    if job.kind is JobKind.TRAINING:
        return f"Training {job.title}"
    return f"{words.counted(job.pictures.count, 'picture')} with {job.title}"


def _where(job: Job) -> str:
    progress, parts = job.progress, [f"**{words.state_of(job)}**"]
    if job.state is JobState.RUNNING and not job.cancel_requested:
        if progress.phase and progress.phase.casefold() != words.state_of(job).casefold():
            parts.append(progress.phase)
        if progress.step is not None and progress.total:
            parts.append(f"step {progress.step} of {progress.total}")
        if progress.loss is not None:
            parts.append(f"loss {progress.loss:.4g}")
        if job.eta_at is not None:
            parts.append(f"done {words.moment(job.eta_at)}")
    line = " · ".join(parts)
    if job.state is JobState.RUNNING and progress.step is not None and progress.total:
        return f"{line}\n{words.bar(progress.step / progress.total)}"
    return line


def _facts(view: JobView) -> str:
    job, parts = view.job, [view.provider_title]
    if job.why:
        parts[0] += f" ({job.why})"
    if job.kind is JobKind.TRAINING:
        recipe = job.training.recipe
        parts += [words.counted(job.training.photo_count, "photo"), f"{recipe.steps} steps", f"{recipe.resolution} px"]
    if job.cost_usd:
        parts.append(f"${job.cost_usd:.2f}")
    parts.append(f"for <@{job.owner_id}>")
    return " · ".join(parts)


def _buttons(job: Job) -> ui.ActionRow[Layout] | None:
    if job.state is JobState.UNCERTAIN:
        return ui.ActionRow(
            button("job.it_ran", job.id, label="It ran", style=discord.ButtonStyle.primary),
            button("job.did_not_run", job.id, label="It did not run"),
            button("job.cancel", job.id, label="Cancel", style=discord.ButtonStyle.danger),
        )
    if not job.state.terminal:
        return ui.ActionRow(
            button(
                "job.cancel",
                job.id,
                label="Cancel",
                style=discord.ButtonStyle.danger,
                disabled=job.cancel_requested,
            )
        )
    if job.kind is JobKind.PICTURES and job.state is not JobState.SUCCEEDED:
        return ui.ActionRow(button("picture.again", job.id, label="Try again"))
    return None


def _colour(job: Job) -> discord.Colour:
    if not job.state.terminal:
        return _RUNNING
    if job.state is JobState.SUCCEEDED:
        return _GOOD
    return _QUIET if job.state is JobState.CANCELED else _BAD
