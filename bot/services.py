"""Owns what the cogs may ask: every service, each built of the ground once; starts nothing."""

from dataclasses import dataclass

from bot.adult_marks import AdultMarks
from bot.captions import CaptionService
from bot.cards import CardService
from bot.checkpoints import CheckpointService
from bot.clock import Clock
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
from bot.ground import Ground
from bot.guilds import Guilds
from bot.intake import IntakeService
from bot.letters import Letters
from bot.lora_files import LoraFiles
from bot.model_services import ModelServices, model_services
from bot.notices import Notices
from bot.oversight import Oversight
from bot.privacy import Privacy
from bot.reception import Reception
from bot.reports import Reports
from bot.retention import Retention
from bot.routing import Router
from bot.settings import Settings
from bot.sheets import SheetService
from bot.store.database import Database
from bot.takeouts import Takeouts
from bot.training.again import TrainAgain
from bot.training.service import TrainingService
from providers.artifacts import Artifacts
from providers.registry import Registry


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


def build_services(
    on: Ground,
    retention: Retention,
    takeouts: Takeouts,
    lora_files: LoraFiles,
    *,
    links: Artifacts | None,
    web_port: int | None,
) -> Services:
    """Build every service."""
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
        reports=_reports(on, guilds, generating),
        notices=on.notices,
        deployment=Deployment(database=on.database, notices=on.notices, clock=on.clock),
        drafts=drafts,
        intake=_intake(on, drafts),
        captions=CaptionService(database=on.database, clock=on.clock),
        copies=copies,
        takeouts=takeouts,
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


def _reports(on: Ground, guilds: Guilds, generating: GeneratingService) -> Reports:
    return Reports(
        database=on.database,
        guilds=guilds,
        generating=generating,
        clock=on.clock,
        notices=on.notices,
        owner_guild_id=on.settings.darkroom_owner_guild,
    )


def build_takeouts(on: Ground) -> Takeouts:
    """Build what packs drafts for their owners."""
    return Takeouts(
        database=on.database,
        blobs=on.blobs,
        workers=on.workers,
        links=on.files,
        work_dir=on.work_dir,
        clock=on.clock,
    )


def _privacy(on: Ground, retention: Retention) -> Privacy:
    sealed = on.settings.keyring.current is not None
    return Privacy(database=on.database, retention=retention, times=on.settings.retention_times, sealed=sealed)


def _eraser(on: Ground) -> Eraser:
    return Eraser(database=on.database, blobs=on.blobs, clock=on.clock, news=on.news, remote=on.remote_models)


def _generating(on: Ground, guilds: Guilds) -> GeneratingService:
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


def _intake(on: Ground, drafts: DraftService) -> IntakeService:
    reception = Reception(
        downloads=Downloads(on.session, most_bytes=on.settings.max_photo_bytes),
        workers=on.workers,
        most_bytes=on.settings.max_photo_bytes,
    )
    return IntakeService(database=on.database, blobs=on.blobs, reception=reception, drafts=drafts, clock=on.clock)


def _models(
    on: Ground, guilds: Guilds, generating: GeneratingService, lora_files: LoraFiles, links: Artifacts | None
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


def _training(on: Ground, guilds: Guilds) -> TrainingService:
    return TrainingService(
        database=on.database,
        registry=on.registry,
        router=on.router,
        guilds=guilds,
        budget=on.budget,
        clock=on.clock,
        news=on.news,
    )


def _sheets(on: Ground, guilds: Guilds) -> SheetService:
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
