"""Owns how the parts are started, put together and taken apart again; the one place that sees them all."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from bot.background import Background
from bot.clock import Clock, SystemClock
from bot.ground import Ground, MakesRegistry, lay_ground
from bot.lora_files import LoraFiles
from bot.reaper import Reaper
from bot.retention import Retention
from bot.services import Services, build_services, build_takeouts
from bot.settings import Settings
from bot.training.book import Book
from bot.training.craft import Craft
from bot.training.job import JobKind
from bot.training.line import Line
from bot.training.pictures import PictureCraft
from bot.training.samples import SampleCraft
from bot.training.sheets import SheetCraft
from bot.training.stepper import Stepper
from bot.training.tracker import Tracker
from bot.training.trainings import TrainingCraft
from bot.web.agent import AgentRoutes
from bot.web.server import build_site, serving
from bot.web.webhooks import Webhooks
from providers.artifacts import Artifacts
from providers.registry import Registry


@asynccontextmanager
async def opened_services(
    settings: Settings,
    *,
    clock: Clock | None = None,
    registry: Registry | MakesRegistry | None = None,
    artifacts: Artifacts | None = None,
) -> AsyncIterator[Services]:
    """Open everything, follow the jobs, and close it all in reverse order at the end.

    Args:
        settings: What the operator set.
        clock: The time that goes into rows; the machine's own by default.
        registry: The adapters, or what makes them; by default those of the settings.
        artifacts: How links that people give are fetched; by default from the open internet alone.

    Raises:
        StartupError: something that is needed cannot be opened.
    """
    async with AsyncExitStack() as stack:
        ground = await lay_ground(stack, settings, clock or SystemClock(), registry)
        port = await _open_site(stack, ground)
        background = Background()
        stack.push_async_callback(background.stop)
        background.start("provider checks", ground.router.run)
        background.start("tracker", _tracker(ground).run)
        retention = _retention(ground)
        background.start("retention", retention.run)
        takeouts = build_takeouts(ground)
        background.start("takeouts", takeouts.run)
        lora_files = LoraFiles(
            database=ground.database, blobs=ground.blobs, files=ground.files, work_dir=ground.work_dir
        )
        background.start("lora files", lora_files.run)
        background.start("remote models", ground.remote_models.run)
        if ground.registry.box_owners:
            background.start("reaper", _reaper(ground).run)
        yield build_services(ground, retention, takeouts, lora_files, links=artifacts, web_port=port)


async def _open_site(stack: AsyncExitStack, on: Ground) -> int | None:
    if on.settings.darkroom_web_port is None:
        return None
    webhooks = Webhooks(database=on.database, clock=on.clock, news=on.news, listeners=on.registry.listeners)
    agents = AgentRoutes(desk=on.desk, arrivals=on.arrivals)
    site = build_site(database=on.database, files=on.files, webhooks=webhooks, agents=agents)
    return await stack.enter_async_context(
        serving(site, host=on.settings.darkroom_web_host, port=on.settings.darkroom_web_port)
    )


def _tracker(on: Ground) -> Tracker:
    crafts: dict[JobKind, Craft] = {
        JobKind.TRAINING: TrainingCraft(
            database=on.database,
            blobs=on.blobs,
            registry=on.registry,
            workers=on.workers,
            router=on.router,
            samples=SampleCraft(
                database=on.database,
                blobs=on.blobs,
                registry=on.registry,
                router=on.router,
                budget=on.budget,
                clock=on.clock,
            ),
            clock=on.clock,
            work_dir=on.work_dir,
        ),
        JobKind.PICTURES: PictureCraft(
            database=on.database,
            blobs=on.blobs,
            registry=on.registry,
            router=on.router,
            clock=on.clock,
            work_dir=on.work_dir,
        ),
    }
    crafts[JobKind.SHEET] = SheetCraft(
        database=on.database, blobs=on.blobs, workers=on.workers, clock=on.clock, work_dir=on.work_dir
    )
    book = Book(database=on.database, clock=on.clock, news=on.news)
    line = Line(registry=on.registry, clock=on.clock, limits=on.settings.line_limits)
    stepper = Stepper(book=book, crafts=crafts, budget=on.budget, circuits=on.circuits, line=line)
    return Tracker(database=on.database, stepper=stepper, clock=on.clock, news=on.news)


def _retention(on: Ground) -> Retention:
    return Retention(database=on.database, blobs=on.blobs, clock=on.clock, times=on.settings.retention_times)


def _reaper(on: Ground) -> Reaper:
    return Reaper(database=on.database, registry=on.registry, clock=on.clock, news=on.news)
