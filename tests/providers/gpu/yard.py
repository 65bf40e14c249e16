"""A yard with machines for tests: each is a process here that really fetches and runs the agent, over real sockets.

The bot's side is the real one too: its lease desk on a SQLite file, behind its own web server. Whoever built a machine
has to destroy it; what is left over at the end is a leak.
"""

import itertools
import socket
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from unittest.mock import patch

from aiohttp import web

from bot.arrivals import Arrivals
from bot.clock import Clock, SystemClock
from bot.events import JobChanged, News
from bot.leases import LeaseDesk
from bot.store.database import Database
from bot.web import agent as routes
from bot.web.agent import AgentRoutes
from playground.engine_script import Mood, Trouble
from playground.engines import lay_out_sd_scripts, lay_out_weights
from playground.machines import Machine
from providers.base import Health, LoraFormat, TrainingOrder
from providers.errors import ProviderError
from providers.gpu.box import BoxOrder, BoxPrice, BoxState, BoxStatus, BoxTerms, Ending, OwnedBox
from providers.gpu.engines import EngineOffer, Pace
from providers.gpu.trainer import GpuTrainer
from providers.recipe import BaseModelName, Limits
from tests.fresh_database import lay_database
from tests.providers.sketch_bench import make_archive, make_training_order

USD_AN_HOUR = 0.5


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


_numbers = itertools.count(1)


@dataclass(kw_only=True, eq=False)
class Built:
    id: str
    order: BoxOrder
    machine: Machine
    created_at: datetime
    started: bool = False


@dataclass(kw_only=True)
class Yard:
    """The box: it builds machines and plays tricks."""

    name = "yard"
    title = "The yard"
    start_seconds: float = 60.0
    machines: dict[str, Built] = field(default_factory=dict, repr=False)
    #: Everything that was ever built.
    built: list[Built] = field(default_factory=list, repr=False)
    #: Nothing starts while this is set.
    busy: bool = False
    #: Raised by the next create, before or after a machine is there.
    refusal: ProviderError | None = None
    doubt: ProviderError | None = None
    #: Destroying fails this many times.
    stuck: int = 0
    #: Looks that don't see anything of what was built.
    blind: int = 0
    #: Two machines are built for one order.
    twice: bool = False
    #: Said once instead of the real state.
    word: str | None = None
    #: Added to every machine's environment.
    env: dict[str, str] = field(default_factory=dict)

    @property
    def terms(self) -> BoxTerms:
        return BoxTerms(
            settle_seconds=0.05, start_seconds=self.start_seconds, poll_seconds=0.05, ending=Ending.SHUTDOWN
        )

    def price(self) -> BoxPrice:
        return BoxPrice(low_usd=USD_AN_HOUR, high_usd=USD_AN_HOUR, basis="what the yard says")

    async def check(self) -> Health:
        return Health(ok=True, wording="The yard is open.")

    async def create(self, order: BoxOrder) -> str:
        if self.refusal is not None:
            refusal, self.refusal = self.refusal, None
            raise refusal
        one = self._build(order)
        if self.twice:
            self._build(order)
        if self.doubt is not None:
            doubt, self.doubt = self.doubt, None
            raise doubt
        return one.id

    async def find(self, name: str) -> str | None:
        if self.blind > 0:
            self.blind -= 1
            return None
        return next((one.id for one in self.machines.values() if one.order.name == name), None)

    async def status(self, box_id: str) -> BoxStatus:
        if self.word is not None:
            word, self.word = self.word, None
            return BoxStatus(state=None, raw_state=word)
        one = self.machines.get(box_id)
        if one is None:
            return BoxStatus(state=BoxState.GONE, raw_state="unknown")
        self.start_what_waits()
        state = BoxState.ENDED if one.machine.ended.is_set() else BoxState.RUNNING
        state = state if one.started else BoxState.STARTING
        return BoxStatus(state=state, raw_state=state.value, usd_an_hour=USD_AN_HOUR)

    async def destroy(self, box_id: str) -> None:
        if self.stuck > 0:
            self.stuck -= 1
            raise ProviderError("The yard's gate is stuck.")
        one = self.machines.pop(box_id, None)
        if one is not None:
            await one.machine.destroy()

    async def list_owned(self) -> Sequence[OwnedBox]:
        return [OwnedBox(id=o.id, name=o.order.name, created_at=o.created_at) for o in self.machines.values()]

    def start_what_waits(self) -> None:
        for one in [] if self.busy else self.machines.values():
            if not one.started:
                one.started = True
                one.machine.start()

    async def clear(self) -> None:
        """Remove everything that is left."""
        for one in self.built:
            await one.machine.destroy()
        self.machines.clear()

    @property
    def tokens(self) -> list[str]:
        return [one.order.env["DARKROOM_TOKEN"] for one in self.built]

    def _build(self, order: BoxOrder) -> Built:
        box_id = f"m{len(self.built) + 1}"
        machine = Machine(
            name=f"yard-{next(_numbers)}",
            argv=["sh", "-c", order.script],
            env={**order.env, "DARKROOM_BOX_ID": box_id, **self.env},
        )
        one = Built(id=box_id, order=order, machine=machine, created_at=datetime.now(UTC))
        self.machines[box_id] = one
        self.built.append(one)
        self.start_what_waits()
        return one


