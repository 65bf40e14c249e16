"""Kills the bot at every effect, before it and after it: `python -m tests.crash [--random SEED] [--only SCENARIO]`."""

import argparse
import asyncio
import random
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.crash.harness import Point, Result, play
from tests.crash.lives import Launcher
from tests.crash.scenarios import Beginning, Scenario
from tests.crash.snapshots import make_snapshot


async def enumerate_all(scenarios: Sequence[Scenario], folder: Path, *, abreast: int) -> list[Result]:
    """Kill at each effect that the undisturbed story has, and at the few more that a slower one may have."""
    snapshots = await _make_snapshots(scenarios, folder)
    plan: list[tuple[Scenario, list[Point]]] = []
    async with Launcher.started() as launcher:
        for scenario in scenarios:
            calm = await play(
                scenario, [], launcher=launcher, snapshot=snapshots[scenario.beginning], scratch=folder / f"{scenario}"
            )
            _say(f"{calm.line()}   {len(calm.effects)} effects")
            plan += [(scenario, [point]) for point in points_of(len(calm.effects))]
    return await _play_all(plan, snapshots, folder, abreast=abreast)


def points_of(effects: int) -> Iterator[Point]:
    """Return every point of a story with that many effects."""
    for number in range(1, effects + 1):
        yield from (Point(number=number), Point(number=number, after=True))


async def at_random(scenarios: Sequence[Scenario], folder: Path, *, seed: int, runs: int, abreast: int) -> list[Result]:
    """Kill up to four times in each run, wherever the seed says."""
    snapshots = await _make_snapshots(scenarios, folder)
    dice = random.Random(seed)
    plan = []
    for _ in range(runs):
        points = [Point(number=dice.randint(1, 40), after=dice.random() < 0.5) for _ in range(dice.randint(2, 4))]
        plan.append((dice.choice(scenarios), points))
    return await _play_all(plan, snapshots, folder, abreast=abreast)


async def _make_snapshots(scenarios: Sequence[Scenario], folder: Path) -> dict[Beginning, Path]:
    beginnings = dict.fromkeys(scenario.beginning for scenario in scenarios)
    return {beginning: await make_snapshot(folder / f"snapshot-{beginning}", beginning) for beginning in beginnings}


async def _play_all(
    plan: Sequence[tuple[Scenario, list[Point]]], snapshots: dict[Beginning, Path], folder: Path, *, abreast: int
) -> list[Result]:
    waiting, results = list(enumerate(plan)), []

    async def worker() -> None:
        async with Launcher.started() as launcher:
            while waiting:
                number, (scenario, points) = waiting.pop(0)
                snapshot, scratch = snapshots[scenario.beginning], folder / f"{number}"
                result = await play(scenario, points, launcher=launcher, snapshot=snapshot, scratch=scratch)
                results.append(result)
                _say(result.line())

    await asyncio.gather(*(worker() for _ in range(abreast)))
    return results


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201 - the command's own voice


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.crash")
    parser.add_argument("--random", type=int, metavar="SEED", help="kill several times a run, wherever the seed says")
    parser.add_argument("--runs", type=int, default=60, help="how many random runs")
    parser.add_argument("--only", type=Scenario, choices=list(Scenario), action="append", help="one scenario alone")
    parser.add_argument("--abreast", type=int, default=2, help="how many stories at the same time")
    options = parser.parse_args()
    scenarios, began = options.only or list(Scenario), time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix="crash-"))
    if options.random is None:
        work = enumerate_all(scenarios, folder, abreast=options.abreast)
    else:
        work = at_random(scenarios, folder, seed=options.random, runs=options.runs, abreast=options.abreast)
    results = asyncio.run(work)
    bad = [result for result in results if result.violations]
    kills = sum(result.kills for result in results)
    _say(f"\n{len(results)} runs, {kills} kills, {len(bad)} with violations, {time.monotonic() - began:.0f} s")
    for scenario in scenarios:
        mine = [result for result in results if result.scenario is scenario]
        broken = sum(bool(result.violations) for result in mine)
        _say(f"{scenario:<11} {len(mine):>4} runs {sum(r.kills for r in mine):>4} kills {broken:>4} with violations")
    if bad:
        _say(f"What they left lies in {folder}.")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
