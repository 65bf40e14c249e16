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
_RUNGS = {32: 20, 64: 8, 128: 5, 256: 3}


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


def starting_plan(resolution: int) -> Plan:
    """Return the plan that training starts from: patches that are fair for any photos."""
    knots = [
        _knot(32, 0.001, radius=0.45, reach=0.03, tint=0.05),
        _knot(32, 0.1, radius=0.36, reach=0.04, tint=0.05),
        _knot(32, 0.5, radius=0.18, reach=0.08, tint=0.05),
        _knot(64, 0.35, radius=0.12, reach=0.05, tint=0.05),
        _knot(64, 0.8, radius=0.08, reach=0.05, tint=0.05),
        _knot(128, 0.7, radius=0.05, reach=0.03, tint=0.05),
        _knot(128, 0.98, radius=0.03, reach=0.02, tint=0.05),
        _knot(256, 0.9, radius=0.02, reach=0.01, tint=0.05),
        _knot(256, 0.99, radius=0.015, reach=0.01, tint=0.05),
    ]
    return Plan(knots=[k for k in knots if k.size <= resolution])


def _knot(size: int, alpha_bar: float, *, radius: float, reach: float, tint: float) -> Knot:
    return Knot(size=size, alpha_bar=alpha_bar, patch=Patch(radius=radius, reach=reach, tint=tint))


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
