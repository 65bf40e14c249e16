"""Owns what can be told about a job beyond its card: its numbers, times, and loss curve; never draws a message."""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.budget import MICRO
from bot.errors import Missing
from bot.loss_curve import FEWEST_POINTS, draw_curve
from bot.photo_workers import PhotoWorkers
from bot.store import jobs as job_rows
from bot.store import ledger as ledger_rows
from bot.store import losses as loss_rows
from bot.store.database import Database
from bot.texts import _
from bot.training.job import Job, JobKind
from providers.base import LossPoint
from providers.registry import Registry


@dataclass(frozen=True, kw_only=True)
class JobDetails:
    """A training with all that is known of it."""

    job: Job
    provider_title: str
    #: The most that was set aside for it, in US dollars; None where nothing was.
    reserved_usd: float | None
    losses: Sequence[LossPoint]
    #: The picture of the losses; None while there are too few.
    curve: bytes | None


class DetailsService:
    """What *Details* on a training's card asks."""

    def __init__(self, *, database: Database, registry: Registry, workers: PhotoWorkers) -> None:
        self._database = database
        self._registry = registry
        self._workers = workers

    async def of_training(self, job_id: str) -> JobDetails:
        """Return the details of a training, to anybody who sees its card.

        Raises:
            Missing: there is no such training.
        """
        async with self._database.begin() as connection:
            job = await job_rows.get(connection, job_id)
            if job is None or job.kind is not JobKind.TRAINING:
                raise Missing(_("There is no such training."), advice=_("/jobs lists yours."))
            reserved = await ledger_rows.reserved_for(connection, job_id)
            losses = await loss_rows.of_job(connection, job_id)
        curve = None
        if len(losses) >= FEWEST_POINTS:
            curve = await self._workers.run(draw_curve, losses, steps=job.training.recipe.steps)
        trainer = self._registry.trainers.get(job.provider)
        return JobDetails(
            job=job,
            provider_title=trainer.title if trainer else job.provider,
            reserved_usd=None if reserved is None else reserved / MICRO,
            losses=losses,
            curve=curve,
        )
