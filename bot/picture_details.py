"""Owns what somebody may know about pictures that they see: whose they are, and how they were made; changes nothing.

Who sees a message sees what stands under the pictures. The trigger word, the whole prompt, the negative prompt and what
else went in are told to who may use the model there; cost and job to who asked for them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.errors import BadInput, Missing, NotYours
from bot.generating import Gallery, GeneratingService
from bot.lora import Lora
from bot.place import Place
from bot.sharing import may_use
from bot.store import cards as card_rows
from bot.store import galleries as gallery_rows
from bot.store import jobs as job_rows
from bot.store import loras as lora_rows
from bot.store.database import Database
from bot.texts import _
from bot.training.job import JobKind


@dataclass(frozen=True, kw_only=True)
class PictureDetails:
    """Some pictures, and how much of them somebody may know."""

    gallery: Gallery
    #: Further models in them with their strengths; those that this person may use there.
    mixed_in: Sequence[tuple[Lora, float]]
    #: How many more there are that they may not use.
    unnamed: int
    #: They may use the model there, or asked for these pictures.
    may_use: bool
    #: They asked for these pictures.
    asked: bool


class PictureDetailsService:
    """What people can ask about pictures."""

    def __init__(self, *, database: Database, generating: GeneratingService) -> None:
        self._database = database
        self._generating = generating

    async def of_job(self, person_id: int, job_id: str, place: Place) -> PictureDetails:
        """Return what this person may know about the pictures of a job.

        Raises:
            Missing: there are no such pictures.
        """
        gallery = await self._generating.gallery(job_id, with_files=False)
        job = gallery.job
        asked = job.owner_id == person_id
        mixed_in, unnamed = [], 0
        for one in job.pictures.mixed_in:
            lora = await self._usable(one.lora_id, person_id, place)
            if lora is not None:
                mixed_in.append((lora, one.strength))
            else:
                unnamed += 1
        return PictureDetails(
            gallery=gallery,
            mixed_in=mixed_in,
            unnamed=unnamed,
            may_use=asked or await self._usable(job.lora_id or "", person_id, place) is not None,
            asked=asked,
        )

    async def of_message(self, person_id: int, message_id: int, place: Place) -> PictureDetails:
        """Return what this person may know about the pictures in a message.

        Raises:
            BadInput: no pictures of ours stand there.
        """
        async with self._database.begin() as connection:
            card = await card_rows.shown_in(connection, message_id)
            job_id = card.job_id if card else await gallery_rows.job_shown_in(connection, message_id)
            job = await job_rows.get(connection, job_id) if job_id else None
            if job is not None and job.kind is JobKind.TRAINING:
                # A training's last word shows the pictures of another job.
                job = await job_rows.samples_of(connection, job.id)
        if job is None:
            raise BadInput(
                _("I know of no pictures of mine in that message."),
                advice=_("Choose Apps, Picture details on a message of mine with pictures."),
            )
        return await self.of_job(person_id, job.id, place)

    async def _usable(self, lora_id: str, person_id: int, place: Place) -> Lora | None:
        """Return a model that this person may use there; who owned a deleted one may know of it too."""
        async with self._database.begin() as connection:
            try:
                return await may_use(connection, lora_id, person_id, place)
            except (Missing, NotYours):
                lora = await lora_rows.get(connection, lora_id)
        return lora if lora is not None and lora.owner_id == person_id else None
