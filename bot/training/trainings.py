"""Owns what is special about trainings: the archive before and the model after; never calls a provider."""

import asyncio
import hashlib
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.blobs import Blobs
from bot.budget import MICRO
from bot.clock import Clock
from bot.dataset import DatasetEntry, build_archive
from bot.draft import DraftPhoto, DraftState
from bot.errors import BotError, CannotServe, Missing
from bot.ids import new_id
from bot.letters import tell_done
from bot.lora import Lora, StoredCheckpoint
from bot.photo_workers import PhotoWorkers
from bot.routing import CHOSEN, Router
from bot.store import checkpoints as checkpoint_rows
from bot.store import drafts as draft_rows
from bot.store import guilds as guild_rows
from bot.store import ledger as ledger_rows
from bot.store import loras as lora_rows
from bot.store.database import Database
from bot.texts import N_
from bot.training.job import OUT_OF_ORDER, Job, JobState
from bot.training.presets import same_again
from bot.training.samples import SampleCraft, SamplePlan
from providers.base import Checkpoint, TrainedLora, Trainer, TrainingOrder
from providers.registry import Registry

#: Earlier weights that are kept of a training; with the last ones they fit side by side on a phone.
MOST_CHECKPOINTS = 3


@dataclass(frozen=True, kw_only=True)
class BroughtLora:
    """The weights where they stay, and what is known of them."""

    #: Without its place in its line, which only the transaction knows that writes it.
    lora: Lora
    #: The checkpoints where they stay; each gets its model's id when that has one.
    checkpoints: Sequence[StoredCheckpoint]
    samples: SamplePlan


