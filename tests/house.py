"""The whole product in one process for a test: a playground, the services, and the real bot between them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from bot.app import opened_services
from bot.client import DarkroomBot, point_at
from bot.services import Services
from bot.settings import Settings
from playground.server import Playground
from providers.artifacts import Artifacts
from providers.registry import Registry
from tests.fresh_database import lay_database
from tests.playing import running_playground


@dataclass(frozen=True, kw_only=True)
class House:
    discord: Playground
    services: Services
    bot: DarkroomBot


def make_settings(discord: Playground, folder: Path, **changes: Any) -> Settings:
    values = {
        "discord_token": SecretStr(discord.token),
        "discord_api_base": discord.api_base,
        "discord_gateway_url": discord.gateway_url,
        "darkroom_data_dir": folder,
        "darkroom_card_seconds": 0.05,
    }
    return Settings(_env_file=None, **values | changes)


@asynccontextmanager
async def running_bot(
    discord: Playground,
    folder: Path,
    *,
    registry: Registry | None = None,
    artifacts: Artifacts | None = None,
    **changes: Any,
) -> AsyncIterator[House]:
    """Run the bot against a playground; leaving the block stops it, and it can be started again on the same folder."""
    settings = make_settings(discord, folder, **changes)
    point_at(settings)
    await lay_database(folder)
    opened = opened_services(settings, registry=registry, artifacts=artifacts)
    async with opened as services, DarkroomBot(services, guild_ready_timeout=0.02) as bot:
        connection = asyncio.create_task(bot.start(discord.token))
        await discord.bot_connected()
        yield House(discord=discord, services=services, bot=bot)
        await bot.close()
        await connection


@asynccontextmanager
async def open_house(folder: Path, **changes: Any) -> AsyncIterator[House]:
    """Run a playground and the bot; every exchange is judged by Discord's OpenAPI file at the end."""
    async with running_playground() as discord, running_bot(discord, folder, **changes) as house:
        yield house
