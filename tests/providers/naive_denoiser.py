"""The denoiser written as its definition reads, one patch after the other: slow, and the measure of the fast one."""

import numpy as np

from providers.sketch.denoiser import Patch


def naive_denoise(noisy, photos, patch: Patch, *, alpha: float, sigma: float, stride: int = 1):
    """Return the posterior mean; the window is Gaussian and ends at the picture's borders."""
    _, height, width = noisy.shape
    longest = max(height, width)
    radius, reach = max(patch.radius * longest, 0.3), max(round(patch.reach * longest), 0)
    padded = np.pad(np.asarray(photos, np.float64), ((0, 0), (0, 0), (reach, reach), (reach, reach)), mode="edge")
    y, x = np.arange(height), np.arange(width)
    result = np.empty(noisy.shape)
    for top in range(height):
        for left in range(width):
            window = np.outer(np.exp(-0.5 * ((y - top) / radius) ** 2), np.exp(-0.5 * ((x - left) / radius) ** 2))
            area = window.sum()
            part = (alpha * patch.tint) ** 2 * area / ((alpha * patch.tint) ** 2 * area + sigma * sigma)
            logits, values = [], []
            for photo in padded:
                for down in range(0, 2 * reach + 1, stride):
                    for right in range(0, 2 * reach + 1, stride):
                        shifted = photo[:, down : down + height, right : right + width]
                        rest = noisy - alpha * shifted
                        mean = (window * rest).sum((1, 2)) / area
                        distance = (window * rest * rest).sum() - part * area * (mean * mean).sum()
                        logits.append(-distance / (2 * sigma * sigma))
                        values.append(shifted[:, top, left] + part * mean / alpha)
            chance = np.exp(np.array(logits) - max(logits))
            result[:, top, left] = (chance[:, None] * np.array(values)).sum(0) / chance.sum()
    return result
