"""Owns the sums of what a server spent: a day, by provider, by person; never reads or draws anything."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from bot.store.ledger import Settled
from bot.training.job import JobKind


@dataclass(frozen=True, kw_only=True)
class Day:
    """What was spent on a day, in UTC, by provider and in millionths of a dollar."""

    day: date
    by_provider: Mapping[str, int]

    @property
    def total(self) -> int:
        return sum(self.by_provider.values())


@dataclass(frozen=True, kw_only=True)
class Usage:
    """What a server spent in some days; all amounts in millionths of a dollar."""

    #: Every day of the time, also those on which nothing was spent.
    days: Sequence[Day]
    #: Largest first.
    by_provider: Sequence[tuple[str, int]]
    by_person: Sequence[tuple[int, int]]
    #: Reserved for jobs under way; not spent yet.
    set_aside: int
    #: How many jobs were begun, free ones too.
    begun: Mapping[JobKind, int]

    @property
    def total(self) -> int:
        return sum(day.total for day in self.days)


def sum_up(
    settled: Iterable[Settled], *, until: date, count: int, set_aside: int, begun: Mapping[JobKind, int]
) -> Usage:
    """Return the sums over so many days up to this one."""
    days: dict[date, dict[str, int]] = {until - timedelta(days=back): {} for back in reversed(range(count))}
    providers: dict[str, int] = defaultdict(int)
    people: dict[int, int] = defaultdict(int)
    for one in settled:
        spent = days.get(one.at.date())
        if spent is None:
            continue
        spent[one.provider] = spent.get(one.provider, 0) + one.micro_usd
        providers[one.provider] += one.micro_usd
        people[one.owner_id] += one.micro_usd
    return Usage(
        days=[Day(day=day, by_provider=spent) for day, spent in days.items()],
        by_provider=sorted(providers.items(), key=lambda item: (-item[1], item[0])),
        by_person=sorted(people.items(), key=lambda item: (-item[1], item[0])),
        set_aside=set_aside,
        begun=begun,
    )
