"""Owns `darkroom doctor`: says of every part whether it works, or what to set and where to get it; changes nothing."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import aiohttp
from pydantic import BaseModel, ValidationError

from bot.adapters import build_registry, mailbox_of
from bot.clock import SystemClock
from bot.errors import StartupError
from bot.leases import obstacle_to_machines
from bot.settings import Settings
from bot.store.database import Database
from bot.texts import listed
from bot.web.files import SignedFiles
from providers.base import ImageMaker, Trainer
from providers.gpu.leases import NoLeases
from providers.gpu.mailbox import MailboxLeases
from providers.registry import Registry
from providers.table import PROVIDERS

#: Seconds that one provider may take to answer.
PATIENCE = 20.0


class Me(BaseModel):
    """What Discord says of the bot."""

    username: str


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One line of the doctor's."""

    part: str
    ok: bool
    detail: str
    #: Nothing works without it.
    vital: bool = False

    def __str__(self) -> str:
        return f"{'ok  ' if self.ok else 'TODO'}  {self.part}: {self.detail}"


async def examine(settings: Settings, *, registry: Registry | None = None) -> Sequence[Finding]:
    """Return a finding for every part, the vital ones first; the adapters are those of the settings, or these."""
    async with aiohttp.ClientSession() as session:
        folder = settings.darkroom_data_dir.resolve()
        links = SignedFiles(root=folder, secret=b"doctor", public_url=settings.public_url, clock=SystemClock())
        mailbox = mailbox_of(settings)
        serving = settings.darkroom_web_port is not None
        obstacle = None if mailbox else obstacle_to_machines(public_url=settings.public_url, serving=serving)
        registry = registry or build_registry(
            settings, session=session, links=links, leases=NoLeases(obstacle), folder=folder
        )
        try:
            token, database, folder_finding, *others = await asyncio.gather(
                _token(settings, session),
                _database(settings),
                _folder(folder),
                *([_mailbox(mailbox)] if mailbox else []),
                *(_provider(registry, n) for n in _names(registry)),
            )
        finally:
            await registry.close()
    return [token, folder_finding, database, _public_url(settings), *others, *_absent(settings, registry)]


async def _token(settings: Settings, session: aiohttp.ClientSession) -> Finding:
    part = "Discord"
    if settings.discord_token is None:
        return Finding(part=part, ok=False, vital=True, detail=f"set DISCORD_TOKEN. {_about('discord_token')}")
    headers = {"Authorization": f"Bot {settings.discord_token.get_secret_value()}"}
    timeout = aiohttp.ClientTimeout(total=PATIENCE)
    try:
        async with session.get(f"{settings.discord_api_base}/users/@me", headers=headers, timeout=timeout) as answer:
            if answer.status == 401:
                return Finding(
                    part=part, ok=False, vital=True, detail=f"it refuses DISCORD_TOKEN. {_about('discord_token')}"
                )
            answer.raise_for_status()
            me = Me.model_validate_json(await answer.read())
    except (aiohttp.ClientError, TimeoutError) as error:
        return Finding(part=part, ok=False, vital=True, detail=f"cannot be reached ({type(error).__name__})")
    except ValidationError:
        return Finding(part=part, ok=False, vital=True, detail="its answer is not Discord's; check DISCORD_API_BASE.")
    return Finding(part=part, ok=True, vital=True, detail=f"the bot is {me.username}")


async def _database(settings: Settings) -> Finding:
    try:
        async with Database.opened(settings.database_url):
            return Finding(part="Database", ok=True, vital=True, detail="opens, and has today's shape")
    except StartupError as error:
        return Finding(part="Database", ok=False, vital=True, detail=error.sentence)


async def _folder(folder: Path) -> Finding:
    def write() -> None:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / ".doctor"
        probe.touch()
        probe.unlink()

    try:
        await asyncio.to_thread(write)
    except OSError as error:
        return Finding(part="Folder", ok=False, vital=True, detail=f"{folder} cannot be written: {error.strerror}")
    return Finding(part="Folder", ok=True, vital=True, detail=f"{folder} can be written")


async def _mailbox(mailbox: MailboxLeases) -> Finding:
    health = await mailbox.check()
    return Finding(part="Mailbox", ok=health.ok, detail=health.detail)


def _public_url(settings: Settings) -> Finding:
    if settings.public_url is None:
        return Finding(part="Public URL", ok=False, detail=f"set PUBLIC_URL. {_about('public_url')}")
    if settings.darkroom_web_port is None:
        return Finding(part="Public URL", ok=False, detail="set DARKROOM_WEB_PORT too, or nobody answers there.")
    return Finding(part="Public URL", ok=True, detail=settings.public_url)


def _names(registry: Registry) -> Sequence[str]:
    return list(dict.fromkeys([*registry.trainers, *registry.image_makers]))


async def _provider(registry: Registry, name: str) -> Finding:
    adapters: list[Trainer | ImageMaker] = [
        adapter for adapter in (registry.trainers.get(name), registry.image_makers.get(name)) if adapter is not None
    ]
    try:
        async with asyncio.timeout(PATIENCE):
            healths = [await adapter.check() for adapter in adapters]
    except TimeoutError:
        return Finding(part=adapters[0].title, ok=False, detail=f"did not answer in {PATIENCE:.0f} s")
    told = [*dict.fromkeys(health.detail for health in healths), _abilities(registry, name)]
    return Finding(part=adapters[0].title, ok=all(health.ok for health in healths), detail=" ".join(filter(None, told)))


def _abilities(registry: Registry, name: str) -> str:
    """Return what a provider can do here, a sentence; nothing when it lacks what it needs."""
    trainer, maker = registry.trainers.get(name), registry.image_makers.get(name)
    can = []
    if trainer is not None and trainer.capabilities.base_models:
        can.append(f"trains {_bases(trainer)}")
    if maker is not None and maker.capabilities.base_models:
        can.append(f"makes pictures with {_bases(maker)}")
    told = [f"It {' and '.join(can)}."] if can else []
    if maker is not None and maker.capabilities.trains_not is not None:
        told.append(f"It trains nothing: {maker.capabilities.trains_not.why}.")
    return " ".join(told)


def _bases(adapter: Trainer | ImageMaker) -> str:
    return listed(sorted(base.label for base in adapter.capabilities.base_models))


def _absent(settings: Settings, registry: Registry) -> Sequence[Finding]:
    return [
        Finding(part=entry.title, ok=False, detail=f"not set up. {entry.about}")
        for entry in PROVIDERS
        if not entry.is_on(settings) and not entry.is_on_by_itself and entry.name not in _names(registry)
    ]


def _about(setting: str) -> str:
    return Settings.model_fields[setting].description or ""
