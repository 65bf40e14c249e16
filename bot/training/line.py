"""Owns the line in which trainings wait for a free place: who is next, and when; never takes a step of a job.

The order is that in which they were asked for. A provider that works on few at once, such as Sketch on this machine,
has a line here rather than there, so that everybody's place can be told; who has as many under way as one person may
lets the others pass.
"""

import heapq
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.clock import Clock
from bot.store import jobs as rows
from bot.training.job import Job, JobState
from providers.registry import Registry

#: The least that a training is expected to take on, once its own time is up.
_LEAST = timedelta(seconds=5)


@dataclass(frozen=True, kw_only=True)
class LineLimits:
    """How many trainings may be under way at the same time; None for any number."""

    at_a_provider: int | None
    of_a_person: int | None


@dataclass(frozen=True, kw_only=True)
class Standing:
    """Where a training stands in line."""

    #: How many will get a place before it.
    ahead: int
    #: When it is expected to have ended.
    end: datetime


class Line:
    """The lines of all providers."""

    def __init__(self, *, registry: Registry, clock: Clock, limits: LineLimits) -> None:
        self._registry = registry
        self._clock = clock
        self._limits = limits

    def end_of(self, job: Job) -> datetime | None:
        """Return when a training is expected to end that begins now."""
        trainer = self._registry.trainers.get(job.provider)
        if trainer is None:
            return None
        minutes = trainer.estimate(job.training.recipe, job.training.photo_count).minutes
        return self._clock.now() + timedelta(minutes=minutes)

    async def standing(self, connection: AsyncConnection, job: Job) -> Standing | None:
        """Return where a training stands; None when it is its turn."""
        places = self._places(job)
        if places is None and self._limits.of_a_person is None:
            return None
        there = await rows.trainings_at(connection, provider=job.provider)
        theirs = await rows.trainings_at(connection, owner_id=job.owner_id)
        own_before = [other for other in theirs if other.id != job.id and (_has_place(other) or _before(other, job))]
        held_up = self._limits.of_a_person is not None and len(own_before) >= self._limits.of_a_person
        if held_up:
            ahead = len(own_before) - (self._limits.of_a_person or 0)
            return Standing(ahead=ahead, end=self._end(job, own_before, self._limits.of_a_person or 1))
        if places is None:
            return None
        active = [other for other in there if other.id != job.id and _has_place(other)]
        before = [other for other in self._eligible(there) if other.id != job.id and _before(other, job)]
        if len(active) + len(before) < places:
            return None
        ahead = len(before) - max(places - len(active), 0)
        return Standing(ahead=ahead, end=self._end(job, [*active, *before], places))

    def _places(self, job: Job) -> int | None:
        trainer = self._registry.trainers.get(job.provider)
        own = trainer.capabilities.at_once if trainer else None
        limits = [limit for limit in (own, self._limits.at_a_provider) if limit is not None]
        return min(limits, default=None)

    def _eligible(self, there: Sequence[Job]) -> Iterator[Job]:
        """Yield who waits and is not held up by trainings of their own."""
        held = Counter(other.owner_id for other in there if _has_place(other))
        for other in there:
            if _waits(other) and (self._limits.of_a_person is None or held[other.owner_id] < self._limits.of_a_person):
                held[other.owner_id] += 1
                yield other

    def _end(self, job: Job, before: Sequence[Job], places: int) -> datetime:
        """Reckon when a training ends that takes the first place that these leave."""
        now = self._clock.now()
        free = sorted(self._left(other) for other in before if _has_place(other))
        free = [timedelta(0)] * max(places - len(free), 0) + free
        heapq.heapify(free)
        for other in before:
            if _waits(other):
                heapq.heapreplace(free, free[0] + self._length(other))
        return now + free[0] + self._length(job)

    def _left(self, job: Job) -> timedelta:
        if job.eta_at is not None:
            return max(job.eta_at - self._clock.now(), _LEAST)
        return max(self._length(job) - (self._clock.now() - (job.turn_at or job.created_at)), _LEAST)

    def _length(self, job: Job) -> timedelta:
        end = self.end_of(job)
        return _LEAST if end is None else max(end - self._clock.now(), _LEAST)


def _waits(job: Job) -> bool:
    return job.state is JobState.PREPARING and job.turn_at is None and not job.cancel_requested


def _has_place(job: Job) -> bool:
    # A job in doubt may be so for days; nobody should wait for that.
    return job.turn_at is not None and job.state is not JobState.UNCERTAIN


def _before(other: Job, job: Job) -> bool:
    return _waits(other) and (other.created_at, other.id) < (job.created_at, job.id)
