"""The picture of a loss: its axes, its line, and the words for people who do not see it."""

import io
import math

import pytest
from PIL import Image

from bot.loss_curve import FEWEST_POINTS, describe_curve, draw_curve
from bot.texts import speaking
from providers.base import LossPoint

FALLING = [LossPoint(step=step, loss=0.5 * math.exp(-step / 20) + 0.1) for step in range(49)]


def opened(data):
    return Image.open(io.BytesIO(data)).convert("RGB")


def bluish(picture):
    """Return where the line is, as the columns that have something of its colour."""
    width, height = picture.size
    data = picture.load()
    return [x for x in range(width) if any(data[x, y][2] > 200 and data[x, y][0] < 180 for y in range(height))]


def test_curve_brings_its_own_dark_ground_and_is_small():
    data = draw_curve(FALLING, steps=48)
    picture = opened(data)
    assert picture.size == (1200, 675)
    assert picture.getpixel((2, 2)) == (32, 34, 40)
    assert len(data) < 300_000


def test_curve_goes_as_far_as_the_training_does():
    half, whole = [bluish(opened(draw_curve(FALLING[:count], steps=48)))[-1] for count in (25, 49)]
    assert half == pytest.approx(663, abs=20)
    assert whole == pytest.approx(1150, abs=20)


@pytest.mark.parametrize("losses", [[0.5, 0.5, 0.5], [0, 0, 0], [1e9, 2.0, 1e-9], [3.0, 2.0, 5.0]])
def test_curve_of_any_losses_is_drawn(losses):
    points = [LossPoint(step=step, loss=loss) for step, loss in enumerate(losses)]
    assert opened(draw_curve(points, steps=2)).size == (1200, 675)


def test_curve_of_too_few_losses_is_refused():
    with pytest.raises(ValueError, match="at least 3 points"):
        draw_curve(FALLING[: FEWEST_POINTS - 1], steps=48)


def test_curve_is_told_in_words():
    points = [LossPoint(step=0, loss=0.6), LossPoint(step=20, loss=0.12), LossPoint(step=48, loss=0.15)]
    with speaking("en"):
        told = describe_curve(points)
    assert told == "A curve of the loss: 0.6 at step 0, 0.15 at step 48, lowest 0.12 at step 20."
