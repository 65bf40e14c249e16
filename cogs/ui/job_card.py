"""Owns how a job looks while it goes on, and its last word; a pure function of the job, sends nothing."""

import discord
from discord import ui

from bot.cards import JobView
from bot.lora import Lora
from bot.texts import N_, _
from bot.training.job import Job, JobKind, JobState
from cogs.ui import words
from cogs.ui.controls import Layout, button
from cogs.ui.gallery import draw_gallery, kept_back
from cogs.ui.pictures import add_pictures
from cogs.ui.sheet import compare_buttons, draw_sheet

_RUNNING = discord.Colour(0x5865F2)
_GOOD = discord.Colour(0x3BA55D)
_BAD = discord.Colour(0xED4245)
_QUIET = discord.Colour(0x80848E)

_DOUBT = N_(
    "The order left, no clear answer came back, and {provider} cannot be asked. Look there: if it ran, press *It ran* "
    "and paste its id or link. If it did not, press *It did not run* and it is sent once more."
)


def draw_job(view: JobView) -> tuple[Layout, list[discord.File]]:
    """Return a job's card as it is now, with its files; finished pictures become their gallery."""
    job = view.job
    if job.kind is JobKind.PICTURES and view.gallery is not None:
        return draw_gallery(view.gallery)
    if view.sheet is not None:
        return draw_sheet(view.sheet)
    lines = [f"### {_headline(view)}", _where(job)]
    if job.failure is not None and job.state.terminal:
        lines.append(job.failure.sentence)
    if view.provider_lost and not job.state.terminal:
        lines.append(
            _("{provider} does not answer right now. It goes on by itself once it does.").format(
                provider=view.provider_title
            )
        )
    if job.state is JobState.UNCERTAIN:
        lines.append(_(_DOUBT).format(provider=view.provider_title))
    if job.kind is JobKind.TRAINING and job.state is JobState.CANCELED:
        # Of other ends without a model the last word says it.
        lines.append(_("Your draft is as it was, with every photo and caption. /train tries again."))
    lines += words.charged(job, view.reserved_usd)
    lines.append(f"-# {_facts(view)}")
    container: ui.Container[Layout] = ui.Container(accent_colour=_colour(job))
    for line in lines:
        container.add_item(ui.TextDisplay(line))
    row = _buttons(job)
    if row is not None:
        container.add_item(row)
    return Layout(container), []


def draw_turn(view: JobView) -> Layout:
    """Return the message that says, once and after a long wait, that a training's turn has come."""
    job = view.job
    text = _("{owner} It is the turn of **{name}** now.").format(owner=f"<@{job.owner_id}>", name=job.title)
    if job.eta_at is not None and job.eta_at > job.updated_at:
        text += " " + _("It is expected to be done {when}.").format(when=words.moment(job.eta_at))
    return Layout(ui.TextDisplay(text))


def draw_last_word(view: JobView) -> tuple[Layout, list[discord.File]]:
    """Return the message that ends a training: the model with its first pictures, or why there is none."""
    job = view.job
    if view.lora is None or job.state is not JobState.SUCCEEDED:
        reason = job.failure.sentence if job.failure else ""
        lines = [
            f"### {job.title}: {words.within(words.state_of(job))}",
            f"<@{job.owner_id}> {reason}",
            _("Your draft is as it was, with every photo and caption. /train tries again."),
            *words.charged(job, view.reserved_usd),
        ]
        again: ui.ActionRow[Layout] = ui.ActionRow(button("train.again", job.id, label=_("Train again")))
        return Layout(ui.Container(ui.TextDisplay("\n".join(lines)), again, accent_colour=_BAD)), []
    lora = view.lora
    text = _(
        "## {name} is ready\n{owner} The model is yours alone until you share it. Its trigger word is **{word}**."
    ).format(name=words.versioned(lora), owner=f"<@{job.owner_id}>", word=lora.trigger_word)
    container: ui.Container[Layout] = ui.Container(ui.TextDisplay(text), accent_colour=_GOOD)
    files = _add_samples(container, view)
    for row in _next_steps(view, lora):
        container.add_item(row)
    return Layout(container), files


def _next_steps(view: JobView, lora: Lora) -> list[ui.ActionRow[Layout]]:
    """Return the buttons under a finished training; none that needs an image maker where there is none."""
    share = button("model.share", lora.id, label=_("Share"))
    if not view.drawable:
        return [ui.ActionRow(share, button("train.again", view.job.id, label=_("Train again")))]
    generate = button("model.generate", lora.id, label=_("Generate"), style=discord.ButtonStyle.primary)
    return [
        ui.ActionRow(generate, button("model.more", lora.id, label=_("More")), share),
        compare_buttons(lora.id, checkpoints=view.checkpoints, job_id=view.job.id),
    ]