class TrainingCraft:
    """How a training is ordered and its model kept."""

    def __init__(
        self,
        *,
        database: Database,
        blobs: Blobs,
        registry: Registry,
        workers: PhotoWorkers,
        router: Router,
        samples: SampleCraft,
        clock: Clock,
        work_dir: Path,
    ) -> None:
        self._router = router
        self._samples = samples
        self._database = database
        self._blobs = blobs
        self._registry = registry
        self._workers = workers
        self._clock = clock
        self._work_dir = work_dir

    def adapter(self, job: Job) -> Trainer:
        trainer = self._registry.trainers.get(job.provider)
        if trainer is None:
            raise CannotServe(
                N_("The trainer `{name}` is no longer set up here."),
                values={"name": job.provider},
                advice=N_("Tell the operator of this bot."),
            )
        return trainer

    def workspace(self, job: Job) -> Path:
        return self._work_dir / job.id

    async def order(self, job: Job) -> TrainingOrder:
        if job.draft_id is None:
            raise Missing(N_("The draft of this training is gone."))
        async with self._database.begin() as connection:
            photos = await draft_rows.photos_in(connection, job.draft_id)
        if not photos:
            raise Missing(N_("The photos of this training are gone."), advice=N_("Start a new draft with /draft new."))
        spec = job.training
        await asyncio.to_thread(self.workspace(job).mkdir, parents=True, exist_ok=True)
        opened = self.workspace(job) / "photos"
        archive = await build_archive(
            [await self._entry(photo, number, opened) for number, photo in enumerate(photos, start=1)],
            trigger_word=spec.recipe.trigger_word,
            kind=spec.recipe.kind,
            name=spec.name,
            into=self.workspace(job) / "archive.zip",
            workers=self._workers,
        )
        # The archive holds them now; opened photos lie about no longer than they must.
        await asyncio.to_thread(shutil.rmtree, opened, ignore_errors=True)
        return TrainingOrder(marker=job.marker, recipe=spec.recipe, archive=archive.path, photo_count=len(photos))

    async def _entry(self, photo: DraftPhoto, number: int, opened: Path) -> DatasetEntry:
        try:
            image = await self._blobs.as_file(photo.blob_key, opened)
        except FileNotFoundError as error:
            raise Missing(
                N_("Photo {number} is no longer stored."),
                values={"number": number},
                advice=N_("Remove it from the draft, or add it again."),
            ) from error
        return DatasetEntry(image=image, extension=Path(photo.blob_key).suffix, caption=photo.caption)

    async def bring_home(self, job: Job, output: TrainedLora) -> BroughtLora:
        key = f"loras/{job.id}.safetensors"
        sha256, size = await self._workers.run(_fingerprint, output.path)
        await self._blobs.put(key, output.path)
        kept = [await self._brought(job, one) for one in _thinned(output.checkpoints)]
        lora = Lora(
            id=new_id(),
            owner_id=job.owner_id,
            name=job.title,
            trigger_word=job.training.recipe.trigger_word,
            kind=job.training.recipe.kind,
            base_model=output.base_model,
            format=output.format,
            job_id=job.id,
            blob_key=key,
            sha256=sha256,
            size=size,
            facts=output.facts,
            created_at=self._clock.now(),
        )
        samples = await self._samples.bring_home(job, lora, output)
        return BroughtLora(lora=lora, checkpoints=kept, samples=samples)

    async def _brought(self, job: Job, checkpoint: Checkpoint) -> StoredCheckpoint:
        key = f"loras/{job.id}-{checkpoint.step}.safetensors"
        sha256, size = await self._workers.run(_fingerprint, checkpoint.path)
        await self._blobs.put(key, checkpoint.path)
        return StoredCheckpoint(
            id=new_id(),
            lora_id="",
            step=checkpoint.step,
            blob_key=key,
            sha256=sha256,
            size=size,
            facts=checkpoint.facts,
            created_at=self._clock.now(),
        )

    async def keep(self, connection: AsyncConnection, job: Job, brought: BroughtLora) -> None:
        draft = await draft_rows.get(connection, job.draft_id or "")
        family_id = draft.line if draft else job.draft_id
        lora = replace(
            brought.lora,
            family_id=family_id,
            version=await lora_rows.next_version(connection, family_id) if family_id else 1,
            depicted=draft.depicted if draft else None,
            consent_id=draft.consent_id if draft else None,
        )
        await lora_rows.insert(connection, lora)
        await self._keep_checkpoints(connection, job, lora, brought.checkpoints)
        await self._samples.keep(connection, job, lora, brought.samples)

    async def _keep_checkpoints(
        self, connection: AsyncConnection, job: Job, lora: Lora, earlier: Sequence[StoredCheckpoint]
    ) -> None:
        """Keep the way to the model with the last weights as its end; a model without a way needs no such rows."""
        if not earlier:
            return
        last = StoredCheckpoint(
            id=new_id(),
            lora_id=lora.id,
            step=job.training.recipe.steps,
            blob_key=lora.blob_key,
            sha256=lora.sha256,
            size=lora.size,
            facts=lora.facts,
            created_at=lora.created_at,
        )
        before = [replace(one, lora_id=lora.id) for one in earlier if one.step < last.step]
        await checkpoint_rows.add(connection, [*before, last])

    async def ended(self, connection: AsyncConnection, job: Job) -> None:
        await tell_done(connection, job)
        if job.draft_id is None:
            return
        # A training that failed gives its draft back, with every photo and caption.
        state = DraftState.TRAINED if job.state is JobState.SUCCEEDED else DraftState.OPEN
        await draft_rows.set_state(connection, job.draft_id, state, at=self._clock.now())
        if state is DraftState.TRAINED and await draft_rows.active_of(connection, job.owner_id) == job.draft_id:
            await draft_rows.set_active(connection, job.owner_id, None)

    async def elsewhere(self, job: Job) -> Job | None:
        if job.why == CHOSEN or job.draft_id is None:
            return None
        async with self._database.begin() as connection:
            draft = await draft_rows.get(connection, job.draft_id)
            reserved = await ledger_rows.reserved_for(connection, job.id)
            settings = await guild_rows.settings(connection, job.guild_id)
        if draft is None:
            return None
        try:
            choice = self._router.trainer_for(
                draft,
                job.training.photo_count,
                same_again(job.training.recipe),
                wanted=None,
                without=[*job.tried, job.provider],
                preferred=settings.preferred_providers,
                allowed=settings.allowed,
            )
        except BotError:
            return None
        if choice.estimate.high_usd * MICRO > (reserved or 0):
            return None
        spec = replace(job.training, recipe=choice.recipe)
        return job.given_to(
            choice.trainer.name,
            spec,
            why=OUT_OF_ORDER,
            at=self._clock.now(),
        )


def _thinned(checkpoints: Sequence[Checkpoint]) -> Sequence[Checkpoint]:
    """Return as many as are kept, as evenly spread as they were, the latest among them."""
    count = len(checkpoints)
    kept = min(count, MOST_CHECKPOINTS)
    return [checkpoints[(part + 1) * count // kept - 1] for part in range(kept)]


def _fingerprint(path: Path) -> tuple[str, int]:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest(), path.stat().st_size
