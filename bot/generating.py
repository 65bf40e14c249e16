"""Owns what people can ask about pictures: make some, make more, look at one, delete them; never follows a job."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.adult import require_fit
from bot.blobs import Blobs
from bot.budget import Budget
from bot.clock import Clock
from bot.consent import adult_allowed, refuse_adult
from bot.errors import Missing, NotYours, WrongMoment
from bot.events import JobChanged, News
from bot.gallery_rules import plan
from bot.guild import Act, GuildSettings
from bot.guilds import Guilds, without_blocked_words
from bot.ids import new_id
from bot.lora import Lora, Picture, picture_at
from bot.picture_wishes import Mixing, PictureWishes, spec_for, unlike
from bot.place import Place
from bot.routing import CHOSEN, MakerChoice, Router
from bot.sharing import may_use
from bot.store import adult as adult_rows
from bot.store import cards as card_rows
from bot.store import galleries as gallery_rows
from bot.store import guilds as guild_rows
from bot.store import jobs as job_rows
from bot.store import loras as rows
from bot.store.cards import Card
from bot.store.database import Database
from bot.texts import _
from bot.training.job import Enlarged, Job, JobKind, JobState, PictureSpec
from providers.base import ImageMaker
from providers.registry import Registry


@dataclass(frozen=True, kw_only=True)
class Gallery:
    """Some finished pictures, or why there are none."""

    job: Job
    lora: Lora | None
    pictures: Sequence[Picture]
    #: Files in the order of `pictures`; empty unless asked for.
    files: Sequence[bytes]
    #: Of the trainer, where the training drew them itself.
    maker_title: str
    notice: str
    #: Somebody here can enlarge these pictures.
    upscalable: bool = False


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
        async with self._database.begin() as connection:
            settings = await self._guilds.require(connection, person_id, place, Act.GENERATE)
            lora = await may_use(connection, lora_id, person_id, place)
            mixed_in = [await may_use(connection, one.lora_id, person_id, place) for one in wishes.mixed_in]
            await self._admit(connection, settings, place, wishes, [lora, *mixed_in])
            choice = self._choice(settings, wishes, lora, mixed_in)
            job = self._job_for(person_id, place, lora, choice, spec_for(choice.maker, wishes, lora, mixed_in))
            await self._begin(connection, settings, place, job, lora=lora, choice=choice)
        self._news.publish(JobChanged(job_id=job.id, due=True))
        return job

    async def upscale(self, person_id: int, job_id: str, position: int, place: Place) -> Job:
        """Begin a larger copy of one picture; its card will appear in that place.

        Raises:
            CannotServe: nobody here upscales pictures.
            Missing: the picture is gone, or its model is not shared with this person here.
            NotAllowed: as in `start`, whose rules hold.
            WrongMoment: it is an upscaled picture itself, or a limit would be passed.
        """
        asked = await self._job(job_id)
        if asked.pictures.enlarged is not None:
            raise WrongMoment(_("This picture is upscaled already."), advice=_("/generate makes new ones."))
        wishes = self._wishes(asked)
        async with self._database.begin() as connection:
            settings = await self._guilds.require(connection, person_id, place, Act.GENERATE)
            lora = await may_use(connection, asked.lora_id or "", person_id, place)
            mixed_in = [await may_use(connection, one.lora_id, person_id, place) for one in wishes.mixed_in]
            await self._admit(connection, settings, place, wishes, [lora, *mixed_in])
            picture = picture_at(await rows.pictures_of(connection, job_id), position)
            choice = self._router.upscaler_for(preferred=settings.preferred_providers, allowed=settings.allowed)
            spec = replace(
                asked.pictures,
                count=1,
                seed=picture.seed,
                checkpoint_id=None,
                enlarged=Enlarged(job_id=job_id, position=position, factor=_factor(choice.maker)),
            )
            job = self._job_for(person_id, place, lora, choice, spec)
            await self._begin(connection, settings, place, job, lora=lora, choice=choice)
        self._news.publish(JobChanged(job_id=job.id, due=True))
        return job

    def _job_for(self, person_id: int, place: Place, lora: Lora, choice: MakerChoice, spec: PictureSpec) -> Job:
        now = self._clock.now()
        return Job(
            id=new_id(),
            kind=JobKind.PICTURES,
            state=JobState.PREPARING,
            owner_id=person_id,
            guild_id=place.guild_id,
            title=lora.name,
            provider=choice.maker.name,
            why=choice.why,
            spec=spec,
            draft_id=None,
            lora_id=lora.id,
            parent_id=None,
            created_at=now,
            updated_at=now,
            next_at=now,
        )

    async def _begin(
        self,
        connection: AsyncConnection,
        settings: GuildSettings,
        place: Place,
        job: Job,
        *,
        lora: Lora,
        choice: MakerChoice,
    ) -> None:
        """Write a job with its reserve, its card and its place in the gallery."""
        await job_rows.insert(connection, job)
        await self._budget.reserve(connection, job, choice.estimate, here=settings.limits_for(place.role_ids))
        await card_rows.insert(connection, Card(job_id=job.id, channel_id=place.channel_id, locale=place.locale))
        await plan(connection, settings, place, job, lora)

    async def _admit(
        self,
        connection: AsyncConnection,
        settings: GuildSettings,
        place: Place,
        wishes: PictureWishes,
        loras: Sequence[Lora],
    ) -> None:
        """Refuse what may not be asked of one of these models there."""
        texts = (wishes.prompt, wishes.negative_prompt)
        without_blocked_words(settings, *texts)
        for lora in loras:
            # What shall not be in a picture does not make it adult.
            refuse_adult(lora.depicted, wishes.prompt)
            marked = await adult_rows.is_marked(connection, lora.id, place.guild_id)
            never = not adult_allowed(lora.depicted)
            require_fit(settings, place, prompts=(wishes.prompt,), marked=marked, never=never)

    def _choice(
        self, settings: GuildSettings, wishes: PictureWishes, lora: Lora, mixed_in: Sequence[Lora]
    ) -> MakerChoice:
        """Return who makes the pictures; what the model's owner set comes before what the server prefers."""
        unlike(lora, mixed_in)
        liked = [lora.provider] if lora.provider else []
        return self._router.maker_for(
            lora,
            wishes.count,
            wanted=wishes.provider,
            preferred=[*liked, *settings.preferred_providers],
            allowed=settings.allowed,
            extra=mixed_in,
            negative_prompt=bool(wishes.negative_prompt.strip()),
        )

    async def again(self, person_id: int, job_id: str, place: Place, *, count: int | None = None) -> Job:
        """Begin the same pictures with new seeds; what should have been enlarged is tried once more."""
        job = await self._job(job_id)
        if (enlarged := job.pictures.enlarged) is not None:
            return await self.upscale(person_id, enlarged.job_id, enlarged.position, place)
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
            negative_prompt=spec.negative_prompt,
            count=spec.count,
            seed=spec.seed,
            aspect=spec.aspect,
            strength=spec.strength,
            provider=job.provider if job.provider in self._registry.image_makers and not spec.by_training else None,
            mixed_in=[Mixing(lora_id=one.lora_id, strength=one.strength) for one in spec.mixed_in],
        )

    async def gallery(self, job_id: str, *, with_files: bool) -> Gallery:
        """Return the pictures of a job."""
        job = await self._job(job_id)
        async with self._database.begin() as connection:
            lora = await rows.get(connection, job.lora_id or "")
            pictures = await rows.pictures_of(connection, job_id)
            settings = await guild_rows.settings(connection, job.guild_id)
        files = [await self._blobs.get(picture.blob_key) for picture in pictures] if with_files else []
        title, notice = self._made_by(job)
        return Gallery(
            job=job,
            lora=lora,
            pictures=pictures,
            files=files,
            maker_title=title,
            notice=notice,
            upscalable=job.pictures.enlarged is None and self._router.upscales(allowed=settings.allowed),
        )

    def _made_by(self, job: Job) -> tuple[str, str]:
        """Return the title of who made the pictures, and what is to be told of it with them."""
        if job.pictures.by_training:
            trainer = self._registry.trainers.get(job.provider)
            return trainer.title if trainer else job.provider, ""
        maker = self._registry.image_makers.get(job.provider)
        if maker is None:
            return job.provider, ""
        return maker.title, maker.capabilities.notice if job.pictures.enlarged is None else ""

    async def own_gallery(self, person_id: int, job_id: str) -> Gallery:
        """Return pictures that a person asked for.

        Raises:
            NotYours: somebody else asked for them.
        """
        gallery = await self.gallery(job_id, with_files=False)
        if gallery.job.owner_id != person_id:
            raise NotYours(_("Only the person who asked for these pictures can delete them."))
        return gallery

    async def delete(self, person_id: int, job_id: str) -> Sequence[tuple[int, int]]:
        """Delete the pictures of a job for ever and return where they stand, as channel and message.

        Raises:
            NotYours: somebody else asked for them.
        """
        await self.own_gallery(person_id, job_id)
        async with self._database.begin() as connection:
            card = await card_rows.get(connection, job_id)
        await self.remove(job_id)
        return [] if card is None or card.message_id is None else [(card.channel_id, card.message_id)]

    async def remove(self, job_id: str) -> None:
        """Delete the pictures of a job for ever, whoever asked for them."""
        async with self._database.begin() as connection:
            pictures = await rows.pictures_of(connection, job_id)
            await rows.delete_pictures(connection, job_id)
            await card_rows.give_up(connection, job_id, reason="its pictures were deleted")
            await gallery_rows.take_back(connection, job_id)
        await self._blobs.delete(picture.blob_key for picture in pictures)
        self._news.publish(JobChanged(job_id=job_id))

    async def _job(self, job_id: str) -> Job:
        async with self._database.begin() as connection:
            job = await job_rows.get(connection, job_id)
        if job is None or job.kind is not JobKind.PICTURES:
            raise Missing(_("There are no such pictures."))
        return job


def _factor(maker: ImageMaker) -> float:
    """Return by how much an image maker enlarges by default."""
    return maker.capabilities.upscale.default if maker.capabilities.upscale else 1.0
