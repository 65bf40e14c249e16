"""Owns how the parts are put together and taken apart again; the one place that sees them all."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from bot.adapters import build_registry, mailbox_of
from bot.adult_marks import AdultMarks
from bot.arrivals import Arrivals
from bot.background import Background
from bot.blobs import Blobs
from bot.budget import Budget
from bot.captions import CaptionService
from bot.cards import CardService
from bot.checkpoints import CheckpointService
from bot.clock import Clock, SystemClock
from bot.data_folder import alone_in
from bot.departures import Departures
from bot.deployment import Deployment
from bot.details import DetailsService
from bot.downloads import Downloads
from bot.draft_copies import DraftCopies
from bot.drafts import DraftService
from bot.erasing import Eraser
from bot.events import News
from bot.export import Export
from bot.generating import GeneratingService
from bot.guilds import Guilds
from bot.intake import IntakeService
from bot.keys import note_keys
from bot.leases import LeaseDesk, obstacle_to_machines
from bot.letters import Letters
from bot.lora_files import LoraFiles
from bot.model_services import ModelServices, model_services
from bot.notices import Notices
from bot.oversight import Oversight
from bot.photo_workers import PhotoWorkers
from bot.privacy import Privacy
from bot.reaper import Reaper
from bot.reception import Reception
from bot.remote_models import RemoteModels
from bot.reports import Reports
from bot.retention import Retention
from bot.routing import Router
from bot.settings import Settings
from bot.sheets import SheetService
from bot.store import jobs as job_rows
from bot.store.database import Database
from bot.sweep import sweep
from bot.takeouts import Takeouts
from bot.training.again import TrainAgain
from bot.training.book import Book
from bot.training.circuit import Circuits
from bot.training.craft import Craft
from bot.training.job import JobKind
from bot.training.line import Line
from bot.training.pictures import PictureCraft
from bot.training.service import TrainingService
from bot.training.sheets import SheetCraft
from bot.training.stepper import Stepper
from bot.training.tracker import Tracker
from bot.training.trainings import TrainingCraft
from bot.web.agent import AgentRoutes
from bot.web.files import SignedFiles, read_or_make_secret
from bot.web.server import build_site, serving
from bot.web.webhooks import Webhooks
from providers.artifacts import Artifacts
from providers.gpu.leases import Leases
from providers.registry import Registry

log = logging.getLogger(__name__)

#: What makes adapters that need leases.
MakesRegistry = Callable[[Leases], Registry]


@dataclass(frozen=True, kw_only=True)
class Services(ModelServices):
    """Everything that the cogs may ask."""

    settings: Settings
    database: Database
    clock: Clock
    news: News
    drafts: DraftService
    intake: IntakeService
    captions: CaptionService
    copies: DraftCopies
    takeouts: Takeouts
    training: TrainingService
    again: TrainAgain
    generating: GeneratingService
    cards: CardService
    letters: Letters
    retention: Retention
    departures: Departures
    privacy: Privacy
    export: Export
    eraser: Eraser
    guilds: Guilds
    adult_marks: AdultMarks
    oversight: Oversight
    reports: Reports
    details: DetailsService
    notices: Notices
    sheets: SheetService
    checkpoints: CheckpointService
    deployment: Deployment
    registry: Registry
    router: Router
    #: Port of the bot's own web server; None when there is none.
    web_port: int | None


@dataclass(frozen=True, kw_only=True)
class _Ground:
    """What the services stand on."""

    settings: Settings
    work_dir: Path
    clock: Clock
    news: News
    database: Database
    blobs: Blobs
    workers: PhotoWorkers
    session: aiohttp.ClientSession
    files: SignedFiles
    arrivals: Arrivals
    desk: LeaseDesk
    registry: Registry
    circuits: Circuits
    router: Router
    budget: Budget
    notices: Notices
    remote_models: RemoteModels


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
        ground = await _lay_ground(stack, settings, clock or SystemClock(), registry)
        port = await _open_site(stack, ground)
        background = Background()
        stack.push_async_callback(background.stop)
        background.start("provider checks", ground.router.run)
        background.start("tracker", _tracker(ground).run)
        retention = _retention(ground)
        background.start("retention", retention.run)
        background.start("takeouts", _takeouts(ground).run)
        lora_files = LoraFiles(
            database=ground.database, blobs=ground.blobs, files=ground.files, work_dir=ground.work_dir
        )
        background.start("lora files", lora_files.run)
        background.start("remote models", ground.remote_models.run)
        if ground.registry.box_owners:
            background.start("reaper", _reaper(ground).run)
        yield _services(ground, retention, lora_files, artifacts, port)


async def _lay_ground(
    stack: AsyncExitStack, settings: Settings, clock: Clock, registry: Registry | MakesRegistry | None
) -> _Ground:
    folder = settings.darkroom_data_dir.resolve()
    await asyncio.to_thread(stack.enter_context, alone_in(folder))
    database = await stack.enter_async_context(Database.opened(settings.database_url))
    async with database.begin() as connection:
        # The lock on the folder says that whoever held these leases is dead.
        await job_rows.break_leases(connection)
        await note_keys(connection, settings.keyring)
    blobs = await Blobs.opened(folder / "blobs", settings.keyring)
    await sweep(database=database, blobs=blobs, work_dir=folder / "work")
    workers = await stack.enter_async_context(PhotoWorkers())
    session = await stack.enter_async_context(aiohttp.ClientSession())
    secret = await asyncio.to_thread(read_or_make_secret, folder / "secret.key")
    files = SignedFiles(root=folder, secret=secret, public_url=settings.public_url, clock=clock)
    news = News()
    # Before anything that it should hear of.
    notices = Notices(database=database, news=news, clock=clock, owner_guild_id=settings.darkroom_owner_guild)
    arrivals = Arrivals(folder / "arrivals")
    desk = _desk(settings, database=database, arrivals=arrivals, clock=clock, news=news)
    await desk.sweep()
    leases: Leases = mailbox_of(settings) or desk
    if registry is None:
        registry = build_registry(settings, session=session, links=files, leases=leases, folder=folder)
    elif not isinstance(registry, Registry):
        registry = registry(leases)
    stack.push_async_callback(registry.close)
    circuits = Circuits(database=database, news=news)
    return _Ground(
        settings=settings,
        work_dir=folder / "work",
        clock=clock,
        news=news,
        database=database,
        blobs=blobs,
        workers=workers,
        session=session,
        files=files,
        arrivals=arrivals,
        desk=desk,
        registry=registry,
        circuits=circuits,
        router=Router(registry=registry, circuits=circuits, preferred=settings.preferred_providers),
        budget=Budget(limits=settings.budget_limits, clock=clock),
        notices=notices,
        remote_models=RemoteModels(database=database, registry=registry, clock=clock),
    )


def _desk(settings: Settings, *, database: Database, arrivals: Arrivals, clock: Clock, news: News) -> LeaseDesk:
    serving_at_all = settings.darkroom_web_port is not None
    return LeaseDesk(
        database=database,
        arrivals=arrivals,
        root=settings.darkroom_data_dir.resolve(),
        public_url=settings.public_url,
        obstacle=obstacle_to_machines(public_url=settings.public_url, serving=serving_at_all),
        clock=clock,
        news=news,
    )


async def _open_site(stack: AsyncExitStack, on: _Ground) -> int | None:
    if on.settings.darkroom_web_port is None:
        return None
    webhooks = Webhooks(database=on.database, clock=on.clock, news=on.news, listeners=on.registry.listeners)
    agents = AgentRoutes(desk=on.desk, arrivals=on.arrivals)
    site = build_site(database=on.database, files=on.files, webhooks=webhooks, agents=agents)
    return await stack.enter_async_context(
        serving(site, host=on.settings.darkroom_web_host, port=on.settings.darkroom_web_port)
    )


def _tracker(on: _Ground) -> Tracker:
    crafts: dict[JobKind, Craft] = {
        JobKind.TRAINING: TrainingCraft(
            database=on.database,
            blobs=on.blobs,
            registry=on.registry,
            workers=on.workers,
            router=on.router,
            budget=on.budget,
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


def _takeouts(on: _Ground) -> Takeouts:
    return Takeouts(
        database=on.database,
        blobs=on.blobs,
        workers=on.workers,
        links=on.files,
        work_dir=on.work_dir,
        clock=on.clock,
    )


def _retention(on: _Ground) -> Retention:
    return Retention(database=on.database, blobs=on.blobs, clock=on.clock, times=on.settings.retention_times)


def _reaper(on: _Ground) -> Reaper:
    return Reaper(database=on.database, registry=on.registry, clock=on.clock, news=on.news)


def _privacy(on: _Ground, retention: Retention) -> Privacy:
    sealed = on.settings.keyring.current is not None
    return Privacy(database=on.database, retention=retention, times=on.settings.retention_times, sealed=sealed)


def _eraser(on: _Ground) -> Eraser:
    return Eraser(database=on.database, blobs=on.blobs, clock=on.clock, news=on.news, remote=on.remote_models)


def _generating(on: _Ground, guilds: Guilds) -> GeneratingService:
    return GeneratingService(
        database=on.database,
        blobs=on.blobs,
        registry=on.registry,
        router=on.router,
        guilds=guilds,
        budget=on.budget,
        clock=on.clock,
        news=on.news,
    )


def _intake(on: _Ground, drafts: DraftService) -> IntakeService:
    reception = Reception(
        downloads=Downloads(on.session, most_bytes=on.settings.max_photo_bytes),
        workers=on.workers,
        most_bytes=on.settings.max_photo_bytes,
    )
    return IntakeService(database=on.database, blobs=on.blobs, reception=reception, drafts=drafts, clock=on.clock)


def _models(
    on: _Ground, guilds: Guilds, generating: GeneratingService, lora_files: LoraFiles, links: Artifacts | None
) -> ModelServices:
    return model_services(
        settings=on.settings,
        database=on.database,
        blobs=on.blobs,
        registry=on.registry,
        remote_models=on.remote_models,
        guilds=guilds,
        generating=generating,
        lora_files=lora_files,
        links=links,
        clock=on.clock,
        work_dir=on.work_dir,
    )


def _services(
    on: _Ground, retention: Retention, lora_files: LoraFiles, links: Artifacts | None, web_port: int | None
) -> Services:
    guilds = Guilds(database=on.database, clock=on.clock)
    sheets = _sheets(on, guilds)
    drafts = DraftService(
        database=on.database, blobs=on.blobs, workers=on.workers, registry=on.registry, clock=on.clock
    )
    generating = _generating(on, guilds)
    training = _training(on, guilds)
    copies = DraftCopies(database=on.database, blobs=on.blobs, clock=on.clock)
    return Services(
        settings=on.settings,
        database=on.database,
        clock=on.clock,
        news=on.news,
        registry=on.registry,
        router=on.router,
        web_port=web_port,
        guilds=guilds,
        adult_marks=AdultMarks(database=on.database, guilds=guilds, clock=on.clock),
        oversight=Oversight(database=on.database, guilds=guilds, clock=on.clock, news=on.news),
        reports=Reports(
            database=on.database,
            guilds=guilds,
            generating=generating,
            clock=on.clock,
            notices=on.notices,
            owner_guild_id=on.settings.darkroom_owner_guild,
        ),
        notices=on.notices,
        deployment=Deployment(database=on.database, notices=on.notices, clock=on.clock),
        drafts=drafts,
        intake=_intake(on, drafts),
        captions=CaptionService(database=on.database, clock=on.clock),
        copies=copies,
        takeouts=_takeouts(on),
        training=training,
        again=TrainAgain(database=on.database, training=training, copies=copies),
        generating=generating,
        details=DetailsService(database=on.database, registry=on.registry, workers=on.workers),
        sheets=sheets,
        checkpoints=CheckpointService(database=on.database, blobs=on.blobs, news=on.news),
        cards=CardService(
            database=on.database, generating=generating, sheets=sheets, registry=on.registry, circuits=on.circuits
        ),
        letters=Letters(database=on.database, clock=on.clock),
        retention=retention,
        departures=Departures(database=on.database, clock=on.clock),
        privacy=_privacy(on, retention),
        export=Export(database=on.database, blobs=on.blobs, clock=on.clock, work_dir=on.work_dir),
        eraser=_eraser(on),
        **vars(_models(on, guilds, generating, lora_files, links)),
    )


def _training(on: _Ground, guilds: Guilds) -> TrainingService:
    return TrainingService(
        database=on.database,
        registry=on.registry,
        router=on.router,
        guilds=guilds,
        budget=on.budget,
        clock=on.clock,
        news=on.news,
    )


def _sheets(on: _Ground, guilds: Guilds) -> SheetService:
    return SheetService(
        database=on.database,
        blobs=on.blobs,
        registry=on.registry,
        router=on.router,
        guilds=guilds,
        budget=on.budget,
        clock=on.clock,
        news=on.news,
    )
