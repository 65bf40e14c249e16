"""Owns how the details of a training look; a pure function, sends nothing."""

import io

import discord
from discord import ui

from bot.details import JobDetails
from bot.loss_curve import describe_curve
from bot.texts import _
from bot.training.job import Job
from cogs.ui import words
from cogs.ui.controls import Layout

_CURVE = "loss.png"


def draw_job_details(details: JobDetails) -> tuple[Layout, list[discord.File]]:
    """Return all that is known of a training, with its loss curve."""
    job = details.job
    recipe = job.training.recipe
    lines = [
        _("### Details of {name}").format(name=job.title),
        f"**{words.state_of(job)}** · {details.provider_title}" + (f" ({job.why_told})" if job.why else ""),
        " · ".join([words.photos(job.training.photo_count), *words.settings_of(recipe)]),
        _("Trigger word **{word}** · {base_model}").format(
            word=recipe.trigger_word, base_model=recipe.base_model.label
        ),
        *_times(job),
        *words.charged(job, details.reserved_usd),
    ]
    if job.failure is not None:
        lines.append(job.failure.sentence)
    container: ui.Container[Layout] = ui.Container(ui.TextDisplay("\n".join(lines)))
    if details.curve is None:
        container.add_item(ui.TextDisplay(f"-# {_no_curve(job)}"))
        return Layout(container), []
    gallery: ui.MediaGallery[Layout] = ui.MediaGallery()
    gallery.add_item(media=f"attachment://{_CURVE}", description=describe_curve(details.losses))
    container.add_item(gallery)
    return Layout(container), [discord.File(io.BytesIO(details.curve), _CURVE)]


def _times(job: Job) -> list[str]:
    lines = [_("Asked for {when}").format(when=words.moment(job.created_at, "f"))]
    if job.started_at is not None:
        lines.append(_("Begun {when}").format(when=words.moment(job.started_at, "f")))
    if job.ended_at is not None:
        lines.append(_("Ended {when}").format(when=words.moment(job.ended_at, "f")))
        if job.started_at is not None:
            minutes = (job.ended_at - job.started_at).total_seconds() / 60
            lines.append(_("It ran {duration}.").format(duration=words.duration(minutes)))
    elif job.eta_at is not None:
        lines.append(_("Expected to end {when}").format(when=words.moment(job.eta_at)))
    return lines


def _no_curve(job: Job) -> str:
    if job.state.terminal:
        return _("There is no loss curve: the provider told too few losses.")
    return _("The loss curve shows here once there are a few losses.")
