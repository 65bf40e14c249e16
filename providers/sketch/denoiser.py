"""Owns the closed-form denoiser: what a noisy picture most likely was, given the photos; never decides its own patches.

The denoiser is the exact posterior mean under one assumption: every small patch of the clean picture is a patch of
some photo from about the same place (Kamb & Ganguli 2024, arXiv 2412.20292), here with a Gaussian window for a patch
and with a small shift of colour allowed between the photo's patch and the picture's. For each photo and each
displacement the windowed distance of *all* patches is two matrix products: its cost doesn't depend on a patch's size.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

#: Pictures are planar, (3, height, width), and photos (n, 3, height, width), both in -1..1.
Array = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class Patch:
    """How patches are compared; lengths are fractions of the longest side of the picture."""

    #: Standard deviation of the Gaussian window.
    radius: float
    #: How far from its place in a photo a patch may turn up, in each direction.
    reach: float
    #: Standard deviation of the colour shift that a patch may have, in units of -1..1.
    tint: float


@dataclass(frozen=True, kw_only=True)
class Denoised:
    """The most likely clean picture and where it came from."""

    picture: Array
    #: The part of the picture that each photo explains; sums to 1.
    shares: Array


@dataclass
class _Mixture:
    """A running softmax over patches: weighted sums, each scaled by exp(-peak)."""

    peak: Array
    weight: Array
    total: Array

    @classmethod
    def empty(cls, height: int, width: int) -> "_Mixture":
        zero = np.zeros((height, width), np.float32)
        return cls(np.full_like(zero, -np.inf), zero, np.zeros((3, height, width), np.float32))

    def add(self, peak: Array, weight: Array, total: Array) -> None:
        top = np.maximum(self.peak, peak)
        old, new = np.exp(self.peak - top), np.exp(peak - top)
        self.weight = self.weight * old + weight * new
        self.total = self.total * old + total * new
        self.peak = top


def denoise(noisy: Array, photos: Array, patch: Patch, *, alpha: float, sigma: float) -> Denoised:
    """Return the posterior mean of the clean picture for noisy = alpha * clean + sigma * noise."""
    _, height, width = noisy.shape
    longest = max(height, width)
    rows, columns = (_window(side, patch.radius * longest) for side in (height, width))
    area = np.outer(rows.sum(1), columns.sum(1)).astype(np.float32)
    # Posterior of a colour shift with a Gaussian prior: this part of the mean difference is taken to be tint.
    tinted = (alpha * patch.tint) ** 2 * area
    part = tinted / (tinted + sigma * sigma)
    mean = rows @ noisy @ columns / area
    everyone, photo_evidence = _Mixture.empty(height, width), []
    for photo in photos:
        own = _Mixture.empty(height, width)
        for shifted in _displaced(photo, height, width, round(patch.reach * longest)):
            gap = rows @ np.einsum("nchw,nchw->nhw", shifted, alpha * shifted - 2 * noisy) @ columns
            source: Array = shifted
            if patch.tint > 0:
                average = rows @ shifted @ columns / area
                gap -= part * area * np.einsum("nchw,nchw->nhw", average, alpha * average - 2 * mean)
                source = (shifted - part * average).astype(np.float32)
            logit = gap * np.float32(-alpha / (2 * sigma * sigma))
            peak = logit.max(0)
            chance = np.exp(logit - peak)
            own.add(peak, chance.sum(0), np.einsum("nhw,nchw->chw", chance, source))
        everyone.add(own.peak, own.weight, own.total)
        photo_evidence.append((own.peak, own.weight))
    picture = everyone.total / everyone.weight + part * mean / alpha
    shares = [float((w * np.exp(p - everyone.peak) / everyone.weight).mean()) for p, w in photo_evidence]
    return Denoised(picture=picture.astype(np.float32), shares=np.asarray(shares, np.float32))


def _window(side: int, radius: float) -> Array:
    """Return the matrix that sums a line under a Gaussian window, cut off at the ends of the line."""
    place = np.arange(side)
    away = (place[:, None] - place[None, :]) / max(radius, 0.3)
    return np.exp(-0.5 * away * away).astype(np.float32)


def _displaced(photo: Array, height: int, width: int, reach: int) -> Iterator[Array]:
    """Yield the photo in all displacements, as (n, 3, height, width): none, and two steps in each direction."""
    stride = max(1, round(reach / 2))
    reach = 2 * stride if reach > 1 else reach
    padded = np.pad(photo, ((0, 0), (reach, reach), (reach, reach)), mode="edge")
    for top in range(0, 2 * reach + 1, stride):
        band = padded[:, top : top + height]
        yield np.ascontiguousarray(sliding_window_view(band, width, axis=-1)[:, :, ::stride].transpose(2, 0, 1, 3))
