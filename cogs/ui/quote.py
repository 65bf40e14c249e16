"""Owns how a quote and a person's list of jobs look; pure functions, send nothing."""

from collections.abc import Sequence

import discord
from discord import ui

from bot.texts import _, told
from bot.training.job import Job, JobKind
from bot.training.presets import PRESETS, Numbers, usual_numbers
from bot.training.service import Offer
from cogs.ui import words
from cogs.ui.controls import Layout, button, menu

#: Discord's limit for what stands below an option of a menu.
LONGEST_DESCRIPTION = 100


def draw_quote(offer: Offer) -> Layout:
    """Return what a training would be and cost, with the button that begins it."""
    recipe, estimate = offer.quote.recipe, offer.quote.estimate
    settings = [words.photos(offer.photo_count), *words.settings_of(recipe)]
    tuning = PRESETS[offer.quote.preset]
    preset = _(tuning.meaning) if _as_preset(offer) else _("Your own numbers.")
    lines = [
        _("### Train {name} with {trainer}?").format(name=offer.draft.name, trainer=offer.trainer_title),
        f"**{_(tuning.title)}** · {preset}\n{' · '.join(settings)}",
        _("Trigger word **{word}** · {base_model}").format(
            word=recipe.trigger_word, base_model=recipe.base_model.label
        ),
        f"**{words.beginning(words.price(estimate))}** · {words.duration(estimate.minutes)}\n-# {told(estimate.basis)}",
    ]
    remarks = [f"{offer.trainer_title}: {_(offer.quote.why)}.", *offer.notices]
    lines += [f"-# {remark}" for remark in remarks]
    lines[1:3] = ["\n".join(lines[1:3])]
    container: ui.Container[Layout] = ui.Container(*(ui.TextDisplay(line) for line in lines))
    container.add_item(ui.ActionRow(_preset_menu(offer)))
    container.add_item(_buttons(offer))
    return Layout(container)


def _as_preset(offer: Offer) -> bool:
    """Tell whether all numbers are those of the preset."""
    recipe = offer.quote.recipe
    usual = usual_numbers(offer.draft.kind, offer.capabilities, offer.quote.preset)
    told = Numbers(
        steps=recipe.steps, rank=recipe.rank, learning_rate=recipe.learning_rate, resolution=recipe.resolution
    )
    dropout = offer.capabilities.caption_dropout
    return told == usual and recipe.caption_dropout in (None, dropout.default if dropout else None)


def _preset_menu(offer: Offer) -> ui.Select[Layout]:
    options = [
        discord.SelectOption(
            label=_(tuning.title),
            value=preset.value,
            description=_(tuning.meaning)[:LONGEST_DESCRIPTION],
            default=preset is offer.quote.preset,
        )
        for preset, tuning in PRESETS.items()
    ]
    return menu("train.preset", offer.quote.id, options=options, placeholder=_("What it is, and how thorough"))


def _buttons(offer: Offer) -> ui.ActionRow[Layout]:
    quote_id, row = offer.quote.id, ui.ActionRow[Layout]()
    row.add_item(button("train.start", quote_id, label=_("Train it"), style=discord.ButtonStyle.success))
    row.add_item(button("train.numbers", quote_id, label=_("Advanced")))
    if offer.capabilities.autocaption:
        written = offer.quote.recipe.autocaption
        label = _("Leave captions as they are") if written else _("Write missing captions")
        row.add_item(button("train.captions", quote_id, "off" if written else "on", label=label))
    row.add_item(button("train.drop", quote_id, label=_("Not now")))
    return row


def draw_note(text: str) -> Layout:
    """Return a plain sentence, for places where a layout has to be replaced by one."""
    return Layout(ui.TextDisplay(text))


def draw_jobs(jobs: Sequence[Job]) -> Layout:
    """Return a person's jobs, a line each."""
    if not jobs:
        return draw_note(_("You have no jobs yet. Begin with /draft new."))
    return Layout(ui.TextDisplay(_("### Your jobs")), *(ui.TextDisplay(_line(job)) for job in jobs))


def job_label(job: Job) -> str:
    """Return one job in a few words, for a list to choose from."""
    return f"{job.title}: {_what(job)}"


def _what(job: Job) -> str:
    what = {JobKind.TRAINING: _("training"), JobKind.SHEET: _("comparison")}.get(job.kind)
    what = what or words.pictures(job.pictures.count)
    return f"{what}, {words.within(words.state_of(job))}"


def _line(job: Job) -> str:
    text = f"**{job.title}** · {_what(job)}"
    progress = job.progress
    if not job.state.terminal and progress.step is not None and progress.total:
        text += f" · {words.steps_done(progress.step, progress.total)}"
    if job.failure is not None and job.state.terminal:
        text += f"\n{job.failure.told}"
    return f"{text}\n-# {words.moment(job.created_at)}"
