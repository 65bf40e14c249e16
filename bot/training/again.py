"""Owns the way from an ended training to the quote of the next: the same photos and numbers; begins nothing."""

from dataclasses import replace

from bot.draft import Draft, DraftState, still_open
from bot.draft_copies import DraftCopies
from bot.errors import BadInput, CannotServe, Missing, NotYours, WrongMoment
from bot.place import Place
from bot.store import drafts as draft_rows
from bot.store import jobs as rows
from bot.store import loras as lora_rows
from bot.store.database import Database
from bot.texts import _
from bot.training.job import Job, JobKind
from bot.training.presets import Wishes, same_again
from bot.training.service import Offer, TrainingService


class TrainAgain:
    """What *Train again* asks."""

    def __init__(self, *, database: Database, training: TrainingService, copies: DraftCopies) -> None:
        self._database = database
        self._training = training
        self._copies = copies

    async def quote(self, owner_id: int, job_id: str, place: Place) -> Offer:
        """Return the quote of a training like this one; a draft that was trained is copied, once.

        Raises:
            Missing: there is no such training, or its photos are no longer kept.
            NotYours: somebody else asked for it.
            WrongMoment: it has not ended, or its draft is being trained again already.
        """
        job = await self._ended(owner_id, job_id)
        draft = await self._draft(job)
        async with self._database.begin() as connection:
            version = await lora_rows.next_version(connection, draft.line)
        offer = await self._offer(job, draft, place)
        remarks = list(offer.notices)
        if draft.id != job.draft_id:
            remarks.append(_("Its photos are a copy of those of the earlier draft, and go by themselves like all."))
        if version > 1:
            remarks.append(_("It becomes version {number} of the model.").format(number=version))
        return replace(offer, notices=remarks)

    async def _ended(self, owner_id: int, job_id: str) -> Job:
        async with self._database.begin() as connection:
            job = await rows.get(connection, job_id)
        if job is None or job.kind is not JobKind.TRAINING:
            raise Missing(_("There is no such training."), advice=_("/jobs lists yours."))
        if job.owner_id != owner_id:
            raise NotYours(
                _("Only the person who asked for this training can begin it again."),
                advice=_("Make your own with /draft new."),
            )
        if not job.state.terminal:
            raise WrongMoment(_("It has not ended yet."), advice=_("/jobs shows how far it is."))
        return job

    async def _draft(self, job: Job) -> Draft:
        async with self._database.begin() as connection:
            draft = await draft_rows.get(connection, job.draft_id or "")
            others = await draft_rows.open_of(connection, job.owner_id)
        if draft is None or draft.state is DraftState.DISCARDED:
            raise Missing(
                _("The photos of **{name}** are no longer kept.").format(name=job.title),
                advice=_("Start a new draft with /draft new."),
            )
        if draft.state is not DraftState.TRAINED:
            return still_open(draft)
        waiting = next((other for other in others if other.line == draft.line), None)
        return waiting or await self._copies.copy(job.owner_id, draft.id)

    async def _offer(self, job: Job, draft: Draft, place: Place) -> Offer:
        wishes = same_again(job.training.recipe)
        try:
            return await self._training.quote(
                job.owner_id, draft.id, provider=job.provider, wishes=wishes, why=job.why, place=place
            )
        except (BadInput, CannotServe):
            # Its provider is gone or takes other numbers now; the person sees in the quote what it would be instead.
            return await self._training.quote(job.owner_id, draft.id, provider=None, wishes=Wishes(), place=place)
