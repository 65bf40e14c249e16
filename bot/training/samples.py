"""Owns the sample pictures of a training: asked of an image maker, or else those that the training drew itself.

Never calls a provider. Which of the two it is, is settled once, before a file is written: no picture that the training
drew is kept beside an order for others.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from secrets import randbelow

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.blobs import Blobs
from bot.budget import Budget
from bot.clock import Clock
from bot.errors import CannotServe
from bot.ids import new_id
from bot.lora import Lora, Picture
from bot.routing import MakerChoice, Router
from bot.store import guilds as guild_rows
from bot.store import jobs as job_rows
from bot.store import loras as lora_rows
from bot.store.database import Database
from bot.training.job import Job, JobKind, JobState, PictureSpec
from providers.base import Aspect, Estimate, MadeImage, TrainedLora
from providers.registry import Registry

#: Pictures that a finished training shows of itself.
SAMPLES = 4
#: Seeds stay below 2**31, which every provider takes.
SEEDS = 2**31 - 8
_NOTHING = Estimate(low_usd=0.0, high_usd=0.0, minutes=0.0, basis="")


@dataclass(frozen=True, kw_only=True)
class SamplePlan:
    """Where a training's sample pictures come from; from nowhere, if both are missing."""

    #: The image maker that is asked.
    choice: MakerChoice | None = None
    #: The job of those that the training drew, ended already.
    drawn: Job | None = None
    #: They, where they stay.
    pictures: Sequence[Picture] = ()


class SampleCraft:
    """How a training gets its sample pictures."""

    def __init__(
        self, *, database: Database, blobs: Blobs, registry: Registry, router: Router, budget: Budget, clock: Clock
    ) -> None:
        self._database = database
        self._blobs = blobs
        self._registry = registry
        self._router = router
        self._budget = budget
        self._clock = clock

    async def bring_home(self, job: Job, lora: Lora, output: TrainedLora) -> SamplePlan:
        """Settle where they come from; what the training drew is stored under the training's id, again if it must."""
        choice = await self._choice(job, lora)
        if choice is not None or not output.samples:
            return SamplePlan(choice=choice)
        drawn = self._drawn(job, lora, output)
        pictures = [
            await self._brought(job, drawn, position, image) for position, image in enumerate(output.samples[:SAMPLES])
        ]
        return SamplePlan(drawn=drawn, pictures=pictures)

    async def keep(self, connection: AsyncConnection, job: Job, lora: Lora, plan: SamplePlan) -> None:
        """Write the job of the sample pictures, in the transaction that ends the training."""
        if plan.choice is not None:
            ordered = self._ordered(job, lora, plan.choice.maker.name)
            await job_rows.insert(connection, ordered)
            await self._budget.set_aside(connection, ordered, plan.choice.estimate)
        elif plan.drawn is not None:
            await job_rows.insert(connection, plan.drawn)
            await lora_rows.add_pictures(connection, plan.pictures)
            # They were part of the training; the ledger holds a line for every job all the same.
            await self._budget.set_aside(connection, plan.drawn, _NOTHING)
            await self._budget.close(connection, plan.drawn)

    async def _choice(self, job: Job, lora: Lora) -> MakerChoice | None:
        async with self._database.begin() as connection:
            settings = await guild_rows.settings(connection, job.guild_id)
        try:
            return self._router.maker_for(
                lora, SAMPLES, wanted=None, preferred=settings.preferred_providers, allowed=settings.allowed
            )
        except CannotServe:
            return None

    async def _brought(self, job: Job, drawn: Job, position: int, image: MadeImage) -> Picture:
        key = f"pictures/{job.id}/{position}{image.path.suffix}"
        await self._blobs.put(key, image.path)
        return Picture(
            id=f"{drawn.id}{position}",
            job_id=drawn.id,
            position=position,
            blob_key=key,
            seed=image.seed,
            width=image.width,
            height=image.height,
        )

    def _ordered(self, job: Job, lora: Lora, provider: str) -> Job:
        spec = PictureSpec(
            prompt=f"a photo of {lora.trigger_word}",
            count=SAMPLES,
            seed=randbelow(SEEDS),
            aspect=Aspect.SQUARE,
            strength=default_strength(self._registry, provider),
        )
        return self._job(job, lora, provider, spec)

    def _drawn(self, job: Job, lora: Lora, output: TrainedLora) -> Job:
        spec = PictureSpec(
            prompt=output.sample_prompt,
            count=len(output.samples[:SAMPLES]),
            seed=output.samples[0].seed,
            aspect=Aspect.SQUARE,
            strength=1.0,
            by_training=True,
        )
        made = self._job(job, lora, job.provider, spec)
        return replace(
            made,
            state=JobState.SUCCEEDED,
            # Of the job at the provider that drew them; there is nothing to follow or to clean up.
            remote_id=job.remote_id,
            cost_usd=0.0,
            cleaned=True,
            ended_at=made.created_at,
            next_at=None,
        )

    def _job(self, job: Job, lora: Lora, provider: str, spec: PictureSpec) -> Job:
        now = self._clock.now()
        return Job(
            id=new_id(),
            kind=JobKind.PICTURES,
            state=JobState.PREPARING,
            owner_id=job.owner_id,
            guild_id=job.guild_id,
            title=job.title,
            provider=provider,
            spec=spec,
            draft_id=None,
            lora_id=lora.id,
            parent_id=job.id,
            created_at=now,
            updated_at=now,
            next_at=now,
        )


def default_strength(registry: Registry, provider: str) -> float:
    """Return the strength that an image maker works best with; 1 where it has none."""
    limits = registry.image_makers[provider].capabilities.strength
    return limits.default if limits else 1.0
