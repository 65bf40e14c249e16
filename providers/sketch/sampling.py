"""Owns the way from noise to a picture, coarse to fine; never reads or writes a file."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from providers.base import Aspect
from providers.sketch.denoiser import Array, Patch, denoise
from providers.sketch.pictures import Framing, Photo, fit_photo, resize, shape_of
from providers.sketch.plan import Plan, Rung, Stage

#: How much fresh noise a step brings in: 0 is DDIM, 1 is DDPM (Song et al. 2020, arXiv 2010.02502, equation 16).
_ETA = 1.0
#: A picture is drawn from at most so many of the photos, which keeps the time bounded.
_GUESTS = 12
#: So many of them go on to the next size: those that explain the coarse picture best.
_FINALISTS = 6
#: So many coarse drafts are made, of which one is worked out.
_DRAFTS = 8
#: The photos are looked at through a zoom of 1 up to the first number, each through its own of 1 up to the second.
_COMMON_ZOOM, _OWN_ZOOM = 1.15, 1.06
#: A draft is a copy if it is closer to a photo than this part of the usual distance of a photo to the closest other.
_COPY = 0.5
#: What a draft's seams are looked for with: in patches of this size it should look like some photo everywhere.
_SEAM_PATCH = Patch(radius=0.2, reach=0.06, tint=0.05)
#: The strength at which patches are as large as training found them.
NEUTRAL_STRENGTH = 0.8


@dataclass(frozen=True, kw_only=True)
class _Draft:
    """A coarse picture with the photos that it was made from."""

    picture: Array
    #: The photos' numbers, those that explain it best, and how each was held.
    chosen: Sequence[int]
    framings: Mapping[int, Framing]
    #: Root mean square of what its parts lack to fit together.
    seams: float
    #: How far it is from the closest photo, 1 being where a copy ends.
    novelty: float


def rungs_of(plan: Plan) -> int:
    """Return how many steps one picture takes."""
    coarse, *finer = (len(stage.rungs) for stage in plan.stages())
    return coarse * _DRAFTS + sum(finer)


def sample(
    photos: Sequence[Photo],
    plan: Plan,
    *,
    seed: int,
    aspect: Aspect,
    strength: float = NEUTRAL_STRENGTH,
    after_step: Callable[[], None] = lambda: None,
) -> Array:
    """Return one new picture; the same arguments give the same picture.

    Some coarse drafts are made first. Those that copy a photo are left, and of the others the one whose parts fit
    together best is worked out in the finer sizes.

    Args:
        photos: What the model has seen.
        plan: The noise levels and their patches.
        seed: Where the noise comes from.
        aspect: The picture's shape.
        strength: How closely the picture keeps to the photos. It scales the patches: large ones take over whole parts
            of a photo, small ones mix many photos freely, down to dreamlike.
        after_step: Called after each step; what it raises ends the sampling.
    """
    rng = np.random.default_rng(seed)
    coarse, *finer = [_scaled(stage, strength) for stage in plan.stages()]
    draft = _best([_draft(photos, coarse, aspect, rng, after_step) for _ in range(_DRAFTS)])
    picture, chosen = draft.picture, draft.chosen
    for stage in finer:
        height, width = shape_of(aspect, stage.size)
        pictures = _framed_photos(photos, chosen, draft.framings, height, width)
        noisy = _renoised(resize(picture, height, width), _noise(rng, height, width), stage.rungs[0].alpha_bar)
        picture, shares = _descend(noisy, pictures, stage, rng, after_step)
        chosen = _finalists(chosen, shares)
    return picture


def _draft(
    photos: Sequence[Photo], stage: Stage, aspect: Aspect, rng: np.random.Generator, after_step: Callable[[], None]
) -> _Draft:
    height, width = shape_of(aspect, stage.size)
    guests = sorted(rng.permutation(len(photos))[:_GUESTS].tolist())
    framings = _framings(guests, rng)
    pictures = _framed_photos(photos, guests, framings, height, width)
    picture, shares = _descend(_noise(rng, height, width), pictures, stage, rng, after_step)
    smooth = denoise(picture, pictures, _SEAM_PATCH, alpha=1.0, sigma=0.2).picture
    return _Draft(
        picture=picture,
        chosen=_finalists(guests, shares),
        framings=framings,
        seams=_distance(picture, smooth),
        novelty=_novelty(picture, pictures),
    )


def _best(drafts: Sequence[_Draft]) -> _Draft:
    fresh = [draft for draft in drafts if draft.novelty >= 1]
    return min(fresh, key=lambda draft: draft.seams) if fresh else max(drafts, key=lambda draft: draft.novelty)


def _novelty(picture: Array, photos: Array) -> float:
    apart = [min(_distance(one, other) for j, other in enumerate(photos) if j != i) for i, one in enumerate(photos)]
    closest = min(_distance(picture, photo) for photo in photos)
    return closest / (_COPY * float(np.median(apart)) + 1e-6)


def _distance(one: Array, other: Array) -> float:
    return float(np.sqrt(np.square(one - other).mean()))


def _finalists(chosen: Sequence[int], shares: Array) -> Sequence[int]:
    best = sorted(np.argsort(-shares, kind="stable")[:_FINALISTS].tolist())
    return [chosen[i] for i in best]


def _framings(guests: Sequence[int], rng: np.random.Generator) -> Mapping[int, Framing]:
    """Hold the photos a little differently for each draft, so that other parts of other photos meet."""
    common = rng.uniform(1.0, _COMMON_ZOOM)
    right, down = rng.uniform(-0.5, 0.5, 2) * (1 - 1 / common)
    framings = {}
    for guest in guests:
        zoom = common * rng.uniform(1.0, _OWN_ZOOM)
        room = 1 - 1 / _OWN_ZOOM
        aside = rng.uniform(-0.5, 0.5, 2) * room
        framings[guest] = Framing(zoom=zoom, right=right + aside[0], down=down + aside[1])
    return framings


def _framed_photos(
    photos: Sequence[Photo], chosen: Sequence[int], framings: Mapping[int, Framing], height: int, width: int
) -> Array:
    return np.stack([fit_photo(photos[i], height, width, framings[i]) for i in chosen])


def _descend(
    noisy: Array, pictures: Array, stage: Stage, rng: np.random.Generator, after_step: Callable[[], None]
) -> tuple[Array, Array]:
    """Walk down the noise levels of one size; return the clean picture and each photo's share in it."""
    for number, rung in enumerate(stage.rungs):
        alpha, sigma = math.sqrt(rung.alpha_bar), math.sqrt(1 - rung.alpha_bar)
        found = denoise(noisy, pictures, rung.patch, alpha=alpha, sigma=sigma)
        after_step()
        if number + 1 == len(stage.rungs):
            return found.picture, found.shares
        noisy = _next_noisy(noisy, found.picture, rung, stage.rungs[number + 1], rng)
    raise ValueError("a stage needs rungs")


