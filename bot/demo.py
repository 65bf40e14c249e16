"""Owns `darkroom demo`: puts a playground, the bot and a scripted person together; tells no story itself."""

import asyncio
import contextlib
import socket
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import aiohttp
from pydantic import SecretStr
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource
from rich.console import Console
from rich.markup import escape

from bot.app import opened_services
from bot.client import DarkroomBot, point_at
from bot.draft import MOST_PHOTOS
from bot.errors import StartupError
from bot.ground import MakesRegistry
from bot.logs import start_logging
from bot.settings import Settings
from playground.demo import Cast, Story, StoryError
from playground.engine_script import Mood
from playground.engines import lay_out_ai_toolkit, lay_out_sd_scripts, lay_out_weights
from playground.errors import PersonError
from playground.paperspace import KEY as PAPERSPACE_KEY
from playground.paperspace import TEMPLATE, PaperspaceStandIn
from playground.replicate import TOKEN, ReplicateStandIn
from playground.runpod import GPUS, RunPodStandIn
from playground.runpod import KEY as RUNPOD_KEY
from playground.sample_photos import sample_photos
from playground.seen import Upload
from playground.server import Playground
from providers.artifacts import Artifacts
from providers.base import ImageCapabilities, TrainerCapabilities
from providers.gpu.box import Box, BoxTerms
from providers.gpu.leases import Leases
from providers.gpu.local import LocalBox
from providers.gpu.local_engine import LocalEngine
from providers.gpu.mailbox import MailboxLeases
from providers.gpu.paperspace import PaperspaceMachines, PaperspaceSettings
from providers.gpu.rented_engine import IMAGE, rented_engine
from providers.gpu.runpod import RunPodPods, RunPodSettings
from providers.gpu.trainer import GpuTrainer
from providers.recipe import BaseModelName
from providers.registry import Registry
from providers.replicate.image_maker import ReplicateImageMaker
from providers.replicate.settings import ReplicateSettings
from providers.replicate.trainer import ReplicateTrainer

_FOX = Cast(name="Rusty", trigger_word="rustyfox", kind="animal", who="No person", prompt="rustyfox waving at sunrise")
_OWN = Cast(name="My model", trigger_word="mymodel", kind="object", who="Me", prompt="mymodel in the sun")
#: Not a photo, to show what becomes of one.
_NOTES = Upload("notes.txt", b"remember: buy berries\n")