@dataclass(kw_only=True)
class Site:
    """A bot's side of the leases, which can go away and come back."""

    folder: Path
    clock: Clock
    #: Heard since the beginning.
    news: list[JobChanged] = field(default_factory=list)
    port: int = field(default_factory=free_port)
    desk: LeaseDesk = field(init=False)
    arrivals: Arrivals = field(init=False)
    _database: Database = field(init=False)
    _runner: web.AppRunner | None = None

    def bind(self, database: Database) -> None:
        news = News()
        news.subscribe(self.news.append)
        self._database = database
        self.arrivals = Arrivals(self.folder / "arrivals")
        self.desk = LeaseDesk(
            database=database,
            arrivals=self.arrivals,
            root=self.folder,
            public_url=self.url,
            obstacle=None,
            clock=self.clock,
            news=news,
        )

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def open(self) -> None:
        site = web.Application()
        AgentRoutes(desk=self.desk, arrivals=self.arrivals).join(site)
        self._runner = web.AppRunner(site, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port, reuse_address=True).start()

    async def close(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None


def make_offer(engine: Path, *, steps: int) -> EngineOffer:
    """Return what a stand-in for sd-scripts in this folder can train; `steps` is what it trains by default."""
    settings = {
        "engine_dir": str(engine),
        "python": sys.executable,
        "weights": lay_out_weights(engine.parent / "weights"),
        "vram_gb": 24,
    }
    pace = Pace(before=(60, 120), step=(1, 2), basis="what the yard's engine takes")
    return EngineOffer(
        name="sd-scripts",
        title="sd-scripts",
        paces={BaseModelName.FLUX_1_DEV: pace},
        produces=LoraFormat.KOHYA,
        photos=Limits(low=2, high=50, default=12),
        steps=Limits(low=5, high=4000, default=steps),
        rank=Limits(low=1, high=128, default=4),
        learning_rate=Limits(low=1e-6, high=1e-2, default=1e-4),
        resolutions=(512, 1024),
        settings={BaseModelName.FLUX_1_DEV: settings},
    )


@dataclass(kw_only=True)
class Ground:
    """A yard, the bot's side, and an engine that stands in for sd-scripts."""

    folder: Path
    yard: Yard
    site: Site
    mood_folder: Path
    #: Whether the engine draws sample pictures when it has trained.
    draws: bool = False

    def trainer(self, **changes: float) -> GpuTrainer:
        return GpuTrainer(self.yard, self.offer(), self.site.desk, **changes)

    def offer(self) -> EngineOffer:
        return replace(make_offer(self.mood_folder, steps=1000), draws=self.draws)

    def order(self, marker: str = "darkroom-1", **changes: object) -> TrainingOrder:
        archive = self.folder / "work" / "archive.zip"
        if not archive.exists():
            archive.parent.mkdir(parents=True)
            make_archive(archive)
        recipe = {"base_model": BaseModelName.FLUX_1_DEV, "resolution": 512, "steps": 20, "rank": 4}
        return make_training_order(archive, marker, **recipe | changes)

    def mood(self, trouble: Trouble = Trouble.NONE, **how: float) -> None:
        """Have the engine behave like this from now on."""
        Mood(trouble=trouble, **how).save(self.mood_folder)


@asynccontextmanager
async def opened_ground(folder: Path, *, clock: Clock | None = None, **yard: object) -> AsyncIterator[Ground]:
    """Open a yard and the bot's side; everything that still runs is ended."""
    engine = lay_out_sd_scripts(folder / "engine", Mood(seconds_a_step=0.002))
    site = Site(folder=folder, clock=clock or SystemClock())
    brisk = patch.object(routes, "REPORT_SECONDS", 0.05)
    async with Database.opened(await lay_database(folder)) as database:
        site.bind(database)
        await site.open()
        ground = Ground(folder=folder, yard=Yard(**yard), site=site, mood_folder=engine)
        try:
            with brisk:
                yield ground
        finally:
            await ground.yard.clear()
            await site.close()
