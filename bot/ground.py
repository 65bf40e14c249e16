"""Owns what all services stand on: folder, database, blobs, adapters and clock of this process; no service itself."""

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from bot.adapters import build_registry, mailbox_of
from bot.arrivals import Arrivals
from bot.blobs import Blobs
from bot.budget import Budget
from bot.clock import Clock
from bot.data_folder import alone_in
from bot.events import News
from bot.keys import note_keys
from bot.leases import LeaseDesk, obstacle_to_machines
from bot.notices import Notices
from bot.photo_workers import PhotoWorkers
from bot.remote_models import RemoteModels
from bot.routing import Router
from bot.settings import Settings
from bot.store import jobs as job_rows
from bot.store.database import Database
from bot.sweep import sweep
from bot.training.circuit import Circuits
from bot.web.files import SignedFiles, read_or_make_secret
from providers.gpu.leases import Leases
from providers.registry import Registry

#: What makes adapters that need leases.
MakesRegistry = Callable[[Leases], Registry]


@dataclass(frozen=True, kw_only=True)
class Ground:
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


async def lay_ground(
    stack: AsyncExitStack, settings: Settings, clock: Clock, registry: Registry | MakesRegistry | None
) -> Ground:
    """Open what there is one of; the stack closes it in reverse order.

    Raises:
        StartupError: something that is needed cannot be opened.
    """
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
    return Ground(
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
