"""Plays a story with a bot that is killed and started again until the story is over, and asks for the verdict."""

import asyncio
import contextlib
import shutil
import signal
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from playground.errors import PersonError
from playground.server import Playground
from tests.crash.launcher import Run
from tests.crash.lives import Launcher, Life
from tests.crash.scenarios import NO_TIME_DAYS, Scenario, Story
from tests.crash.snapshots import move_in
from tests.crash.verdict import violations
from tests.fakes.till import Till

#: Seconds for one life of the bot to get done; far more than it needs.
PATIENCE = 30.0


@dataclass(frozen=True, kw_only=True)
class Point:
    """Where a life ends: at an effect, just before it or just after it."""

    number: int
    after: bool = False

    def __str__(self) -> str:
        return f"{'after' if self.after else 'before'} {self.number}"


@dataclass(kw_only=True)
class Result:
    """What came of one story."""

    scenario: Scenario
    points: Sequence[Point]
    #: How many of the points were met.
    kills: int = 0
    #: The effects of the first life, in order.
    effects: list[str] = field(default_factory=list)
    #: What must not be; empty is good.
    violations: list[str] = field(default_factory=list)
    log: str = ""

    def line(self) -> str:
        """Say it in a line of a table."""
        where = ", ".join(map(str, self.points)) or "never"
        struck = self.effects[-1].partition(" ")[2] if self.kills and self.effects else "not met"
        return f"{self.scenario:<11} {where:<12} {struck:<58} {'; '.join(self.violations) or 'ok'}"


async def play(
    scenario: Scenario,
    points: Sequence[Point],
    *,
    launcher: Launcher,
    snapshot: Path,
    scratch: Path,
    paid_before: bool = False,
) -> Result:
    """Play a story; its first lives end at these points, and one more life brings it to its end.

    Effects are counted from the person's press on, and in later lives from their start, where a story without a press
    counts them at once. `paid_before` puts each order
    on the bill twice, for proving that this would be seen.
    """
    await asyncio.to_thread(scratch.mkdir, parents=True)
    result = Result(scenario=scenario, points=points)
    async with Playground() as discord, Till() as till:
        owner = move_in(snapshot, scratch / "data", discord)
        place = owner.in_channel()
        story = Story(scenario=scenario, discord=discord, till=till, folder=scratch / "data", person=place)
        log = scratch / "log"
        if story.from_the_start:
            await asyncio.to_thread((scratch / "armed").touch)
        for number, point in enumerate([*points, Point(number=0)]):
            run = run_of(story, scratch, trail=scratch / f"trail{number}", point=point)
            life = await launcher.start(run)
            try:
                over = await _live(story, life, scratch / "armed")
            except TimeoutError:
                over = True
                result.violations.append(f"it never came to its end: {[job['state'] for job in story.jobs()]}")
            await life.kill()
            await discord.bot_gone()
            if over:
                break
            if life.end.result() != -signal.SIGKILL:
                result.violations.append(f"it ended by itself with {life.end.result()}")
                break
            result.kills += 1
        result.log = log.read_text()
        result.effects = (scratch / "trail0").read_text().splitlines()
        till.bill *= 2 if paid_before else 1
        result.violations += violations(story, result.log)
    if not result.violations:
        await asyncio.to_thread(shutil.rmtree, scratch)
    return result


def run_of(story: Story, scratch: Path, *, trail: Path, point: Point) -> Run:
    return Run(
        folder=str(story.folder),
        token=story.discord.token,
        api_base=story.discord.api_base,
        gateway_url=story.discord.gateway_url,
        till=story.till.url,
        armed=str(scratch / "armed"),
        trail=str(trail),
        log=str(scratch / "log"),
        kill_at=point.number,
        after=point.after,
        keep_days=NO_TIME_DAYS if story.scenario is Scenario.RETENTION else None,
    )


async def _live(story: Story, life: Life, armed: Path) -> bool:
    """Go on with the story until it is over or the bot has died; tell whether it is over."""
    person = asyncio.create_task(_person(story, armed), name="the person")
    over = asyncio.create_task(story.until_over(), name="the end of the story")
    try:
        async with asyncio.timeout(PATIENCE):
            await asyncio.wait({life.end, over}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (person, over):
            task.cancel()
        await asyncio.gather(person, over, return_exceptions=True)
    if person.done() and not person.cancelled() and person.exception() is not None:
        raise RuntimeError("the person could not play") from person.exception()
    return over.done() and not over.cancelled()


async def _person(story: Story, armed: Path) -> None:
    """Ask for what the story is about; ask again in a later life, as people do whose press got no answer."""
    await story.discord.bot_connected()
    if not await asyncio.to_thread(armed.exists):
        await story.begin()
        await asyncio.to_thread(armed.touch)
    elif story.heard() and story.scenario in {Scenario.GENERATION, Scenario.SHEET}:
        return
    with contextlib.suppress(PersonError):
        await story.act()
