"""The card of a job as a pure drawing: where it stands, what it cost, and what comes next."""

from datetime import UTC, datetime, timedelta

import discord
import pytest

from bot.cards import JobView
from bot.training.job import Failure, JobState
from cogs.ui.job_card import draw_job
from providers.base import Progress
from tests.factories import make_picture_job

NOW = datetime(2026, 3, 14, 12, 0, tzinfo=UTC)


def shown(**changes):
    """Return the words of a card of pictures."""
    values = {"state": JobState.QUEUED, "ended_at": None, "updated_at": NOW} | changes
    reserved = values.pop("reserved_usd", None)
    view = JobView(
        job=make_picture_job(**values),
        provider_title="Till",
        notice="",
        provider_lost=False,
        lora=None,
        samples_job=None,
        gallery=None,
        reserved_usd=reserved,
    )
    layout, _files = draw_job(view)
    return "\n".join(item.content for item in layout.walk_children() if isinstance(item, discord.ui.TextDisplay))


def test_card_tells_how_many_its_provider_has_before_it():
    assert "**Waiting for its turn** · 3 ahead" in shown(progress=Progress(phase="waiting", ahead=3))


def test_card_tells_an_expected_end_that_is_still_to_come():
    soon = NOW + timedelta(minutes=5)
    assert f"done <t:{int(soon.timestamp())}:R>" in shown(eta_at=soon)
    assert "done" not in shown(eta_at=NOW - timedelta(minutes=5))


@pytest.mark.parametrize(
    ("cost", "reserved", "told"),
    [
        (None, 2.0, "Nothing was charged."),
        (0.0, 2.0, "Nothing was charged."),
        (0.12, 2.0, "$0.12 of $2.00 was used."),
        (2.5, 2.0, "$2.50 was used."),
    ],
)
def test_card_tells_what_an_end_without_a_result_cost(cost, reserved, told):
    card = shown(
        state=JobState.FAILED, ended_at=NOW, cost_usd=cost, reserved_usd=reserved, failure=Failure(reason="It burned.")
    )
    assert told in card
    assert "It burned." in card
