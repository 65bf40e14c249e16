"""Owns `darkroom demo`: puts a playground, the bot and a scripted person together; tells no story itself."""

import asyncio
import contextlib
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from pydantic import SecretStr
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource
from rich.console import Console
from rich.markup import escape

from bot.app import opened_services
from bot.client import DarkroomBot, point_at
from bot.draft import MOST_PHOTOS
from bot.errors import StartupError
from bot.logs import start_logging
from bot.settings import Settings
from playground.demo import Cast, Story, StoryError
from playground.errors import PersonError
from playground.replicate import TOKEN, ReplicateStandIn
from playground.sample_photos import sample_photos
from playground.seen import Upload
from playground.server import Playground
from providers.artifacts import Artifacts
from providers.base import ImageCapabilities, TrainerCapabilities
from providers.registry import Registry
from providers.replicate.image_maker import ReplicateImageMaker
from providers.replicate.settings import ReplicateSettings
from providers.replicate.trainer import ReplicateTrainer

#: Who can train in a story, the default first.
PROVIDERS = ("sketch", "replicate")
_STAND_IN = (
    "[bold yellow]Replicate is a stand-in here[/]: a server on this machine. It trains nothing, and its pictures are "
    "drawn by code.\nThe bot's adapter is the real one; both were checked against Replicate's OpenAPI file, not "
    "run live."
)
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
    if provider == "replicate":
        console.print(_STAND_IN)
    async with _registry(provider) as registry, _bot_in_playground(registry) as discord:
        story = Story(discord=discord, cast=_OWN if photos else _FOX, photos=uploads, folder=folder, console=console)
        try:
            await story.play()
        except (StoryError, PersonError) as error:
            console.print(f"\n[bold red]The story ended early:[/] {escape(str(error))}")
            return 1
    console.print(f"\n[bold]Done[/] in {time.monotonic() - began:.0f} s. Saved:")
    for path in story.saved:
        console.print(f"  {path}", highlight=False)
    return 0


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


@asynccontextmanager
async def _registry(provider: str) -> AsyncIterator[Registry | None]:
    """Yield the adapters of a story; None for those of the settings, which are Sketch's."""
    if provider != "replicate":
        yield None
        return
    async with ReplicateStandIn() as stand_in:
        settings = ReplicateSettings(token=SecretStr(TOKEN), base_url=stand_in.base_url)
        files = Artifacts(loopback=True)
        yield Registry(
            trainers={"replicate": _HastyTrainer(settings, artifacts=files)},
            image_makers={"replicate": _HastyImageMaker(settings, artifacts=files)},
        )


@asynccontextmanager
async def _bot_in_playground(registry: Registry | None) -> AsyncIterator[Playground]:
    with tempfile.TemporaryDirectory(prefix="darkroom-demo-", ignore_cleanup_errors=True) as data:
        async with Playground() as discord:
            settings = _DemoSettings(
                discord_token=SecretStr(discord.token),
                discord_api_base=discord.api_base,
                discord_gateway_url=discord.gateway_url,
                darkroom_data_dir=Path(data),
                darkroom_card_seconds=0.5,
            )
            point_at(settings)
            async with opened_services(settings, registry=registry) as services, DarkroomBot(services) as bot:
                connection = asyncio.create_task(bot.start(discord.token), name="bot")
                await discord.bot_connected()
                yield discord
                await bot.close()
                with contextlib.suppress(asyncio.CancelledError):
                    await connection


def _uploads(folder: Path | None) -> Sequence[Upload]:
    if folder is None:
        return [*(Upload(photo.name, photo.data) for photo in sample_photos()), _NOTES]
    if not folder.is_dir():
        raise StartupError(f"There is no folder {folder}.", advice="Name one with photos in it after --photos.")
    files = [path for path in sorted(folder.iterdir()) if path.is_file() and not path.name.startswith(".")]
    if not files:
        raise StartupError(f"The folder {folder} is empty.", advice="Put four photos or more into it.")
    return [Upload(path.name, path.read_bytes()) for path in files[:MOST_PHOTOS]]
