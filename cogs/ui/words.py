"""Owns small phrases that several drawings share: states, bars, times, counts; decides nothing."""

from datetime import datetime

import discord

from bot.training.job import Job, JobKind, JobState
from providers.base import Estimate

BAR = 12

_STATES = {
    JobState.PREPARING: "Packing the photos",
    JobState.SUBMITTING: "Handing over",
    JobState.QUEUED: "Waiting for its turn",
    JobState.RUNNING: "Training",
    JobState.COLLECTING: "Bringing the model home",
    JobState.SUCCEEDED: "Ready",
    JobState.FAILED: "Failed",
    JobState.CANCELED: "Stopped",
    JobState.EXPIRED: "Ran out of time",
    JobState.LOST: "Lost at the provider",
    JobState.UNCERTAIN: "Nobody knows yet whether the provider took it",
}
_PICTURE_STATES = {
    JobState.PREPARING: "Getting ready",
    JobState.RUNNING: "Drawing",
    JobState.COLLECTING: "Bringing the pictures home",
}


def state_of(job: Job) -> str:
    """Return where a job stands, in words."""
    if job.cancel_requested and not job.state.terminal:
        return "Stopping"
    if job.kind is JobKind.PICTURES and job.state in _PICTURE_STATES:
        return _PICTURE_STATES[job.state]
    return _STATES[job.state]


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
        return f"about {max(5, round(seconds / 5) * 5)} seconds"
    if minutes < 90:
        return f"about {round(minutes)} minutes"
    return f"about {minutes / 60:.1f} hours"


def price(estimate: Estimate) -> str:
    """Return what it costs."""
    if estimate.high_usd == 0:
        return "free"
    if estimate.low_usd == estimate.high_usd:
        return f"${estimate.high_usd:.2f}"
    return f"${estimate.low_usd:.2f} to ${estimate.high_usd:.2f}"


def counted(number: int, noun: str) -> str:
    """Return a number with its noun."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
