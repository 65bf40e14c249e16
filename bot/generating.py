"""Owns what people can ask about pictures: make some, make more, look at one, delete them; never follows a job."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from secrets import randbelow

from bot import words
from bot.adult import require_fit
from bot.blobs import Blobs
from bot.budget import Budget
from bot.clock import Clock
from bot.consent import adult_allowed, refuse_adult
from bot.errors import BadInput, Missing, NotYours
from bot.events import JobChanged, News
from bot.guild import Act
from bot.guilds import Guilds, without_blocked_words
from bot.ids import new_id
from bot.lora import Lora, Picture
from bot.place import Place
from bot.routing import CHOSEN, Router
from bot.sharing import may_use
from bot.store import adult as adult_rows
from bot.store import cards as card_rows
from bot.store import jobs as job_rows
from bot.store import loras as rows
from bot.store.cards import Card
from bot.store.database import Database
from bot.texts import _
from bot.training.job import Job, JobKind, JobState, PictureSpec
from bot.training.trainings import SEEDS, default_strength
from providers.base import Aspect, ImageMaker
from providers.registry import Registry


@dataclass(frozen=True, kw_only=True)
class PictureWishes:
    """What a person asked for; None wherever they leave it to us."""

    prompt: str = ""
    count: int = 1
    seed: int | None = None
    aspect: Aspect = Aspect.SQUARE
    strength: float | None = None
    #: Name of the image maker.
    provider: str | None = None


@dataclass(frozen=True, kw_only=True)
class Gallery:
    """Some finished pictures, or why there are none."""

    job: Job
    lora: Lora | None
    pictures: Sequence[Picture]
    #: Files in the order of `pictures`; empty unless asked for.
    files: Sequence[bytes]
    maker_title: str
    notice: str


class GeneratingService:
    """All that can be done about pictures, each call for one person."""

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
        self._router = router
        self._guilds = guilds
        self._budget = budget
        self._database = database
        self._blobs = blobs
        self._registry = registry
        self._clock = clock
        self._news = news

    def makers_for(self, lora: Lora | None) -> Sequence[ImageMaker]:
        """Return the image makers that can use this model; all of them without one."""
        if lora is None:
            return list(self._registry.image_makers.values())
        return self._registry.image_makers_for(lora.base_model, lora.format)

    async def start(self, person_id: int, lora_id: str, wishes: PictureWishes, place: Place) -> Job:
        """Begin some pictures; their card will appear in that place.

        Raises:
            BadInput: a value is outside of what the image maker takes.
            CannotServe: no image maker here can use this model.
            Missing: there is no such model, or it is not shared with this person here.
            NotAllowed: the server's managers do not let them, do not want a word, or it is adult and may not be.
        """
        now = self._clock.now()
        async with self._database.begin() as connection:
            settings = await self._guilds.require(connection, person_id, place, Act.GENERATE)
            lora = await may_use(connection, lora_id, person_id, place)
            refuse_adult(lora.depicted, wishes.prompt)
            without_blocked_words(settings, wishes.prompt)
            marked = await adult_rows.is_marked(connection, lora.id, place.guild_id)
            require_fit(
                settings, place, prompts=(wishes.prompt,), marked=marked, never=not adult_allowed(lora.depicted)
            )
            choice = self._router.maker_for(
                lora,
                wishes.count,
                wanted=wishes.provider,
                preferred=settings.preferred_providers,
                allowed=settings.allowed,
            )
            maker = choice.maker
            job = Job(
                id=new_id(),
                kind=JobKind.PICTURES,
                state=JobState.PREPARING,
                owner_id=person_id,
                guild_id=place.guild_id,
                title=lora.name,
                provider=maker.name,
                why=choice.why,
                spec=self._spec(lora, maker, wishes),
                draft_id=None,
                lora_id=lora.id,
                parent_id=None,
                created_at=now,
                updated_at=now,
                next_at=now,
            )
            await job_rows.insert(connection, job)
            await self._budget.reserve(connection, job, choice.estimate, here=settings.limits_for(place.role_ids))
            await card_rows.insert(connection, Card(job_id=job.id, channel_id=place.channel_id, locale=place.locale))
        self._news.publish(JobChanged(job_id=job.id, due=True))
        return job

    async def again(self, person_id: int, job_id: str, place: Place, *, count: int | None = None) -> Job:
        """Begin the same pictures with new seeds."""
        job = await self._job(job_id)
        wishes = self._wishes(job)
        # Where the choice was left to us, it is made anew.
        provider = wishes.provider if job.why == CHOSEN else None
        again = replace(wishes, seed=None, count=count or wishes.count, provider=provider)
        return await self.start(person_id, job.lora_id or "", again, place)

    async def wishes_of(self, person_id: int, job_id: str, place: Place) -> tuple[Lora, PictureWishes]:
        """Return all that some pictures were made with, to somebody who may make such pictures."""
        job = await self._job(job_id)
        async with self._database.begin() as connection:
            lora = await may_use(connection, job.lora_id or "", person_id, place)
        return lora, self._wishes(job)

    def _wishes(self, job: Job) -> PictureWishes:
        spec = job.pictures
        return PictureWishes(
            prompt=spec.prompt,
            count=spec.count,
            seed=spec.seed,
            aspect=spec.aspect,
            strength=spec.strength,
            provider=job.provider if job.provider in self._registry.image_makers else None,
        )

    async def gallery(self, job_id: str, *, with_files: bool) -> Gallery:
        """Return the pictures of a job."""
        job = await self._job(job_id)
        async with self._database.begin() as connection:
            lora = await rows.get(connection, job.lora_id or "")
            pictures = await rows.pictures_of(connection, job_id)
        files = [await self._blobs.get(picture.blob_key) for picture in pictures] if with_files else []
        maker = self._registry.image_makers.get(job.provider)
        return Gallery(
            job=job,
            lora=lora,
            pictures=pictures,
            files=files,
            maker_title=maker.title if maker else job.provider,
            notice=maker.capabilities.notice if maker else "",
        )

    async def delete(self, person_id: int, job_id: str) -> None:
        """Delete the pictures of a job for ever.

        Raises:
            NotYours: somebody else asked for them.
        """
        job = await self._job(job_id)
        if job.owner_id != person_id:
            raise NotYours(_("Only the person who asked for these pictures can delete them."))
        await self.remove(job_id)

    async def remove(self, job_id: str) -> None:
        """Delete the pictures of a job for ever, whoever asked for them."""
        async with self._database.begin() as connection:
            pictures = await rows.pictures_of(connection, job_id)
            await rows.delete_pictures(connection, job_id)
            await card_rows.give_up(connection, job_id, reason="its pictures were deleted")
        await self._blobs.delete(picture.blob_key for picture in pictures)

    async def _job(self, job_id: str) -> Job:
        async with self._database.begin() as connection:
            job = await job_rows.get(connection, job_id)
        if job is None or job.kind is not JobKind.PICTURES:
            raise Missing(_("There are no such pictures."))
        return job

    def _spec(self, lora: Lora, maker: ImageMaker, wishes: PictureWishes) -> PictureSpec:
        can = maker.capabilities
        if wishes.count not in can.count:
            raise BadInput(
                _("{provider} makes {low} to {high} pictures at once.").format(
                    provider=maker.title, low=f"{can.count.low:g}", high=f"{can.count.high:g}"
                )
            )
        if wishes.aspect not in can.aspects:
            shapes = ", ".join(sorted(can.aspects))
            raise BadInput(
                _("{provider} cannot make {shape} pictures.").format(provider=maker.title, shape=wishes.aspect),
                advice=_("It can make {shapes}.").format(shapes=shapes),
            )
        strength = default_strength(self._registry, maker.name) if wishes.strength is None else wishes.strength
        if can.strength is not None and strength not in can.strength:
            raise BadInput(
                _("`strength` goes from {low} to {high} here.").format(
                    low=f"{can.strength.low:g}", high=f"{can.strength.high:g}"
                ),
                advice=_("{value} is a good value.").format(value=f"{can.strength.default:g}"),
            )
        if wishes.seed is not None and not 0 <= wishes.seed < SEEDS:
            raise BadInput(
                _("A seed is a whole number from 0 to {most}.").format(most=SEEDS - 1),
                advice=_("Leave it out for a random one."),
            )
        return PictureSpec(
            prompt=words.prompt(wishes.prompt) or f"a photo of {lora.trigger_word}",
            count=wishes.count,
            seed=randbelow(SEEDS) if wishes.seed is None else wishes.seed,
            aspect=wishes.aspect,
            strength=strength,
        )
