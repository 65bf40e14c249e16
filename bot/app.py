"""Owns how the parts are put together and taken apart again; the one place that sees them all."""

import asyncio
import fcntl
import logging
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from bot.adapters import build_registry
from bot.background import Background
from bot.blobs import Blobs
from bot.budget import Budget
from bot.cards import CardService
from bot.clock import Clock, SystemClock
from bot.downloads import Downloads
from bot.drafts import DraftService
from bot.errors import StartupError
from bot.events import News
from bot.generating import GeneratingService
from bot.intake import IntakeService
from bot.library import Library
from bot.photo_workers import PhotoWorkers
from bot.retention import Retention
from bot.routing import Router
from bot.settings import Settings
from bot.store import jobs as job_rows
from bot.store.database import Database
from bot.sweep import sweep
from bot.training.book import Book
from bot.training.circuit import Circuits
from bot.training.craft import Craft
from bot.training.job import JobKind
from bot.training.pictures import PictureCraft
from bot.training.service import TrainingService
from bot.training.stepper import Stepper
from bot.training.tracker import Tracker
from bot.training.trainings import TrainingCraft
from bot.web.files import SignedFiles, read_or_make_secret
from bot.web.server import build_site, serving
from bot.web.webhooks import Webhooks
from providers.registry import Registry

log = logging.getLogger(__name__)

#: Seconds that a start waits for the process before it to end.
LOCK_SECONDS = 5.0


@dataclass(frozen=True, kw_only=True)
class Services:
    """Everything that the cogs may ask."""

    settings: Settings
    database: Database
    clock: Clock
    news: News
    drafts: DraftService
    intake: IntakeService
    training: TrainingService
    generating: GeneratingService
    library: Library
    cards: CardService
    registry: Registry
    router: Router


@asynccontextmanager
async def opened_services(
    settings: Settings, *, clock: Clock | None = None, registry: Registry | None = None
) -> AsyncIterator[Services]:
    """Open everything, follow the jobs, and close it all in reverse order at the end.

    Raises:
        StartupError: something that is needed cannot be opened.
    """
    clock = clock or SystemClock()
    folder = settings.darkroom_data_dir.resolve()
    async with AsyncExitStack() as stack:
        await asyncio.to_thread(stack.enter_context, _alone_in(folder))
        database = await stack.enter_async_context(Database.opened(settings.database_url))
        async with database.begin() as connection:
            # The lock on the folder says that whoever held these leases is dead.
            await job_rows.break_leases(connection)
        blobs = await Blobs.opened(folder / "blobs")
        await sweep(database=database, blobs=blobs, work_dir=folder / "work")
        workers = await stack.enter_async_context(PhotoWorkers())
        session = await stack.enter_async_context(aiohttp.ClientSession())
        news = News()
        secret = await asyncio.to_thread(read_or_make_secret, folder / "secret.key")
        files = SignedFiles(root=folder, secret=secret, public_url=settings.public_url, clock=clock)
        registry = registry or build_registry(settings, session=session, links=files, folder=folder)
        circuits = Circuits(database=database, news=news)
        router = Router(registry=registry, circuits=circuits, preferred=settings.preferred_providers)
        budget = Budget(limits=settings.budget_limits, clock=clock)
        book = Book(database=database, clock=clock, news=news)
        crafts: dict[JobKind, Craft] = {
            JobKind.TRAINING: TrainingCraft(
                database=database,
                blobs=blobs,
                registry=registry,
                workers=workers,
                router=router,
                budget=budget,
                clock=clock,
                work_dir=folder / "work",
            ),
            JobKind.PICTURES: PictureCraft(
                database=database, blobs=blobs, registry=registry, router=router, clock=clock, work_dir=folder / "work"
            ),
        }
        stepper = Stepper(book=book, crafts=crafts, budget=budget, circuits=circuits)
        tracker = Tracker(database=database, stepper=stepper, clock=clock, news=news)
        site = build_site(
            database=database,
            files=files,
            webhooks=Webhooks(database=database, clock=clock, news=news, listeners=registry.listeners),
        )
        if settings.darkroom_web_port is not None:
            await stack.enter_async_context(
                serving(site, host=settings.darkroom_web_host, port=settings.darkroom_web_port)
            )
        background = Background()
        stack.push_async_callback(background.stop)
        background.start("provider checks", router.run)
        background.start("tracker", tracker.run)
        retention = Retention(database=database, blobs=blobs, clock=clock, times=settings.retention_times)
        background.start("retention", retention.run)
        generating = GeneratingService(
            database=database, blobs=blobs, registry=registry, router=router, budget=budget, clock=clock, news=news
        )
        drafts = DraftService(database=database, blobs=blobs, workers=workers, registry=registry, clock=clock)
        yield Services(
            settings=settings,
            database=database,
            clock=clock,
            news=news,
            registry=registry,
            router=router,
            drafts=drafts,
            intake=IntakeService(
                database=database,
                blobs=blobs,
                downloads=Downloads(session, most_bytes=settings.max_photo_bytes),
                workers=workers,
                drafts=drafts,
                clock=clock,
            ),
            training=TrainingService(
                database=database, registry=registry, router=router, budget=budget, clock=clock, news=news
            ),
            generating=generating,
            cards=CardService(database=database, generating=generating, registry=registry, circuits=circuits),
            library=Library(database=database, blobs=blobs, clock=clock),
        )


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Hold the folder's lock, which the system lets go when the process dies, however it dies."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as file:
        until = time.monotonic() + LOCK_SECONDS
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError as error:
                if time.monotonic() > until:
                    raise StartupError(
                        f"Another Darkroom runs on the folder {folder}.",
                        advice="Stop it first, or set DARKROOM_DATA_DIR to another folder.",
                    ) from error
                time.sleep(0.1)
        yield
