"""Owns how the parts about models are put together: who may use one, its card, its file, its prompts; opens nothing."""

from dataclasses import dataclass
from pathlib import Path

from bot.blobs import Blobs
from bot.clock import Clock
from bot.galleries import Galleries
from bot.generating import GeneratingService
from bot.guilds import Guilds
from bot.imports import Imports
from bot.library import Library
from bot.lora_files import LoraFiles
from bot.picture_details import PictureDetailsService
from bot.prompts import Prompts
from bot.remote_models import RemoteModels
from bot.settings import Settings
from bot.sharing import Sharing
from bot.store.database import Database
from bot.transfers import Transfers
from providers.artifacts import YOURS, Artifacts
from providers.registry import Registry


@dataclass(frozen=True, kw_only=True)
class ModelServices:
    """All that the cogs may ask about models."""

    library: Library
    lora_files: LoraFiles
    imports: Imports
    sharing: Sharing
    transfers: Transfers
    prompts: Prompts
    picture_details: PictureDetailsService
    galleries: Galleries


def model_services(
    *,
    settings: Settings,
    database: Database,
    blobs: Blobs,
    registry: Registry,
    remote_models: RemoteModels,
    guilds: Guilds,
    generating: GeneratingService,
    lora_files: LoraFiles,
    links: Artifacts | None,
    clock: Clock,
    work_dir: Path,
) -> ModelServices:
    """Put them together; `links` fetches what people point to, by default from the open internet alone."""
    return ModelServices(
        library=Library(database=database, blobs=blobs, registry=registry, remote_models=remote_models, clock=clock),
        lora_files=lora_files,
        imports=Imports(
            database=database,
            blobs=blobs,
            registry=registry,
            guilds=guilds,
            attachments=Artifacts(loopback=settings.discord_is_here, whose=YOURS),
            links=links or Artifacts(whose=YOURS),
            clock=clock,
            work_dir=work_dir,
            most_bytes=settings.max_lora_bytes,
        ),
        sharing=Sharing(database=database, clock=clock),
        transfers=Transfers(database=database, clock=clock),
        prompts=Prompts(database=database, clock=clock),
        picture_details=PictureDetailsService(database=database, generating=generating),
        galleries=Galleries(database=database, generating=generating),
    )
