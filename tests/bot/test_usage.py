"""The sums of what a server spent, and their picture."""

import io
from datetime import UTC, date, datetime

import pytest
from PIL import Image

from bot.store.ledger import Settled
from bot.training.job import JobKind
from bot.usage import Day, sum_up
from bot.usage_chart import Chart, ChartDay, draw_chart

TODAY = date(2026, 3, 14)


def settled(day, provider, person, micro):
    return Settled(at=datetime(2026, 3, day, 23, 59, tzinfo=UTC), provider=provider, owner_id=person, micro_usd=micro)


def summed(*found, count=3):
    return sum_up(found, until=TODAY, count=count, set_aside=5, begun={JobKind.TRAINING: 1})


def test_every_day_is_there_also_without_spending():
    usage = summed(settled(13, "fal", 1, 10))
    assert usage.days == [
        Day(day=date(2026, 3, 12), by_provider={}),
        Day(day=date(2026, 3, 13), by_provider={"fal": 10}),
        Day(day=TODAY, by_provider={}),
    ]


def test_what_is_spent_most_comes_first():
    usage = summed(settled(13, "fal", 1, 10), settled(13, "replicate", 2, 30), settled(14, "fal", 2, 5))
    assert usage.by_provider == [("replicate", 30), ("fal", 15)]
    assert usage.by_person == [(2, 35), (1, 10)]
    assert (usage.total, usage.set_aside) == (45, 5)


def test_days_before_do_not_count():
    assert summed(settled(11, "fal", 1, 10)).total == 0


def chart(days=30, providers=3, people=8):
    titles = [f"Provider {number}" for number in range(providers)]
    drawn = [
        ChartDay(day=date(2026, 1, 1 + number), by_provider=dict.fromkeys(titles, 10000 * (number + 1)))
        for number in range(days)
    ]
    total = sum(drawn[number].by_provider[titles[0]] for number in range(days))
    return Chart(
        days=drawn,
        providers=[(title, total) for title in titles],
        people=[7_000_000 // n for n in range(1, people + 1)],
    )


def pixels(data):
    with Image.open(io.BytesIO(data)) as picture:
        assert (picture.format, picture.mode) == ("PNG", "RGB")
        return picture.size, {colour for _count, colour in picture.getcolors(1 << 20)}


@pytest.mark.parametrize(("days", "providers", "people"), [(1, 1, 1), (7, 2, 5), (30, 6, 6), (30, 9, 40)])
def test_chart_shows_a_colour_for_each_provider(days, providers, people):
    size, colours = pixels(draw_chart(chart(days, providers, people)))
    assert size[0] == 1200
    assert size[1] < 1200
    assert {(86, 180, 233)} | ({(230, 159, 0)} if providers > 1 else set()) <= colours
    assert ((140, 145, 155) in colours) == (providers > 5)  # the others


def test_chart_of_nothing_is_not_drawn():
    nothing = Chart(days=[ChartDay(day=TODAY, by_provider={})], providers=[], people=[])
    with pytest.raises(ValueError, match="nothing was spent"):
        draw_chart(nothing)
