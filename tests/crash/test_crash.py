"""A spread of the points at which the bot may die; `python -m tests.crash` plays them all."""

import pytest

from tests.crash.harness import Point, Result, play
from tests.crash.lives import Launcher
from tests.crash.scenarios import Beginning, Scenario
from tests.crash.snapshots import make_snapshot

pytestmark = pytest.mark.xdist_group("processes")


def spread(calm: Result) -> list[Point]:
    """Choose the first and last effects, those around each paid call, and every eighth between."""
    last = len(calm.effects)
    paid = [number for number, effect in enumerate(calm.effects, 1) if effect.endswith(("/trainings", "/pictures"))]
    around = {near for number in paid for near in (number - 1, number, number + 1)}
    chosen = sorted(n for n in {1, 2, *range(8, last, 8), last, *around} if 1 <= n <= last)
    return [Point(number=n, after=n in paid or n % 2 == 0) for n in chosen]


@pytest.mark.parametrize("scenario", list(Scenario))
async def test_killed_bot_pays_once_and_posts_once(tmp_path, scenario):
    snapshot = await make_snapshot(tmp_path / "snapshot", scenario.beginning)
    async with Launcher.started() as launcher:

        async def told(*points: Point) -> Result:
            scratch = tmp_path / ("-".join(map(str, points)) or "calm").replace(" ", "")
            return await play(scenario, points, launcher=launcher, snapshot=snapshot, scratch=scratch)

        calm = await told()
        results = [calm, *[await told(point) for point in spread(calm)]]
        results.append(await told(Point(number=5), Point(number=9, after=True), Point(number=3)))

    assert [result.line() for result in results if result.violations] == []
    assert sum(result.kills for result in results) >= len(results) - 1


async def test_harness_sees_an_order_that_was_paid_twice(tmp_path):
    snapshot = await make_snapshot(tmp_path / "snapshot", Beginning.DRAFT)
    async with Launcher.started() as launcher:
        result = await play(
            Scenario.TRAINING, [], launcher=launcher, snapshot=snapshot, scratch=tmp_path / "run", paid_before=True
        )

    assert any("was paid 2 times" in violation for violation in result.violations)
