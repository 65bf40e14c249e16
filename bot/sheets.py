"""Owns what people can ask about sheets: compare strengths, compare checkpoints, look, delete; never follows a job."""

from collections.abc import Sequence
from dataclasses import dataclass
from secrets import randbelow

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.adult import require_fit
from bot.blobs import Blobs
from bot.budget import Budget
from bot.clock import Clock
from bot.consent import adult_allowed
from bot.errors import CannotServe, Missing, NotYours
from bot.events import JobChanged, News
from bot.guild import Act, GuildSettings
from bot.guilds import Guilds
from bot.ids import new_id
from bot.lora import Lora, StoredCheckpoint
from bot.place import Place
from bot.routing import CHOSEN, MakerChoice, Router
from bot.sharing import may_use, own
from bot.store import adult as adult_rows
from bot.store import cards as card_rows
from bot.store import checkpoints as checkpoint_rows
from bot.store import jobs as job_rows
from bot.store import loras as lora_rows
from bot.store.cards import Card
from bot.store.database import Database
from bot.texts import _
from bot.training.job import Failure, Job, JobKind, JobState, PictureSpec, SheetColumn, SheetKind, SheetSpec
from bot.training.samples import SEEDS, default_strength
from providers.base import Aspect, Estimate, ImageMaker
from providers.registry import Registry

#: The strengths that are laid side by side; below the first a model hardly shows, above the last it takes over.
STRENGTHS = (0.6, 0.8, 1.0)
#: Pictures in a column: one could be luck.
ROWS = 2
#: Strength and checkpoint of a column.
_Column = tuple[float, StoredCheckpoint | None]
_FREE = Estimate(low_usd=0, high_usd=0, minutes=0, basis="its columns are paid for by themselves")


@dataclass(frozen=True, kw_only=True)
class SheetPlan:
    """What a sheet would be and cost."""

    kind: SheetKind
    lora: Lora
    choice: MakerChoice
    columns: Sequence[_Column]
    rows: int
    #: Of all columns together.
    estimate: Estimate

    @property
    def pictures(self) -> int:
        """Return how many pictures are made for it."""
        return len(self.columns) * self.rows


@dataclass(frozen=True, kw_only=True)
class SheetView:
    """A finished sheet as its card shows it."""

    job: Job
    lora: Lora | None
    #: None when it was deleted.
    picture: bytes | None
    #: Those of its columns' checkpoints that are still there.
    checkpoints: Sequence[StoredCheckpoint]
    #: Why columns are lacking, each reason once.
    failures: Sequence[Failure]


