"""The product as `darkroom run` starts it, between a playground and a till, and what must hold when a fault is over."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bot.app import opened_services
from bot.budget import disagreements
from bot.client import point_at, stay_connected
from bot.clock import Clock
from bot.services import Services
from bot.training.job import Job, JobKind, JobState
from playground.outcome import Outcome
from playground.person import Person, Place, SeenMessage
from playground.server import Playground
from providers.registry import Registry
from tests.cogs.photos import swatches
from tests.fakes.till import QUEUED, RUNNING, SUCCEEDED, Look, Till
from tests.fakes.till_adapter import till_registry
from tests.fresh_database import lay_database
from tests.house import make_settings
from tests.playing import running_playground

POST, EDIT = ("POST", "/channels/*/messages"), ("PATCH", "/channels/*/messages/*")


async def quoted(place: Place) -> Outcome:
    """Let a person come as far as a quote."""
    two = swatches(2)
    await place.slash("draft new", name="Rusty", trigger_word="rustyfox", kind="animal", who="nobody")
    await place.slash("draft add", photo1=two[0], photo2=two[1])
    return await place.slash("train")


@dataclass(frozen=True, kw_only=True)
class Stage:
    discord: Playground
    till: Till
    services: Services
    alice: Person
    place: Place
    #: The bot's connection, which outlives whatever happens to Discord.
    connection: asyncio.Task[None]

    # ------------------------------------------------------------------ what alice does
    async def quote(self) -> Outcome:
        """Let alice come as far as a quote."""
        return await quoted(self.place)

    async def train(self) -> Outcome:
        """Let alice train."""
        return await self.place.press(await self.quote(), "Train it")

    async def running(self) -> SeenMessage:
        """Let alice train, and wait for the card of the running training."""
        await self.train()
        return await self.place.wait_for(lambda m: "step 1 of 3" in m.text)

    # ------------------------------------------------------------------ what the till does
    def go_on(self, *looks: Look) -> None:
        """Let every job at the till, and those to come, go on with these looks; they succeed without any."""
        self.till.script = looks or (SUCCEEDED,)
        for job in self.till.jobs.values():
            job.looks[:] = looks or (SUCCEEDED,)

    # ------------------------------------------------------------------ what holds
    def bot_says(self, place: Place | None = None) -> list[SeenMessage]:
        """Return what the bot's messages in a channel say, without those for alice alone."""
        return [m for m in (place or self.place).sees() if m.author_is_bot and not m.ephemeral]

    async def jobs(self) -> Sequence[Job]:
        """Return alice's jobs and those that make the samples of her trainings."""
        asked_for = await self.services.training.jobs(self.alice.id)
        samples = [(await self.services.training.outcome(job))[1] for job in asked_for]
        return [*asked_for, *(job for job in samples if job is not None)]

    async def until(self, condition: Callable[[Sequence[Job]], bool]) -> Sequence[Job]:
        """Wait until the rows are as wanted."""
        async with asyncio.timeout(40):
            while not condition(jobs := await self.jobs()):
                await breath()
        return jobs

    async def settled(self) -> None:
        """Wait until every job has ended, is cleaned up, and is shown."""
        await self.until(lambda jobs: bool(jobs) and all(job.cleaned for job in jobs))
        async with asyncio.timeout(40):
            while await self.services.cards.stale():
                await breath()

    async def assert_sound(self, place: Place | None = None, *, training: JobState = JobState.SUCCEEDED) -> None:
        """Check that a training is over, shown once, said once, paid once, and booked."""
        await self.settled()
        [job] = [job for job in await self.jobs() if job.kind is JobKind.TRAINING]
        assert job.state is training
        lora, samples = await self.services.training.outcome(job)
        assert (lora is not None) == (training is JobState.SUCCEEDED)
        assert (samples is not None) == (training is JobState.SUCCEEDED)
        assert set(Counter(self.till.bill).values()) <= {1}
        async with self.services.database.begin() as connection:
            assert not await disagreements(connection)
        said = self.bot_says(place)
        ready = "Rusty is ready" if lora else "tries again"
        assert len([m for m in said if "Training Rusty" in m.text]) == 1
        assert len([m for m in said if ready in m.text]) == 1
        if lora:
            assert len(self.till.bill) == 2  # the training and its samples
            assert [len(m.images) for m in said if ready in m.text] == [4]


async def met(event: asyncio.Event) -> None:
    """Wait until a planned misfortune has struck."""
    async with asyncio.timeout(40):
        await event.wait()


async def breath() -> None:
    """Let the others go on for a moment, where there is no event to wait for."""
    await asyncio.sleep(0.01)


class SkippingClock:
    """The machine's clock, which a test may move ahead."""

    def __init__(self) -> None:
        self.ahead = timedelta(0)

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead


@asynccontextmanager
async def stage(
    folder: Path,
    *,
    looks: Sequence[Look] = (QUEUED, RUNNING),
    registry: Callable[[str], Registry] = till_registry,
    clock: Clock | None = None,
    judged: bool = True,
    **settings: Any,
) -> AsyncIterator[Stage]:
    """Open the house; jobs at the till stay as `looks` leaves them."""
    async with running_playground(judged=judged) as discord, Till() as till:
        till.script = looks
        async with performing(discord, till, folder, registry=registry, clock=clock, **settings) as s:
            await discord.bot_connected()
            yield s


@asynccontextmanager
async def performing(
    discord: Playground,
    till: Till,
    folder: Path,
    *,
    registry: Callable[[str], Registry] = till_registry,
    clock: Clock | None = None,
    **settings: Any,
) -> AsyncIterator[Stage]:
    """Run the bot; leaving the block stops it as a SIGTERM does."""
    chosen = make_settings(discord, folder / "data", **settings)
    point_at(chosen)
    await lay_database(folder / "data")
    async with opened_services(chosen, registry=registry(till.url), clock=clock) as services:
        connection = asyncio.create_task(stay_connected(services, discord.token), name="connection")
        alice = discord.person("alice")
        try:
            yield Stage(
                discord=discord,
                till=till,
                services=services,
                alice=alice,
                place=alice.in_channel(),
                connection=connection,
            )
        finally:
            connection.cancel()
            await asyncio.gather(connection, return_exceptions=True)
