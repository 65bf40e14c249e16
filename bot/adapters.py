"""Owns which adapters a deployment has, from its settings; a provider without its key is absent and costs nothing."""

from pathlib import Path

import aiohttp

from bot.settings import Settings
from providers.base import FileLinks, ImageMaker, Trainer
from providers.entry import Setup
from providers.gpu.leases import Leases
from providers.gpu.mailbox import Bucket, MailboxLeases
from providers.prices import PriceList
from providers.registry import Registry
from providers.table import PROVIDERS


def build_registry(
    settings: Settings, *, session: aiohttp.ClientSession, links: FileLinks, leases: Leases, folder: Path
) -> Registry:
    """Return the adapters that these settings allow for; `folder` is where local ones keep their work."""
    setup = Setup(
        session=session,
        # Without a public URL nobody can follow a link, and adapters that need one say so.
        links=links if settings.public_url else None,
        folder=folder,
        prices=PriceList(overrides=settings.prices),
        leases=leases,
        webhook=lambda name: webhook_url(settings, name),
    )
    trainers: dict[str, Trainer] = {}
    makers: dict[str, ImageMaker] = {}
    for entry in PROVIDERS:
        if entry.is_on(settings):
            built = entry.build(entry.options_of(settings), setup)
            trainers.update(built.trainers)
            makers.update(built.image_makers)
    trains_not = {entry.name: entry.trains_not for entry in PROVIDERS if entry.trains_not is not None}
    return Registry(trainers=trainers, image_makers=makers, trains_not=trains_not)


def mailbox_of(settings: Settings) -> MailboxLeases | None:
    """Return the mailbox through which machines speak with a bot that they can't reach; None without one."""
    if not settings.darkroom_mailbox:
        return None
    bucket = Bucket(
        url=settings.darkroom_mailbox,
        key=settings.aws_access_key_id,
        secret=settings.aws_secret_access_key,
        region=settings.aws_region,
        endpoint=settings.aws_endpoint_url,
    )
    return MailboxLeases(bucket.store())


def webhook_url(settings: Settings, provider: str) -> str | None:
    """Return where a provider may send word; None without a public https URL."""
    public = (settings.public_url or "").rstrip("/")
    return f"{public}/webhooks/{provider}" if public.startswith("https://") else None