def _next_noisy(noisy: Array, clean: Array, now: Rung, then: Rung, rng: np.random.Generator) -> Array:
    """Return the picture at the next noise level (Song et al. 2020, equation 12)."""
    noise = (noisy - math.sqrt(now.alpha_bar) * clean) / math.sqrt(1 - now.alpha_bar)
    fresh = _ETA * math.sqrt((1 - then.alpha_bar) / (1 - now.alpha_bar) * (1 - now.alpha_bar / then.alpha_bar))
    kept = math.sqrt(max(1 - then.alpha_bar - fresh * fresh, 0.0))
    added = _noise(rng, *clean.shape[1:])
    return (math.sqrt(then.alpha_bar) * clean + kept * noise + fresh * added).astype(np.float32)


def _renoised(picture: Array, noise: Array, alpha_bar: float) -> Array:
    return (math.sqrt(alpha_bar) * picture + math.sqrt(1 - alpha_bar) * noise).astype(np.float32)


def _noise(rng: np.random.Generator, height: int, width: int) -> Array:
    return rng.standard_normal((3, height, width), dtype=np.float32)


def _scaled(stage: Stage, strength: float) -> Stage:
    factor = strength / NEUTRAL_STRENGTH
    rungs = [replace(r, patch=replace(r.patch, radius=r.patch.radius * factor)) for r in stage.rungs]
    return replace(stage, rungs=rungs)