class _DemoSettings(Settings):
    """Settings that nothing outside of this module has a say in: no environment, no .env."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (init_settings,)


async def play_demo(*, folder: Path, photos: Path | None, provider: str = "sketch") -> int:
    """Play the whole story with one of `PROVIDERS` and return the exit code."""
    console = Console()
    began = time.monotonic()
    start_logging("ERROR")
    uploads = await asyncio.to_thread(_uploads, photos)
    console.print("[bold]Darkroom[/] on this machine: a playground Discord, the bot, and alice. No account, no key.")
    async with _STAGES[provider]() as stage, _bot_in_playground(stage) as discord:
        if stage.truth:
            console.print(stage.truth)
        story = Story(discord=discord, cast=_OWN if photos else _FOX, photos=uploads, folder=folder, console=console)
        try:
            await story.play()
            if stage.rented is not None:
                console.print(f"\n{await _given_back(stage.rented)}")
        except (StoryError, PersonError) as error:
            console.print(f"\n[bold red]The story ended early:[/] {escape(str(error))}")
            return 1
    console.print(f"\n[bold]Done[/] in {time.monotonic() - began:.0f} s. Saved:")
    for path in story.saved:
        console.print(f"  {path}", highlight=False)
    return 0


@dataclass(frozen=True, kw_only=True)
class _Stage:
    """Who trains in a story, and what has to be said of it first."""

    #: None for the adapters of the settings, which are Sketch's.
    registry: Registry | MakesRegistry | None = None
    #: What is not what it seems to be.
    truth: str = ""
    #: Machines have to reach the bot.
    is_reached: bool = False
    #: Return how many machines were rented in all, and which of them are left.
    rented: Callable[[], tuple[int, Sequence[str]]] | None = None


class _HastyTrainer(ReplicateTrainer):
    """Asks more often than Replicate should be asked, since the stand-in moves on with each look."""

    @property
    def capabilities(self) -> TrainerCapabilities:
        return replace(super().capabilities, poll_seconds=0.3)


class _HastyImageMaker(ReplicateImageMaker):
    """The same for pictures."""

    @property
    def capabilities(self) -> ImageCapabilities:
        return replace(super().capabilities, poll_seconds=0.3)


class _HastyPods(RunPodPods):
    """Looks more often than a pod should be looked at."""

    @property
    def terms(self) -> BoxTerms:
        return replace(super().terms, poll_seconds=0.5)


class _HastyMachines(PaperspaceMachines):
    """The same for machines."""

    @property
    def terms(self) -> BoxTerms:
        return replace(super().terms, poll_seconds=0.5)


class _Unfollowed:
    """Links that nobody follows: the stand-in that gets them draws without the LoRA."""

    def link(self, path: Path, *, name: str) -> str | None:
        """Return a link that looks like one of ours."""
        return f"https://darkroom.example/files/{name}"


@asynccontextmanager
async def _on_sketch() -> AsyncIterator[_Stage]:
    yield _Stage()


@asynccontextmanager
async def _on_replicate() -> AsyncIterator[_Stage]:
    truth = (
        "[bold yellow]Replicate is a stand-in here[/]: a server on this machine. It trains nothing, and its pictures "
        "are drawn by code.\nThe bot's adapter is the real one; both were checked against Replicate's OpenAPI file, "
        "not run live."
    )
    async with ReplicateStandIn() as stand_in:
        settings = ReplicateSettings(token=SecretStr(TOKEN), base_url=stand_in.base_url)
        files = Artifacts(loopback=True)
        yield _Stage(
            registry=Registry(
                trainers={"replicate": _HastyTrainer(settings, artifacts=files)},
                image_makers={"replicate": _HastyImageMaker(settings, artifacts=files)},
            ),
            truth=truth,
        )


@asynccontextmanager
async def _on_runpod() -> AsyncIterator[_Stage]:
    async with RunPodStandIn() as stand_in, aiohttp.ClientSession() as session:
        settings = RunPodSettings(
            key=SecretStr(RUNPOD_KEY),
            base_url=stand_in.base_url,
            gpus=tuple(GPUS),
            most_usd_an_hour=2.0,
            image=IMAGE,
        )
        async with _on_rented(_HastyPods(settings, session), what="its pods are processes on it") as stage:
            yield replace(stage, rented=lambda: (len(stand_in.bill), stand_in.left_over))


@asynccontextmanager
async def _on_paperspace() -> AsyncIterator[_Stage]:
    async with PaperspaceStandIn() as stand_in, aiohttp.ClientSession() as session:
        settings = PaperspaceSettings(
            key=SecretStr(PAPERSPACE_KEY),
            base_url=stand_in.base_url,
            machine_type="A6000",
            template_id=TEMPLATE,
            image=IMAGE,
        )
        async with _on_rented(_HastyMachines(settings, session), what="its machines are processes on it") as stage:
            yield replace(stage, rented=lambda: (len(stand_in.bill), stand_in.left_over))


@asynccontextmanager
async def _on_rented(box: Box, *, what: str) -> AsyncIterator[_Stage]:
    """Train on machines of this box, with a stand-in for ai-toolkit; pictures come from one for Replicate."""
    truth = (
        f"[bold yellow]{box.title} is a stand-in here[/]: a server on this machine, and {what}. They run the real "
        "agent; the engine that it starts is a stand-in too and trains nothing.\nThe bot's adapter is the real one; "
        "both were checked against OpenAPI files, not run live. Pictures come from a stand-in for Replicate."
    )
    with tempfile.TemporaryDirectory(prefix="darkroom-demo-engine-") as folder:
        engine_dir = await asyncio.to_thread(lay_out_ai_toolkit, Path(folder), Mood(seconds_a_step=0.008))
        offer = rented_engine(has_token=True, vram_gb=24, engine_dir=str(engine_dir), python=sys.executable)
        async with _pictures() as maker:

            def adapters(leases: Leases) -> Registry:
                trainer = GpuTrainer(box, offer, leases)
                return Registry(trainers={trainer.name: trainer}, image_makers={"replicate": maker})

            yield _Stage(registry=adapters, truth=truth, is_reached=True)


class _HastyLocal(LocalBox):
    """Looks more often than a training of hours needs."""

    @property
    def terms(self) -> BoxTerms:
        return replace(super().terms, poll_seconds=0.5)


@asynccontextmanager
async def _on_local() -> AsyncIterator[_Stage]:
    """Train on this machine, with a stand-in for sd-scripts; pictures come from one for Replicate."""
    truth = (
        "[bold yellow]sd-scripts are a stand-in here[/]: a program that takes their arguments, prints what they print, "
        "and trains nothing.\nWhat runs it is real: a process of its own, which would go on without the bot. Pictures "
        "come from a stand-in for Replicate."
    )
    with tempfile.TemporaryDirectory(prefix="darkroom-demo-engine-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        engine = LocalEngine(
            name="sd-scripts",
            folder=await asyncio.to_thread(lay_out_sd_scripts, folder / "sd-scripts", Mood(seconds_a_step=0.008)),
            python=sys.executable,
            weights={BaseModelName.FLUX_1_DEV: await asyncio.to_thread(lay_out_weights, folder / "weights")},
        )
        box = _HastyLocal(folder / "local", engine, slots=folder / "gpus")
        trainer = GpuTrainer(box, engine.offer(), MailboxLeases.in_folder(folder / "jobs"))
        async with _pictures() as maker:
            yield _Stage(
                registry=Registry(trainers={trainer.name: trainer}, image_makers={"replicate": maker}), truth=truth
            )
        for left in await box.list_owned():
            await box.destroy(left.id)


@asynccontextmanager
async def _pictures() -> AsyncIterator[ReplicateImageMaker]:
    """Make pictures with a stand-in for Replicate, for those that only train."""
    async with ReplicateStandIn() as replicate:
        settings = ReplicateSettings(token=SecretStr(TOKEN), base_url=replicate.base_url)
        yield _HastyImageMaker(settings, links=_Unfollowed(), artifacts=Artifacts(loopback=True))


async def _given_back(rented: Callable[[], tuple[int, Sequence[str]]]) -> str:
    """Wait until every machine is given back, and say so.

    Raises:
        StoryError: one is left.
    """
    for _ in range(100):
        count, left = rented()
        if not left:
            return f"Rented {count} machine{'s' if count != 1 else ''} in all; 0 are left."
        await asyncio.sleep(0.1)
    raise StoryError(f"machines are left over: {', '.join(rented()[1])}")


_STAGES: Mapping[str, Callable[[], AbstractAsyncContextManager[_Stage]]] = MappingProxyType(
    {
        "sketch": _on_sketch,
        "replicate": _on_replicate,
        "runpod": _on_runpod,
        "paperspace": _on_paperspace,
        "local": _on_local,
    }
)
#: Who can train in a story, the default first.
PROVIDERS = tuple(_STAGES)


@asynccontextmanager
async def _bot_in_playground(stage: _Stage) -> AsyncIterator[Playground]:
    with tempfile.TemporaryDirectory(prefix="darkroom-demo-", ignore_cleanup_errors=True) as data:
        async with Playground() as discord:
            settings = _DemoSettings(
                discord_token=SecretStr(discord.token),
                discord_api_base=discord.api_base,
                discord_gateway_url=discord.gateway_url,
                darkroom_data_dir=Path(data),
                darkroom_card_seconds=0.5,
                **(_reached() if stage.is_reached else {}),
            )
            point_at(settings)
            async with opened_services(settings, registry=stage.registry) as services, DarkroomBot(services) as bot:
                connection = asyncio.create_task(bot.start(discord.token), name="bot")
                await discord.bot_connected()
                yield discord
                await bot.close()
                with contextlib.suppress(asyncio.CancelledError):
                    await connection


def _reached() -> dict[str, Any]:
    """Return the settings of a bot that machines on this machine can reach."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    return {"darkroom_web_port": port, "public_url": f"http://127.0.0.1:{port}"}


def _uploads(folder: Path | None) -> Sequence[Upload]:
    if folder is None:
        return [*(Upload(photo.name, photo.data) for photo in sample_photos()), _NOTES]
    if not folder.is_dir():
        raise StartupError(f"There is no folder {folder}.", advice="Name one with photos in it after --photos.")
    files = [path for path in sorted(folder.iterdir()) if path.is_file() and not path.name.startswith(".")]
    if not files:
        raise StartupError(f"The folder {folder} is empty.", advice="Put four photos or more into it.")
    return [Upload(path.name, path.read_bytes()) for path in files[:MOST_PHOTOS]]
