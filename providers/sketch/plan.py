"""Owns the noise levels that a picture passes on its way out of the noise; never looks at a photo.

A plan is a short list of knots, each a noise level at one picture size with the patch that suits it. Training moves the
patches; sampling walks through many more noise levels and takes the patches between the knots.
"""

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from providers.sketch.denoiser import Patch


@dataclass(frozen=True, kw_only=True)
class Knot:
    """One noise level with its patch; `alpha_bar` is the signal's part of the variance, 0 all noise and 1 no noise."""

    size: int
    alpha_bar: float
    patch: Patch


@dataclass(frozen=True, kw_only=True)
class Rung:
    """One step of sampling."""

    alpha_bar: float
    patch: Patch


@dataclass(frozen=True, kw_only=True)
class Stage:
    """The rungs that are taken at one size, noisiest first; `size` is the longest side in pixels."""

    size: int
    rungs: Sequence[Rung]


#: Rungs at each size. Found by looking at pictures; more of them cost time and change little.
_RUNGS = {32: 30, 64: 8, 128: 5, 256: 3}


@dataclass(frozen=True, kw_only=True)
class Plan:
    """All knots, coarse to fine, noisiest first; every size has at least two."""

    knots: Sequence[Knot]

    def with_patches(self, patches: Sequence[Patch]) -> "Plan":
        """Return the same noise levels with other patches."""
        return Plan(knots=[replace(k, patch=p) for k, p in zip(self.knots, patches, strict=True)])

    def stages(self) -> Sequence[Stage]:
        """Return what sampling walks through."""
        sizes = sorted({k.size for k in self.knots})
        return [_stage(size, [k for k in self.knots if k.size == size]) for size in sizes]

    def to_json(self) -> list[dict[str, Any]]:
        """Return plain JSON."""
        return [{"size": k.size, "alpha_bar": k.alpha_bar, **asdict(k.patch)} for k in self.knots]

    @classmethod
    def from_json(cls, knots: Sequence[Mapping[str, Any]]) -> "Plan":
        """Read what `to_json` wrote.

        Raises:
            ValueError, KeyError, TypeError: it isn't such a plan.
        """
        plan = cls(knots=[_read_knot(k) for k in knots])
        for size in {k.size for k in plan.knots}:
            levels = [k.alpha_bar for k in plan.knots if k.size == size]
            if len(levels) < 2 or levels != sorted(set(levels)):
                raise ValueError(f"the noise levels at {size} px are out of order")
        if not plan.knots:
            raise ValueError("a plan needs noise levels")
        return plan


@dataclass(frozen=True, kw_only=True)
class Room:
    """The patches that training may choose from at one noise level."""

    least: Patch
    most: Patch

    def nearest(self, patch: Patch) -> Patch:
        """Return the closest patch in here, rounded so that a search can't circle among equals."""
        low, high = asdict(self.least), asdict(self.most)
        return Patch(**{name: round(min(max(v, low[name]), high[name]), 5) for name, v in asdict(patch).items()})

    def within(self, parts: Sequence[float]) -> Patch:
        """Return the patch that lies at these parts, 0 to 1, of the way through each length."""
        low, high = asdict(self.least), asdict(self.most)
        names = zip(low, parts, strict=True)
        return self.nearest(Patch(**{name: low[name] + (high[name] - low[name]) * part for name, part in names}))


#: Size, noise level, smallest radius, reach. Error alone would choose ever smaller patches and more tint: they restore
#: an unseen photo best, but then nothing holds the parts of a new picture together and everything is mottled. So these
#: radii, found by looking at pictures, are where training stops; the same goes for the tint. The reach is not trained:
#: what one size displaced must be within the next size's reach, or it comes out blurred.
_DESIGN = [
    (32, 0.001, 0.36, 0.01),
    (32, 0.1, 0.28, 0.02),
    (32, 0.5, 0.13, 0.0625),
    (64, 0.35, 0.11, 0.0625),
    (64, 0.8, 0.08, 0.0625),
    (128, 0.7, 0.05, 0.03125),
    (128, 0.98, 0.03, 0.03125),
    (256, 0.93, 0.03, 0.03125),
    (256, 0.99, 0.02, 0.03125),
]
_LEAST_TINT, _MOST_TINT = 0.01, 0.05


def rooms(resolution: int) -> Sequence[Room]:
    """Return where training may look for patches, for each knot of `starting_plan`."""
    return [
        Room(
            least=Patch(radius=radius, reach=reach, tint=_LEAST_TINT),
            most=Patch(radius=radius * 3, reach=reach, tint=_MOST_TINT),
        )
        for size, _, radius, reach in _DESIGN
        if size <= resolution
    ]


def starting_plan(resolution: int) -> Plan:
    """Return the plan that training starts from: patches so large that they fit any photos, but few new ones."""
    return Plan(
        knots=[
            Knot(
                size=size,
                alpha_bar=alpha_bar,
                patch=Patch(radius=round(radius * 1.8, 5), reach=reach, tint=_LEAST_TINT),
            )
            for size, alpha_bar, radius, reach in _DESIGN
            if size <= resolution
        ]
    )


def _read_knot(raw: Mapping[str, Any]) -> Knot:
    size, alpha_bar = int(raw["size"]), float(raw["alpha_bar"])
    patch = Patch(radius=float(raw["radius"]), reach=float(raw["reach"]), tint=float(raw["tint"]))
    sound = size in _RUNGS and 0 < alpha_bar < 1
    if not (sound and 0 < patch.radius <= 2 and 0 <= patch.reach <= 0.5 and 0 <= patch.tint <= 2):
        raise ValueError("a noise level is out of its range")
    return Knot(size=size, alpha_bar=alpha_bar, patch=patch)


def _stage(size: int, knots: Sequence[Knot]) -> Stage:
    first, last, count = knots[0].alpha_bar, knots[-1].alpha_bar, _RUNGS[size]
    levels = [first + (last - first) * i / (count - 1) for i in range(count)]
    return Stage(size=size, rungs=[Rung(alpha_bar=level, patch=_between(knots, level)) for level in levels])


def _between(knots: Sequence[Knot], alpha_bar: float) -> Patch:
    """Return the patch at a noise level between two knots: the radius is taken on a logarithmic scale."""
    pairs = list(itertools.pairwise(knots))
    low, high = next(((a, b) for a, b in pairs if alpha_bar <= b.alpha_bar), pairs[-1])
    part = min(max((alpha_bar - low.alpha_bar) / (high.alpha_bar - low.alpha_bar), 0.0), 1.0)

    def mix(a: float, b: float) -> float:
        return a + (b - a) * part

    return Patch(
        radius=math.exp(mix(math.log(low.patch.radius), math.log(high.patch.radius))),
        reach=mix(low.patch.reach, high.patch.reach),
        tint=mix(low.patch.tint, high.patch.tint),
    )
