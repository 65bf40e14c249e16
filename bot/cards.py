"""Owns what a job's card is about: the job, what came of it, which message shows it; never draws, never sends."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from bot.budget import MICRO
from bot.generating import Gallery, GeneratingService
from bot.lora import Lora
from bot.sheets import SheetService, SheetView
from bot.store import cards as rows
from bot.store import checkpoints as checkpoint_rows
from bot.store import jobs as job_rows
from bot.store import ledger as ledger_rows
from bot.store import loras as lora_rows
from bot.store.cards import Card
from bot.store.database import Database
from bot.training.circuit import Circuits
from bot.training.job import Job, JobKind, JobState
from providers.registry import Registry

#: After a longer wait in line a person is told that the turn has come.
LONG_WAIT = timedelta(minutes=10)


@dataclass(frozen=True, kw_only=True)
class JobView:
    """All that the card and the last word of a job can show."""

    job: Job
    provider_title: str
    #: One line of plain truth about the provider; may be empty.
    notice: str
    #: The provider is out of reach now, and the job waits for it.
    provider_lost: bool
    #: The model that a training made.
    lora: Lora | None
    #: The job of a training's sample pictures.
    samples_job: Job | None
    #: The finished pictures of this job, or a finished training's samples.
    gallery: Gallery | None
    #: The most that was set aside for it, in US dollars; None where nothing was.
    reserved_usd: float | None = None
    #: A finished sheet.
    sheet: SheetView | None = None
    #: How many checkpoints the model has to choose from.
    checkpoints: int = 0
    #: Somebody here makes pictures with the model.
    drawable: bool = True

    @property
    def turn_word_due(self) -> bool:
        """Tell whether the turn has come after a wait so long that a person does other things meanwhile."""
        job = self.job
        if job.turn_at is None or job.state.terminal or job.state is JobState.UNCERTAIN:
            return False
        return job.turn_at - job.created_at >= LONG_WAIT

    @property
    def last_word_due(self) -> bool:
        """Tell whether the job has come to an end that deserves a message of its own."""
        if self.job.kind is not JobKind.TRAINING:
            return False
        if self.job.state is JobState.SUCCEEDED:
            return self.samples_job is None or self.samples_job.state.terminal
        # Who canceled it knows.
        return self.job.state.terminal and self.job.state is not JobState.CANCELED


class CardService:
    """What the status board asks."""

    def __init__(
        self,
        *,
        database: Database,
        generating: GeneratingService,
        sheets: SheetService,
        registry: Registry,
        circuits: Circuits,
    ) -> None:
        self._sheets = sheets
        self._circuits = circuits
        self._database = database
        self._generating = generating
        self._registry = registry

    async def stale(self) -> Sequence[Card]:
        """Return the cards that show less than is true, the longest waiting first."""
        async with self._database.begin() as connection:
            return await rows.stale(connection)

    async def write(self, card: Card) -> bool:
        """Remember what was done with a card; false when its person was forgotten meanwhile."""
        async with self._database.begin() as connection:
            return await rows.write(connection, card)

    async def give_up(self, job_id: str, *, reason: str) -> None:
        """Let a card be, and keep the reason; whatever else is known of it stays."""
        async with self._database.begin() as connection:
            await rows.give_up(connection, job_id, reason=reason)

    async def view(self, card: Card) -> JobView:
        """Return what the card is about, as it is now."""
        async with self._database.begin() as connection:
            job = await job_rows.get(connection, card.job_id)
            if job is None:
                raise LookupError(f"the card of job {card.job_id} has lost its job")
            lora = await lora_rows.made_by(connection, job.id)
            samples = await job_rows.samples_of(connection, job.id)
            reserved = await ledger_rows.reserved_for(connection, job.id)
            checkpoints = await checkpoint_rows.of_lora(connection, lora.id) if lora else ()
        shown = samples if job.kind is JobKind.TRAINING else job
        gallery = sheet = None
        if job.kind is JobKind.SHEET:
            sheet = await self._sheets.view(job) if job.state is JobState.SUCCEEDED else None
        elif shown is not None and shown.state is JobState.SUCCEEDED:
            gallery = await self._generating.gallery(shown.id, with_files=True)
        title, notice = self._provider(job)
        return JobView(
            job=job,
            provider_title=title,
            notice=notice,
            provider_lost=self._circuits.lost(job.provider),
            lora=lora,
            samples_job=samples,
            gallery=gallery,
            reserved_usd=None if reserved is None else reserved / MICRO,
            sheet=sheet,
            checkpoints=len(checkpoints),
            drawable=lora is None or bool(self._generating.makers_for(lora)),
        )

    def _provider(self, job: Job) -> tuple[str, str]:
        known = self._registry.trainers if job.kind is JobKind.TRAINING else self._registry.image_makers
        adapter = known.get(job.provider)
        return (adapter.title, adapter.capabilities.notice) if adapter else (job.provider, "")
