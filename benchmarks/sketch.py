"""Measures Sketch on one core: `python -m benchmarks.sketch` from the repository's root.

The rival is the denoiser as its definition reads (tests/providers/naive_denoiser.py), one patch after the other, in the
same run and on the same pictures; the two results have to agree.
"""
# ruff: noqa: T201 - a benchmark prints

import os

os.environ["OPENBLAS_NUM_THREADS"] = "1"

import io
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from PIL import Image, ImageOps

from playground.sample_photos import sample_photos
from providers.base import Aspect
from providers.sketch.denoiser import Patch, denoise
from providers.sketch.fitting import Fitting
from providers.sketch.pictures import Photo, fit_photo
from providers.sketch.plan import Plan
from providers.sketch.sampling import sample
from tests.providers.naive_denoiser import naive_denoise

PICTURES = 4


def main() -> None:
    """Measure and print."""
    for resolution in (128, 256):
        photos = read_photos(resolution * 5 // 4)
        begun = time.perf_counter()
        plan = train(photos, resolution)
        trained = time.perf_counter()
        draw(photos, plan)
        drawn = time.perf_counter()
        print(f"training, {len(photos)} photos, {resolution} px, 48 steps: {trained - begun:.1f} s")
        print(f"drawing, {resolution} px: {(drawn - trained) / PICTURES:.2f} s a picture (mean of {PICTURES})")
    compare(read_photos(160))


def read_photos(shortest: int) -> Sequence[Photo]:
    """Return the sample photos with this shortest side, in pixels."""
    opened = [ImageOps.exif_transpose(Image.open(io.BytesIO(photo.data))) for photo in sample_photos(8, size=640)]
    return [np.asarray(ImageOps.fit(image.convert("RGB"), (shortest, shortest))) for image in opened]


def train(photos: Sequence[Photo], resolution: int) -> Plan:
    """Train with the default number of steps."""
    fitting = Fitting(photos, resolution, [])
    for _ in fitting.run(48):
        pass
    return fitting.plan


def draw(photos: Sequence[Photo], plan: Plan) -> None:
    """Draw some pictures."""
    for seed in range(PICTURES):
        sample(photos, plan, seed=seed, aspect=Aspect.SQUARE)


def compare(photos: Sequence[Photo]) -> None:
    """Time one denoising of 32 px against the definition."""
    pictures = np.stack([fit_photo(photo, 32, 32) for photo in photos])
    noise = np.random.default_rng(0).standard_normal(pictures[0].shape)
    noisy = (0.7 * pictures[0] + np.sqrt(0.51) * noise).astype(np.float32)
    patch = Patch(radius=0.13, reach=0.0625, tint=0.05)
    level: dict[str, Any] = {"alpha": 0.7, "sigma": float(np.sqrt(0.51))}
    fast, fast_seconds = timed(lambda: denoise(noisy, pictures, patch, **level).picture)
    slow, slow_seconds = timed(lambda: naive_denoise(noisy, pictures, patch, **level))
    apart = float(np.abs(fast - slow).max())
    if apart > 1e-3:
        raise SystemExit(f"the two denoisers disagree by {apart:.2g}")
    print(f"one denoising, 32 px, 8 photos, 25 displacements: {fast_seconds * 1e3:.1f} ms")
    ratio = slow_seconds / fast_seconds
    print(f"patch by patch: {slow_seconds * 1e3:.0f} ms, {ratio:.0f} times as long (same within {apart:.1g})")


def timed(work: Callable[[], Any]) -> tuple[Any, float]:
    """Return what the work returns, and its seconds."""
    begun = time.perf_counter()
    return work(), time.perf_counter() - begun


if __name__ == "__main__":
    main()
