"""Owns what is special about sheets: they wait for their columns and lay them side by side; pays for nothing itself.

A sheet's columns are jobs of their own, each paid once on the same rails. The sheet follows them as another job follows
its provider, so that nothing of it is lost with a process either.
"""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.blobs import Blobs
from bot.clock import Clock
from bot.lora import Picture
from bot.photo_workers import PhotoWorkers
from bot.sheet_picture import ComparedColumn, draw_comparison
from bot.store import jobs as job_rows
from bot.store import loras as lora_rows
from bot.store.database import Database
from bot.texts import N_, _
from bot.training.job import Job, JobState, SheetColumn, SheetSpec
from providers.base import AdapterCapabilities, Health, MadeImage, Prepared, Progress, RemoteState, Snapshot
from providers.errors import ArtifactBroken

#: Longer than any column may take, each of which is given up in its own time.
_LONGEST_SECONDS = 24 * 3600.0
_NONE_CAME = N_("None of its pictures could be made.")


class SheetCraft:
    """How a sheet follows its columns and is kept."""

    def __init__(
        self, *, database: Database, blobs: Blobs, workers: PhotoWorkers, clock: Clock, work_dir: Path
    ) -> None:
        self._database = database
        self._blobs = blobs
        self._workers = workers
        self._clock = clock
        self._work_dir = work_dir

    def adapter(self, job: Job) -> "_Columns":
        return _Columns(job, database=self._database, blobs=self._blobs, workers=self._workers, clock=self._clock)

    def workspace(self, job: Job) -> Path:
        return self._work_dir / job.id

    async def order(self, job: Job) -> SheetSpec:
        return job.sheet

    async def bring_home(self, job: Job, output: MadeImage) -> Picture:
        key = f"pictures/{job.id}/sheet.jpg"
        await self._blobs.put(key, output.path)
        return Picture(
            id=f"{job.id}0",
            job_id=job.id,
            position=0,
            blob_key=key,
            seed=output.seed,
            width=output.width,
            height=output.height,
        )

    async def keep(self, connection: AsyncConnection, job: Job, brought: Picture) -> None:
        await lora_rows.add_pictures(connection, [brought])

    async def ended(self, connection: AsyncConnection, job: Job) -> None:
        # Nobody waits for a column any more whose sheet has ended without it.
        for column in await job_rows.columns_of(connection, job.id):
            if not column.state.terminal:
                await job_rows.request_cancel(connection, column.id, at=self._clock.now())

    async def elsewhere(self, job: Job) -> Job | None:
        return None


class _Columns:
    """A sheet's columns as if they were one job at a provider."""

    name = "columns"
    title = "columns"
    capabilities = AdapterCapabilities(
        findable=True, settle_seconds=0, cancelable=True, poll_seconds=0.5, max_run_seconds=_LONGEST_SECONDS
    )

    def __init__(self, job: Job, *, database: Database, blobs: Blobs, workers: PhotoWorkers, clock: Clock) -> None:
        self._job = job
        self._database = database
        self._blobs = blobs
        self._workers = workers
        self._clock = clock

    async def check(self) -> Health:
        return Health(ok=True, wording="")

    async def prepare(self, order: SheetSpec) -> Prepared:
        return {"columns": len(order.columns)}

    async def submit(self, order: SheetSpec, prepared: Prepared) -> str:
        # The columns were begun with the sheet's own row.
        return self._job.id

    async def find(self, marker: str, prepared: Prepared, since: datetime) -> str | None:
        return self._job.id

    async def poll(self, remote_id: str, prepared: Prepared) -> Snapshot:
        columns = await self._columns()
        done = sum(column.state.terminal for column in columns)
        if done < len(columns):
            progress = Progress(step=done, total=len(columns))
            return Snapshot(state=RemoteState.RUNNING, raw_state="waiting for columns", progress=progress)
        if any(column.state is JobState.SUCCEEDED for column in columns) and not self._job.cancel_requested:
            return Snapshot(state=RemoteState.SUCCEEDED, raw_state="columns ended")
        if any(column.state is JobState.CANCELED for column in columns) or self._job.cancel_requested:
            return Snapshot(state=RemoteState.CANCELED, raw_state="columns stopped")
        reasons = [column.failure.wording for column in columns if column.failure is not None]
        return Snapshot(
            state=RemoteState.FAILED, raw_state="columns failed", failure=reasons[0] if reasons else _NONE_CAME
        )

    async def cancel(self, remote_id: str, prepared: Prepared) -> None:
        async with self._database.begin() as connection:
            for column in await job_rows.columns_of(connection, self._job.id):
                if not column.state.terminal and not column.cancel_requested:
                    await job_rows.request_cancel(connection, column.id, at=self._clock.now())

    async def collect(self, remote_id: str, prepared: Prepared, into: Path) -> MadeImage:
        spec = self._job.sheet
        compared = [
            ComparedColumn(label=column_label(column), pictures=await self._pictures(column)) for column in spec.columns
        ]
        if not any(column.pictures for column in compared):
            raise ArtifactBroken(N_("The pictures of this sheet were deleted."), advice=N_("Ask for another."))
        data, width, height = await self._workers.run(draw_comparison, compared, rows=spec.rows)
        path = into / "sheet.jpg"
        await asyncio.to_thread(path.write_bytes, data)
        return MadeImage(path=path, seed=spec.seed, width=width, height=height)

    async def cleanup(self, remote_id: str | None, prepared: Mapping[str, Any]) -> None:
        """Leave nothing, because nothing was left anywhere."""

    async def _columns(self) -> Sequence[Job]:
        async with self._database.begin() as connection:
            return await job_rows.columns_of(connection, self._job.id)

    async def _pictures(self, column: SheetColumn) -> Sequence[bytes]:
        async with self._database.begin() as connection:
            pictures = await lora_rows.pictures_of(connection, column.job_id)
        return [await self._blobs.get(picture.blob_key) for picture in pictures]


def column_label(column: SheetColumn) -> str:
    """Return what stands above a column."""
    if column.step is not None:
        return _("step {step}").format(step=column.step)
    return f"{column.strength:g}"
