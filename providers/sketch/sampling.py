"""Owns the way from noise to a picture, coarse to fine; never reads or writes a file."""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from providers.base import Aspect
from providers.sketch.denoiser import Array, denoise
from providers.sketch.pictures import Framing, Photo, fit_photo, resize, shape_of
from providers.sketch.plan import Plan, Rung, Stage

#: How much fresh noise a step brings in: 0 is DDIM, 1 is DDPM (Song et al. 2020, arXiv 2010.02502, equation 16).
_ETA = 0.6
#: How many photos go on to the next size; those that explain the coarse picture best. Keeps the time bounded.
_FINALISTS = 6
#: Photos are looked at through a zoom of 1 up to this.
_MOST_ZOOM = 1.25
#: The strength at which patches are as large as training found them.
NEUTRAL_STRENGTH = 0.8


def rungs_of(plan: Plan) -> int:
    """Return how many steps one picture takes."""
    return sum(len(stage.rungs) for stage in plan.stages())


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
    picture: Array | None = None
    chosen = list(range(len(photos)))
    framings = [_framing(rng) for _ in photos]
    for stage in plan.stages():
        height, width = shape_of(aspect, stage.size)
        pictures = np.stack([fit_photo(photos[i], height, width, framings[i]) for i in chosen])
        noise = _noise(rng, height, width)
        noisy = noise if picture is None else _renoised(resize(picture, height, width), noise, stage.rungs[0].alpha_bar)
        picture, shares = _descend(noisy, pictures, _scaled(stage, strength), rng, after_step)
        best = sorted(np.argsort(-shares, kind="stable")[:_FINALISTS].tolist())
        chosen = [chosen[i] for i in best]
    if picture is None:
        raise ValueError("a plan needs noise levels")
    return picture


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


def _framing(rng: np.random.Generator) -> Framing:
    """Hold a photo a little differently for each picture, so that other parts of other photos meet."""
    zoom = rng.uniform(1.0, _MOST_ZOOM)
    right, down = rng.uniform(-1, 1, 2) * (1 - 1 / zoom) / 2
    return Framing(zoom=zoom, right=right, down=down)


def _noise(rng: np.random.Generator, height: int, width: int) -> Array:
    return rng.standard_normal((3, height, width), dtype=np.float32)


def _scaled(stage: Stage, strength: float) -> Stage:
    factor = strength / NEUTRAL_STRENGTH
    rungs = [replace(r, patch=replace(r.patch, radius=r.patch.radius * factor)) for r in stage.rungs]
    return replace(stage, rungs=rungs)
