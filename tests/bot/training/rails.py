"""Jobs on their rails without Discord: the real database, stepper and crafts, the till, and a clock moved by hand."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar
from unittest.mock import patch

from bot import app
from bot.blobs import Blobs
from bot.consent import Depicted
from bot.draft import Draft, DraftPhoto, DraftState
from bot.generating import GeneratingService, PictureWishes
from bot.ids import new_id
from bot.place import Place
from bot.settings import Settings
from bot.store import drafts as draft_rows
from bot.store import jobs as rows
from bot.store import loras as lora_rows
from bot.store.database import Database
from bot.training.job import Job, JobState
from bot.training.presets import Wishes
from bot.training.service import TrainingService
from bot.training.stepper import Stepper
from bot.training.tracker import Tracker
from providers.recipe import BaseModelName, SubjectKind
from providers.registry import Registry
from tests.fakes.till import Till, picture_file
from tests.fakes.till_adapter import till_registry
from tests.fresh_database import lay_database

OWNER = 4242
PLACE = Place(channel_id=77, guild_id=7)
LEASE = timedelta(seconds=60)


class HandClock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.time = datetime.now(UTC).replace(microsecond=0)  # rows keep milliseconds

    def now(self) -> datetime:
        return self.time

    def move(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)


@dataclass(frozen=True, kw_only=True)
class Rails:
    """Everything that takes a job to its end, in the test's own hands."""

    folder: Path
    till: Till
    clock: HandClock
    services: app.Services
    database: Database
    blobs: Blobs
    registry: Registry
    stepper: Stepper
    #: What a tracker is made of.
    parts: Mapping[str, Any]

    @property
    def training(self) -> TrainingService:
        return self.services.training

    @property
    def generating(self) -> GeneratingService:
        return self.services.generating

    async def job(self, job_id: str) -> Job:
        """Return a row as it is."""
        async with self.database.begin() as connection:
            job = await rows.get(connection, job_id)
        assert job is not None
        return job

    async def claim(self, owner: str = "test") -> list[Job]:
        """Take all rows that are due now under a lease."""
        async with self.database.begin() as connection:
            claimed = await rows.claim_due(connection, owner=owner, at=self.clock.now(), lease=LEASE, limit=32)
        return list(claimed)

    async def step(self, job_id: str) -> Job:
        """Move the clock to where the job is due and take it one step on."""
        job = await self.job(job_id)
        assert job.next_at is not None, f"nothing is due: {job.state}"
        self.clock.time = max(self.clock.time, job.next_at)
        for claimed in await self.claim():
            await self.stepper.take(claimed)
        return await self.job(job_id)

    async def run(self, job_id: str, until: Callable[[Job], bool]) -> Job:
        """Take a job on, step by step, until it is as wanted."""
        job = await self.job(job_id)
        for _ in range(60):
            if until(job):
                return job
            job = await self.step(job_id)
        raise AssertionError(f"60 steps led nowhere: {job}")

    async def run_to(self, job_id: str, state: JobState) -> Job:
        """Take a job on until it is in a state."""
        return await self.run(job_id, lambda job: job.state is state)

    async def run_out(self, job_id: str) -> Job:
        """Take a job on to its end, cleaned up."""
        return await self.run(job_id, lambda job: job.cleaned)

    async def draft(self, photos: int = 2) -> Draft:
        """Make an open draft with photos."""
        now = self.clock.now()
        draft = Draft(
            id=new_id(),
            owner_id=OWNER,
            name="Rusty",
            trigger_word="rustyfox",
            kind=SubjectKind.ANIMAL,
            base_model=BaseModelName.FLUX_1_DEV,
            state=DraftState.OPEN,
            depicted=Depicted.NOBODY,
            created_at=now,
            updated_at=now,
        )
        async with self.database.begin() as connection:
            await draft_rows.insert(connection, draft)
        for position in range(photos):
            await self._photo(draft, position)
        return draft

    async def _photo(self, draft: Draft, position: int) -> None:
        key = f"photos/{draft.id}/{position}.png"
        await self.blobs.put(key, picture_file(position))
        photo = DraftPhoto(
            id=new_id(),
            owner_id=OWNER,
            draft_id=draft.id,
            batch_id=None,
            position=position,
            file_name=f"{position}.png",
            blob_key=key,
            content_type="image/png",
            sha256=f"{position:064x}",
            dhash="0" * 16,
            width=16,
            height=16,
            findings=(),
            caption="",
            created_at=draft.created_at,
        )
        async with self.database.begin() as connection:
            await draft_rows.add_photo(connection, photo)

    async def quote(self, draft: Draft) -> str:
        """Ask for a quote; return its id."""
        return (await self.training.quote(OWNER, draft.id, provider=None, wishes=Wishes())).quote.id

    async def begin(self) -> Job:
        """Begin a training of a fresh draft."""
        return await self.training.start(OWNER, await self.quote(await self.draft()), PLACE)

    async def begin_pictures(self, count: int = 2) -> Job:
        """Begin pictures with a model that was just trained."""
        job = await self.run_out((await self.begin()).id)
        async with self.database.begin() as connection:
            lora = await lora_rows.made_by(connection, job.id)
        assert lora is not None
        return await self.generating.start(OWNER, lora.id, PictureWishes(count=count), PLACE)

    def tracker(self) -> Tracker:
        """Return a tracker as a process has one."""
        return Tracker(**self.parts)


class _TakenApart(Tracker):
    """The tracker that the composition root builds; it does nothing, the test steps instead."""

    built: ClassVar[dict[str, Any]]

    def __init__(self, **parts: Any) -> None:
        super().__init__(**parts)
        _TakenApart.built = parts

    async def run(self) -> None:
        await asyncio.Event().wait()


@asynccontextmanager
async def laid_rails(
    folder: Path,
    *,
    dress: Callable[[Registry], Registry] = lambda registry: registry,
    settings: Mapping[str, Any] | None = None,
    **capabilities: Any,
) -> AsyncIterator[Rails]:
    """Lay rails in a folder; `dress` may change the adapters, `capabilities` what they declare."""
    generous = {"darkroom_person_usd_a_day": None, "darkroom_server_usd_a_month": None, "darkroom_jobs_at_once": 100}
    chosen = Settings(_env_file=None, darkroom_data_dir=folder, **generous | dict(settings or {}))
    async with Till() as till:
        clock = HandClock()
        till.now = clock.now
        registry = dress(till_registry(till.url, **capabilities))
        await lay_database(folder)
        with patch.object(app, "Tracker", _TakenApart):
            async with app.opened_services(chosen, clock=clock, registry=registry) as services:
                parts = _TakenApart.built
                yield Rails(
                    folder=folder,
                    till=till,
                    clock=clock,
                    services=services,
                    database=services.database,
                    blobs=services.library._blobs,
                    registry=registry,
                    stepper=parts["stepper"],
                    parts=parts,
                )
