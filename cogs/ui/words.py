"""Owns small phrases that several drawings share: states, bars, times, counts; decides nothing."""

import re
from collections.abc import Collection
from datetime import datetime

import discord

from bot.lora import Lora
from bot.texts import N_, _, ngettext, spoken
from bot.training.job import Job, JobKind, JobState
from providers.base import Estimate
from providers.recipe import Recipe

BAR = 12

_STATES = {
    JobState.PREPARING: N_("Packing the photos"),
    JobState.SUBMITTING: N_("Handing over"),
    JobState.QUEUED: N_("Waiting for its turn"),
    JobState.RUNNING: N_("Training"),
    JobState.COLLECTING: N_("Bringing the model home"),
    JobState.SUCCEEDED: N_("Ready"),
    JobState.FAILED: N_("Failed"),
    JobState.CANCELED: N_("Stopped"),
    JobState.EXPIRED: N_("Ran out of time"),
    JobState.LOST: N_("Lost at the provider"),
    JobState.UNCERTAIN: N_("Nobody knows yet whether the provider took it"),
}
_PICTURE_STATES = {
    JobState.PREPARING: N_("Getting ready"),
    JobState.RUNNING: N_("Drawing"),
    JobState.COLLECTING: N_("Bringing the pictures home"),
}

#: What our adapters and agents say that they are at, with {} for a number.
_PHASES = frozenset(
    {
        N_("at work"),
        N_("drawing a sample"),
        N_("drawing picture {} of {}"),
        N_("fetching the photos"),
        N_("fitting noise level {} of {}"),
        N_("getting ready"),
        N_("loading the base model"),
        N_("loading the model"),
        N_("reading the captions"),
        N_("reading the photos"),
        N_("saving"),
        N_("sending the result"),
        N_("starting"),
        N_("the machine is starting"),
        N_("training"),
        N_("waiting"),
        N_("waiting for a free place"),
        N_("waiting for a machine"),
        N_("waiting for the GPU"),
    }
)
_NUMBER = re.compile(r"\d+")


def state_of(job: Job) -> str:
    """Return where a job stands, in words."""
    if job.cancel_requested and not job.state.terminal:
        return _("Stopping")
    if job.state is JobState.PREPARING and job.progress.ahead is not None:
        return _("Waiting in line")
    if job.kind is not JobKind.TRAINING and job.state in _PICTURE_STATES:
        return _(_PICTURE_STATES[job.state])
    return _(_STATES[job.state])


def name_of(state: JobState) -> str:
    """Return a state of trainings, in words."""
    return _(_STATES[state])


def within(text: str) -> str:
    """Return a short sentence as it stands after others; German keeps its capitals, which are those of nouns."""
    return text if spoken() == "de" else text.lower()


def beginning(text: str) -> str:
    """Return a phrase as it begins a line."""
    return text[:1].upper() + text[1:]


def phase(text: str) -> str:
    """Return what a provider says that it is at, translated where its words are known here."""
    numbers = _NUMBER.findall(text)
    phrase = _NUMBER.sub("{}", text)
    return _(phrase).format(*numbers) if phrase in _PHASES else text


def bar(share: float) -> str:
    """Return a bar for a share of 0 to 1, with its percentage."""
    share = min(max(share, 0.0), 1.0)
    full = int(share * BAR)
    return f"{'▰' * full}{'▱' * (BAR - full)} {int(share * 100)} %"


def moment(when: datetime, style: discord.utils.TimestampStyle = "R") -> str:
    """Return a time that every reader sees in their own zone."""
    return discord.utils.format_dt(when, style)


def duration(minutes: float) -> str:
    """Return about how long that is."""
    seconds = minutes * 60
    if seconds < 90:
        return _("about {count} seconds").format(count=max(5, round(seconds / 5) * 5))
    if minutes < 90:
        count = round(minutes)
        return ngettext("about {count} minute", "about {count} minutes", count).format(count=count)
    return _("about {hours} hours").format(hours=f"{minutes / 60:.1f}")


def price(estimate: Estimate) -> str:
    """Return what it costs."""
    if estimate.high_usd == 0:
        return _("free")
    if estimate.low_usd == estimate.high_usd:
        return dollars(estimate.high_usd)
    return _("{low} to {high}").format(low=dollars(estimate.low_usd), high=dollars(estimate.high_usd))


def dollars(amount: float) -> str:
    """Return an amount of US dollars; small ones keep the digits that they have."""
    return f"${amount:.2f}" if amount >= 0.01 or amount == 0 else f"${amount:.4f}"


def photos(count: int) -> str:
    """Return how many photos."""
    return ngettext("{count} photo", "{count} photos", count).format(count=count)


def pictures(count: int) -> str:
    """Return how many pictures."""
    return ngettext("{count} picture", "{count} pictures", count).format(count=count)


def charged(job: Job, reserved_usd: float | None) -> list[str]:
    """Return what an end without a result cost, in a line; nothing for other jobs."""
    # A sheet is paid for by its columns.
    if not job.state.terminal or job.state is JobState.SUCCEEDED or job.kind is JobKind.SHEET:
        return []
    if not job.cost_usd:
        return [_("Nothing was charged.")]
    used = dollars(job.cost_usd)
    if reserved_usd is None or reserved_usd < job.cost_usd:
        return [_("{used} was used.").format(used=used)]
    return [_("{used} of {reserved} was used.").format(used=used, reserved=dollars(reserved_usd))]


def steps_done(step: int, total: int) -> str:
    """Return how far a training is."""
    return _("step {step} of {total}").format(step=step, total=total)


def settings_of(recipe: Recipe) -> list[str]:
    """Return how a training learns, a few words for each number that its trainer uses."""
    told = [ngettext("{count} step", "{count} steps", recipe.steps).format(count=recipe.steps)]
    told.append(_("{count} px").format(count=recipe.resolution))
    if recipe.rank:
        told.append(_("rank {rank}").format(rank=recipe.rank))
    if recipe.learning_rate:
        told.append(_("learning rate {rate}").format(rate=f"{recipe.learning_rate:g}"))
    if recipe.autocaption:
        told.append(_("captions written for you"))
    return told


def versioned(lora: Lora, among: Collection[Lora] = ()) -> str:
    """Return the name of a model, with its number unless it is the first of its line and the only one among these."""
    line = [one for one in among if one.family_id is not None and one.family_id == lora.family_id]
    if lora.version == 1 and len(line) < 2:
        return lora.name
    return _("{name}, version {number}").format(name=lora.name, number=lora.version)
