"""Trainings on the yard's machines by the whole bot but Discord; at the end nothing may be left of a job anywhere."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from unittest.mock import patch

from bot.budget import disagreements
from bot.store import leases as lease_rows
from bot.store.leases import Lease
from bot.training.job import Job
from bot.web import agent as routes
from playground.engine_script import Mood, Trouble
from playground.engines import lay_out_sd_scripts
from providers.gpu.trainer import GpuTrainer
from providers.registry import Registry
from tests.bot.training.rails import Rails, laid_rails
from tests.providers.gpu.yard import Yard, free_port, make_offer

#: Seconds of the test's own time that a machine may take for anything.
PATIENCE = 25.0


@dataclass(kw_only=True)
class YardRails:
    """A bot that may be switched off and on, and the yard, which goes on meanwhile."""

    folder: Path
    yard: Yard = field(default_factory=Yard)
    port: int = field(default_factory=free_port)
    max_seconds: float = 3600.0
    #: Where machines are told to find the bot, if not at its own port.
    public_port: int | None = None
    steps: int = 20
    rails: Rails | None = None
    _life: AsyncExitStack = field(default_factory=AsyncExitStack)

    @property
    def engine(self) -> Path:
        return self.folder / "engine"

    def mood(self, trouble: Trouble = Trouble.NONE, **how: float) -> None:
        Mood(trouble=trouble, **how).save(self.engine)

    async def switch_on(self) -> Rails:
        public = f"http://127.0.0.1:{self.public_port or self.port}"
        settings = {"darkroom_web_port": self.port, "public_url": public}
        self.rails = await self._life.enter_async_context(
            laid_rails(self.folder / "data", dress=lambda _till: self._registry, settings=settings)
        )
        return self.rails

    async def switch_off(self) -> None:
        await self._life.aclose()
        self.rails = None

    def _registry(self, leases) -> Registry:
        offer = make_offer(self.engine, steps=self.steps)
        return Registry(trainers={"yard": GpuTrainer(self.yard, offer, leases, max_seconds=self.max_seconds)})

    async def begin(self) -> Job:
        return await self.rails.begin()

    async def lease(self, job: Job) -> Lease | None:
        async with self.rails.database.begin() as connection:
            return await lease_rows.get(connection, job.marker)

    async def step(self, job: Job) -> Job:
        """Take the job a step on, after a moment in which its machine gets on too."""
        await asyncio.sleep(0.03)
        return await self.rails.step(job.id)

    async def run(self, job: Job, until: Callable[[Job], bool]) -> Job:
        """Take the job on until it is as wanted."""
        async with asyncio.timeout(PATIENCE):
            while not until(job):
                job = await self.step(job)
        return job

    async def run_out(self, job: Job) -> Job:
        """Take the job to its end, cleaned up."""
        return await self.run(job, lambda job: job.cleaned)

    async def wait(self, condition: Callable[[], bool | Awaitable[bool]]) -> None:
        """Wait for something that a machine does, while the bot's clock stands still."""
        async with asyncio.timeout(PATIENCE):
            while True:
                said = condition()
                if said if isinstance(said, bool) else await said:
                    return
                await asyncio.sleep(0.02)

    async def held(self, job: Job) -> Job:
        """Take the job on until a machine holds it."""

        async def is_held() -> bool:
            lease = await self.lease(job)
            return lease is not None and lease.holder_hash is not None

        job = await self.run(job, lambda job: job.remote_id is not None)
        await self.wait(is_held)
        return job

    async def left_over(self) -> list[str]:
        """Return everything that is still there of any job: machines, processes, leases, files, money set aside."""
        async with self.rails.database.begin() as connection:
            markers = await lease_rows.markers(connection)
            wrong = await disagreements(connection)
        processes = [one.machine.name for one in self.yard.built if one.machine.pids]
        data = self.folder / "data"
        files = [path.name for folder in ("arrivals", "work") for path in (data / folder).glob("*")]
        return [*self.yard.machines, *processes, *markers, *files, *wrong]


@asynccontextmanager
async def opened_yard(folder: Path, **how: object) -> AsyncIterator[YardRails]:
    """Open a yard with a bot that is switched on."""
    yard = YardRails(folder=folder, **how)
    lay_out_sd_scripts(yard.engine, Mood(seconds_a_step=0.002))
    with patch.object(routes, "REPORT_SECONDS", 0.1):
        await yard.switch_on()
        try:
            yield yard
        finally:
            await yard.yard.clear()
            await yard.switch_off()
