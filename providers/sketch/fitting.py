"""Owns training: finds patches that denoise photos the model has not seen; never samples a picture.

The loss at a noise level is the mean squared error with which one photo, made noisy, is restored from all the others.
A step tries one candidate patch at one noise level and keeps it if the loss is lower, so the loss can only fall. All
noise comes from fixed seeds: the same photos give the same model, and the losses so far suffice to go on from there.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from providers.base import Aspect
from providers.sketch.denoiser import Array, Patch, denoise
from providers.sketch.pictures import Photo, fit_photo, shape_of
from providers.sketch.plan import Knot, Plan, Room, rooms, starting_plan

#: How many photos are left out in turn at each size, and how many of the others restore them: enough to rank patches.
_LEFT_OUT = {32: 8, 64: 6, 128: 3, 256: 1}
_RESTORERS = 9


@dataclass(frozen=True, kw_only=True)
class Step:
    """Where the training stands after one candidate."""

    step: int
    #: Mean of the lowest losses so far over all noise levels.
    loss: float
    #: Number of the noise level that was worked on, from 0.
    level: int


@dataclass
class _Search:
    """Walks downhill at one noise level, one length at a time, with smaller strides when no direction helps."""

    best: Patch
    room: Room
    loss: float = math.inf
    stride: float = 1.8
    turn: int = 0
    failures: int = 0
    tried: set[Patch] = field(default_factory=set)

    def propose(self) -> Patch:
        for _ in range(24):
            candidate = self.room.nearest(_moved(self.best, self.turn, self.stride))
            if candidate not in self.tried:
                return candidate
            self._turn_on()
        return self.room.within(np.random.default_rng(len(self.tried)).random(3).tolist())

    def tell(self, candidate: Patch, loss: float) -> None:
        self.tried.add(candidate)
        if loss < self.loss:
            self.best, self.loss, self.failures = candidate, loss, 0
        else:
            self._turn_on()

    def _turn_on(self) -> None:
        self.turn, self.failures = (self.turn + 1) % 4, self.failures + 1
        if self.failures >= 4:
            self.stride, self.failures = math.sqrt(self.stride), 0


class Fitting:
    """The search for better patches at all noise levels.

    Args:
        photos: At least two.
        resolution: The longest side of the pictures that the model will make, in pixels.
        journal: The losses of an earlier run with the same photos, to go on from; grows with each step.
    """

    def __init__(self, photos: Sequence[Photo], resolution: int, journal: list[float]) -> None:
        self._photos = photos
        self._start = starting_plan(resolution)
        self.journal = journal
        places = zip(self._start.knots, rooms(resolution), strict=True)
        self._searches = [_Search(best=knot.patch, room=room) for knot, room in places]
        self._pictures: dict[int, Array] = {}

    @property
    def plan(self) -> Plan:
        """Return the best plan so far."""
        return self._start.with_patches([search.best for search in self._searches])

    def run(self, steps: int) -> Iterator[Step]:
        """Try `steps` candidates; step 0 is the plan that it starts from. Known losses are not computed again."""
        known = iter(list(self.journal))
        for level, search in enumerate(self._searches):
            search.tell(search.best, self._next_loss(known, level, search.best))
        yield Step(step=0, loss=self._mean(), level=0)
        for step in range(1, steps + 1):
            level = (step - 1) % len(self._searches)
            search = self._searches[level]
            candidate = search.propose()
            search.tell(candidate, self._next_loss(known, level, candidate))
            yield Step(step=step, loss=self._mean(), level=level)

    def _next_loss(self, known: Iterator[float], level: int, patch: Patch) -> float:
        loss = next(known, None)
        if loss is None:
            loss = self._measure(level, patch)
            self.journal.append(loss)
        return loss

    def _measure(self, level: int, patch: Patch) -> float:
        """Return the mean squared error of restoring photos from the others."""
        knot = self._start.knots[level]
        pictures = self._at(knot.size)
        left_out = min(_LEFT_OUT[knot.size], len(pictures))
        return float(np.mean([_restore_error(pictures, i, knot, patch) for i in range(left_out)]))

    def _at(self, size: int) -> Array:
        if size not in self._pictures:
            height, width = shape_of(Aspect.SQUARE, size)
            self._pictures[size] = np.stack([fit_photo(photo, height, width) for photo in self._photos])
        return self._pictures[size]

    def _mean(self) -> float:
        return float(np.mean([search.loss for search in self._searches]))


def _restore_error(pictures: Array, index: int, knot: Knot, patch: Patch) -> float:
    clean = pictures[index]
    others = [(index + away) % len(pictures) for away in range(1, min(len(pictures), _RESTORERS + 1))]
    noise = np.random.default_rng([knot.size, round(knot.alpha_bar * 1e6), index]).standard_normal(clean.shape)
    alpha, sigma = math.sqrt(knot.alpha_bar), math.sqrt(1 - knot.alpha_bar)
    noisy = (alpha * clean + sigma * noise).astype(np.float32)
    restored = denoise(noisy, pictures[others], patch, alpha=alpha, sigma=sigma).picture
    return float(np.square(restored - clean).mean())


def _moved(patch: Patch, turn: int, stride: float) -> Patch:
    factor = stride if turn % 2 == 0 else 1 / stride
    if turn < 2:
        return replace(patch, radius=patch.radius / factor)
    return replace(patch, tint=patch.tint * factor * factor)
