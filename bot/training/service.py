"""Owns what people can ask about trainings: a quote, the training itself, their jobs, an end; never follows a job."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import timedelta

from sqlalchemy.exc import IntegrityError

from bot import audit
from bot.audit import AuditAct
from bot.budget import Budget
from bot.clock import Clock
from bot.consent import Depicted, child_warning
from bot.draft import Draft, DraftState, answered, owned, still_open
from bot.errors import Missing, NotYours, WrongMoment
from bot.events import JobChanged, News
from bot.guild import Act, GuildSettings
from bot.guilds import Guilds, without_blocked_words
from bot.ids import new_id
from bot.lora import Lora
from bot.place import Place
from bot.routing import CHOSEN, Router, TrainerChoice
from bot.store import cards as card_rows
from bot.store import drafts as draft_rows
from bot.store import guilds as guild_rows
from bot.store import jobs as rows
from bot.store import loras as lora_rows
from bot.store.cards import Card
from bot.store.database import Database
from bot.store.jobs import Quote
from bot.texts import _, listed
from bot.training.job import Job, JobKind, JobState, TrainingSpec
from bot.training.presets import Preset, Wishes, ignored_wishes, same_again
from providers.base import Trainer, TrainerCapabilities
from providers.registry import Registry

#: A quote older than this is asked for again, because prices and photos move.
QUOTE_LIFE = timedelta(hours=1)
LISTED = 15


@dataclass(frozen=True, kw_only=True)
class Offer:
    """A quote with all that its message says."""

    quote: Quote
    draft: Draft
    capabilities: TrainerCapabilities
    trainer_title: str
    photo_count: int
    #: Plain remarks, such as what this trainer ignores.
    notices: Sequence[str]


class TrainingService:
    """All that can be done about trainings, each call for one person."""

    def __init__(
        self,
        *,
        database: Database,
        registry: Registry,
        router: Router,
        guilds: Guilds,
        budget: Budget,
        clock: Clock,
        news: News,
    ) -> None:
        self._guilds = guilds
        self._router = router
        self._budget = budget
        self._database = database
        self._registry = registry
        self._clock = clock
        self._news = news

    def trainers_for(self, draft: Draft | None) -> Sequence[Trainer]:
        """Return the trainers that can train this draft; all of them without one."""
        if draft is None:
            return list(self._registry.trainers.values())
        return self._registry.trainers_for(draft.base_model)

    async def quote(
        self,
        owner_id: int,
        draft_id: str,
        *,
        provider: str | None,
        wishes: Wishes,
        why: str | None = None,
        place: Place | None = None,
    ) -> Offer:
        """Return what a training of this draft would be and cost; nothing is begun.

        Args:
            owner_id: Whose draft it is.
            draft_id: What is to be trained.
            provider: The name that the person chose, if they did.
            wishes: What they asked for.
            why: Why this provider, where that was found out before.
            place: Where they ask; it is what that server allows and prefers.

        Raises:
            BadInput: too few or too many photos, or a number outside of what the trainer takes.
            CannotServe: no such trainer, or none for this base model.
            NotAllowed: the server's managers do not let this person train there.
            WrongMoment: the draft is being trained or has been trained, or nobody has said who is in its photos.
        """
        settings = GuildSettings()
        async with self._database.begin() as connection:
            if place is not None:
                settings = await self._guilds.require(connection, owner_id, place, Act.TRAIN)
            draft = answered(still_open(owned(await draft_rows.get(connection, draft_id), owner_id)))
            photos = await draft_rows.photos_in(connection, draft_id)
        choice = self._router.trainer_for(
            draft,
            len(photos),
            wishes,
            wanted=provider,
            preferred=settings.preferred_providers,
            allowed=settings.allowed,
        )
        return await self._offered(draft, len(photos), replace(choice, why=why or choice.why), wishes)

    async def with_preset(self, owner_id: int, quote_id: str, preset: Preset, *, place: Place | None = None) -> Offer:
        """Return the quote anew with the numbers of a preset.

        Raises:
            Missing: the quote is gone.
        """
        quote = await self._quote(owner_id, quote_id)
        wishes = Wishes(preset=preset, autocaption=quote.recipe.autocaption)
        return await self.quote(owner_id, quote.draft_id, provider=_wanted(quote), wishes=wishes, place=place)

    async def with_numbers(self, owner_id: int, quote_id: str, wishes: Wishes, *, place: Place | None = None) -> Offer:
        """Return the quote anew with other numbers; what the wishes leave open stays as it is.

        Raises:
            BadInput: a number is outside of what the trainer takes.
            Missing: the quote is gone.
        """
        quote = await self._quote(owner_id, quote_id)
        kept = same_again(quote.recipe, preset=quote.preset)
        given = {name: value for name, value in asdict(wishes).items() if value is not None and name != "preset"}
        wishes = replace(kept, **given)
        return await self.quote(
            owner_id, quote.draft_id, provider=quote.provider, wishes=wishes, why=quote.why, place=place
        )

    async def offer(self, owner_id: int, quote_id: str) -> Offer:
        """Return a quote as it was shown, without its remarks."""
        quote = await self._quote(owner_id, quote_id)
        async with self._database.begin() as connection:
            draft = owned(await draft_rows.get(connection, quote.draft_id), owner_id)
        trainer = self._registry.trainers.get(quote.provider)
        if trainer is None:
            raise Missing(_("That quote is gone."), advice=_("Ask for another with /train."))
        return Offer(
            quote=quote,
            draft=draft,
            capabilities=trainer.capabilities,
            trainer_title=trainer.title,
            photo_count=0,
            notices=(),
        )

    async def _quote(self, owner_id: int, quote_id: str) -> Quote:
        async with self._database.begin() as connection:
            quote = await rows.get_quote(connection, quote_id)
            if quote is None:
                raise Missing(_("That quote is gone."), advice=_("Ask for another with /train."))
            owned(await draft_rows.get(connection, quote.draft_id), owner_id)
        return quote

    async def _offered(self, draft: Draft, photo_count: int, choice: TrainerChoice, wishes: Wishes) -> Offer:
        trainer = choice.trainer
        quote = Quote(
            id=new_id(),
            draft_id=draft.id,
            provider=trainer.name,
            why=choice.why,
            preset=wishes.preset,
            recipe=choice.recipe,
            estimate=choice.estimate,
            created_at=self._clock.now(),
        )
        async with self._database.begin() as connection:
            await rows.insert_quote(connection, quote)
        notices = [_(trainer.capabilities.notice)] if trainer.capabilities.notice else []
        notices += [child_warning()] if draft.depicted is Depicted.CHILD else []
        ignored = ignored_wishes(trainer, wishes)
        if ignored:
            notices.append(
                _("{trainer} has no use for {options}.").format(
                    trainer=trainer.title, options=listed([f"`{name}`" for name in ignored])
                )
            )
        return Offer(
            quote=quote,
            draft=draft,
            capabilities=trainer.capabilities,
            trainer_title=trainer.title,
            photo_count=photo_count,
            notices=notices,
        )

    async def start(self, owner_id: int, quote_id: str, place: Place) -> Job:
        """Begin the training that was quoted; its card will appear in that place.

        Raises:
            NotAllowed: the server's managers do not let this person train there, or do not want one of the words.
            WrongMoment: the quote is too old, or a training of this draft is under way.
        """
        now = self._clock.now()
        async with self._database.begin() as connection:
            settings = await self._guilds.require(connection, owner_id, place, Act.TRAIN)
            quote = await rows.get_quote(connection, quote_id)
            if quote is None:
                raise Missing(_("That quote is gone."), advice=_("Ask for another with /train."))
            draft = answered(still_open(owned(await draft_rows.get(connection, quote.draft_id), owner_id)))
            if now - quote.created_at > QUOTE_LIFE:
                raise WrongMoment(_("That quote is more than an hour old."), advice=_("Ask for another with /train."))
            photos = await draft_rows.photos_in(connection, draft.id)
            without_blocked_words(settings, draft.name, draft.trigger_word, *(photo.caption for photo in photos))
            # The photos or the deployment may have changed since the quote.
            wishes = Wishes(steps=quote.recipe.steps, resolution=quote.recipe.resolution)
            self._router.trainer_for(draft, len(photos), wishes, wanted=quote.provider, allowed=settings.allowed)
            job = Job(
                id=new_id(),
                kind=JobKind.TRAINING,
                state=JobState.PREPARING,
                owner_id=owner_id,
                guild_id=place.guild_id,
                title=draft.name,
                provider=quote.provider,
                why=quote.why,
                spec=TrainingSpec(name=draft.name, recipe=quote.recipe, photo_count=len(photos)),
                draft_id=draft.id,
                lora_id=None,
                parent_id=None,
                created_at=now,
                updated_at=now,
                next_at=now,
            )
            try:
                await rows.insert(connection, job)
            except IntegrityError as error:
                raise WrongMoment(
                    _("**{name}** is being trained already.").format(name=draft.name),
                    advice=_("/jobs shows how far it is."),
                ) from error
            await self._budget.reserve(connection, job, quote.estimate, here=settings.limits_for(place.role_ids))
            await card_rows.insert(connection, Card(job_id=job.id, channel_id=place.channel_id, locale=place.locale))
            await draft_rows.set_state(connection, draft.id, DraftState.TRAINING, at=now)
        self._news.publish(JobChanged(job_id=job.id, due=True))
        return job

    async def jobs(self, owner_id: int) -> Sequence[Job]:
        """Return a person's jobs, those under way first."""
        async with self._database.begin() as connection:
            return await rows.of_owner(connection, owner_id, limit=LISTED)

    async def cancel(self, owner_id: int, job_id: str) -> Job:
        """Ask for the end of a job.

        Raises:
            NotYours: it belongs to somebody else.
            WrongMoment: it has ended.
        """
        async with self._database.begin() as connection:
            job = await rows.get(connection, job_id)
            if job is None:
                raise Missing(_("There is no such job."), advice=_("/jobs lists yours."))
            if job.owner_id != owner_id:
                raise NotYours(_("That job belongs to somebody else, so only they can stop it."))
            if not await rows.request_cancel(connection, job_id, at=self._clock.now()):
                raise WrongMoment(_("It has ended already."))
        self._news.publish(JobChanged(job_id=job_id, due=True))
        return job

    async def settle_doubt(self, person_id: int, job_id: str, place: Place, *, remote_id: str | None) -> Job:
        """Let a person say what became of a job that nobody can look up: its id at the provider, or that it never ran.

        Raises:
            NotYours: neither the owner nor an admin of the server says it.
            WrongMoment: nothing about this job is in doubt.
        """
        async with self._database.begin() as connection:
            job = await rows.get(connection, job_id)
            if job is None:
                raise Missing(_("There is no such job."), advice=_("/jobs lists yours."))
            settings = await guild_rows.settings(connection, place.guild_id)
            manages = job.guild_id is not None and job.guild_id == place.guild_id and settings.is_managed_by(place)
            if job.owner_id != person_id and not manages:
                raise NotYours(_("Only the person who asked for it, or an admin of this server, can say that."))
            if not await rows.settle_doubt(connection, job_id, remote_id=remote_id, at=self._clock.now()):
                raise WrongMoment(_("Nothing about this job is in doubt any more."))
            if job.owner_id != person_id:
                await audit.record(
                    connection,
                    guild_id=job.guild_id,
                    actor_id=person_id,
                    act=AuditAct.SETTLE_DOUBT,
                    target=job_id,
                    details={"outcome": "did not run" if remote_id is None else "ran"},
                    at=self._clock.now(),
                )
        self._news.publish(JobChanged(job_id=job_id, due=True))
        return job

    async def job(self, job_id: str) -> Job:
        """Return one job, whoever owns it; for cards."""
        async with self._database.begin() as connection:
            job = await rows.get(connection, job_id)
        if job is None:
            raise Missing(_("There is no such job."))
        return job

    async def outcome(self, job: Job) -> tuple[Lora | None, Job | None]:
        """Return the model that a training made and the job of its sample pictures, as far as they exist."""
        async with self._database.begin() as connection:
            return await lora_rows.made_by(connection, job.id), await rows.samples_of(connection, job.id)


def _wanted(quote: Quote) -> str | None:
    """Return the provider that the person chose; None where the choice was left to us."""
    return quote.provider if quote.why == CHOSEN else None
