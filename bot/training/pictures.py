"""Owns what is special about pictures: what they are made with and where they stay; never calls a provider."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.blobs import Blobs
from bot.budget import MICRO
from bot.clock import Clock
from bot.errors import BotError, CannotServe, Missing
from bot.lora import Picture, picture_at
from bot.routing import CHOSEN, Router
from bot.store import cards as card_rows
from bot.store import checkpoints as checkpoint_rows
from bot.store import guilds as guild_rows
from bot.store import jobs as job_rows
from bot.store import ledger as ledger_rows
from bot.store import loras as lora_rows
from bot.store.database import Database
from bot.texts import N_
from bot.training.job import OUT_OF_ORDER, Enlarged, Job
from providers.base import Enlargement, ExtraLora, ImageMaker, ImageOrder, LoraFile, MadeImages
from providers.picture_words import without_words
from providers.registry import Registry


@dataclass(frozen=True, kw_only=True)
class BroughtPictures:
    """Pictures where they stay, and how many there are not."""

    pictures: Sequence[Picture]
    withheld: int


class PictureCraft:
    """How pictures are ordered and kept."""

    def __init__(
        self, *, database: Database, blobs: Blobs, registry: Registry, router: Router, clock: Clock, work_dir: Path
    ) -> None:
        self._router = router
        self._clock = clock
        self._database = database
        self._blobs = blobs
        self._registry = registry
        self._work_dir = work_dir

    def adapter(self, job: Job) -> ImageMaker:
        maker = self._registry.image_makers.get(job.provider)
        if maker is None:
            raise CannotServe(
                N_("The image maker `{name}` is no longer set up here."),
                values={"name": job.provider},
                advice=N_("Tell the operator of this bot."),
            )
        return maker

    async def elsewhere(self, job: Job) -> Job | None:
        if job.why == CHOSEN or job.pictures.enlarged is not None:
            return None
        async with self._database.begin() as connection:
            lora = await lora_rows.get(connection, job.lora_id or "")
            found = [await lora_rows.get(connection, one.lora_id) for one in job.pictures.mixed_in]
            reserved = await ledger_rows.reserved_for(connection, job.id)
            settings = await guild_rows.settings(connection, job.guild_id)
        mixed_in = [one for one in found if one is not None]
        if lora is None or len(mixed_in) < len(found):
            return None
        try:
            choice = self._router.maker_for(
                lora,
                job.pictures.count,
                wanted=None,
                without=[*job.tried, job.provider],
                preferred=settings.preferred_providers,
                allowed=settings.allowed,
                extra=mixed_in,
                negative_prompt=bool(job.pictures.negative_prompt),
            )
        except BotError:
            return None
        can = choice.maker.capabilities
        spec = job.pictures
        strengths = [spec.strength, *(one.strength for one in spec.mixed_in)]
        fits = spec.count in can.count and spec.aspect in can.aspects
        fits = fits and (can.strength is None or all(strength in can.strength for strength in strengths))
        if not fits or choice.estimate.high_usd * MICRO > (reserved or 0):
            return None
        return job.given_to(
            choice.maker.name,
            spec,
            why=OUT_OF_ORDER,
            at=self._clock.now(),
        )

    def workspace(self, job: Job) -> Path:
        return self._work_dir / job.id

    async def order(self, job: Job) -> ImageOrder:
        spec = job.pictures
        enlarge = await self._enlargement(job, spec.enlarged) if spec.enlarged is not None else None
        return ImageOrder(
            marker=job.marker,
            lora=await self._weights(job, job.lora_id or "", checkpoint_id=spec.checkpoint_id),
            prompt=spec.prompt,
            count=spec.count,
            seed=spec.seed,
            aspect=spec.aspect,
            strength=spec.strength,
            negative_prompt=spec.negative_prompt,
            extra_loras=[
                ExtraLora(lora=await self._weights(job, one.lora_id), strength=one.strength) for one in spec.mixed_in
            ],
            enlarge=enlarge,
        )

    async def _enlargement(self, job: Job, wanted: Enlarged) -> Enlargement:
        async with self._database.begin() as connection:
            picture = picture_at(await lora_rows.pictures_of(connection, wanted.job_id), wanted.position)
        path = await self._blobs.as_file(picture.blob_key, self.workspace(job))
        return Enlargement(picture=path, factor=wanted.factor)

    async def _weights(self, job: Job, lora_id: str, *, checkpoint_id: str | None = None) -> LoraFile:
        async with self._database.begin() as connection:
            lora = await lora_rows.get(connection, lora_id)
            chosen = await checkpoint_rows.get(connection, checkpoint_id) if checkpoint_id else None
        if checkpoint_id is not None and chosen is None:
            raise Missing(N_("That checkpoint was deleted."))
        if lora is None or lora.deleted_at is not None:
            advice = N_("/models list shows those you have.")
            raise Missing(N_("The model of these pictures was deleted."), advice=advice)
        if chosen is not None:
            lora = replace(lora, blob_key=chosen.blob_key, facts=chosen.facts)
        return LoraFile(
            path=await self._blobs.as_file(lora.blob_key, self.workspace(job)),
            base_model=lora.base_model,
            format=lora.format,
            trigger_word=lora.trigger_word,
            facts=lora.facts,
        )

    async def bring_home(self, job: Job, output: MadeImages) -> BroughtPictures:
        brought = []
        for position, image in enumerate(output.images):
            key = f"pictures/{job.id}/{position}{image.path.suffix}"
            await self._blobs.put(key, without_words(await asyncio.to_thread(image.path.read_bytes)))
            brought.append(
                Picture(
                    id=f"{job.id}{position}",
                    job_id=job.id,
                    position=position,
                    blob_key=key,
                    seed=image.seed,
                    width=image.width,
                    height=image.height,
                )
            )
        return BroughtPictures(pictures=brought, withheld=output.withheld)

    async def keep(self, connection: AsyncConnection, job: Job, brought: BroughtPictures) -> None:
        if brought.pictures:
            await lora_rows.add_pictures(connection, brought.pictures)
        await job_rows.note_withheld(connection, job.id, brought.withheld)

    async def ended(self, connection: AsyncConnection, job: Job) -> None:
        if job.parent_id is not None:
            # The training's last word shows these pictures, or says that there are none.
            await card_rows.touch(connection, job.parent_id)