def _add_samples(container: ui.Container[Layout], view: JobView) -> list[discord.File]:
    if view.gallery is None or not view.gallery.pictures:
        container.add_item(
            ui.TextDisplay(_("There are no first pictures: {reason}").format(reason=_why_no_samples(view)))
        )
        return []
    files = add_pictures(container, view.gallery)
    if view.gallery.job.pictures.by_training:
        told = _("Drawn by the training itself, with {provider}, since no image maker here can use the model.")
        container.add_item(ui.TextDisplay(f"-# {told.format(provider=view.gallery.maker_title)}"))
    if view.gallery.job.withheld:
        container.add_item(ui.TextDisplay(f"-# {kept_back(view.gallery)}"))
    return files


def _why_no_samples(view: JobView) -> str:
    if view.samples_job is None:
        return _("No provider here makes pictures with it.")
    if view.samples_job.failure is not None:
        return view.samples_job.failure.told
    if view.gallery is not None and view.gallery.job.withheld >= view.gallery.job.pictures.count:
        return kept_back(view.gallery)
    return _("They were deleted.")


def _headline(view: JobView) -> str:
    job = view.job
    if job.kind is JobKind.TRAINING:
        return _("Training {name}").format(name=job.title)
    if job.kind is JobKind.SHEET:
        return _("Comparing {name}").format(name=job.title)
    if job.pictures.enlarged is not None:
        return _("Upscaling a picture of {name}").format(name=job.title)
    return _("{pictures} with {name}").format(pictures=words.pictures(job.pictures.count), name=job.title)


def _where(job: Job) -> str:
    progress, parts = job.progress, [f"**{words.state_of(job)}**"]
    if job.state is JobState.RUNNING and not job.cancel_requested:
        phase = words.phase(progress.phase)
        if phase and phase.casefold() != words.state_of(job).casefold():
            parts.append(phase)
        if progress.step is not None and progress.total:
            parts.append(words.steps_done(progress.step, progress.total))
        if progress.loss is not None:
            parts.append(_("loss {loss}").format(loss=f"{progress.loss:.4g}"))
    if progress.ahead is not None and job.state is JobState.PREPARING:
        parts.append(_("place {place} in line").format(place=progress.ahead + 1))
    elif progress.ahead is not None and job.state is JobState.QUEUED:
        parts.append(_("{count} ahead").format(count=progress.ahead))
    if _end_is_known(job):
        parts.append(_("done {when}").format(when=words.moment(job.eta_at or job.updated_at)))
    line = " · ".join(parts)
    if job.state is JobState.RUNNING and progress.step is not None and progress.total:
        return f"{line}\n{words.bar(progress.step / progress.total)}"
    return line


def _end_is_known(job: Job) -> bool:
    """Tell whether an end is expected that is still to come."""
    under_way = job.state in {JobState.PREPARING, JobState.SUBMITTING, JobState.QUEUED, JobState.RUNNING}
    return under_way and not job.cancel_requested and job.eta_at is not None and job.eta_at > job.updated_at


def _facts(view: JobView) -> str:
    job, parts = view.job, [view.provider_title]
    if job.why:
        parts[0] += f" ({job.why_told})"
    if job.kind is JobKind.TRAINING:
        parts += [words.photos(job.training.photo_count), *words.settings_of(job.training.recipe)[:2]]
    if job.cost_usd:
        parts.append(words.dollars(job.cost_usd))
    parts.append(_("for {person}").format(person=f"<@{job.owner_id}>"))
    return " · ".join(parts)


def _buttons(job: Job) -> ui.ActionRow[Layout] | None:
    if job.state is JobState.UNCERTAIN:
        return ui.ActionRow(
            button("job.it_ran", job.id, label=_("It ran"), style=discord.ButtonStyle.primary),
            button("job.did_not_run", job.id, label=_("It did not run")),
            button("job.cancel", job.id, label=_("Cancel"), style=discord.ButtonStyle.danger),
        )
    row: ui.ActionRow[Layout] = ui.ActionRow()
    if not job.state.terminal:
        row.add_item(
            button(
                "job.cancel",
                job.id,
                label=_("Cancel"),
                style=discord.ButtonStyle.danger,
                disabled=job.cancel_requested,
            )
        )
    if job.kind is JobKind.TRAINING:
        row.add_item(button("job.details", job.id, label=_("Details")))
        if job.state.terminal:
            row.add_item(button("train.again", job.id, label=_("Train again")))
    elif job.kind is JobKind.SHEET and job.state.terminal:
        row.add_item(button("sheet.again", job.sheet.kind, job.lora_id or "", label=_("Try again")))
    elif job.state.terminal and job.state is not JobState.SUCCEEDED:
        row.add_item(button("picture.again", job.id, label=_("Try again")))
    return row if row.children else None


def _colour(job: Job) -> discord.Colour:
    if not job.state.terminal:
        return _RUNNING
    if job.state is JobState.SUCCEEDED:
        return _GOOD
    return _QUIET if job.state is JobState.CANCELED else _BAD
