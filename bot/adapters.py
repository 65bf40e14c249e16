"""Owns which adapters a deployment has, from its settings; a provider without its key is absent and costs nothing."""

from pathlib import Path

import aiohttp
from pydantic import SecretStr

from bot.settings import Settings
from providers.base import FileLinks, ImageMaker, Trainer
from providers.fal.api import FalSettings
from providers.fal.endpoints import TRAINERS
from providers.fal.image_maker import FalImageMaker
from providers.fal.trainer import FalTrainer
from providers.prices import PriceList
from providers.registry import Registry
from providers.replicate.image_maker import ReplicateImageMaker
from providers.replicate.settings import ReplicateSettings
from providers.replicate.trainer import ReplicateTrainer
from providers.sketch.image_maker import SketchImageMaker
from providers.sketch.trainer import SketchTrainer
from providers.together.api import TogetherSettings
from providers.together.image_maker import TOGETHER_TRAINS_NOT, TogetherImageMaker


def build_registry(settings: Settings, *, session: aiohttp.ClientSession, links: FileLinks, folder: Path) -> Registry:
    """Return the adapters that these settings allow for; `folder` is where local ones keep their work."""
    # Without a public URL nobody can follow a link, and adapters that need one say so.
    reachable = links if settings.public_url else None
    prices = PriceList(overrides=settings.prices)
    trainers: dict[str, Trainer] = {}
    makers: dict[str, ImageMaker] = {}
    if settings.replicate_api_token is not None:
        replicate = _replicate_settings(settings, settings.replicate_api_token)
        trainers["replicate"] = ReplicateTrainer(replicate, links=reachable, prices=prices)
        makers["replicate"] = ReplicateImageMaker(replicate, links=reachable, prices=prices)
    if settings.fal_key is not None:
        fal = FalSettings(key=settings.fal_key)
        for endpoint in TRAINERS:
            hook = webhook_url(settings, endpoint.name)
            trainers[endpoint.name] = FalTrainer(fal, session, endpoint, links=reachable, webhook=hook, prices=prices)
        hook = webhook_url(settings, "fal")
        makers["fal"] = FalImageMaker(fal, session, links=reachable, webhook=hook, prices=prices)
    if settings.together_api_key is not None:
        together = TogetherSettings(api_key=settings.together_api_key)
        makers["together"] = TogetherImageMaker(together, folder / "together", links=reachable, prices=prices)
    if settings.darkroom_sketch:
        slots = settings.darkroom_sketch_slots or None
        trainers["sketch"] = SketchTrainer(folder / "sketch", slots=slots)
        makers["sketch"] = SketchImageMaker(folder / "sketch", slots=slots)
    return Registry(trainers=trainers, image_makers=makers, trains_not={"together": TOGETHER_TRAINS_NOT})


def webhook_url(settings: Settings, provider: str) -> str | None:
    """Return where a provider may send word; None without a public https URL."""
    public = (settings.public_url or "").rstrip("/")
    return f"{public}/webhooks/{provider}" if public.startswith("https://") else None


def _replicate_settings(settings: Settings, token: SecretStr) -> ReplicateSettings:
    return ReplicateSettings(
        token=token,
        trainer=settings.replicate_trainer,
        destination=settings.replicate_destination,
        webhook_url=webhook_url(settings, "replicate"),
    )