class SheetService:
    """All that can be done about sheets, each call for one person."""

    def __init__(
        self,
        *,
        database: Database,
        blobs: Blobs,
        registry: Registry,
        router: Router,
        guilds: Guilds,
        budget: Budget,
        clock: Clock,
        news: News,
    ) -> None:
        self._database = database
        self._blobs = blobs
        self._registry = registry
        self._router = router
        self._guilds = guilds
        self._budget = budget
        self._clock = clock
        self._news = news

    async def plan(self, person_id: int, lora_id: str, kind: SheetKind, place: Place) -> SheetPlan:
        """Return what a sheet would be and cost; nothing is begun.

        Raises:
            CannotServe: there is nothing to compare.
            NotYours: checkpoints are compared by the model's owner alone.
        """
        async with self._database.begin() as connection:
            return (await self._planned(connection, person_id, lora_id, kind, place))[0]

    async def start(self, person_id: int, lora_id: str, kind: SheetKind, place: Place) -> Job:
        """Begin a sheet with all its columns; its card will appear in that place.

        Raises:
            CannotServe: there is nothing to compare.
            WrongMoment: a limit would be passed.
        """
        async with self._database.begin() as connection:
            plan, settings = await self._planned(connection, person_id, lora_id, kind, place)
            sheet, columns = self._jobs(plan, person_id, place)
            await job_rows.insert(connection, sheet)
            await self._budget.allow(connection, sheet, plan.estimate, here=settings.limits_for(place.role_ids))
            await self._budget.set_aside(connection, sheet, _FREE)
            for column in columns:
                await job_rows.insert(connection, column)
                await self._budget.set_aside(connection, column, plan.choice.estimate)
            await card_rows.insert(connection, Card(job_id=sheet.id, channel_id=place.channel_id, locale=place.locale))
        for job in (sheet, *columns):
            self._news.publish(JobChanged(job_id=job.id, due=True))
        return sheet

    async def view(self, job: Job) -> SheetView:
        """Return a finished sheet."""
        async with self._database.begin() as connection:
            lora = await lora_rows.get(connection, job.lora_id or "")
            pictures = await lora_rows.pictures_of(connection, job.id)
            columns = await job_rows.columns_of(connection, job.id)
            steps = {column.step for column in job.sheet.columns}
            checkpoints = await checkpoint_rows.of_lora(connection, job.lora_id or "")
        failures = {column.failure.told: column.failure for column in columns if column.failure is not None}
        return SheetView(
            job=job,
            lora=lora,
            picture=await self._blobs.get(pictures[0].blob_key) if pictures else None,
            checkpoints=[one for one in checkpoints if one.step in steps],
            failures=list(failures.values()),
        )

    async def delete(self, person_id: int, job_id: str) -> None:
        """Delete a sheet and the pictures that it was made of, for ever.

        Raises:
            NotYours: somebody else asked for it.
        """
        async with self._database.begin() as connection:
            job = await job_rows.get(connection, job_id)
            if job is None or job.kind is not JobKind.SHEET:
                raise Missing(_("There is no such sheet."))
            if job.owner_id != person_id:
                raise NotYours(_("Only the person who asked for this sheet can delete it."))
            gone = []
            for one in (job.id, *(column.job_id for column in job.sheet.columns)):
                gone += [picture.blob_key for picture in await lora_rows.pictures_of(connection, one)]
                await lora_rows.delete_pictures(connection, one)
            await card_rows.give_up(connection, job_id, reason="its pictures were deleted")
        await self._blobs.delete(gone)

    async def _planned(
        self, connection: AsyncConnection, person_id: int, lora_id: str, kind: SheetKind, place: Place
    ) -> tuple[SheetPlan, GuildSettings]:
        settings = await self._guilds.require(connection, person_id, place, Act.GENERATE)
        lora = await may_use(connection, lora_id, person_id, place)
        marked = await adult_rows.is_marked(connection, lora.id, place.guild_id)
        never = not adult_allowed(lora.depicted)
        require_fit(settings, place, prompts=(_prompt(lora),), marked=marked, never=never)
        makers = self._registry.image_makers_for(lora.base_model, lora.format)
        liked = lora.provider if lora.provider in {maker.name for maker in makers} else None
        choice = self._router.maker_for(
            lora, ROWS, wanted=liked, preferred=settings.preferred_providers, allowed=settings.allowed
        )
        if kind is SheetKind.STRENGTHS:
            columns: list[_Column] = [(strength, None) for strength in _strengths(choice.maker)]
        else:
            await own(connection, lora_id, person_id)
            strength = lora.strength or default_strength(self._registry, choice.maker.name)
            columns = [(strength, one) for one in _several(lora, await checkpoint_rows.of_lora(connection, lora_id))]
        return _plan(kind, lora, choice, columns), settings

    def _jobs(self, plan: SheetPlan, person_id: int, place: Place) -> tuple[Job, Sequence[Job]]:
        sheet_id, seed = new_id(), randbelow(SEEDS)
        columns = [
            self._job(
                plan,
                person_id,
                place,
                kind=JobKind.PICTURES,
                parent_id=sheet_id,
                spec=PictureSpec(
                    prompt=_prompt(plan.lora),
                    count=plan.rows,
                    seed=seed,
                    aspect=_aspect(plan.choice.maker),
                    strength=strength,
                    checkpoint_id=checkpoint.id if checkpoint else None,
                ),
            )
            for strength, checkpoint in plan.columns
        ]
        spec = SheetSpec(
            kind=plan.kind,
            prompt=_prompt(plan.lora),
            seed=seed,
            rows=plan.rows,
            columns=tuple(
                SheetColumn(job_id=job.id, strength=strength, step=checkpoint.step if checkpoint else None)
                for job, (strength, checkpoint) in zip(columns, plan.columns, strict=True)
            ),
        )
        return self._job(plan, person_id, place, kind=JobKind.SHEET, parent_id=None, spec=spec, id_=sheet_id), columns

    def _job(
        self,
        plan: SheetPlan,
        person_id: int,
        place: Place,
        *,
        kind: JobKind,
        parent_id: str | None,
        spec: PictureSpec | SheetSpec,
        id_: str | None = None,
    ) -> Job:
        now = self._clock.now()
        return Job(
            id=id_ or new_id(),
            kind=kind,
            state=JobState.PREPARING,
            owner_id=person_id,
            guild_id=place.guild_id,
            title=plan.lora.name,
            provider=plan.choice.maker.name,
            # Columns of two providers could not be compared.
            why=CHOSEN if kind is JobKind.PICTURES else plan.choice.why,
            spec=spec,
            draft_id=None,
            lora_id=plan.lora.id,
            parent_id=parent_id,
            created_at=now,
            updated_at=now,
            next_at=now,
        )


def _plan(kind: SheetKind, lora: Lora, choice: MakerChoice, columns: Sequence[_Column]) -> SheetPlan:
    rows = int(min(ROWS, choice.maker.capabilities.count.high))
    column, count = choice.maker.estimate(rows), len(columns)
    total = Estimate(
        low_usd=column.low_usd * count,
        high_usd=column.high_usd * count,
        minutes=column.minutes * count,
        basis=column.basis,
    )
    choice = MakerChoice(maker=choice.maker, estimate=column, why=choice.why)
    return SheetPlan(kind=kind, lora=lora, choice=choice, columns=columns, rows=rows, estimate=total)


def _strengths(maker: ImageMaker) -> Sequence[float]:
    limits = maker.capabilities.strength
    strengths = [strength for strength in STRENGTHS if limits is not None and strength in limits]
    if len(strengths) < 2:
        raise CannotServe(
            _("{provider} has no strengths to compare.").format(provider=maker.title),
            advice=_("Choose another provider for this model in /models show."),
        )
    return strengths


def _several(lora: Lora, checkpoints: Sequence[StoredCheckpoint]) -> Sequence[StoredCheckpoint]:
    if len(checkpoints) < 2:
        raise CannotServe(
            _("**{model}** has no checkpoints to compare.").format(model=lora.name),
            advice=_("They are kept for a while after a training, where its provider gives them."),
        )
    return checkpoints


def _aspect(maker: ImageMaker) -> Aspect:
    can = maker.capabilities.aspects
    return Aspect.SQUARE if Aspect.SQUARE in can else min(can)


def _prompt(lora: Lora) -> str:
    return f"a photo of {lora.trigger_word}" if lora.trigger_word else "a photo"
